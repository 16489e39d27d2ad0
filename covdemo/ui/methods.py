"""Which methods are compared, and at which rates: widgets whose values lie in the session and in the address."""

from collections.abc import Mapping

import streamlit as st

from covdemo import entrants
from covdemo.config import RunConfig
from covdemo.entrants import Entrant, Entrants
from covdemo.fields import Problem, show
from covdemo.parameterizations import PARAMETERIZATIONS

_CHOSEN = "methods"
_HELP = "Up to six ways to write a covariance matrix. All else is as in the sidebar, and the same for all of them."
_OWN_HELP = "A method may have a rate of its own; where nothing is typed, that of the sidebar holds."


def fill(query: Mapping[str, list[str]]) -> list[Problem]:
    """Choose what the address names, the default where it names nothing; return what is wrong with it."""
    found, problems = entrants.named(query)
    st.session_state[_CHOSEN] = [entrant.key for entrant in found]
    for key in PARAMETERIZATIONS:
        st.session_state[_own(key)] = ""
    for entrant in found:
        st.session_state[_own(entrant.key)] = "" if entrant.lr_cov is None else repr(entrant.lr_cov)
    return problems


def given() -> Entrants:
    """Return what is chosen."""
    return tuple(Entrant(key, _rate(key)) for key in st.session_state[_CHOSEN])


def _rate(key: str) -> float | None:
    """Return a method's own rate, None where it has none; the last one that could be used while what is typed cannot."""
    state, kept = st.session_state, f"{_own(key)} kept"
    rate, fault = entrants.read_rate(state[_own(key)])
    if not fault:
        state[kept] = rate
    used: float | None = state.get(kept)
    return used


def query() -> dict[str, str]:
    """Return the choice as an address parameter; none for the default."""
    chosen = given()
    return {} if chosen == entrants.DEFAULT else {entrants.URL: entrants.write(chosen)}


def draw() -> None:
    """Draw the choice."""
    st.multiselect(
        "Methods",
        list(PARAMETERIZATIONS),
        key=_CHOSEN,
        format_func=lambda key: PARAMETERIZATIONS[key].label,
        max_selections=entrants.MOST,
        help=_HELP,
        select_all=False,
        wrap=True,
        persist_state="session",
    )


def draw_rates(config: RunConfig) -> None:
    """Draw the learning rates of the methods that are chosen."""
    with st.popover("Own learning rates", help=_OWN_HELP):
        for key in st.session_state[_CHOSEN]:
            _draw_rate(key, config.lr_cov)


def _draw_rate(key: str, shared: float) -> None:
    label, own = PARAMETERIZATIONS[key].label, _own(key)
    shown = f"{show(shared)}, as in the sidebar"
    st.text_input(f"lr_cov of {label}", key=own, placeholder=shown, persist_state="session", help="For this method alone.")
    fault = entrants.read_rate(st.session_state[own])[1]
    if fault:
        kept = _rate(key)
        st.error(f"lr_cov of {label}: {fault}; {entrants.RATE.used(shared if kept is None else kept)}.")


def _own(key: str) -> str:
    """Return the name of a method's own rate in the session."""
    return f"own rate {key}"
