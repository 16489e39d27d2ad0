"""Decision boundaries of any model that gives scores: where the two best categories are equal."""

from collections.abc import Callable, Sequence

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray

Array = NDArray[np.float64]
Scores = Callable[[Array], Array]

GRID = 56
HALVINGS = 5


def boundary(decide: Scores, centre: tuple[float, float], reach: float, grid: int = GRID) -> list[Array]:
    """Return lines ``[M, 2]`` on which the two best categories have equal scores, within a square.

    Scores made of densities change by many orders of magnitude from one place of the grid to the next, so that the straight
    line between two of them says little about where they cross: the crossings are found by halving.

    Args:
        decide: ``places [M, 2] -> scores [M, K]``; the largest score is the answer.
        centre: of the square.
        reach: half its width.
        grid: places along each side at which the model is asked.
    """
    x, y = (middle + np.linspace(-reach, reach, grid) for middle in centre)
    scores = decide(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))
    separate = range(1 if scores.shape[1] == 2 else scores.shape[1])  # of two categories, one line separates both
    return [line for k in separate for line in _lines(decide, k, x, y, scores)]


def lead(scores: Array, category: int) -> Array:
    """Return how far a category is ahead of the best other, ``[M]``; NaN where there is no decision.

    Args:
        scores: ``[M, K]``.
        category: from 0.
    """
    with np.errstate(invalid="ignore"):  # infinity - infinity
        ahead = scores[:, category] - np.delete(scores, category, axis=1).max(axis=1)
    return np.where(ahead == 0, np.nan, ahead)


def _lines(decide: Scores, category: int, x: Array, y: Array, scores: Array) -> list[Array]:
    """Return where a category begins to be ahead; first halfway between neighbours of the grid, then nearer."""
    sign = np.ma.masked_invalid(np.sign(lead(scores, category))).reshape(len(y), len(x))
    lines: list[Array] = contour_generator(x, y, sign).lines(0.0)  # type: ignore[assignment]
    if not lines:
        return []
    place, cell = np.concatenate(lines), np.array([x[1] - x[0], y[1] - y[0]])
    across = np.abs((place - (x[0], y[0])) / cell % 1 - 0.5) < 0.25  # the axis along which the two neighbours differ
    low, high = place - across * cell / 2, place + across * cell / 2
    start = lead(decide(low), category) > 0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        same = ((lead(decide(middle), category) > 0) == start)[:, None]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.split((low + high) / 2, np.cumsum([len(line) for line in lines])[:-1])


def levels(x: Array, y: Array, height: Array, at: Sequence[float]) -> list[tuple[int, Array]]:
    """Return lines ``[M, 2]`` of equal height, each with the place in ``at`` of its height.

    Args:
        x: places of the grid, ascending, ``[X]``.
        y: the same, ``[Y]``.
        height: ``[Y, X]``; nothing is drawn next to what is not finite.
        at: the heights.
    """
    generator = contour_generator(x, y, np.ma.masked_invalid(height))
    return [(place, line) for place, level in enumerate(at) for line in generator.lines(level)]  # type: ignore[misc]
