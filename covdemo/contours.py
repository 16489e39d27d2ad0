"""Decision boundaries of any model that gives scores: where the two best categories are equal."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray

Array = NDArray[np.float64]
Scores = Callable[[Array], Array]

GRID = 56
HALVINGS = 5
GROWTH = 1.4  # from one line of the grid to the next, as distances from the middle of a thin ellipse
THINNEST = 1e-6  # of the reach; lines are no closer


def boundary(
    decide: Scores,
    centre: tuple[float, float],
    reach: float,
    grid: int = GRID,
    means: Array | None = None,
    factors: Array | None = None,
) -> list[Array]:
    """Return lines ``[M, 2]`` on which the two best categories have equal scores, in a square and perhaps around it.

    Scores made of densities change by many orders of magnitude from one place of the grid to the next, so that the straight
    line between two of them says little about where they cross: the crossings are found by halving. Where an ellipse is
    thinner than a cell, the grid is turned to its axes and has further lines around it, else it would be hit now and then.

    Args:
        decide: ``places [M, 2] -> scores [M, K]``; the largest score is the answer.
        centre: of the square.
        reach: half its width.
        grid: places along each side at which the model is asked.
        means: of the ellipses by which the model decides, ``[K, 2]``; none if not given.
        factors: of their covariance matrices, ``[K, 2, 2]``.
    """
    if means is None or factors is None:
        means, factors = np.empty((0, 2)), np.empty((0, 2, 2))
    axes, across, up = _mesh(means - np.asarray(centre), factors, reach, grid)

    def places(column: Array, row: Array) -> Array:
        return centre + np.stack([across[column], up[row]], axis=-1) @ axes

    row, column = np.indices((len(up), len(across))).reshape(2, -1)
    scores = decide(places(column, row))
    shape = (len(up), len(across))
    separate = range(1 if scores.shape[1] == 2 else scores.shape[1])  # of two categories, one line separates both
    return [line for k in separate for line in _lines(decide, k, places, lead(scores, k).reshape(shape))]


def _mesh(means: Array, factors: Array, reach: float, grid: int) -> tuple[Array, Array, Array]:
    """Return the axes of a grid, as rows, and where its lines cut them.

    Args:
        means: of the ellipses, from the centre, ``[K, 2]``.
        factors: of their covariance matrices, ``[K, 2, 2]``.
        reach: half the width of the square that the grid covers.
        grid: how many lines cross each axis at least.
    """
    cell, axes = 2 * reach / (grid - 1), np.eye(2)
    known = np.isfinite(means).all(axis=1) & np.isfinite(factors).all(axis=(1, 2))
    means, factors = means[known], factors[known]
    if len(means):
        directions, lengths, _ = np.linalg.svd(factors)
        thinnest = lengths[:, 1].argmin()
        if lengths[thinnest, 1] < cell:
            axes = directions[thinnest].T
    return axes, *(_cuts(means @ axis, _thickness(factors, axis), reach * np.abs(axis).sum(), cell, grid) for axis in axes)


def _thickness(factors: Array, axis: Array) -> Array:
    """Return how far each ellipse reaches from its middle along an axis: 1 / |L^-1 a| = |det L| / |L' b| for b across a."""
    length = np.linalg.norm(np.array([-axis[1], axis[0]]) @ factors, axis=-1)
    return np.abs(np.linalg.det(factors)) / np.maximum(length, np.finfo(float).tiny)


def _cuts(middles: Array, thickness: Array, end: float, cell: float, grid: int) -> Array:
    """Return where lines cut an axis: evenly, and around the middle of each thin ellipse the closer, the nearer to it."""
    cuts = [np.linspace(-end, end, grid)]
    for middle, thin in zip(middles, np.maximum(thickness, THINNEST * end), strict=True):
        if thin < cell:
            distance = np.geomspace(thin / 2, 3 * cell, math.ceil(math.log(6 * cell / thin, GROWTH)))
            cuts.append(middle + np.concatenate([-distance, [0.0], distance]))
    every = np.unique(np.concatenate(cuts))
    return every[np.abs(every) <= end]


def lead(scores: Array, category: int) -> Array:
    """Return how far a category is ahead of the best other, ``[M]``; NaN where there is no decision.

    Args:
        scores: ``[M, K]``.
        category: from 0.
    """
    with np.errstate(invalid="ignore"):  # infinity - infinity
        ahead = scores[:, category] - np.delete(scores, category, axis=1).max(axis=1)
    return np.where(ahead == 0, np.nan, ahead)


def _lines(decide: Scores, category: int, places: Callable[[Array, Array], Array], ahead: Array) -> list[Array]:
    """Return where a category begins to be ahead; first halfway between neighbours of the grid, then nearer."""
    sign = np.sign(ahead)
    lines: list[Array] = contour_generator(z=np.ma.masked_invalid(sign)).lines(0.0)  # type: ignore[assignment]
    if not lines:
        return []
    halfway = np.concatenate(lines)
    first, last = (numbers.astype(int).T for numbers in (np.floor(halfway), np.ceil(halfway)))
    low, high, start = places(*first), places(*last), sign[first[1], first[0]] > 0
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
