"""The page as a table of contents: settings, run, tabs. Start it with ``streamlit run app.py``."""

from pathlib import Path

import streamlit as st

from covdemo.ui import code, compare, controls, explain, lesson, maps, replay, session, sidebar, stylesheet, tabs, train

session.obey()
ICON = Path(__file__).parent / "covdemo" / "ui" / "icon.svg"
st.set_page_config("covdemo: why a covariance matrix breaks", str(ICON), layout="wide")
stylesheet.apply()

settings = sidebar.settings()
lesson.draw("Why does a covariance matrix break under SGD?")
player = session.player(settings.config, settings.data.trials)
comparison = session.comparison(settings.config, player.run.data)
sidebar.complain(settings)
refresh = tabs.show(
    {
        "Train": lambda: train.tab(session.alone(player, comparison)),
        "Replay": lambda: replay.tab(player),
        "Compare": lambda: compare.tab(session.alone(comparison, player), settings.config),
        "Map": lambda: maps.tab(settings.config, player.run.data),
        "Code": lambda: code.tab(player.run),
        "Explain": lambda: explain.tab(settings.config),
    }
)
sidebar.draw(settings)
controls.live(comparison if comparison.playing else player, refresh)
