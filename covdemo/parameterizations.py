"""The zoo: ways to write a covariance matrix as free numbers, one small module each, one registry.

Every module follows the protocol of ``torch.nn.utils.parametrize``, with any leading dimensions:

- ``forward(raw) -> matrix``: the free numbers to the matrix that torch's keyword ``feeds`` expects;
- ``right_inverse(matrix) -> raw``: free numbers that give this matrix.

A module may also define ``start(covariance) -> raw`` and ``retract(raw, step) -> raw`` where the plain rule does not hold,
and ``pull_back(raw, matrix_gradient) -> gradient`` where autograd would be waste.
To add a parameterization, write one class with ``@register(...)`` above it: the page's drop-down, the command line, the
exported code and the contract tests follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from covdemo import gaussians, linalg

Guarantee = Literal["none", "exact", "float"]

GUARANTEES: dict[Guarantee, str] = {
    "none": "An update can make the matrix invalid.",
    "exact": "Always valid in exact arithmetic; rounding or overflow can still break it.",
    "float": "Always valid in float32 whatever the free numbers are, overflow aside.",
}


@dataclass(frozen=True)
class Parameterization:
    """One row of the registry.

    Attributes:
        key: name used in links, on the command line and in files.
        label: name for people.
        feeds: keyword of ``torch.distributions.MultivariateNormal`` that the matrix is meant for.
        guarantee: "none" (can leave the valid matrices), "exact" or "float"; see ``GUARANTEES``.
        formula: LaTeX.
        summary: one sentence on what it is good or bad for.
        module: maps free numbers to the matrix and back.
    """

    key: str
    label: str
    feeds: str
    guarantee: Guarantee
    formula: str
    summary: str
    module: nn.Module

    def matrix(self, raw: Tensor) -> Tensor:
        """Return the matrix that ``raw`` stands for, ``[..., D, D]``."""
        matrix: Tensor = self.module(raw)
        return matrix

    def gaussians(self, means: Tensor, raw: Tensor) -> gaussians.Gaussians:
        """Return the normal distributions that the free numbers stand for.

        Args:
            means: ``[..., K, D]``.
            raw: ``[..., K, *]``.
        """
        return gaussians.Gaussians.build(means, self.feeds, self.matrix(raw))

    def start(self, covariance: Tensor) -> Tensor:
        """Return the free numbers to start from, given the covariance matrix meant, ``[..., D, D]``."""
        own = getattr(self.module, "start", None)
        if own is not None:
            return linalg.lay_out(own(covariance))
        matrix = gaussians.unfactor(self.feeds, linalg.cholesky(covariance)[0])
        return linalg.lay_out(self.module.right_inverse(matrix))  # type: ignore[operator]

    def retract(self, raw: Tensor, step: Tensor) -> Tensor:
        """Return the free numbers after ``step``: raw + step, unless the module knows better."""
        own = getattr(self.module, "retract", None)
        return raw + step if own is None else own(raw, step)

    def pull_back(self, raw: Tensor, matrix_gradient: Tensor) -> Tensor:
        """Return the gradient with respect to a step away from ``raw``, at step 0, given that for the matrix."""
        own = getattr(self.module, "pull_back", None)
        if own is not None:
            return own(raw, matrix_gradient)
        with torch.enable_grad():
            step = torch.zeros_like(raw, requires_grad=True)
            matrix = self.matrix(self.retract(raw, step))
            return torch.autograd.grad(matrix, step, matrix_gradient)[0]


PARAMETERIZATIONS: dict[str, Parameterization] = {}


def register(
    key: str, *, label: str, feeds: str, guarantee: Guarantee, formula: str, summary: str
) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Enter a module class in the registry; see ``Parameterization`` for the arguments.

    Raises:
        ValueError: if the key is taken.
    """

    def enter(module: type[nn.Module]) -> type[nn.Module]:
        if key in PARAMETERIZATIONS:
            raise ValueError(f"parameterization {key!r} is registered twice")
        PARAMETERIZATIONS[key] = Parameterization(key, label, feeds, guarantee, formula, summary, module())
        return module

    return enter


