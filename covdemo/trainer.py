"""``step(state, trial) -> (state, info)`` over B independent replicas.

One replica is a run on the page; 10^5 are a map of learning rates. Each replica has learning rates, momentum, data and fate
of its own: nothing here loops over replicas, and a replica that fails leaves its neighbours bit-equal.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from covdemo import linalg
from covdemo.gaussians import Gaussians
from covdemo.learner import Objective, one_hot
from covdemo.optimizers import Optimizer, Slots
from covdemo.parameterizations import Parameterization
from covdemo.parameters import Parameters, move
from covdemo.policies import Policy, Update, choose, choose_each


class State(NamedTuple):
    """What the next trial needs.

    Attributes:
        parameters: the present parameters, or the last valid ones of a replica that has stopped.
        distributions: the normal distributions that they stand for.
        slots: what the optimizer remembers, one entry per parameter.
        alive: ``[B]``, false once a replica has stopped; it is not changed any more.
    """

    parameters: Parameters
    distributions: Gaussians
    slots: tuple[Slots, ...]
    alive: Tensor

    def to(self, device: str) -> "State":
        """Return the same on another device."""
        return State(
            self.parameters.to(device),
            Gaussians(*(tensor.to(device) for tensor in self.distributions.tensors)),
            tuple(tuple(tensor.to(device) for tensor in slots) for slots in self.slots),
            self.alive.to(device),
        )


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
        direction: what the optimizer made of it; the step is -lr x direction.
        candidate: the parameters after the update, before the policy had its say.
        ok: ``[B, K]``, whether the candidate distributions exist.
        failed: ``[B]``, whether a living replica met an invalid candidate.
        amount: ``[B, K]``, how much repair the policy made, in its own units.
    """

    loss: Tensor
    log_density: Tensor
    gradient: Parameters
    direction: Parameters
    candidate: Parameters
    ok: Tensor
    failed: Tensor
    amount: Tensor


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
        objective: what is minimized.
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
        alive = torch.ones(replicas, dtype=torch.bool, device=means.device)
        return State(parameters, self.parameterization.gaussians(means, raw), slots, alive)

    def step(self, state: State, trial: Trial) -> tuple[State, Info]:
        """Show every replica one data point and update it."""
        loss, log_density, gradient = self.gradient(state, trial)
        directions, slots = self.direct(state, gradient)
        steps = Parameters(*(-linalg.expand_like(r, d) * d for r, d in zip(self.rates[:3], directions, strict=True)))
        candidate = move(self.parameterization, state.parameters, steps)
        proposed = self.parameterization.gaussians(candidate.means, candidate.raw)
        ok = proposed.valid
        update = Update(self.parameterization, state.parameters, steps, candidate, ok)
        failed = state.alive & ~linalg.every(ok)
        after, amount = self.settle(state, slots, update, proposed, failed)
        return after, Info(loss, log_density, gradient, directions, candidate, ok, failed, amount)

    def gradient(self, state: State, trial: Trial) -> tuple[Tensor, Tensor, Parameters]:
        """Return loss ``[B]``, log-densities ``[B, K]`` and the gradient with respect to a step away from here."""
        row, parameters, distributions = self.parameterization, state.parameters, state.distributions
        z = distributions.whiten(trial.x)
        log_density = distributions.log_density_at(z)
        target = one_hot(trial.label, log_density.shape[-1])
        loss, weight, readout = self.objective.evaluate(log_density, parameters.readout, target, self.share)
        mean, matrix = distributions.gradient_at(z, weight, row.feeds)
        raw = row.pull_back(parameters.raw, matrix)
        means = row.pull_back_mean(parameters.raw, mean)
        return loss, log_density, Parameters(means, raw, readout)

    def direct(self, state: State, gradient: Parameters) -> tuple[Parameters, tuple[Slots, ...]]:
        """Return the directions that the optimizer proposes, and what it remembers."""
        momentum = self.rates.momentum
        proposed = [
            self.optimizer.update(slope, slots, linalg.expand_like(momentum, slope))
            for slope, slots in zip(gradient, state.slots, strict=True)
        ]
        return Parameters(*(direction for direction, _ in proposed)), tuple(slots for _, slots in proposed)

    def settle(
        self, state: State, slots: tuple[Slots, ...], update: Update, proposed: Gaussians, failed: Tensor
    ) -> tuple[State, Tensor]:
        """Return the next state and the amount of repair ``[B, K]``: living replicas move on as the policy allows."""
        candidate, stuck, amount = update.candidate, failed, torch.zeros_like(update.ok, dtype=proposed.loc.dtype)
        if self.policy.repair is not None and bool(failed.any()):
            repaired, amount = self.policy.repair(update)
            candidate = choose(failed, repaired, candidate)
            proposed = self.parameterization.gaussians(candidate.means, candidate.raw)
            stuck = failed & ~linalg.every(proposed.valid)
        moves = state.alive & ~stuck
        parameters = choose(moves, candidate, state.parameters)
        proposed = Gaussians(*choose_each(moves, proposed.tensors, state.distributions.tensors))
        if self.policy.ends:
            return State(parameters, proposed, slots, moves), amount
        return State(parameters, proposed, _keep(moves, slots, state.slots), state.alive), amount


def _keep(moves: Tensor, new: tuple[Slots, ...], old: tuple[Slots, ...]) -> tuple[Slots, ...]:
    """Return the new memory of the replicas that move, the old of the others."""
    return tuple(
        tuple(torch.where(linalg.expand_like(moves, after), after, before) for after, before in zip(*pair, strict=True))
        for pair in zip(new, old, strict=True)
    )
