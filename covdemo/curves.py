"""The quantities that are drawn over the trials of a run: one row, one chart."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from covdemo.history import Array, History, condition_number
from covdemo.run import Run


@dataclass(frozen=True)
class Curve:
    """A quantity over the trials of a run.

    Attributes:
        name: of a file.
        title: name for people.
        alt: what is to be seen, for those who do not see it.
        values: of a history, ``[R]``, or ``[R, K]`` where each category has a line of its own.
        reference: what to compare it with, ``[]`` or, for each category, ``[K]``; NaN for nothing.
        per_category: whether each category has a line of its own.
        scale: of the vertical axis.
        format: of its numbers, in d3's notation; empty for one that suits the scale.
        ends: of the vertical axis, where they do not follow from the data.
        ticks: of the vertical axis, likewise.
        above: how many times the reference is shown at most.
        lowest: whether the smallest of several records is what matters, where there are too many to show.
        rough: the same before it was smoothed, ``[R]``; None where nothing is smoothed.
        edge: whether 0, which is on no logarithmic scale, is what must not be reached.
        first: whether it is among those that are shown without being asked for.
    """

    name: str
    title: str
    alt: str
    values: Callable[[History], Array]
    reference: Callable[[Run], Array] = lambda run: np.array(math.nan)
    per_category: bool = True
    scale: Literal["linear", "log"] = "log"
    format: str = ""
    ends: tuple[float, float] | None = None
    ticks: tuple[float, ...] | None = None
    above: float = math.inf
    lowest: bool = False
    rough: Callable[[History], Array] | None = None
    edge: bool = False
    first: bool = True


SMOOTHING = 50  # trials over which a smoothed quantity forgets all but 1 / e


def smoothed(values: Array, trials: Array) -> Array:
    """Return the mean of all values up to each one, those of n trials ago with weight exp(-n / ``SMOOTHING``).

    Args:
        values: ``[R]``; what is not finite has no weight.
        trials: ascending, ``[R]``.

    Returns:
        ``[R]``; NaN before the first finite value.
    """
    total, weight, means = 0.0, 0.0, np.full(len(values), np.nan)
    kept = np.exp(-np.diff(trials, prepend=0.0) / SMOOTHING)
    for index, (value, keep) in enumerate(zip(values.tolist(), kept.tolist(), strict=True)):
        total, weight = keep * total, keep * weight
        if math.isfinite(value):
            total, weight = total + value, weight + 1
        means[index] = total / weight if weight else math.nan
    return means


CURVES: tuple[Curve, ...] = (
    Curve(
        name="loss",
        title="Loss",
        alt="Loss over the trials: faint the mean between two records, heavier the same smoothed over about 50 trials. The "
        "dotted line is the loss of guessing.",
        values=lambda history: smoothed(history.column("loss"), history.column("trial")),
        rough=lambda history: history.column("loss"),
        reference=lambda run: np.array(math.log(run.config.categories)),
        per_category=False,
        scale="linear",
    ),
    Curve(
        name="accuracy",
        title="Accuracy",
        alt="Share of the points put into the right category, over the trials; the dotted line is guessing.",
        values=lambda history: history.column("accuracy"),
        reference=lambda run: np.array(1 / run.config.categories),
        per_category=False,
        scale="linear",
        format=".0%",
        ends=(0, 1),
        ticks=(0, 0.5, 1),
    ),
    Curve(
        name="eigenvalue",
        title="Smallest eigenvalue",
        alt="Smallest eigenvalue of each covariance matrix over the trials, on a logarithmic scale. Dotted lines are the true "
        "distributions; a cross in the strip of zero, below the scale, is an eigenvalue of zero or below.",
        values=lambda history: history.column("eigenvalues").min(axis=-1),
        reference=lambda run: np.linalg.eigvalsh(run.truth.covariances)[:, 0].astype(np.float64),
        edge=True,
    ),
    Curve(
        name="room",
        title="Room for lr_cov",
        alt="The wall: the largest learning rate of each covariance matrix that its updates would have survived, over the "
        "trials, on a logarithmic scale; the dotted line is the learning rate. A line below it is a failure.",
        values=lambda history: history.column("room"),
        reference=lambda run: np.array(run.config.lr_cov),
        above=1e4,
        lowest=True,
    ),
    Curve(
        name="kl",
        title="KL(true ‖ model)",
        alt="Kullback-Leibler divergence of the model from the true distribution of each category, over the trials.",
        values=lambda history: history.column("kl"),
    ),
    Curve(
        name="condition",
        title="Condition number",
        alt="Largest over smallest eigenvalue of each covariance matrix, over the trials, on a logarithmic scale. Dotted lines "
        "are the true distributions.",
        values=lambda history: condition_number(history.column("eigenvalues")),
        reference=lambda run: condition_number(np.linalg.eigvalsh(run.truth.covariances).astype(np.float64)),
        first=False,
    ),
    Curve(
        name="gradient",
        title="Gradient norm",
        alt="Length of the last gradient of the numbers behind each covariance matrix, over the trials, on a logarithmic "
        "scale; a cross in the strip of zero is a trial without a gradient.",
        values=lambda history: history.column("gradient_norm"),
        edge=True,
        first=False,
    ),
    Curve(
        name="underflow",
        title="Density underflow",
        alt="Share of all trials so far in which each category has had no gradient, as its density is 0 in floating point, "
        "over the trials.",
        values=lambda history: history.column("silent_trials") / np.maximum(history.column("trial"), 1)[:, np.newaxis],
        scale="linear",
        format=".0%",
        ends=(0, 1),
        ticks=(0, 0.5, 1),
        first=False,
    ),
)
FIRST = tuple(row for row in CURVES if row.first)
