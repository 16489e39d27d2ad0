"""What Streamlit's theme cannot say of the page's looks."""

import streamlit as st

# Streamlit writes white on the primary colour; the dark theme's has to be a light one, to be read on the dark ground itself.
_STYLE = """<style>
.stApp button[kind="primary"] p, .stApp button[kind="primary"] span, [data-testid="stMultiSelect"] span[title] {
  color: light-dark(white, #0e1117);
}
</style>"""


def apply() -> None:
    """Put the style sheet into the page."""
    st.html(_STYLE)
