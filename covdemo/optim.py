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
    coordinates. A gradient entry that is not finite counts as 0, one that overflows in local coordinates as the largest number.

    Args:
        params: lower-triangular factors with a positive diagonal, ``[..., D, D]``, in float32 or float64, or parameter groups
            of such.
        lr: learning rate, finite and >= 0.
        momentum: 0 <= momentum < 1.
        trust: largest Frobenius norm of a step in local coordinates, > 0; .1 changes no variance by over 10.5 %, so
            no standard deviation by much over 5 %.

    Raises:
        ValueError: for a setting out of range or a parameter that is no Cholesky factor.
    """

    def __init__(
        self, params: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, momentum: float = 0.0, trust: float = 0.1
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "trust": trust})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add factors with settings of their own; those of the constructor are the defaults.

        Raises:
            ValueError: for a setting out of range or a parameter that is no Cholesky factor; the group is then not added.
        """
        super().add_param_group(param_group)
        try:
            _check_settings(self.param_groups[-1])
            for factor in self.param_groups[-1]["params"]:
                _check_factor(factor)
        except ValueError:
            self.param_groups.pop()
            raise

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
        gradient = _finite(rule.pull_back(factor, torch.nan_to_num(slope, nan=0.0, posinf=0.0, neginf=0.0)))
        velocity = _finite(momentum * self.state[factor].get("velocity", torch.zeros_like(gradient)) + gradient)
        self.state[factor]["velocity"] = velocity
        factor.copy_(rule.retract(factor, -lr * velocity))


def _finite(tensor: Tensor) -> Tensor:
    """Return the largest number of its type instead of infinity, 0 for what is not a number."""
    return torch.nan_to_num(tensor, nan=0.0)


def _check_settings(group: dict[str, Any]) -> None:
    if not (0 <= group["lr"] < float("inf") and 0 <= group["momentum"] < 1 and group["trust"] > 0):
        found = ", ".join(f"{name} = {group[name]}" for name in ("lr", "momentum", "trust"))
        raise ValueError(f"expected finite lr >= 0, 0 <= momentum < 1 and trust > 0; got {found}")


def _check_factor(factor: Tensor) -> None:
    if factor.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"expected a factor in float32 or float64; got {factor.dtype}")
    fault = _fault(factor.detach())
    if fault:
        raise ValueError(f"expected finite lower-triangular [..., D, D] with a positive diagonal; got {fault}")


def _fault(factor: Tensor) -> str:
    """Return what makes a tensor no Cholesky factor; empty if it is one."""
    if factor.ndim < 2 or factor.shape[-1] != factor.shape[-2]:
        return f"shape {tuple(factor.shape)}"
    diagonal = factor.diagonal(dim1=-2, dim2=-1)
    bad = (
        (factor[~factor.isfinite()], ""),
        (diagonal[~(diagonal > 0)], " on the diagonal"),
        (factor[factor != factor.tril()], " above the diagonal"),
    )
    return next((f"{float(values[0]):g}{place}" for values, place in bad if len(values)), "")
