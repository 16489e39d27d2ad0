"""What there is to say about a parameterization, gathered from its row, its class and the measured table."""

import ast
import inspect
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from covdemo.learner import OBJECTIVES
from covdemo.parameterizations import GUARANTEES, PARAMETERIZATIONS, Parameterization

TABLE = "robustness.json"  # printed by ``benchmarks/robustness.py --json``


@dataclass(frozen=True)
class Standing:
    """Place of a parameterization in the robustness table, for one objective.

    Attributes:
        objective: label of the objective.
        place: from 1, by decades; equal numbers share a place.
        decades: powers of ten of lr_cov, out of ten, over which all seeds learn.
        errors: share of runs that ended in an error.
        best_kl: smallest mean KL to the truth, in nats, at a rate without errors; None if every rate had one.
    """

    objective: str
    place: int
    decades: float
    errors: float
    best_kl: float | None


def source(row: Parameterization) -> str:
    """Return the source of the parameterization's class."""
    text = inspect.getsource(type(row.module))
    (statement,) = ast.parse(text).body
    return "".join(text.splitlines(keepends=True)[statement.lineno - 1 :])  # without its decorators


def guarantee(row: Parameterization) -> str:
    """Return the guarantee in plain words, and what the family cannot represent."""
    return " ".join([GUARANTEES[row.guarantee], f"It cannot represent: {row.misses}" if row.misses else ""]).strip()


@cache
def _measured() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("covdemo") / "data" / TABLE).read_text())
    return found


def table() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the measured table that ships with the package: method -> objective -> figures."""
    methods: dict[str, dict[str, dict[str, Any]]] = _measured()["methods"]
    return methods


def rates() -> list[float]:
    """Return the learning rates of the covariance matrices at which the table was measured, ascending."""
    values: list[float] = _measured()["rates"]
    return values


def standings(key: str) -> list[Standing]:
    """Return the place of a parameterization for each objective; empty where it has not been measured."""
    return [_standing(key, objective) for objective in OBJECTIVES if objective in table().get(key, {})]


def _standing(key: str, objective: str) -> Standing:
    ranking = sorted((row[objective]["decades_all_learn"] for row in table().values()), reverse=True)
    row = table()[key][objective]
    decades = row["decades_all_learn"]
    errors = sum(row["errors"]) / len(row["errors"])
    return Standing(OBJECTIVES[objective].label, ranking.index(decades) + 1, decades, errors, row["best_kl"])


def ranked() -> list[Parameterization]:
    """Return all parameterizations, those that learn over the most decades with the default objective first."""
    objective = next(iter(OBJECTIVES))

    def decades(row: Parameterization) -> float:
        return -float(table()[row.key][objective]["decades_all_learn"]) if row.key in table() else 1.0

    return sorted(PARAMETERIZATIONS.values(), key=decades)