@register(
    "covariance",
    label="Raw covariance",
    feeds="covariance_matrix",
    guarantee="none",
    formula=r"\Sigma = A",
    summary="The matrix itself is the parameter; nothing keeps its eigenvalues above zero.",
)
class Covariance(nn.Module):
    """Sigma = A for free ``[..., D, D]``, the parameter of the question; its gradient keeps a symmetric A symmetric."""

    def forward(self, raw: Tensor) -> Tensor:
        """Return the numbers as they are."""
        return raw

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Return the matrix itself."""
        return matrix

    def pull_back(self, raw: Tensor, matrix_gradient: Tensor) -> Tensor:
        """Return the gradient unchanged."""
        return matrix_gradient


@register(
    "tril-as-posted",
    label="tril(raw), as posted",
    feeds="scale_tril",
    guarantee="none",
    formula=r"L = \operatorname{tril}(A),\quad A_0 = \Sigma_0",
    summary="The accepted answer to the letter: the start matrix is kept, but now read as L, so it means L L^T.",
)
class TrilAsPosted(nn.Module):
    """L = tril(A), started from the *covariance* matrix, so that the distributions begin as Sigma_0 Sigma_0^T."""

    def forward(self, raw: Tensor) -> Tensor:
        """Return the lower triangle."""
        return linalg.map_diagonal(raw, lambda diagonal: diagonal)

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Return the factor itself."""
        return matrix

    def start(self, covariance: Tensor) -> Tensor:
        """Return the covariance unchanged: the trap of the posted code, kept on purpose."""
        return covariance


@register(
    "tril",
    label="tril(raw), correct start",
    feeds="scale_tril",
    guarantee="none",
    formula=r"L = \operatorname{tril}(A),\quad A_0 = \operatorname{chol}(\Sigma_0)",
    summary="A Cholesky factor with a free diagonal; an entry of it can still cross zero.",
)
class Tril(nn.Module):
    """L = tril(A) for free ``[..., D, D]``; the entries above the diagonal are never read."""

    def forward(self, raw: Tensor) -> Tensor:
        """Return the lower triangle."""
        return linalg.map_diagonal(raw, lambda diagonal: diagonal)

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Return the factor itself."""
        return matrix


@register(
    "log-cholesky",
    label="Log-Cholesky",
    feeds="scale_tril",
    guarantee="exact",
    formula=r"L = \operatorname{stril}(A) + \operatorname{diag}(e^{A_{11}}, \dots, e^{A_{DD}})",
    summary="A Cholesky factor with an exponential diagonal, the usual choice of mixed-model software.",
)
class LogCholesky(nn.Module):
    """L_ii = exp A_ii, L_ij = A_ij below the diagonal.

    The map of ``torch.distributions.transforms.LowerCholeskyTransform``, written so that the memory order survives (Note
    [Replicas innermost] in ``covdemo.linalg``). Source: Pinheiro and Bates (1996), "Unconstrained parametrizations for
    variance-covariance matrices", Statistics and Computing 6.
    """

    def forward(self, raw: Tensor) -> Tensor:
        """Return the factor."""
        return linalg.map_diagonal(raw, torch.exp)

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Take the logarithm of the diagonal."""
        return linalg.map_diagonal(matrix, torch.log)


@register(
    "softplus-cholesky",
    label="Softplus-Cholesky",
    feeds="scale_tril",
    guarantee="float",
    formula=r"L = \operatorname{stril}(A) + \operatorname{diag}(\operatorname{softplus}(A_{ii}) + 10^{-5})",
    summary="A Cholesky factor whose diagonal grows linearly and never falls below 1e-5.",
)
class SoftplusCholesky(nn.Module):
    """L_ii = log(1 + exp A_ii) + 1e-5, L_ij = A_ij below the diagonal: the map of TensorFlow Probability's FillScaleTriL."""

    floor = 1e-5

    def forward(self, raw: Tensor) -> Tensor:
        """Return the factor."""
        return linalg.map_diagonal(raw, lambda diagonal: functional.softplus(diagonal) + self.floor)

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Invert the softplus as y + log(-expm1(-y)); a diagonal at or below the floor is read as just above it."""

        def inverse(diagonal: Tensor) -> Tensor:
            excess = (diagonal - self.floor).clamp_min(torch.finfo(diagonal.dtype).tiny)
            return excess + (-torch.expm1(-excess)).log()

        return linalg.map_diagonal(matrix, inverse)
