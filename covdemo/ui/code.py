"""The tab with the present settings as a stand-alone script."""

import streamlit as st

from covdemo.export import script
from covdemo.run import Run
from covdemo.ui import mydata

_ALONE = "These settings as a script of its own. It needs only torch and NumPy, and ends with the page's numbers."
_WITH_DATA = "It reads its data from points.csv in the folder where it is started: download both."


def tab(run: Run) -> None:
    """Draw the script, with a button to copy it and one to download it; and one for the data that it reads, if any."""
    text, reads = script(run.config, run.data), run.data.moments is not None
    st.markdown(f"{_ALONE} {_WITH_DATA}" if reads else _ALONE)
    with st.container(horizontal=True):
        st.download_button("Download as .py", text, file_name="covdemo_run.py", mime="text/x-python", on_click="ignore")
        if reads:
            st.download_button("Download points.csv", mydata.points_csv(run.data), "points.csv", "text/csv", on_click="ignore")
    st.code(text, language="python", height=600)
