"""The tab with the present settings as a stand-alone script."""

import streamlit as st

from covdemo.config import RunConfig
from covdemo.export import script


def tab(config: RunConfig) -> None:
    """Draw the script, with a button to copy it and one to download it."""
    text = script(config)
    st.markdown("These settings as a script of its own. It needs only torch and NumPy, and ends with the page's numbers.")
    st.download_button("Download as .py", text, file_name="covdemo_run.py", mime="text/x-python", on_click="ignore")
    st.code(text, language="python", height=600)
