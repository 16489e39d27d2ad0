"""Configurations worth seeing, by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from covdemo.config import RunConfig


@dataclass(frozen=True)
class Preset:
    """A configuration worth seeing.

    Attributes:
        label: name for people.
        why: what to see, a sentence.
        changes: attributes of ``RunConfig`` that differ from the default.
    """

    label: str
    why: str
    changes: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def config(self) -> RunConfig:
        """The whole configuration."""
        return RunConfig(**self.changes)


PRESETS: dict[str, Preset] = {
    "breaks": Preset("Breaks", "The question: within an epoch an update makes a raw covariance matrix indefinite."),
    "slower rate": Preset("Slower rate", "A hundredth of the learning rate, below the wall, learns.", {"lr_cov": 1e-5}),
    "the accepted answer": Preset(
        "The accepted answer",
        "tril(raw) from the same numbers as before: no error, and nothing is learned.",
        {"parameterization": "tril-as-posted", "lr_cov": 1e-4},
    ),
    "correct start": Preset(
        "Correct start",
        "tril(raw) that starts at the Cholesky factor of the covariance matrix meant.",
        {"parameterization": "tril", "lr_cov": 1e-3},
    ),
    "log-Cholesky": Preset(
        "Log-Cholesky",
        "A diagonal that is always positive, learned as its logarithm.",
        {"parameterization": "log-cholesky", "lr_cov": 1e-3},
    ),
    "affine-invariant": Preset(
        "The step that cannot fail",
        "Steps in the distribution's own coordinates, bounded there: ten decades of learning rates work, 100 among them.",
        {"parameterization": "affine-invariant", "lr_cov": 100.0},
    ),
}
