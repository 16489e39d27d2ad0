"""Many runs at once: each configuration is a lane of one batch, from its start to its outcome."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from covdemo import devices
from covdemo.assessment import Task, assess
from covdemo.config import RunConfig
from covdemo.fates import Fate, follow
from covdemo.gaussians import Gaussians
from covdemo.learner import OBJECTIVES
from covdemo.optimizers import OPTIMIZERS
from covdemo.outcomes import Outcome, judge
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.parameters import Parameters
from covdemo.policies import POLICIES
from covdemo.sources import data_of
from covdemo.trainer import Rates, State, Trainer, Trial
from covdemo.trials import Trials

_LOG = logging.getLogger(__name__)
ASSESSED = 2_048  # replicas that are measured at a time, which bounds memory
PER_LANE = ("lr_mu", "lr_cov", "lr_nn", "momentum", "seed")  # what may differ within one batch
_SHARED = attrgetter(*(field.name for field in fields(RunConfig) if field.name not in PER_LANE))


class Results(NamedTuple):
    """How the runs of a batch ended, ``[B]`` each but for the notice.

    Attributes:
        outcome: ``Outcome`` objects.
        failed_at: trial of the first failure, -1 where there was none.
        kind: what that failure was, as a place in ``failures.KINDS``; -1 where there was none.
        accuracy: at the end, or of the last valid parameters.
        kl: KL(true || model) summed over the categories, in nats.
        notice: what should be known about where they were computed; empty if nothing.
    """

    outcome: NDArray[np.object_]
    failed_at: NDArray[np.int32]
    kind: NDArray[np.int32]
    accuracy: NDArray[np.float64]
    kl: NDArray[np.float64]
    notice: str = ""


def build_trainer(configs: Sequence[RunConfig]) -> Trainer:
    """Return the trainer of configurations that differ in ``PER_LANE`` settings only, one replica each.

    Raises:
        ValueError: if they differ in anything else, or there is none.
    """
    if len(set(map(_SHARED, configs))) != 1:
        raise ValueError(f"expected configurations that differ in {', '.join(PER_LANE)} only; got {len(configs)} of them")
    first = configs[0]
    rates = ([getattr(config, name) for config in configs] for name in PER_LANE[:4])
    return Trainer(
        PARAMETERIZATIONS[first.parameterization],
        OBJECTIVES[first.objective],
        OPTIMIZERS[first.optimizer],
        POLICIES[first.policy],
        Rates(*(tensor(rate, first) for rate in rates)),
        first.likelihood_share,
    )


def initial_state(trainer: Trainer, config: RunConfig) -> State:
    """Return the state before the first trial of replicas that begin as a configuration says."""
    return trainer.init(tensor(config.start_means, config), tensor(config.start_covariances, config))


def tensor(values: object, config: RunConfig) -> Tensor:
    """Return numbers as a tensor of the configuration's type, on its device."""
    return torch.as_tensor(np.asarray(values), dtype=getattr(torch, config.dtype), device=config.device)


def true_distributions(config: RunConfig, data: Trials) -> Gaussians:
    """Return the true distributions, ``[K, 2]``, in float64 on the configuration's device.

    Where the data were not drawn, nobody knows them: normal distributions with the data's own moments take their place.
    """
    known = data.moments
    arrays = (known.means, known.covariances) if known else (config.true_means, config.true_covariances)
    means, covariances = (torch.as_tensor(array, device=config.device) for array in arrays)
    return Gaussians.build(means, "covariance_matrix", covariances)


@torch.no_grad()
def run_batch(
    configs: Sequence[RunConfig],
    progress: Callable[[float], None] = lambda done: None,
    compiled: bool = False,
    data: Trials | None = None,
) -> Results:
    """Train all configurations side by side.

    Args:
        configs: they may differ in ``PER_LANE`` settings only.
        progress: called now and then with the share of the trials done; what it raises ends the work.
        compiled: whether to compile the trials, which takes up to a minute at first, seconds where the disk remembers, and
            pays for several 10^8 trials and more. Rounding may differ in the last digit. Where they cannot be compiled, they
            are done without.
        data: points to use instead of those that the configurations name, in an order of each seed's own.

    Where a graphics card does not have enough memory for them, they are done on the CPU.

    Raises:
        ValueError: if they differ in anything else, or there is none.
    """
    try:
        return _run_batch(configs, progress, compiled, data)
    except RuntimeError as error:
        if configs[0].device == "cpu" or not devices.card_is_full(error):
            raise
    notice = devices.TOO_MANY.format(runs=len(configs))
    _LOG.warning(notice)
    return _run_batch([replace(config, device="cpu") for config in configs], progress, compiled, data)._replace(notice=notice)


