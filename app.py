"""The page as a table of contents: settings, run, tabs. Start it with ``streamlit run app.py``."""

from pathlib import Path

import streamlit as st

from covdemo.ui import code, controls, explain, lesson, maps, session, sidebar, tabs, train

ICON = Path(__file__).parent / "covdemo" / "ui" / "icon.svg"
st.set_page_config("covdemo: why a covariance matrix breaks", str(ICON), layout="wide")

settings = sidebar.settings()
lesson.draw("Why does a covariance matrix break under SGD?")
player = session.player(settings.config, settings.data.trials)
sidebar.complain(settings)
refresh = tabs.show(
    {
        "Train": lambda: train.tab(player),
        "Map": lambda: maps.tab(settings.config, tabs.KEY),
        "Code": lambda: code.tab(player.run),
        "Explain": explain.tab,
    }
)
sidebar.draw(settings)
controls.live(player, refresh)
