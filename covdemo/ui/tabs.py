"""The tabs of the page; only the open one is drawn, so that a live run does not pay for the others."""

import time
from collections.abc import Callable, Iterable, Mapping

import streamlit as st

from covdemo.fields import Problem, last, nearest, quote

Refresh = Callable[[], None]
URL = "tab"
KEY = "tab"  # of the name of the open tab in the session
FIRST, CODE = "Train", "Code"
# seconds that the script rests once it has made the tabs, so that Streamlit sends them all before others keep its thread
# waiting; while some have arrived and others have not, the browser disables them, and the focus of the keyboard is lost
_BREATH = 0.012


def fill(query: Mapping[str, list[str]]) -> list[Problem]:
    """Open the tab that the address names, the first where it names none; return what is wrong with naming several."""
    st.session_state[KEY], problems = named(query)
    return problems


def named(query: Mapping[str, object]) -> tuple[str, list[Problem]]:
    """Return the name of a tab, if there is one of this name, and what is wrong with naming several."""
    name, problems = last(query.get(URL, FIRST), URL, "Tab")
    return name or FIRST, problems


def query() -> dict[str, str]:
    """Return the open tab as an address parameter; none for the first."""
    name = st.session_state.get(KEY) or FIRST
    return {} if name == FIRST else {URL: name}


def show(draws: Mapping[str, Callable[[], Refresh | None]]) -> Refresh:
    """Draw the open tab and return what brings its moving parts up to date.

    Args:
        draws: name of a tab -> function that draws it; what it returns, if anything, is called for each new picture.
    """
    _complain(draws)
    tabs = st.tabs(list(draws), key=KEY, on_change="rerun")
    time.sleep(_BREATH)
    for draw, tab in zip(draws.values(), tabs, strict=True):
        if tab.open:
            with tab:
                return draw() or _rest
    return _rest


def _complain(draws: Mapping[str, object]) -> None:
    """Say so, and open the first tab, where the address has named one that there is not."""
    with st.container():
        name = st.session_state.get(KEY)
        if name and name not in draws:
            st.session_state[KEY] = FIRST
            st.warning(complaint(name, draws))


def complaint(name: str, known: Iterable[str]) -> str:
    """Say that there is no tab of this name."""
    return f"{quote(name)} is not a tab of this page{nearest(name, known)}; {FIRST} is opened."


def _rest() -> None:
    """Do nothing."""
