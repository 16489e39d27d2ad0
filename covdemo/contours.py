"""Decision boundaries of any model that gives scores: where the two best categories are equal."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.integer]
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

    def places(column: Numbers, row: Numbers) -> Array:
        return centre + np.stack([across[column], up[row]], axis=-1) @ axes

    row, column = np.indices((len(up), len(across))).reshape(2, -1)
    scores = decide(places(column, row))
    separate = range(1 if scores.shape[1] == 2 else scores.shape[1])  # of two categories, one line separates both
    signs = [np.sign(lead(scores, k)).reshape(len(up), len(across)) for k in separate]
    return _lines(decide, places, signs)


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
    across, up = (_cuts(means @ axis, _thickness(factors, axis), reach * np.abs(axis).sum(), cell, grid) for axis in axes)
    return axes, across, up


def _thickness(factors: Array, axis: Array) -> Array:
    """Return how far each ellipse reaches from its middle along an axis: 1 / |L^-1 a| = |det L| / |L' b| for b across a."""
    length = np.linalg.norm(np.array([-axis[1], axis[0]]) @ factors, axis=-1)
    return np.abs(np.linalg.det(factors)) / np.maximum(length, np.finfo(float).tiny)


def _cuts(middles: Array, thickness: Array, end: float, cell: float, grid: int) -> Array:
    """Return where lines cut an axis: evenly, and around the middles of the thinnest ellipses the closer, the nearer."""
    cuts, more = np.linspace(-end, end, grid), np.empty(0)
    for k in np.argsort(thickness):
        thin = max(thickness[k], THINNEST * end)
        if thin < cell and len(more) < grid:
            distance = np.geomspace(thin / 2, 3 * cell, math.ceil(math.log(6 * cell / thin, GROWTH)))
            more = np.concatenate([more, middles[k] - distance, middles[k : k + 1], middles[k] + distance])
    return np.unique(np.concatenate([cuts, more[np.abs(more) <= end]]))


def lead(scores: Array, category: int | NDArray[np.int64]) -> Array:
    """Return how far a category is ahead of the best other, ``[M]``; NaN where there is no decision.

    Args:
        scores: ``[M, K]``.
        category: from 0; one for all, or one for each, ``[M]``.
    """
    others = scores.T.copy()  # categories first: NumPy finds the largest of a few much faster so
    place = np.arange(len(scores))
    own = others[category, place]
    others[category, place] = -np.inf
    with np.errstate(invalid="ignore"):  # infinity - infinity
        ahead = own - others.max(axis=0)
    ahead[ahead == 0] = np.nan
    return ahead


def _lines(decide: Scores, places: Callable[[Numbers, Numbers], Array], signs: Sequence[Array]) -> list[Array]:
    """Return where each category begins to be ahead; first halfway between neighbours of the grid, then nearer, all at once."""
    found = [(k, line) for k, sign in enumerate(signs) for line in contour_generator(z=np.ma.masked_invalid(sign)).lines(0.0)]
    if not found:
        return []
    lengths = [len(line) for _, line in found]
    category, halfway = np.repeat([k for k, _ in found], lengths), np.concatenate([line for _, line in found])
    first, last = (numbers.astype(int).T for numbers in (np.floor(halfway), np.ceil(halfway)))
    low, high = places(*first), places(*last)
    start = np.array(signs)[category, first[1], first[0]] > 0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        same = ((lead(decide(middle), category) > 0) == start)[:, None]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.split((low + high) / 2, np.cumsum(lengths)[:-1])


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
