"""Update rules over B replicas at once, each with hyper-parameters of its own.

A rule turns gradients into a *direction*; the step taken is -lr x direction. Tensors are ``[B, ...]``, the hyper-parameters
broadcast against them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Slots = tuple[Tensor, ...]

# Defaults of torch.optim.
SQUARE_DECAY_ADAM = 0.999  # beta_2
SQUARE_DECAY_RMSPROP = 0.99  # alpha
EPSILON = 1e-8


@dataclass(frozen=True)
class Optimizer:
    """One row of the registry of update rules.

    Attributes:
        key: name used in links, on the command line and in files.
        label: name for people.
        formula: LaTeX.
        summary: one sentence.
        init: ``(parameter) -> slots``, what the rule remembers of the past.
        update: ``(gradient, slots, momentum) -> (direction, slots)``.
        code: the same rule of torch.optim, for exported scripts.
    """

    key: str
    label: str
    formula: str
    summary: str
    init: Callable[[Tensor], Slots]
    update: Callable[[Tensor, Slots, Tensor], tuple[Tensor, Slots]]
    code: str


def _sgd(gradient: Tensor, slots: Slots, momentum: Tensor) -> tuple[Tensor, Slots]:
    velocity = _velocity(gradient, slots[0], momentum)
    return velocity, (velocity,)


def _adam(gradient: Tensor, slots: Slots, momentum: Tensor) -> tuple[Tensor, Slots]:
    mean, square, count = slots
    count = count + 1
    mean = momentum * mean + (1 - momentum) * gradient
    square = SQUARE_DECAY_ADAM * square + (1 - SQUARE_DECAY_ADAM) * gradient.square()
    # 1 - decay^n, which so written would lose digits: three of seven in float32
    seen, seen_square = (-torch.expm1(count * log_decay) for log_decay in (momentum.log(), math.log(SQUARE_DECAY_ADAM)))
    return mean / seen / ((square / seen_square).sqrt() + EPSILON), (mean, square, count)


def _rmsprop(gradient: Tensor, slots: Slots, momentum: Tensor) -> tuple[Tensor, Slots]:
    velocity, square = slots
    square = SQUARE_DECAY_RMSPROP * square + (1 - SQUARE_DECAY_RMSPROP) * gradient.square()
    velocity = _velocity(gradient / (square.sqrt() + EPSILON), velocity, momentum)
    return velocity, (velocity, square)


def _velocity(step: Tensor, velocity: Tensor, momentum: Tensor) -> Tensor:
    """Return momentum x velocity + step; without momentum nothing of the past, not even what is not finite."""
    return torch.where(momentum == 0, step, torch.addcmul(step, momentum, velocity))


def _per_replica_zero(parameter: Tensor) -> Tensor:
    return parameter.new_zeros(len(parameter), *(1,) * (parameter.ndim - 1))


OPTIMIZERS: dict[str, Optimizer] = {
    row.key: row
    for row in (
        Optimizer(
            key="sgd",
            label="SGD with momentum",
            formula=r"v \leftarrow m v + g,\quad \theta \leftarrow \theta - \eta v",
            summary="Stochastic gradient descent as torch.optim.SGD does it, without dampening.",
            init=lambda parameter: (torch.zeros_like(parameter),),
            update=_sgd,
            code="torch.optim.SGD(groups, momentum=MOMENTUM)",
        ),
        Optimizer(
            key="adam",
            label="Adam",
            formula=r"\theta \leftarrow \theta - \eta\, \hat m / (\sqrt{\hat s} + \epsilon)",
            summary="torch.optim.Adam with beta_1 = momentum and its own defaults for the rest.",
            init=lambda parameter: (
                torch.zeros_like(parameter),
                torch.zeros_like(parameter),
                _per_replica_zero(parameter),
            ),
            update=_adam,
            code=f"torch.optim.Adam(groups, betas=(MOMENTUM, {SQUARE_DECAY_ADAM}))",
        ),
        Optimizer(
            key="rmsprop",
            label="RMSprop",
            formula=r"v \leftarrow m v + g / (\sqrt{s} + \epsilon),\quad \theta \leftarrow \theta - \eta v",
            summary="torch.optim.RMSprop with this momentum and its own defaults for the rest.",
            init=lambda parameter: (torch.zeros_like(parameter), torch.zeros_like(parameter)),
            update=_rmsprop,
            code="torch.optim.RMSprop(groups, momentum=MOMENTUM)",
        ),
    )
}
