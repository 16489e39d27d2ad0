"""The tabs of the page; only the open one is drawn, so that a live run does not pay for the others."""

from collections.abc import Callable, Mapping

import streamlit as st

Refresh = Callable[[], None]
KEY = "tab"  # of the name of the open tab in the session
FIRST = "Train"


def show(draws: Mapping[str, Callable[[], Refresh | None]]) -> Refresh:
    """Draw the open tab and return what brings its moving parts up to date.

    Args:
        draws: name of a tab -> function that draws it; what it returns, if anything, is called for each new picture.
    """
    for draw, tab in zip(draws.values(), st.tabs(list(draws), key=KEY, on_change="rerun"), strict=True):
        if tab.open:
            with tab:
                return draw() or _rest
    return _rest


def _rest() -> None:
    """Do nothing."""
