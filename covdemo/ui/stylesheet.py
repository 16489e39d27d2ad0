"""What Streamlit's theme cannot say of the page's looks."""

import streamlit as st

# Streamlit writes white on the primary colour; the dark theme's has to be a light one, to be read on the dark ground itself.
# Its colours of code have too little contrast for either ground.
_STYLE = """<style>
.stApp button[kind="primary"] p, .stApp button[kind="primary"] span, [data-testid="stMultiSelect"] span[title] {
  color: light-dark(white, #0e1117);
}
code .token:is(.comment, .punctuation) { color: light-dark(#5a5f6e, #a9aebd) !important; }
code .token:is(.keyword, .function, .class-name) { color: light-dark(#0b5cab, #7fc1ff) !important; }
code .token.operator { color: light-dark(#a84300, #ffa260) !important; }
code .token:is(.number, .boolean, .parameter) { color: light-dark(#0a6e62, #45d3bf) !important; }
code .token.string { color: light-dark(#08702a, #58d683) !important; }
</style>"""


def apply() -> None:
    """Put the style sheet into the page."""
    st.html(_STYLE)
