"""Many runs at once: each configuration is a lane of one batch, from its start to its outcome."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from covdemo.assessment import assess
from covdemo.config import RunConfig
from covdemo.gaussians import Gaussians
from covdemo.learner import OBJECTIVES
from covdemo.optimizers import OPTIMIZERS
from covdemo.outcomes import Outcome, judge
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.policies import POLICIES
from covdemo.sources import data_of
from covdemo.trainer import Rates, State, Trainer, Trial
from covdemo.trials import Trials

PER_LANE = ("lr_mu", "lr_cov", "lr_nn", "momentum", "seed")  # what may differ within one batch


class Results(NamedTuple):
    """How the runs of a batch ended, ``[B]`` each.

    Attributes:
        outcome: ``Outcome`` objects.
        failed_at: trial of the first failure, -1 where there was none.
        accuracy: at the end, or of the last valid parameters.
        kl: KL(true || model) summed over the categories, in nats.
    """

    outcome: NDArray[np.object_]
    failed_at: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    kl: NDArray[np.float64]


def build_trainer(configs: Sequence[RunConfig]) -> Trainer:
    """Return the trainer of configurations that differ in ``PER_LANE`` settings only, one replica each.

    Raises:
        ValueError: if they differ in anything else, or there is none.
    """
    shared: dict[str, Any] = dict.fromkeys(PER_LANE, 0)
    if len({replace(config, **shared) for config in configs}) != 1:
        raise ValueError(f"expected configurations that differ in {', '.join(PER_LANE)} only")
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
def run_batch(configs: Sequence[RunConfig], progress: Callable[[float], None] = lambda done: None) -> Results:
    """Train all configurations side by side.

    Args:
        configs: they may differ in ``PER_LANE`` settings only.
        progress: called now and then with the share of the trials done.
    """
    first, trainer = configs[0], build_trainer(configs)
    seeds = sorted({config.seed for config in configs})
    data = [data_of(replace(first, seed=seed)) for seed in seeds]
    lane = torch.as_tensor([seeds.index(config.seed) for config in configs], device=first.device)
    x = tensor([trials.x[trials.order] for trials in data], first).movedim(1, 0)
    label = torch.as_tensor(np.stack([trials.label[trials.order] for trials in data]), device=first.device).T
    state = trainer.init(tensor(first.start_means, first), tensor(first.start_covariances, first))
    failed_at = torch.full((len(configs),), -1, device=first.device)
    for trial in range(len(x)):
        state, info = trainer.step(state, Trial(_gather(x[trial], lane), label[trial][lane]))
        failed_at = torch.where(info.failed & (failed_at < 0), trial + 1, failed_at)
        if trial % 100 == 0:
            progress(trial / len(x))
    points = tensor([trials.x for trials in data], first)[lane]
    labels = torch.as_tensor(data[0].label, device=first.device)
    return _results(true_distributions(first, data[0]), trainer, state, points, labels, failed_at)


def _gather(x: Tensor, lane: Tensor) -> Tensor:
    """Return the point of each lane, ``[B, D]`` of ``[S, D]``, first dimension innermost in memory."""
    return x.T[:, lane].T


def _results(
    truth: Gaussians,
    trainer: Trainer,
    state: State,
    points: Tensor,
    labels: Tensor,
    failed_at: Tensor,
) -> Results:
    last = state.parameters
    model = trainer.parameterization.gaussians(last.means, last.raw)
    found = assess(model, last.readout, trainer.objective, trainer.share, truth, points, labels)
    outcomes = np.empty(len(points), dtype=object)
    outcomes[:] = [judge(found.ending(lane, not alive))[0] for lane, alive in enumerate(state.alive.tolist())]
    return Results(outcomes, failed_at.cpu().numpy(), found.accuracy.cpu().numpy(), found.kl.sum(-1).double().cpu().numpy())


def learned(results: Results) -> NDArray[np.bool_]:
    """Return which runs learned, ``[B]``."""
    return results.outcome == Outcome.LEARNED
