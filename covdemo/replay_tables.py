"""A run's whole history -> the tables that the figure of ``covdemo.replay_chart`` plays back in the browser.

There is one row for each record, or for each record and category; together they stay far below two megabytes, as the history
is bounded and a boundary has at most ``VERTICES`` corners.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from covdemo import contours, tables
from covdemo.charts import DEVIATIONS, Box
from covdemo.curves import FIRST, Curve
from covdemo.failures import Failure
from covdemo.fields import show as number
from covdemo.history import RECORDS, Array, Frame
from covdemo.run import Run

REACH = 3.0  # the boundary is drawn this far out, in half widths of the box, for a panel that is far wider than high
GRID = 84  # places along each side at which the model is asked for it, as close as elsewhere
VERTICES = 80  # most corners of the boundary at one moment
FINE = 1000  # steps of a boundary's coordinates from the centre to the end of what is drawn


@dataclass(frozen=True)
class Recording:
    """What a run had recorded at some moment, which its going on does not change.

    Attributes:
        run: the run.
        names: of its categories.
        frames: the records.
        failures: the logged failures.
        rows: the curves to show.
    """

    run: Run
    names: tuple[str, ...]
    frames: tuple[Frame, ...]
    failures: tuple[Failure, ...]
    rows: tuple[Curve, ...]

    @classmethod
    def of(cls, run: Run, names: tuple[str, ...], rows: tuple[Curve, ...] = FIRST) -> "Recording":
        """Return what a run has recorded up to now."""
        frames = run.history.frames
        known = tuple(failure for failure in run.history.failures if failure.trial <= frames[-1].trial)
        return cls(run, names, frames, known, rows)

    def shown_at(self, failure: Failure) -> int:
        """Return the number of the record that shows the last valid distributions before a failure."""
        last = self.frames[-1]
        if failure.trial == last.trial and not last.valid.all():
            return len(self.frames) - 1
        return int(np.searchsorted([frame.trial for frame in self.frames], failure.trial)) - 1


def datasets(recording: Recording, box: Box) -> dict[str, bytes]:
    """Return all datasets of the figure.

    Args:
        recording: what to play back.
        box: what the panel shows.
    """
    run, names = recording.run, recording.names
    everywhere = np.ones(len(names), dtype=bool)
    return {
        "points": tables.points(run.data, names),
        "truth": tables.ellipses(run.truth.means, run.truth.scale_trils, everywhere, names),
        "ellipses": parts(names),
        "states": states(recording),
        "frames": frames(recording, box),
        "failures": failures(recording),
        **{name: table for index in range(len(recording.rows)) for name, table in _curve(recording, index).items()},
    }


def _curve(recording: Recording, index: int) -> dict[str, bytes]:
    row, run, names = recording.rows[index], recording.run, recording.names
    return {
        f"curve_{index}": tables.curve(row, run.history, names, RECORDS),
        f"reference_{index}": tables.reference(row, run, names),
        f"edge_{index}": tables.edge(row, run.history, names),
        f"span_{index}": tables.span(row, run),
    }


def parts(names: Sequence[str]) -> bytes:
    """Return a row for each contour: the number ``k`` and name of its category, and its distance ``r`` from the mean."""
    k = np.repeat(np.arange(len(names)), len(DEVIATIONS))
    return tables.stream(k=k, category=np.asarray(names)[k], r=np.tile(DEVIATIONS, len(names)))


def states(recording: Recording) -> bytes:
    """Return a row for each record and category, by record: the mean, the Cholesky factor, and the value of each curve."""
    shown, categories = recording.frames, len(recording.names)
    means = np.concatenate([frame.means for frame in shown])
    factors = np.concatenate([frame.scale_trils for frame in shown])
    valid = np.concatenate([frame.valid for frame in shown])
    return tables.stream(
        step=np.repeat(np.arange(len(shown)), categories),
        trial=np.repeat([float(frame.trial) for frame in shown], categories),
        category=np.tile(np.asarray(recording.names), len(shown)),
        x=means[:, 0],
        y=means[:, 1],
        l11=factors[:, 0, 0],
        l21=factors[:, 1, 0],
        l22=factors[:, 1, 1],
        state=np.where(valid, "valid", "broken"),
        **{f"value{index}": _values(recording, index) for index in range(len(recording.rows))},
    )


def _values(recording: Recording, index: int) -> Array:
    """Return what a curve shows at each record, for each category; NaN where it shows nothing."""
    row, records, categories = recording.rows[index], len(recording.frames), len(recording.names)
    values = row.values(recording.run.history)[:records].reshape(records, -1)
    shown = np.isfinite(values) & ((values > 0) | (row.scale == "linear"))
    return np.broadcast_to(np.where(shown, values, np.nan), (records, categories)).ravel()


def frames(recording: Recording, box: Box) -> bytes:
    """Return a row for each record: data point, boundary, words, failure (-1 for none), and the trials it stands for."""
    shown = recording.frames
    trial = np.array([float(frame.trial) for frame in shown])
    first = {recording.shown_at(failure): index for index, failure in reversed(list(enumerate(recording.failures)))}
    place = np.array([(np.nan, np.nan) if frame.x is None else frame.x for frame in shown])
    return tables.stream(
        step=np.arange(len(shown)),
        trial=trial,
        next=np.append(trial[1:], trial[-1:]),
        x=place[:, 0],
        y=place[:, 1],
        category=["" if frame.label is None else recording.names[frame.label] for frame in shown],
        boundary=[outline(partial(recording.run.decide_at, frame), box, frame) for frame in shown],
        failure=[first.get(index, -1) for index in range(len(shown))],
        text=[standing(frame, recording.run.config.epochs) for frame in shown],
    )


def standing(frame: Frame, epochs: int) -> str:
    """Say how the run stood at a record, on a line that fits a telephone."""
    loss = "" if math.isnan(frame.loss) else f" · loss {number(frame.loss)}"
    return f"Trial {frame.trial:,} · epoch {min(frame.epoch + 1, epochs)}{loss} · accuracy {frame.accuracy:.1%}"


def outline(decide: contours.Scores, box: Box, frame: Frame | None = None) -> str:
    """Return the decision boundary as an SVG path, in units of 1 / ``FINE`` of the reach, from the centre of the box."""
    reach = REACH * box.half
    means, factors = (frame.means, frame.scale_trils) if frame else (None, None)
    pieces = contours.boundary(decide, (box.x, box.y), reach, GRID, means, factors)
    every = -(-sum(len(piece) for piece in pieces) // VERTICES)
    return "".join(_drawn(_thinned((piece - (box.x, box.y)) / reach, every)) for piece in pieces) or "M0,0"


def _thinned(piece: Array, every: int) -> Array:
    """Return every n-th corner, and the last."""
    return np.concatenate([piece[:-1:every], piece[-1:]])


def _drawn(piece: Array) -> str:
    corners = (piece * (FINE, -FINE)).round().astype(int)
    return "M" + "L".join(f"{x},{y}" for x, y in corners)


def failures(recording: Recording) -> bytes:
    """Return a row for each failure: its number and trial, the record that it is shown at, and what there is to say."""
    log, run = recording.failures, recording.run
    return tables.stream(
        number=np.arange(len(log)),
        trial=np.array([failure.trial for failure in log], dtype=float),
        step=np.array([recording.shown_at(failure) for failure in log], dtype=int),
        fatal=np.array([run.stopped and failure.trial == run.trial for failure in log], dtype=bool),
        text=np.array([story(recording, failure) for failure in log], dtype=str),
    )


def story(recording: Recording, failure: Failure) -> str:
    """Return what failed, the matrix that broke, its eigenvalues, and what is drawn instead, in short lines."""
    drawn = recording.frames[recording.shown_at(failure)].trial
    lines = (
        f"Trial {failure.trial:,}, category {failure.category}: {failure.kind.value}",
        "The matrix that broke:",
        *("      ".join(number(entry) for entry in line) for line in failure.matrix),
        f"Its eigenvalues: {', '.join(number(value) for value in failure.eigenvalues)}; {failure.action}",
        f"Drawn: the last valid distributions, after trial {min(drawn, failure.trial - 1):,}",
    )
    return "\n".join(lines)
