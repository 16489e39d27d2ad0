"""From a table to data points: which columns, on which scale, and what their own distributions are."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from covdemo import limits
from covdemo.datafiles import Table, complaint, not_a_number
from covdemo.fields import nearest, quote
from covdemo.trials import Moments, Origin

Array = NDArray[np.float64]

SIZE = 0.4  # standard deviation of a standardised column: 2.5 of them reach the edge of [-1, 1], where the model starts
FLOOR = 1e-5  # least variance of a category in any direction, relative to that of all points
_FEW = 100  # rows that a guess looks at


class Columns(NamedTuple):
    """Names of the columns to use; empty where they are to be guessed."""

    x: str = ""
    y: str = ""
    category: str = ""


GUESSED = Columns()


@dataclass(frozen=True)
class Scaling:
    """A scale for the coordinates: ``label`` and ``summary`` for people, and whether they are ``standardised``."""

    label: str
    summary: str
    standardised: bool


SCALINGS: dict[str, Scaling] = {
    "standardised": Scaling(
        "Standardised",
        f"Each column gets mean 0 and standard deviation {SIZE:g}, so that 2.5 of them reach the edge of [-1, 1] and the "
        "learning rates of drawn data suit.",
        True,
    ),
    "as-is": Scaling("As it is", "The numbers of the table. Learning rates need to suit their size.", False),
}


class Sample(NamedTuple):
    """Data points of a table.

    Attributes:
        x: ``[N, 2]``.
        label: categories, from 0, ``[N]``.
        names: of the categories, K of them.
        origin: how they were made from a table, if they were.
    """

    x: Array
    label: NDArray[np.int64]
    names: tuple[str, ...]
    origin: Origin | None = None


def guess(table: Table) -> Columns:
    """Return the columns that are probably meant.

    They are called x, y and category, or these are the first two of numbers, and the last of 2 to 5 words or numbers.
    """
    called = {name.lower(): name for name in reversed(table.columns)}
    category = called.get("category") or _likely_category(table)
    others = [name for name in table.columns if name != category]
    numeric = [name for name in others if _numeric(table, name)]
    x, y = (numeric if len(numeric) > 1 else others)[:2]
    return Columns(called["x"], called["y"], category) if {"x", "y"} <= called.keys() else Columns(x, y, category)


def _likely_category(table: Table) -> str:
    """Return the last column of words, or where there is none of numbers, that has 2 to 5 different cells, else the last."""
    backwards = table.columns[::-1]
    words = [name for name in backwards if not _numeric(table, name)]
    fitting = [name for name in words or backwards if limits.CATEGORIES.holds(len(set(table.cells(name))))]
    return [*fitting, *words, *backwards][0]


def _numeric(table: Table, column: str) -> bool:
    return all(math.isfinite(table.number(cell)) for cell in table.cells(column)[:_FEW])


def resolve(table: Table, wanted: Columns) -> Columns:
    """Return the columns to use, those that are not named as guessed.

    Raises:
        ValueError: if there is no such column, or one is used twice.
    """
    for name in filter(None, wanted):
        if name not in table.columns:
            known = ", ".join(map(quote, table.columns[:8]))
            raise ValueError(f"there is no column {quote(name)} among {known}{nearest(quote(name), map(quote, table.columns))}")
    columns = Columns(*(name or guessed for name, guessed in zip(wanted, guess(table), strict=True)))
    if len(set(columns)) < len(columns):
        raise ValueError(f"expected three different columns, got {', '.join(map(quote, columns))}")
    return columns


def sample(table: Table, wanted: Columns, scaling: str) -> Sample:
    """Return the data points of a table, on the scale of a key of ``SCALINGS``.

    Raises:
        ValueError: with the numbers of lines, if cells or categories do not fit.
    """
    columns = resolve(table, wanted)
    faults = list(_faults(table, columns))
    if faults:
        raise ValueError(complaint(faults))
    cells = table.cells(columns.category)
    names = _sorted_names(set(cells))
    if not limits.CATEGORIES.holds(len(names)):
        raise ValueError(f"expected 2 to 5 categories in column {quote(columns.category)}, got {len(names):,}")
    x = np.array([[table.number(cell) for cell in table.cells(column)] for column in columns[:2]]).T
    _check_spread(x, columns)
    place = {name: k for k, name in enumerate(names)}
    label = np.array([place[cell] for cell in cells], dtype=np.int64)
    centre, scale = _scale(x) if SCALINGS[scaling].standardised else (np.zeros(2), np.ones(2))
    return Sample((x - centre) / scale, label, names, Origin(columns, tuple(centre.tolist()), tuple(scale.tolist())))


def _faults(table: Table, columns: Columns) -> Iterator[tuple[int, str]]:
    for column in columns[:2]:
        for line, cell in zip(table.lines, table.cells(column), strict=True):
            if not limits.MEAN.holds(table.number(cell)):
                yield line, not_a_number(column, cell)
    for line, cell in zip(table.lines, table.cells(columns.category), strict=True):
        if not 0 < len(cell) <= limits.NAME:
            yield line, f"expected a category of 1 to {limits.NAME} characters, got {len(cell)}"


def _check_spread(x: Array, columns: Columns) -> None:
    for values, column in zip(x.T, columns, strict=False):
        if values.std() <= limits.SPREAD * max(np.abs(values).max(), 1.0):
            raise ValueError(f"expected numbers that differ in column {quote(column)}, got {values[0]:g} everywhere")


def _scale(x: Array) -> tuple[Array, Array]:
    """Return the mean of each column, and what to divide by so that its standard deviation becomes ``SIZE``."""
    return x.mean(axis=0), x.std(axis=0) / SIZE


def _sorted_names(names: set[str]) -> tuple[str, ...]:
    """Return the names in order: numbers by their size, then words."""

    def place(name: str) -> tuple[float, str]:
        try:
            number = float(name)
        except ValueError:
            number = math.nan
        return (math.inf if math.isnan(number) else number, name)

    return tuple(sorted(names, key=place))


def moments(points: Sample) -> Moments:
    """Return mean and covariance matrix of each category: what maximum likelihood finds, so divided by N, not by N - 1.

    A category of a single point, or of points on a line, has a singular matrix. In coordinates in which all points have
    variance 1, its eigenvalues are raised to ``FLOOR``.
    """
    each = [points.x[points.label == k] for k in range(len(points.names))]
    scale = points.x.std(axis=0)
    raised, covariances = zip(*(_floored((own - own.mean(axis=0)) / scale) for own in each), strict=True)
    return Moments(
        np.stack([own.mean(axis=0) for own in each]),
        np.stack(covariances) * np.outer(scale, scale),
        tuple(k for k, was_raised in enumerate(raised) if was_raised),
    )


def _floored(centred: Array) -> tuple[bool, Array]:
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    return bool(values[0] < FLOOR), (vectors * np.maximum(values, FLOOR)) @ vectors.T


def start(points: Sample) -> dict[str, Any]:
    """Return where a model may start, as changes for ``RunConfig``.

    Each mean starts halfway from the centre of all points to that of its own, and the common variance is that of all points
    around these places, so that no density underflows (as long as ``limits`` have such variances). Two digits, for short
    addresses.
    """
    centre = points.x.mean(axis=0)
    means = np.stack([points.x[points.label == k].mean(axis=0) for k in range(len(points.names))])
    digits = 1 - math.floor(math.log10(points.x.std(axis=0).min()))
    places = np.round((centre + means) / 2, digits)
    variance = float(np.square(points.x - places[points.label]).mean())
    variance = limits.VARIANCE.clip(float(f"{variance:.2g}"))
    return {"start_x": tuple(places[:, 0].tolist()), "start_y": tuple(places[:, 1].tolist()), "start_var": variance}
