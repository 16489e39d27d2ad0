"""The settings in the page's address: read when a viewer arrives or goes back, written after every change."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from covdemo import entrants
from covdemo.config import RunConfig, read, to_query
from covdemo.fields import Problem
from covdemo.ui import methods, tabs

_ARRIVED = "arrived"


def arrive() -> tuple[RunConfig, list[Problem]] | None:
    """Return what the address says, when it is the address that counts; None while the widgets do.

    It counts on the first script run of a session, and when the viewer goes back or forward in the browser. At other times a
    click may bring an address that is older than the last change of a widget.
    """
    context = get_script_run_ctx()
    back_or_forward = context is not None and context.is_history_navigation
    if st.session_state.get(_ARRIVED) and not back_or_forward:
        return None
    st.session_state[_ARRIVED] = True
    query = {name: st.query_params.get_all(name) for name in st.query_params}
    config, problems = read(query, others=[entrants.URL, tabs.URL])
    tabs.fill(query)
    return config, problems + methods.fill(query)


def show(config: RunConfig) -> None:
    """Write the settings, the choice of methods and the open tab into the address, where they are not the default."""
    query = to_query(config) | methods.query() | tabs.query()
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
