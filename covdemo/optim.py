"""The step that cannot fail, for a model of your own."""

from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor

from covdemo.parameterizations.steps import AffineInvariant


class AffineInvariantSGD(torch.optim.Optimizer):
    """Gradient descent with momentum on Cholesky factors, in the distribution's own coordinates, with a trust region.

    Give it the parameters of your model that are lower Cholesky factors of covariance matrices (what
    ``MultivariateNormal`` takes as ``scale_tril``), and everything else to an optimizer of your choice. After any step,
    whatever its gradient and learning rate, each factor still has a positive diagonal. The rule is that of
    ``covdemo.parameterizations.steps.AffineInvariant``, where its formula and sources stand; the velocity is kept in local
    coordinates. A gradient entry that is not finite counts as 0.

    Args:
        params: lower-triangular factors with a positive diagonal, ``[..., D, D]``, or parameter groups of such.
        lr: learning rate, >= 0.
        momentum: 0 <= momentum < 1.
        trust: largest Frobenius norm of a step in local coordinates, > 0; .1 changes no standard deviation by over 10 %.

    Raises:
        ValueError: for a setting out of range or a parameter that is no Cholesky factor.
    """

    def __init__(
        self, params: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, momentum: float = 0.0, trust: float = 0.1
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "trust": trust})
        for group in self.param_groups:
            _check_settings(group)
            for factor in group["params"]:
                _check_factor(factor)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Move every factor that has a gradient; return the loss of ``closure`` if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            rule = AffineInvariant(group["trust"])
            for factor in group["params"]:
                if factor.grad is not None:
                    self._move(factor, factor.grad, rule, group["lr"], group["momentum"])
        return loss

    def _move(self, factor: Tensor, slope: Tensor, rule: AffineInvariant, lr: float, momentum: float) -> None:
        gradient = rule.pull_back(factor, torch.nan_to_num(slope, nan=0.0))
        velocity = momentum * self.state[factor].get("velocity", torch.zeros_like(gradient)) + gradient
        self.state[factor]["velocity"] = velocity
        factor.copy_(rule.retract(factor, -lr * velocity))


def _check_settings(group: dict[str, Any]) -> None:
    if not (group["lr"] >= 0 and 0 <= group["momentum"] < 1 and group["trust"] > 0):
        found = ", ".join(f"{name} = {group[name]}" for name in ("lr", "momentum", "trust"))
        raise ValueError(f"expected lr >= 0, 0 <= momentum < 1 and trust > 0; got {found}")


def _check_factor(factor: Tensor) -> None:
    square = factor.ndim >= 2 and factor.shape[-1] == factor.shape[-2]
    if not square or not bool((factor.diagonal(dim1=-2, dim2=-1) > 0).all()) or bool(factor.triu(1).any()):
        raise ValueError(f"expected lower-triangular [..., D, D] with a positive diagonal; got shape {tuple(factor.shape)}")
