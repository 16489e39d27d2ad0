"""The largest learning rate of the covariance matrices at which all seeds learn, beside its slider."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from covdemo.config import RunConfig
from covdemo.safe_rates import RATES, SEEDS, SafeRate, largest_safe_rate
from covdemo.sources import described
from covdemo.ui import widgets, working

_JOB = "safe rate"
_HELP = (
    f"Trains with {len(RATES)} rates from 1e-8 to 1e2 and {SEEDS} data seeds each, then looks closer where it stops learning."
)


def draw(config: RunConfig) -> None:
    """Draw the rate where it is known, else the search for it."""
    key = (_JOB, replace(config, lr_cov=RunConfig.lr_cov, seed=RunConfig.seed))
    found: SafeRate | None = working.result(key)
    if found is not None:
        _tell(found, config)
        return
    if working.watch(_JOB, key):
        return
    if working.result(key) is not None:
        st.rerun()
    reason = "" if described(config) else "It needs data that the settings describe, which a file of yours is not."
    st.button(
        "Find the largest safe rate",
        key="find safe rate",
        help=reason or _HELP,
        disabled=bool(reason),
        on_click=working.start,
        args=(_JOB, key, partial(_search, config)),
    )


def _search(config: RunConfig, progress: Callable[[float], None]) -> SafeRate:
    return largest_safe_rate(config, progress=progress)


def _tell(found: SafeRate, config: RunConfig) -> None:
    if found.rate is None:
        st.caption(
            f"No rate from {RATES[0]:g} to {RATES[-1]:g} is safe: at each, one of {SEEDS} seeds fails or does not learn."
        )
        return
    end = "" if found.next else ", the largest that was tried"
    st.caption(f"Largest safe rate: **{found.rate:g}**{end}. All of {SEEDS} seeds learn.")
    if found.rate != config.lr_cov:
        safe = replace(config, lr_cov=found.rate)
        st.button(
            f"Use {found.rate:g}", key="use safe rate", on_click=_use, args=(safe,), help="Changes the learning rate to it."
        )


def _use(config: RunConfig) -> None:
    widgets.fill(config)
