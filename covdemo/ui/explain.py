"""The tab that explains: why it breaks, and one card per parameterization, made from the registry."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files

import streamlit as st

from covdemo import cards
from covdemo.config import RunConfig
from covdemo.parameterizations import Parameterization
from covdemo.ui import tabs, widgets

_USE = "Takes it for the run, with the other settings as they are, and opens the tab Code."


def tab(config: RunConfig) -> None:
    """Draw the explanations, each with a way to the code for the present settings."""
    st.markdown((files("covdemo.ui") / "lessons" / "why.md").read_text())
    st.markdown("#### Ways to write a covariance matrix")
    st.caption("Those that learn over the most decades of learning rates come first.")
    for row in cards.ranked():
        with st.expander(f"**{row.label}** · {row.summary}"):
            _card(row)
            st.button("Use it and show the code", key=f"use {row.key}", on_click=_use, args=(config, row.key), help=_USE)


def _use(config: RunConfig, key: str) -> None:
    widgets.fill(replace(config, parameterization=key))
    st.session_state[tabs.KEY] = tabs.CODE


def _card(row: Parameterization) -> None:
    st.latex(row.formula)
    for title, text in (("When to use it", row.use), ("Guarantee", cards.guarantee(row)), ("What goes wrong", row.pitfall)):
        st.markdown(f"**{title}.** {text}")
    _standings(cards.standings(row.key))
    st.code(cards.source(row), language="python")
    st.markdown("Read on: " + " · ".join(f"[{name}]({address})" for name, address in row.links.items()))


def _standings(standings: Sequence[cards.Standing]) -> None:
    if not standings:
        st.caption("Not in the measured table yet.")
        return
    st.table(
        {
            "Objective": [row.objective for row in standings],
            "Place": [f"{row.place}." for row in standings],
            "Decades of rates at which all seeds learn": [f"{row.decades:.1f} of 10" for row in standings],
            "Runs that failed": [f"{row.errors:.1%}" for row in standings],
            "Best KL to the truth": ["none" if row.best_kl is None else f"{row.best_kl:.3g}" for row in standings],
        }
    )