def _run_batch(configs: Sequence[RunConfig], progress: Callable[[float], None], compiled: bool, own: Trials | None) -> Results:
    trainer, first = build_trainer(configs), configs[0]
    shown = Shown(configs, own)
    state = initial_state(trainer, first)
    fate = Fate.unknown(len(configs), state.alive.device)
    done = 0
    if compiled:
        state, fate, done = _fused(trainer, state, fate, shown, progress)
    for trial in range(done, shown.total):
        if trial % 100 == 0:
            progress(trial / shown.total)
            if not bool(state.alive.any()):
                break
        state, fate = follow(trainer, state, fate, shown.trial(trial), torch.tensor(trial + 1, device=first.device))
    parts = [slice(start, start + ASSESSED) for start in range(0, len(configs), ASSESSED)]
    measured = [_assess(trainer, state, fate, shown, part) for part in parts]
    outcome, failed_at, kind, accuracy, kl = (np.concatenate(each) for each in zip(*measured, strict=True))
    return Results(outcome, failed_at, kind, accuracy, kl)


class Shown:
    """What each replica is shown: one order of points for each seed, and the seed of each replica."""

    def __init__(self, configs: Sequence[RunConfig], own: Trials | None = None) -> None:
        first = configs[0]
        seeds = sorted({config.seed for config in configs})
        by_seed = [replace(first, seed=seed) for seed in seeds]
        data = [own.shuffled(config) if own else data_of(config) for config in by_seed]
        self.lane = torch.as_tensor([seeds.index(config.seed) for config in configs], device=first.device)
        labels = torch.as_tensor(data[0].label, device=first.device)
        self.task = Task.of(true_distributions(first, data[0]), tensor([trials.x for trials in data], first), labels)
        self._x = tensor([trials.x[trials.order].T for trials in data], first).permute(2, 1, 0).contiguous()
        self._label = torch.as_tensor(
            np.stack([trials.label[trials.order] for trials in data]), device=first.device
        ).T.contiguous()
        self.total = len(self._x)

    def trial(self, number: int) -> Trial:
        """Return the points ``[B, D]`` of a trial, from 0, first dimension innermost in memory, and their labels."""
        return Trial(self._x[number][:, self.lane].T, self._label[number][self.lane])

    def trials(self, start: int, count: int) -> tuple[Tensor, Tensor]:
        """Return the points ``[count, D, S]`` and the labels ``[count, S]`` of several trials, for each of S seeds."""
        return self._x[start : start + count], self._label[start : start + count]


def _fused(
    trainer: Trainer, state: State, fate: Fate, shown: Shown, progress: Callable[[float], None]
) -> tuple[State, Fate, int]:
    """Do as many trials as there are whole calls of ``FusedTrials``; none where they cannot be fused."""
    try:
        from covdemo.fused import CannotCompile, FusedTrials  # the compiler's machinery takes a second to load
        from covdemo.scalarize import CannotScalarize
    except OSError as reason:  # as it loads, torch makes a folder for what it will compile
        return _uncompiled(state, fate, reason)
    try:
        fused = FusedTrials(trainer, state)
        whole = shown.total - shown.total % fused.unroll
        tables, rates = fused.pack(state, fate), torch.stack([*trainer.rates])
        for start in range(0, whole, fused.unroll):
            if start % (20 * fused.unroll) == 0:
                progress(start / shown.total)
                if not fused.any_alive(tables):
                    break
            tables = fused(tables, rates, *shown.trials(start, fused.unroll), shown.lane, start + 1)
    except (CannotScalarize, CannotCompile) as reason:
        return _uncompiled(state, fate, reason)
    return *fused.unpack(tables), whole


def _uncompiled(state: State, fate: Fate, reason: Exception) -> tuple[State, Fate, int]:
    _LOG.warning("trials are done without compiling them: %s", reason)
    return state, fate, 0


def _assess(trainer: Trainer, state: State, fate: Fate, shown: Shown, part: slice) -> tuple[NDArray[Any], ...]:
    """Return the fields of ``Results`` for some of the replicas."""
    last = Parameters(*(parameter[part] for parameter in state.parameters))
    model = trainer.parameterization.gaussians(last.means, last.raw)
    found = assess(model, last.readout, trainer.objective, trainer.share, shown.task.each(shown.lane[part]))
    outcomes = np.empty(len(model.loc), dtype=object)
    outcomes[:] = [judge(found.ending(lane, not alive))[0] for lane, alive in enumerate(state.alive[part].tolist())]
    measured = (fate.failed_at[part], fate.kind[part], found.accuracy, found.kl.sum(-1).double())
    return outcomes, *(tensor.cpu().numpy() for tensor in measured)


def learned(results: Results) -> NDArray[np.bool_]:
    """Return which runs learned, ``[B]``."""
    return results.outcome == Outcome.LEARNED
