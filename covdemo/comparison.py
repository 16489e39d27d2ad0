"""Several methods on the same data in the same order, advanced in turns."""

import math
import time
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from covdemo.config import RunConfig
from covdemo.history import Frame
from covdemo.outcomes import Outcome, Reason
from covdemo.run import Run
from covdemo.trials import Trials

Configs = tuple[RunConfig, ...]


class Comparison:
    """Runs of several configurations on one set of data.

    All that are not at their end have done the same number of trials; one that fails stays where it broke. Each is equal to
    a ``Run`` of its own.

    Args:
        config: one configuration for each run; they may differ in all that does not change the data.
        data: points and order; without, those of the first configuration.
        clock: seconds, for tests.

    Attributes:
        config: the configurations.
        data: as given.
        trial: trials done by those that have come farthest.
    """

    def __init__(self, config: Configs, data: Trials | None = None, clock: Callable[[], float] = time.perf_counter) -> None:
        self.config = config
        self.data = data
        self.trial = 0
        self._clock = clock
        self._seconds = [0.0] * len(config)

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The runs; made when they are first asked for, as not every viewer compares."""
        runs: list[Run] = []
        for config in self.config:
            runs.append(Run(config, runs[0].data if runs else self.data))
        return tuple(runs)

    @property
    def total(self) -> int:
        """Trials in each whole run, T."""
        return self.runs[0].total if self.runs else 0

    @property
    def finished(self) -> bool:
        """Whether every run is at its end."""
        return all(run.finished for run in self.runs)

    @property
    def seconds(self) -> tuple[float, ...]:
        """Time that each run has been training."""
        return tuple(self._seconds)

    def advance(self, trials: int) -> None:
        """Do up to ``trials`` further trials with every run that is not at its end, one after the other in each trial."""
        for _ in range(min(trials, self.total - self.trial)):
            for number, run in enumerate(self.runs):
                if not run.finished:
                    start = self._clock()
                    run.advance(1)
                    self._seconds[number] += self._clock() - start
            self.trial = max((run.trial for run in self.runs), default=0)


class Result(NamedTuple):
    """How far a run has come.

    Attributes:
        outcome: None while it has not come to its end.
        reason: why it has not learned, if it came to its end without.
        trials: done.
        failures: how many.
        failed_at: trial of the first; None where there is none.
        kind: of the last failure, where that ended the run; else empty.
        accuracy: of the last valid parameters, like the distances.
        kl: KL(true || model) summed over the categories, in nats; NaN where there is none.
        wasserstein: 2-Wasserstein distance between truth and model, the root of the sum of squares over the categories, in
            units of the data.
        seconds: time of training.
    """

    outcome: Outcome | None
    reason: Reason | None
    trials: int
    failures: int
    failed_at: int | None
    kind: str
    accuracy: float
    kl: float
    wasserstein: float
    seconds: float


def result(run: Run, frame: Frame, seconds: float) -> Result:
    """Return how far a run has come, given its present moment."""
    log, latest = run.history.failures, run.history.latest
    return Result(
        outcome=run.outcome,
        reason=run.reason,
        trials=run.trial,
        failures=frame.failures,
        failed_at=log[0].trial if log else None,
        kind=latest.kind.value if latest and run.stopped else "",
        accuracy=frame.accuracy,
        kl=float(frame.kl.sum()),
        wasserstein=math.hypot(*run.wasserstein()),
        seconds=seconds,
    )
