"""What the session holds for a widget that the page may change too.

With every click a browser tells what all its widgets hold. Of one that the page has just changed it may tell what was there
before, because the change is not drawn yet, and Streamlit takes that for a change by the viewer: a number typed in the moment
before Train is pressed would be lost. So what the page changes goes on under another name, and what is told of the old one
counts no more.
"""

import streamlit as st


def key(name: str) -> str:
    """Return the name that a widget has at present."""
    changes = st.session_state.get(_changes(name), 0)
    return f"{name} {changes}" if changes else name


def put(name: str, value: object) -> None:
    """Let a widget hold a value from its next drawing on."""
    state = st.session_state
    if key(name) in state and state[key(name)] != value:
        state[_changes(name)] = state.get(_changes(name), 0) + 1
    if key(name) not in state:
        state[key(name)] = value


def _changes(name: str) -> str:
    return f"changes of {name}"
