"""The page as a table of contents: settings, run, tabs. Start it with ``streamlit run app.py``."""

import streamlit as st

from covdemo.ui import controls, session, sidebar, train

st.set_page_config(page_title="covdemo: why a covariance matrix breaks", page_icon="covdemo/ui/icon.svg", layout="wide")
st.markdown("#### Why does a covariance matrix break under SGD?", help=None)

config = sidebar.settings()
mine = session.player(config)
refresh = train.tab(mine)
controls.live(mine, refresh)
