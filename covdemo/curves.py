"""The quantities that are drawn over the trials of a run: one row, one chart."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from covdemo.history import Array, History
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


CURVES: tuple[Curve, ...] = (
    Curve(
        name="loss",
        title="Loss",
        alt="Mean loss over the trials; the dotted line is the loss of guessing.",
        values=lambda history: history.column("loss"),
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
        "distributions, a cross at the bottom is an eigenvalue of zero or below.",
        values=lambda history: history.column("eigenvalues").min(axis=-1),
        reference=lambda run: np.linalg.eigvalsh(run.truth.covariances)[:, 0].astype(np.float64),
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
)
