"""Arrays of a run -> the small tables that the figures of ``covdemo.charts`` draw.

Every function returns an Apache Arrow stream, which a browser reads without parsing text, in single precision, which is more
than a screen shows. Categories go by their names.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from covdemo import contours
from covdemo.charts import DEVIATIONS, Box, round_up
from covdemo.curves import Curve
from covdemo.failures import Failure
from covdemo.history import Array, Frame, History
from covdemo.run import Run
from covdemo.trials import Trials

POINTS = 2_000  # most data points shown
ROWS = 150  # most records of a curve shown
LEAST, LARGEST = 1e-37, 1e37  # between them, a number fits single precision
REACH = 2.0  # the boundary is drawn this far out, in half widths of the box, for panels that are not square


def stream(**columns: ArrayLike | pa.DictionaryArray) -> bytes:
    """Return columns of equal length as an Arrow stream; numbers in single precision."""
    table = pa.table({name: _column(column) for name, column in columns.items()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _column(column: ArrayLike | pa.DictionaryArray) -> pa.DictionaryArray | NDArray[Any]:
    return column if isinstance(column, pa.DictionaryArray) else _single(np.asarray(column))


def _single(column: NDArray[Any]) -> NDArray[Any]:
    return column.clip(-LARGEST, LARGEST).astype(np.float32) if column.dtype.kind == "f" else column


def points(data: Trials, names: Sequence[str]) -> bytes:
    """Return the data points; where there are too many to tell apart, every n-th."""
    every = slice(None, None, -(-len(data.x) // POINTS))
    return stream(x=data.x[every, 0], y=data.x[every, 1], category=_named(data.label[every], names))


def ellipses(means: Array, scale_trils: Array, valid: NDArray[np.bool_], names: Sequence[str]) -> bytes:
    """Return mean and Cholesky factor of each normal distribution, once for each contour; none where they are no numbers.

    Args:
        means: ``[K, 2]``.
        scale_trils: ``[K, 2, 2]``.
        valid: whether the distribution exists, ``[K]``.
        names: of the categories.
    """
    drawn = np.flatnonzero(~np.isnan(scale_trils).any(axis=(1, 2)) & ~np.isnan(means).any(axis=1))
    category = np.repeat(drawn, len(DEVIATIONS))
    mean, factor = means[category], scale_trils[category]
    return stream(
        mean_x=mean[:, 0],
        mean_y=mean[:, 1],
        l11=factor[:, 0, 0],
        l21=factor[:, 1, 0],
        l22=factor[:, 1, 1],
        r=np.tile(DEVIATIONS, len(drawn)),
        state=np.where(valid[category], "valid", "broken"),
        category=_named(category, names),
    )


def boundary(decide: Callable[[Array], Array], box: Box, frame: Frame | None = None) -> bytes:
    """Return the lines on which the two best categories are equal; none where the model cannot tell any apart.

    Args:
        decide: ``places [M, 2] -> scores [M, K]``, the largest score is the answer.
        box: what is shown.
        frame: the moment, if it is known; thin ellipses are looked at more closely.
    """
    means, factors = (frame.means, frame.scale_trils) if frame else (None, None)
    pieces = contours.boundary(decide, (box.x, box.y), REACH * box.half, means=means, factors=factors)
    place = np.concatenate([np.empty((0, 2)), *pieces])
    lengths = [len(piece) for piece in pieces]
    return stream(x=place[:, 0], y=place[:, 1], piece=np.repeat(np.arange(len(pieces)), lengths), step=np.arange(len(place)))


def path(history: History, frame: Frame, names: Sequence[str]) -> bytes:
    """Return where each mean has been, up to now."""
    means = np.concatenate([history.column("means")[_shown(len(history))], frame.means[None]])
    steps, categories = means.shape[:2]
    return stream(
        x=means[..., 0].ravel(),
        y=means[..., 1].ravel(),
        step=np.repeat(np.arange(steps), categories),
        category=_named(np.tile(np.arange(categories), steps), names),
    )


def trial(frame: Frame, names: Sequence[str]) -> bytes:
    """Return the data point of the last trial; no row before the first."""
    place = np.empty((0, 2)) if frame.x is None else frame.x[None]
    label = np.array([] if frame.label is None else [frame.label], dtype=int)
    return stream(x=place[:, 0], y=place[:, 1], category=_named(label, names))


def curve(row: Curve, history: History, names: Sequence[str], most: int = ROWS) -> bytes:
    """Return a quantity over time, at ``most`` records, ``rough`` or not; what its scale cannot show is left out."""
    values, when, category = _long(row, row.values, history, most)
    rough = np.zeros(len(values), dtype=bool)
    if row.rough:
        values = np.concatenate([values, _long(row, row.rough, history, most)[0]])
        when, category, rough = np.tile(when, 2), np.tile(category, 2), np.append(rough, ~rough)
    shown = _has_place(values, row)
    return stream(trial=when[shown], value=values[shown], category=_named(category[shown], names), rough=rough[shown])


def span(row: Curve, run: Run) -> bytes:
    """Return the ends of both axes: round numbers around all there is to show; a run that failed is shown up to there."""
    low, high = row.ends or _ends(row, run)
    last = 1.02 * run.trial if run.stopped else run.total
    little = 1e-6 * (high - low) if row.scale == "linear" else 1e-6 * low  # what single precision may take away
    return stream(first=[0.0], last=[float(last)], low=[low - little], high=[high * (1 + 1e-6)])


def _ends(row: Curve, run: Run) -> tuple[float, float]:
    reference, values = row.reference(run).ravel(), (row.rough or row.values)(run.history).ravel()
    if row.scale == "linear":
        shown = np.concatenate([values[np.abs(values) < LARGEST], reference])
        low, high = -shown.min(initial=0), shown.max(initial=0)
        return -round_up(low) if low > 0 else 0.0, round_up(high) if high > 0 else 1.0
    values, reference = (array[(array > LEAST) & (array < LARGEST)] for array in (values, reference))
    enough = row.above * reference.max(initial=0) if reference.size else LARGEST
    shown = np.concatenate([values[values <= max(enough, values.min(initial=LARGEST))], reference])
    low, high = shown.min(initial=LARGEST), shown.max(initial=LEAST)
    return (_power(low * 0.99, math.floor), _power(high * 1.01, math.ceil)) if len(shown) else (0.1, 1.0)


def _power(size: float, rounding: Callable[[float], int]) -> float:
    """Return the next power of ten, below or above."""
    return 10.0 ** rounding(math.log10(size))


def edge(row: Curve, history: History, names: Sequence[str]) -> bytes:
    """Return where a quantity on a logarithmic scale was zero or below."""
    values, when, category = _long(row, row.values, history)
    off = (_single(values) <= 0) & (row.scale == "log")
    return stream(trial=when[off], category=_named(category[off], names))


def _long(
    row: Curve, of: Callable[[History], Array], history: History, most: int = ROWS
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return value, trial and category (0 where there is one line) of every point of a curve, smoothed or rough."""
    values, when = of(history).reshape(len(history), -1), history.column("trial")
    rows = _shown(len(when), most)
    values = np.fmin.reduceat(values, np.append(0, rows[:-1] + 1)) if row.lowest else values[rows]
    categories = values.shape[1]
    return values.ravel(), np.repeat(when[rows], categories), np.tile(np.arange(categories), len(rows))


