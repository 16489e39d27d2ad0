"""What settings must be to fit each other; values that do not are replaced, and told as a ``Problem``."""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from covdemo import limits
from covdemo.fields import Field, Problem, show
from covdemo.samples import GUESSED, Columns, Sample, sample, start
from covdemo.sources import SOURCES, example, wanted
from covdemo.trials import DISTRIBUTIONS

COLUMNS = ("column_x", "column_y", "column_category")
OF_TABLES = (*COLUMNS, "scaling")
_OF_DRAWN = (*DISTRIBUTIONS["forum"], "points")

Rows = Mapping[str, Field]
Values = dict[str, Any]  # of all settings by their names; the functions below change it


def idle(row: Field, categories: int, source: str) -> str:
    """Return why a setting does not matter to a run with so many categories and this source; empty if it does."""
    if (row.category or 0) > categories:
        return f"there are only {categories} categories"
    if SOURCES[source].drawn:
        return "the data are drawn" if row.name in OF_TABLES else ""
    return f"the data are not drawn, their source is {source}" if row.attribute in _OF_DRAWN else ""


def defaults(source: str, named: Columns, scaling: str) -> Mapping[str, float]:
    """Return what settings, by name, are in a run with data of an example: the number of categories, and where it starts.

    Empty for other sources, where each setting has one default.
    """
    return _of_example(source, named, scaling) if SOURCES[source].file else {}


@cache
def _of_example(source: str, named: Columns, scaling: str) -> Mapping[str, float]:
    return suiting(sample(example(source), wanted(source, named), scaling))


def suiting(points: Sample) -> dict[str, float]:
    """Return settings, by name, that suit the points of a table: the number of categories, and where a model may start."""
    found = start(points)
    places = {f"{name}_{k}": value for name in ("start_x", "start_y") for k, value in enumerate(found[name], start=1)}
    return {"categories": len(points.names), "start_var": found["start_var"], **places}


def bound_categories(rows: Rows, values: Values, just_read: str) -> list[Problem]:
    """Give an example its number of categories, which is worth saying if another was ``just_read``."""
    own, asked = SOURCES[values["source"]].categories, values["categories"]
    if own in (0, asked):
        return []
    values["categories"] = own
    fault = f"{show(asked)} is not the number of categories of {values['source']}"
    return [rows["categories"].problem(fault, f"{own} is used")] if just_read == "categories" else []


def bound_columns(rows: Rows, values: Values) -> list[Problem]:
    """Use the usual columns of an example where others do not fit."""
    source = SOURCES[values["source"]]
    try:
        if source.file:
            named = Columns(*(values[name] for name in COLUMNS))
            sample(example(values["source"]), wanted(values["source"], named), values["scaling"])
    except ValueError as error:
        values.update(dict.fromkeys(COLUMNS, ""))
        return [rows["column_x"].problem(str(error), columns_used(values["source"], GUESSED))]
    return []


def columns_used(source: str, named: Columns) -> str:
    """Say which columns of an example are used."""
    return f"{', '.join(wanted(source, named))} are used"


def fits(variance_x: float, variance_y: float, covariance: float) -> bool:
    """Whether the three make a covariance matrix that is not singular in float32."""
    return abs(covariance) <= limits.CORRELATION * limits.covariance_bound(variance_x, variance_y)


def bound_numbers(rows: Rows, values: Values) -> list[Problem]:
    """Bring covariances and the number of trials within what is possible."""
    return [*_bound_covariances(rows, values), *_bound_trials(rows, values)]


def _bound_covariances(rows: Rows, values: Values) -> list[Problem]:
    problems = []
    for k in range(1, values["categories"] + 1):
        name, variances = f"cov_xy_{k}", (values[f"var_x_{k}"], values[f"var_y_{k}"])
        bound, covariance = limits.covariance_bound(*variances), values[name]
        if not fits(*variances, covariance):
            values[name] = math.copysign(0.999 * bound, covariance)
            fault = f"{show(covariance)} does not fit the variances, |cov| must stay below sqrt(var_x var_y) = {show(bound)}"
            problems.append(rows[name].problem(fault, f"{show(values[name])} is used"))
    return problems


def _bound_trials(rows: Rows, values: Values) -> list[Problem]:
    epochs, points = values["epochs"], SOURCES[values["source"]].count(values["points"] * values["categories"])
    if points * epochs <= limits.TRIALS:
        return []
    values["epochs"] = limits.TRIALS // points
    fault = f"{epochs:,} epochs of {points:,} points are {points * epochs:,} trials, at most {limits.TRIALS:,} are possible"
    return [rows["epochs"].problem(fault, f"{show(values['epochs'])} is used")]
