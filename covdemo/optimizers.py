"""Update rules over B replicas at once, each with hyper-parameters of its own.

A rule turns gradients into a *direction*; the step taken is -lr x direction. Tensors are ``[B, ...]``, the hyper-parameters
broadcast against them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Slots = tuple[Tensor, ...]


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
    """

    key: str
    label: str
    formula: str
    summary: str
    init: Callable[[Tensor], Slots]
    update: Callable[[Tensor, Slots, Tensor], tuple[Tensor, Slots]]


def _sgd(gradient: Tensor, slots: Slots, momentum: Tensor) -> tuple[Tensor, Slots]:
    velocity = momentum * slots[0] + gradient
    return velocity, (velocity,)


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
        ),
    )
}
