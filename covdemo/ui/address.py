"""The settings in the page's address: read when a viewer arrives or goes back, written after every change."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from covdemo import entrants, lessons
from covdemo.config import RunConfig, read, to_query
from covdemo.fields import Problem
from covdemo.ui import lesson, methods, tabs

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
    config, problems = read(lessons.complete(query), others=[lessons.PARAMETER, entrants.URL, tabs.URL])
    return config, problems + lesson.arrive(query) + methods.fill(query) + tabs.fill(query)


def show(config: RunConfig) -> None:
    """Write all that makes this view into the address: what differs from the default or belongs to the open lesson."""
    query = to_query(config, also=lesson.settings()) | lesson.query() | methods.query() | tabs.query()
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
