"""The table below a comparison: how each method stands, one row each."""

import math
from collections.abc import Sequence

from streamlit.delta_generator import DeltaGenerator

from covdemo.comparison import Configs, Result
from covdemo.config import RunConfig
from covdemo.fields import show
from covdemo.parameterizations import PARAMETERIZATIONS

_ALT = "How each method stands: outcome, trial of the first failure, accuracy, distances to the true distributions, time."
_NOTE = (
    "Failing trial: the first one, also where training went on. KL(true ‖ model), summed over the categories, and "
    "2-Wasserstein distance: from the last valid distributions to the true ones. Time: of training alone."
)
_NONE = "–"


class Standings:
    """A table that is brought up to date.

    Args:
        place: where to draw it.
        configs: of the runs.
        results: how far they have come.
    """

    def __init__(self, place: DeltaGenerator, configs: Configs, results: Sequence[Result]) -> None:
        self._configs = configs
        self._table = self._note = place
        self.draw(results)

    def draw(self, results: Sequence[Result]) -> None:
        """Draw the table as it is now, and below it why a method has not learned."""
        pairs = list(zip(self._configs, results, strict=True))
        rows = [row(*pair) for pair in pairs]
        columns = {name: [line[name] for line in rows] for name in rows[0]}
        self._table = self._table.table(columns, border="horizontal", hide_index=True, alt=_ALT)
        why = [f"{label(config)}: {result.reason.value}" for config, result in pairs if result.reason]
        self._note = self._note.caption("  \n".join([*why, _NOTE]))


def row(config: RunConfig, result: Result) -> dict[str, str]:
    """Return a row of the table, as text."""
    return {
        "Method": label(config),
        "lr_cov": show(config.lr_cov),
        "Outcome": _outcome(result),
        "Failing trial": _NONE if result.failed_at is None else f"{result.failed_at:,}",
        "Accuracy": f"{result.accuracy:.1%}",
        "KL": _number(result.kl),
        "2-Wasserstein": _number(result.wasserstein),
        "Time": f"{result.seconds:.2f}\N{NO-BREAK SPACE}s",
    }


def label(config: RunConfig) -> str:
    """Return the name of the method."""
    return PARAMETERIZATIONS[config.parameterization].label


def _outcome(result: Result) -> str:
    """Say how it stands, and what failed."""
    if result.outcome is None:
        return "under way" if result.trials else "not started"
    return f"{result.outcome.label}: {result.kind}" if result.kind else result.outcome.label


def _number(value: float) -> str:
    return _NONE if math.isnan(value) else show(value)
