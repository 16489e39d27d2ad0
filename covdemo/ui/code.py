"""The tab with the present settings as a stand-alone script."""

import streamlit as st

from covdemo.export import caveat, script
from covdemo.run import Run
from covdemo.ui import mydata

_ALONE = "These settings as a script of its own. It needs only torch and NumPy, and ends with the page's numbers."
_NEEDS = "Runs wherever torch and NumPy are installed."
_WITH_DATA = "It reads its data from points.csv in the folder where it is started: download both."


def tab(run: Run) -> None:
    """Draw the script, with a button to copy it and one to download it; and one for the data that it reads, if any."""
    text, reads = script(run.config, run.data), run.data.moments is not None
    st.markdown(" ".join([_ALONE, *([_WITH_DATA] if reads else []), caveat(run.config)]).strip())
    with st.container(horizontal=True):
        _download("Download as .py", text, "covdemo_run.py", "text/x-python", _NEEDS)
        if reads:
            _download("Download points.csv", mydata.points_csv(run.data), "points.csv", "text/csv", "The data that it reads.")
    st.code(text, language="python", height=600)


def _download(label: str, content: str, name: str, kind: str, why: str) -> None:
    st.download_button(label, content, name, kind, on_click="ignore", help=why)
