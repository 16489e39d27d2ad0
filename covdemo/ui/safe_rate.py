"""The largest learning rate of the covariance matrices at which all seeds learn, beside its slider."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from covdemo import sources
from covdemo.config import RunConfig
from covdemo.safe_rates import RATES, SEEDS, WIDTH, SafeRate, largest_safe_rate
from covdemo.sources import described
from covdemo.trials import Trials
from covdemo.ui import session, widgets, working

_JOB = "safe rate"
_HELP = (
    f"Trains with {len(RATES)} rates from {RATES[0]:g} to {RATES[-1]:g} and {SEEDS} data seeds each, then by bisection between "
    f"the largest of them that is safe and the next, to {WIDTH - 1:.0%}. Single rates above may learn, and some below may not."
)


def draw(config: RunConfig) -> None:
    """Draw the rate where it is known, else the search for it."""
    own = sources.own(config, session.data())
    usual = replace(config, lr_cov=RunConfig.lr_cov, seed=RunConfig.seed)
    key = working.Key((_JOB, usual), own.identity if own else "")
    found: SafeRate | None = working.result(key)
    if found is not None:
        _tell(found, config)
        return
    if working.watch(_JOB, key):
        return
    if working.result(key) is not None:
        st.rerun()
    reason = "" if own or described(config) else "It needs your data: choose the file under Data."
    st.button(
        "Find the largest safe rate",
        key="find safe rate",
        help=reason or _HELP,
        disabled=bool(reason),
        on_click=working.start,
        args=(_JOB, key, partial(_search, config, own)),
    )


def _search(config: RunConfig, own: Trials | None, progress: Callable[[float], None]) -> SafeRate:
    return largest_safe_rate(config, progress=progress, data=own)


def _tell(found: SafeRate, config: RunConfig) -> None:
    if found.rate is None:
        st.caption(
            f"No rate from {RATES[0]:g} to {RATES[-1]:g} is safe: at each, at least one of {SEEDS} seeds fails or "
            "does not learn."
        )
        return
    end = f" At {found.next:g}, the next one tried, at least one seed does not." if found.next else " No larger one was tried."
    st.caption(f"Largest safe rate found: **{found.rate:g}**. All {SEEDS} seeds learn.{end}", help=_HELP)
    if found.rate != config.lr_cov:
        safe = replace(config, lr_cov=found.rate)
        st.button(
            f"Use {found.rate:g}", key="use safe rate", on_click=_use, args=(safe,), help="Changes the learning rate to it."
        )


def _use(config: RunConfig) -> None:
    widgets.fill(config)
