"""``step(state, trial) -> (state, info)`` over B independent replicas.

One replica is a run on the page; 10^5 are a map of learning rates. Each replica has learning rates, momentum, data and fate
of its own: nothing here loops over replicas, and a replica that fails leaves its neighbours bit-equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from covdemo import linalg
from covdemo.failures import Policy
from covdemo.learner import Objective, one_hot
from covdemo.optimizers import Optimizer, Slots
from covdemo.parameterizations import Parameterization


class Parameters(NamedTuple):
    """What is learned.

    Attributes:
        means: ``[B, K, D]``.
        raw: free numbers of the covariance matrices, ``[B, K, *]``.
        readout: weights, ``[B, K, K]``.
    """

    means: Tensor
    raw: Tensor
    readout: Tensor


class State(NamedTuple):
    """What the next trial needs.

    Attributes:
        parameters: the present parameters.
        slots: what the optimizer remembers, one entry per parameter.
        alive: ``[B]``, false once a replica has stopped; it is not changed any more.
    """

    parameters: Parameters
    slots: tuple[Slots, ...]
    alive: Tensor


class Trial(NamedTuple):
    """One data point per replica: ``x`` ``[B, D]`` and its category ``label`` ``[B]``, from 0."""

    x: Tensor
    label: Tensor


class Info(NamedTuple):
    """What only an observer needs.

    Attributes:
        loss: before the update, ``[B]``.
        log_density: of the point under each distribution before the update, ``[B, K]``.
        gradient: of the loss, shaped like the parameters.
        candidate: the parameters after the update, before the policy had its say.
        ok: ``[B, K]``, whether the candidate distributions exist.
        failed: ``[B]``, whether a living replica met an invalid candidate.
    """

    loss: Tensor
    log_density: Tensor
    gradient: Parameters
    candidate: Parameters
    ok: Tensor
    failed: Tensor


class Rates(NamedTuple):
    """Learning rates and momentum per replica, ``[B]`` each."""

    means: Tensor
    raw: Tensor
    readout: Tensor
    momentum: Tensor


@dataclass(frozen=True)
class Trainer:
    """How a trial changes the state.

    Attributes:
        parameterization: how covariance matrices are written.
        objective: what is minimised.
        optimizer: the update rule.
        policy: what happens when an update would make a distribution invalid.
        rates: learning rates and momentum per replica.
        share: part of the likelihood in a weighted objective.
    """

    parameterization: Parameterization
    objective: Objective
    optimizer: Optimizer
    policy: Policy
    rates: Rates
    share: float = 0.5

    def init(self, means: Tensor, covariances: Tensor) -> State:
        """Return the state before the first trial.

        Args:
            means: ``[K, D]``, the start of every replica, or ``[B, K, D]``.
            covariances: ``[K, D, D]`` or ``[B, K, D, D]``.
        """
        replicas, categories = len(self.rates.means), means.shape[-2]
        means = linalg.lay_out(means.expand(replicas, *means.shape[-2:]))
        raw = self.parameterization.start(covariances.expand(replicas, *covariances.shape[-3:]))
        parameters = Parameters(means, raw, linalg.lay_out(means.new_zeros(replicas, categories, categories)))
        slots = tuple(self.optimizer.init(parameter) for parameter in parameters)
        return State(parameters, slots, torch.ones(replicas, dtype=torch.bool, device=means.device))

    def step(self, state: State, trial: Trial) -> tuple[State, Info]:
        """Show every replica one data point and update it."""
        loss, log_density, gradient = self.gradient(state.parameters, trial)
        candidate, slots = self.update(state, gradient)
        ok = self.parameterization.gaussians(candidate.means, candidate.raw).valid
        failed = state.alive & ~linalg.every(ok)
        info = Info(loss, log_density, gradient, candidate, ok, failed)
        return self.settle(state, candidate, slots, failed), info

    def gradient(self, parameters: Parameters, trial: Trial) -> tuple[Tensor, Tensor, Parameters]:
        """Return loss ``[B]``, log-densities ``[B, K]`` and the gradient with respect to a step away from ``parameters``."""
        row = self.parameterization
        distributions = row.gaussians(parameters.means, parameters.raw)
        z = distributions.whiten(trial.x)
        log_density = distributions.log_density_at(z)
        target = one_hot(trial.label, log_density.shape[-1])
        loss, weight, readout = self.objective.evaluate(log_density, parameters.readout, target, self.share)
        mean, matrix = distributions.gradient_at(z, row.feeds)
        raw = row.pull_back(parameters.raw, _expand(weight, matrix) * matrix)
        means = row.pull_back_mean(parameters.raw, _expand(weight, mean) * mean)
        return loss, log_density, Parameters(means, raw, readout)

    def move(self, parameters: Parameters, steps: Parameters) -> Parameters:
        """Return the parameters after ``steps``, by the parameterization's own rules of moving."""
        return Parameters(
            self.parameterization.shift(parameters.means, parameters.raw, steps.means),
            self.parameterization.retract(parameters.raw, steps.raw),
            parameters.readout + steps.readout,
        )

    def update(self, state: State, gradient: Parameters) -> tuple[Parameters, tuple[Slots, ...]]:
        """Return the parameters that the optimizer proposes, and what it remembers."""
        momentum = self.rates.momentum
        proposed = [
            self.optimizer.update(slope, slots, _expand(momentum, slope))
            for slope, slots in zip(gradient, state.slots, strict=True)
        ]
        steps = Parameters(
            *(-_expand(rate, direction) * direction for rate, (direction, _) in zip(self.rates[:3], proposed, strict=True))
        )
        return self.move(state.parameters, steps), tuple(slots for _, slots in proposed)

    def settle(self, state: State, candidate: Parameters, slots: tuple[Slots, ...], failed: Tensor) -> State:
        """Return the next state: living replicas move on, unless the policy forbids it."""
        moves = state.alive if self.policy.ends else state.alive & ~failed
        alive = state.alive & ~failed if self.policy.ends else state.alive
        return State(
            Parameters(*_choose(moves, candidate, state.parameters)),
            slots
            if self.policy.ends
            else tuple(tuple(_choose(moves, new, old)) for new, old in zip(slots, state.slots, strict=True)),
            alive,
        )


def _choose(mask: Tensor, new: Sequence[Tensor], old: Sequence[Tensor]) -> list[Tensor]:
    return [torch.where(_expand(mask, after), after, before) for after, before in zip(new, old, strict=True)]


def _expand(tensor: Tensor, like: Tensor) -> Tensor:
    return tensor.view(*tensor.shape, *(1,) * (like.ndim - tensor.ndim))
