"""The tab that explains: why it breaks, and one card per parameterization, made from the registry."""

from collections.abc import Sequence
from importlib.resources import files

import streamlit as st

from covdemo import cards
from covdemo.parameterizations import Parameterization


def tab() -> None:
    """Draw the explanations."""
    st.markdown((files("covdemo.ui") / "lessons" / "why.md").read_text())
    st.markdown("#### Ways to write a covariance matrix")
    st.caption("Those that learn over the most decades of learning rates come first.")
    for row in cards.ranked():
        with st.expander(f"**{row.label}** · {row.summary}"):
            _card(row)


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