def reference(row: Curve, run: Run, names: Sequence[str]) -> bytes:
    """Return the values that a curve is to be compared with; one for all categories has an empty category."""
    values = np.asarray(row.reference(run))
    category = np.asarray(_named(np.arange(values.size), names) if values.ndim else [""])
    values = np.atleast_1d(values)
    shown = _has_place(values, row)
    return stream(value=values[shown], category=category[shown])


def _has_place(values: Array, row: Curve) -> NDArray[np.bool_]:
    """Return which values have a place on the vertical axis, in the precision in which they are sent."""
    return np.isfinite(values) & ((_single(values) > 0) | (row.scale == "linear"))


def failures(log: Sequence[Failure], stopped: bool) -> bytes:
    """Return the trials that failed, the latest ``ROWS`` failures, and whether they ended the run."""
    latest = [failure.trial for failure in log[-ROWS:]]
    last = [stopped and trial == latest[-1] for trial in latest]
    return stream(trial=np.array(latest, dtype=float), fatal=np.array(last, dtype=bool))


def _named(category: NDArray[np.integer], names: Sequence[str]) -> pa.DictionaryArray:
    """Return the name of each category, written once however often it occurs: long names make half of a picture's bytes."""
    return pa.DictionaryArray.from_arrays(category.astype(np.int8), pa.array(names, pa.string()))


def _shown(records: int, most: int = ROWS) -> NDArray[np.int64]:
    """Return the numbers of at most so many records, evenly spaced, with the first and the last."""
    return np.linspace(0, records - 1, min(records, most)).round().astype(np.int64)  # a step of 1 or more: none twice
