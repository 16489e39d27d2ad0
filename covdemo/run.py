"""One run of the experiment, from its settings to its outcome: torch inside, NumPy outside."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from covdemo import devices, failures, linalg, metrics
from covdemo.assessment import Task, assess, double
from covdemo.batch import build_trainer, tensor, true_distributions
from covdemo.config import RunConfig
from covdemo.failures import Failure
from covdemo.gaussians import Gaussians
from covdemo.history import EARLY, RECORDS, Array, Frame, History
from covdemo.observed import Observed, array
from covdemo.outcomes import Outcome, Reason, judge
from covdemo.parameters import Parameters
from covdemo.sources import data_of
from covdemo.trainer import Info, State, Trial
from covdemo.trials import Trials
from covdemo.walls import room_of_update

MEASURED = 100  # updates at most whose room is measured together

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Truth:
    """The true distributions: ``means`` ``[K, D]``, ``covariances`` and ``scale_trils`` ``[K, D, D]``."""

    means: Array
    covariances: Array
    scale_trils: Array


class Step(NamedTuple):
    """What the room of one update follows from: free numbers before it, direction, means after it, and which of those exist."""

    raw: Tensor
    direction: Tensor
    means: Tensor
    ok: Tensor


def _on_some_device(work: "Callable[Concatenate[Run, Given], Result]", /) -> "Callable[Concatenate[Run, Given], Result]":
    """Let a method, which changes nothing before it has its result, be done on the CPU where the graphics card is full."""

    @wraps(work)
    def wrapped(run: "Run", /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        try:
            return work(run, *args, **kwargs)
        except RuntimeError as error:
            if run.device == "cpu" or not devices.card_is_full(error):
                raise
            run._leave_card()
            return work(run, *args, **kwargs)

    return wrapped


class Run:
    """A run of one configuration, advanced as far and as often as the caller likes.

    Equal configurations (and data) give equal runs, however the trials are divided among calls of ``advance``.

    Args:
        config: the settings.
        data: points and order to use instead of those that the configuration names.

    Attributes:
        config: the settings.
        data: the points and the order in which they are shown.
        truth: the true distributions; those of the sample where the data were not drawn.
        trial: trials done.
        total: trials in the whole run, T.
        history: what was recorded.
        device: where it is computed: that of the configuration, or the CPU since the graphics card was full.
        notice: what should be known about that; empty if nothing.
    """

    def __init__(self, config: RunConfig, data: Trials | None = None) -> None:
        self.config = config
        self.data = data_of(config) if data is None else data
        self.trial, self.total = 0, len(self.data.order)
        self.history = History()
        self._stride = max(1, -(-self.total // (RECORDS - EARLY - 2)))
        self.device, self.notice = config.device, ""
        self._state = self._set_up()
        self.truth = Truth(*(array(t) for t in (self._true.loc, self._true.covariance_matrix, self._true.scale_tril)))
        self._broken: Parameters | None = None
        self._observed = Observed(self.config.categories)
        self._steps: list[Step] = []
        self.history.record(self.frame())

    @_on_some_device
    def _set_up(self) -> State:
        """Put what the run needs on its device, and return the state before the first trial."""
        config = self._computed
        self._points, self._labels = self._tensor(self.data.x), torch.as_tensor(self.data.label, device=self.device)
        self._order = torch.as_tensor(self.data.order, device=self.device)
        self._true = true_distributions(config, self.data)
        self._trainer = build_trainer([config])
        return self._trainer.init(self._tensor(config.start_means), self._tensor(config.start_covariances))

    def _leave_card(self) -> None:
        """Go on on the CPU."""
        self.device, self.notice = "cpu", devices.OUT_OF_MEMORY
        kept: State | None = getattr(self, "_state", None)
        start = self._set_up()
        if kept is not None:
            self._state = kept.to(self.device)
            self._broken = self._broken and self._broken.to(self.device)
            self._steps = [Step(*(tensor.to(self.device) for tensor in step)) for step in self._steps]
        else:
            self._state = start

    @property
    def _computed(self) -> RunConfig:
        """The settings that it is computed with."""
        return self.config if self.device == self.config.device else replace(self.config, device=self.device)

    def _tensor(self, array: NDArray[np.float64]) -> Tensor:
        return tensor(array, self._computed)

    @property
    def stopped(self) -> bool:
        """Whether a failure has ended the run."""
        return not bool(self._state.alive.all())

    @property
    def finished(self) -> bool:
        """Whether no trial is left to do."""
        return self.trial >= self.total or self.stopped

    @property
    def outcome(self) -> Outcome | None:
        """How the run ended; None while it has not."""
        return self._judge()[0] if self.finished else None

    @property
    def reason(self) -> Reason | None:
        """Why it has not learned, if it came to its end without."""
        return self._judge()[1] if self.finished else None

    @_on_some_device
    def _judge(self) -> tuple[Outcome, Reason | None]:
        trainer, kept = self._trainer, self._state.parameters
        model = trainer.parameterization.gaussians(kept.means, kept.raw)
        task = Task.of(self._true, self._points.unsqueeze(0), self._labels)
        found = assess(model, kept.readout, trainer.objective, trainer.share, task)
        silence = float(self._observed.silent_share.max())
        return judge(found.ending(0, self.stopped)._replace(silence=silence))

    def advance(self, trials: int) -> None:
        """Do up to ``trials`` further trials; stop early where the run ends. Numerical trouble never raises."""
        for _ in range(min(trials, self.total - self.trial)):
            if self.stopped:
                break
            self._one_trial()

    def _one_trial(self) -> None:
        self._state, info, step = self._next()
        self.trial += 1
        self._observed.see(info, int(self.data.label[self.data.order[self.trial - 1]]))
        self._steps.append(step)
        failed = bool(info.failed)
        logged = failed and (self.stopped or not self.history.full)
        recorded = self.trial <= EARLY or self.trial % self._stride == 0 or self.finished
        if logged or recorded or len(self._steps) == MEASURED:
            self._observed.have_room(self._room())
            self._steps = []
        if logged:
            self.history.log(self._failures(info), ends=self.stopped)
        elif failed:
            self.history.count(int(failures.refused(info.candidate.means[0], info.ok[0]).sum()))
        if self.stopped:
            self._broken = info.candidate
        if recorded:
            self.history.record(self.frame())
            self._observed.forget()

    @_on_some_device
    def _next(self) -> tuple[State, Info, Step]:
        """Return what the next trial comes to, and the step that it takes."""
        point = self._order[self.trial : self.trial + 1]
        state, info = self._trainer.step(self._state, Trial(self._points[point], self._labels[point]))
        return state, info, Step(self._state.parameters.raw, info.direction.raw, info.candidate.means, info.ok)

    @_on_some_device
    def _room(self) -> Array:
        """Return the room that each update had which is not measured yet, ``[N, K]``: together they take the time of one."""
        if not self._steps:
            return np.empty((0, self.config.categories))
        raw, direction, means, ok = map(torch.cat, zip(*self._steps, strict=True))
        broken = ~ok & linalg.no_nan(means)
        return array(room_of_update(self._trainer.parameterization, raw, direction, self.config.lr_cov, broken))

    def _failures(self, info: Info) -> list[Failure]:
        feeds, policy = self._trainer.parameterization.feeds, self._trainer.policy
        return failures.rows(
            feeds,
            info.candidate.means[0],
            self._trainer.parameterization.matrix(info.candidate.raw)[0],
            info.ok[0],
            actions=["stopped" if self.stopped else policy.told(feeds, amount) for amount in info.amount[0].tolist()],
            room=self._observed.latest_room.tolist(),
            trial=self.trial,
            epoch=self.data.epoch(self.trial),
            rate=self.config.lr_cov,
        )

    @_on_some_device
    def frame(self) -> Frame:
        """Return the present moment."""
        now, shown = self._broken or self._state.parameters, self.distributions()
        last = self.data.order[self.trial - 1] if self.trial else None
        return Frame(
            trial=self.trial,
            epoch=self.data.epoch(self.trial),
            loss=self._observed.loss,
            accuracy=float(metrics.accuracy(self._scores(self._points), self._labels)),
            failures=self.history.failed,
            means=array(shown.loc),
            covariances=array(shown.covariance_matrix),
            scale_trils=array(shown.scale_tril),
            valid=self._present().valid.cpu().numpy(),
            eigenvalues=self._eigenvalues(),
            kl=array(metrics.kl_divergence(self._true, double(shown))),
            readout=array(now.readout[0]),
            room=self._observed.least_room(self._room()),
            gradient_norm=self._observed.gradient_norm,
            silent=self._observed.silent,
            silent_trials=self._observed.silent_trials,
            silent_share=self._observed.silent_share,
            x=None if last is None else self.data.x[last],
            label=None if last is None else int(self.data.label[last]),
        )

    @_on_some_device
    def decide(self, points: NDArray[np.float64]) -> Array:
        """Return the score of each category at ``points`` ``[M, D]``, ``[M, K]``; the largest is the model's answer."""
        return array(self._scores(self._tensor(points)))

    def decide_at(self, frame: Frame, points: NDArray[np.float64]) -> Array:
        """Return what ``decide`` did at a recorded moment; where a failure has ended the run, what it does now."""
        if not frame.valid.all():
            return self.decide(points)
        means, scale_trils, readout = (self._tensor(array) for array in (frame.means, frame.scale_trils, frame.readout))
        log_density = Gaussians.build(means, "scale_tril", scale_trils).log_density(self._tensor(points))
        return array(self._trainer.objective.scores(log_density, readout))

    def model(self) -> Parameters:
        """Return the last valid parameters, without the leading dimension of replicas."""
        return Parameters(*(tensor[0] for tensor in self._state.parameters))

    def wasserstein(self) -> Array:
        """Return the 2-Wasserstein distance of the last valid distributions from the true ones, ``[K]``."""
        return array(metrics.wasserstein(self._true, double(self.distributions())))

    def parameters(self) -> Parameters:
        """Return the parameters as the last update left them, broken or not, without the leading dimension of replicas."""
        return Parameters(*(tensor[0] for tensor in self._broken or self._state.parameters))

    def covariances(self) -> Array:
        """Return the covariance matrices of ``parameters``, broken or not, ``[K, D, D]``."""
        return array(self._trainer.parameterization.covariance(self.parameters().raw))

    def distributions(self) -> Gaussians:
        """Return the last valid distributions, K of them."""
        kept = self._state.distributions
        return Gaussians(kept.loc[0], kept.scale_tril[0], kept.ok[0])

    def _present(self) -> Gaussians:
        """Return the distributions as the last update left them, broken or not."""
        if self._broken is None:
            return self.distributions()
        return self._trainer.parameterization.gaussians(self._broken.means[0], self._broken.raw[0])

    def _eigenvalues(self) -> Array:
        """Return the eigenvalues of the present covariance matrices, and where one broke those of the log's row, ``[K, D]``."""
        row, now = self._trainer.parameterization, self._broken or self._state.parameters
        matrix = row.matrix(now.raw)[0]
        found = array(metrics.covariance_eigenvalues(row.feeds, matrix))
        for category in (~self._present().ok).nonzero().flatten().tolist():
            found[category] = failures.eigenvalues(row.feeds, matrix[category])
        return found

    def _scores(self, points: Tensor) -> Tensor:
        return self._trainer.objective.scores(self.distributions().log_density(points), self._state.parameters.readout[0])
