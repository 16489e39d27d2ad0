"""The choice of curves beside the first ones, which every tab that shows a run follows."""

import streamlit as st

from covdemo.curves import CURVES, Curve

_CHOSEN = "curves chosen"


def choose(key: str, why: str) -> list[Curve]:
    """Draw the choice and return what is chosen, here or, as long as this tab was not drawn, in another.

    Args:
        key: of the widget, another one for each tab.
        why: its help.
    """
    further = {row.title: row for row in CURVES if not row.first}
    if key not in st.session_state:
        st.session_state[key] = st.session_state.get(_CHOSEN, [])
    chosen = st.pills("More curves", list(further), selection_mode="multi", key=key, help=why)
    st.session_state[_CHOSEN] = chosen
    return [row for title, row in further.items() if title in chosen]
