"""The table below a comparison: how each method stands, one row each."""

import math
from collections.abc import Sequence

from streamlit.delta_generator import DeltaGenerator

from covdemo.comparison import Configs, Result
from covdemo.config import RunConfig
from covdemo.fields import show
from covdemo.parameterizations import PARAMETERIZATIONS

_ALT = "How each method stands: outcome, trial of the first failure, accuracy, distances to the true distributions, time."
_NONE = "–"


def draw(place: DeltaGenerator, configs: Configs, results: Sequence[Result]) -> DeltaGenerator:
    """Draw the table at a place, or over an earlier one, and return it."""
    rows = [row(*pair) for pair in zip(configs, results, strict=True)]
    columns = {name: [line[name] for line in rows] for name in rows[0]}
    return place.table(columns, border="horizontal", hide_index=True, alt=_ALT)


def row(config: RunConfig, result: Result) -> dict[str, str]:
    """Return a row of the table, as text."""
    return {
        "Method": PARAMETERIZATIONS[config.parameterization].label,
        "lr_cov": show(config.lr_cov),
        "Outcome": _outcome(result),
        "First failure": _NONE if result.failed_at is None else f"trial {result.failed_at:,}",
        "Accuracy": f"{result.accuracy:.1%}",
        "KL to the truth": _number(result.kl),
        "2-Wasserstein": _number(result.wasserstein),
        "Time": f"{result.seconds:.2f} s",
    }


def _outcome(result: Result) -> str:
    """Say how it stands, and why where that is known."""
    if result.outcome is None:
        return "not at its end" if result.trials else "not started"
    why = result.kind or (result.reason.value if result.reason else "")
    return f"{result.outcome.label}: {why}" if why else result.outcome.label


def _number(value: float) -> str:
    return _NONE if math.isnan(value) else show(value)
