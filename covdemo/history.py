"""What a run recorded: NumPy only, bounded in size, ready for charts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from covdemo.failures import Failure

Array = NDArray[np.float64]
RECORDS = 500  # most frames that a history keeps
EARLY = 50  # trials at the beginning that are all recorded
LOGGED = 1000  # most failures that it keeps; further ones are counted


@dataclass(frozen=True)
class Frame:
    """One moment of a run.

    Attributes:
        trial: trials done.
        epoch: epoch of the next trial, from 0.
        loss: mean loss of the trials since the last record, NaN before the first.
        accuracy: share of all points that the model puts into the right category.
        failures: failures so far, one for each distribution that an update broke.
        means: ``[K, D]``.
        covariances: the last valid ones, ``[K, D, D]``.
        scale_trils: their Cholesky factors, ``[K, D, D]``.
        valid: whether the present distributions exist, ``[K]``.
        eigenvalues: of the present covariance matrices, ascending, ``[K, D]``; where one broke, as in its row of the log.
        kl: KL(true || model) in nats, ``[K]``.
        readout: weights, ``[K, K]``.
        room: the smallest rate, over the trials since the last record, at which an update would just have left the matrix
            valid, ``[K]``; infinite where nothing can fail.
        gradient_norm: of the last trial's gradient, per category, ``[K]``.
        silent: for how many trials in a row each category has had no gradient because its density is 0, ``[K]``.
        silent_trials: how many such trials there were, in a row or not, ``[K]``.
        silent_share: share of such trials among those with a point of the category itself, ``[K]``.
        x: the last data point shown, ``[D]``; None before the first.
        label: its category, from 0; None before the first.
    """

    trial: int
    epoch: int
    loss: float
    accuracy: float
    failures: int
    means: Array
    covariances: Array
    scale_trils: Array
    valid: NDArray[np.bool_]
    eigenvalues: Array
    kl: Array
    readout: Array
    room: Array
    gradient_norm: Array
    silent: Array
    silent_trials: Array
    silent_share: Array
    x: Array | None
    label: int | None


_RECORDED = (
    "trial",
    "loss",
    "accuracy",
    "means",
    "scale_trils",
    "valid",
    "eigenvalues",
    "kl",
    "readout",
    "room",
    "gradient_norm",
    "silent",
    "silent_trials",
    "silent_share",
)


@dataclass
class History:
    """Frames at regular trials, and every failure.

    Attributes:
        failures: the first ``LOGGED`` failures, and those of the trial that ended the run.
        failed: how many failures there were, one for each distribution that an update broke.
    """

    failures: list[Failure] = field(default_factory=list)
    failed: int = 0
    _frames: list[Frame] = field(default_factory=list)
    _columns: dict[str, Array] = field(default_factory=dict, compare=False, repr=False)  # those asked for since the last record

    @property
    def full(self) -> bool:
        """Whether further failures are only counted, unless they end the run."""
        return len(self.failures) >= LOGGED

    def log(self, rows: Sequence[Failure], ends: bool) -> None:
        """Take in the failures of a trial; those that end the run are kept, whatever came before."""
        self.failed += len(rows)
        self.failures += rows if ends else rows[: max(0, LOGGED - len(self.failures))]

    def count(self, failures: int) -> None:
        """Take in the number of failures of a trial that nobody will read about."""
        self.failed += failures

    @property
    def latest(self) -> Failure | None:
        """The first failure of the last trial in the log, which is what PyTorch would have raised for."""
        return next((failure for failure in self.failures if failure.trial == self.failures[-1].trial), None)

    def record(self, frame: Frame) -> None:
        """Append a frame, unless its trial is recorded already."""
        if not self._frames or self._frames[-1].trial < frame.trial:
            self._frames.append(frame)
            self._columns = {}

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def frames(self) -> tuple[Frame, ...]:
        """All records up to now, R of them."""
        return tuple(self._frames)

    def until(self, trial: int) -> "History":
        """Return the records up to a trial, without the failures."""
        return History(_frames=[frame for frame in self._frames if frame.trial <= trial])

    def column(self, name: str) -> Array:
        """Return one recorded quantity of ``Frame`` over time, ``[R, ...]``, not to be written to.

        Raises:
            ValueError: if no such quantity is recorded.
        """
        if name not in _RECORDED:
            raise ValueError(f"expected one of {', '.join(_RECORDED)}; got {name!r}")
        if name not in self._columns:
            self._columns[name] = np.array([getattr(frame, name) for frame in self._frames], dtype=float)
            self._columns[name].flags.writeable = False
        return self._columns[name]


def condition_number(eigenvalues: Array) -> Array:
    """Return largest over smallest of ascending eigenvalues ``[..., D]``, ``[...]``; infinite where the smallest is not > 0."""
    smallest, largest = eigenvalues[..., 0], eigenvalues[..., -1]
    with np.errstate(invalid="ignore", over="ignore"):  # of infinite ones nothing is known
        return np.divide(largest, smallest, out=np.full_like(largest, np.inf), where=smallest > 0)
