"""The matrix itself is the parameter: what people write first, and what breaks."""

import torch
from torch import Tensor, nn

from covdemo import linalg, spectra
from covdemo.parameterizations.registry import register


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

    def room(self, raw: Tensor, direction: Tensor) -> Tensor:
        """Return 1 / lambda_max(L^-1 V L^-T) for the direction V, infinite where that is not positive."""
        return _symmetric_room(raw, direction)


@register(
    "precision",
    label="Raw precision",
    feeds="precision_matrix",
    guarantee="none",
    formula=r"\Sigma^{-1} = A",
    summary="The inverse covariance is the parameter; it leaves the valid matrices as the raw covariance does.",
)
class Precision(nn.Module):
    """P = A for free ``[..., D, D]``; its gradient keeps a symmetric A symmetric."""

    def forward(self, raw: Tensor) -> Tensor:
        """Return the numbers as they are."""
        return raw

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Return the matrix itself."""
        return matrix

    def pull_back(self, raw: Tensor, matrix_gradient: Tensor) -> Tensor:
        """Return the gradient unchanged."""
        return matrix_gradient

    def room(self, raw: Tensor, direction: Tensor) -> Tensor:
        """Return 1 / lambda_max(L^-1 V L^-T) for the direction V, infinite where that is not positive."""
        return _symmetric_room(raw, direction)


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

    def room(self, raw: Tensor, direction: Tensor) -> Tensor:
        """Return the smallest L_ii / V_ii over the diagonal entries that the direction V shrinks."""
        return _triangular_room(raw, direction)

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

    def room(self, raw: Tensor, direction: Tensor) -> Tensor:
        """Return the smallest L_ii / V_ii over the diagonal entries that the direction V shrinks."""
        return _triangular_room(raw, direction)


def _symmetric_room(raw: Tensor, direction: Tensor) -> Tensor:
    factor = linalg.inverse_lower(linalg.cholesky(raw)[0])
    local = linalg.product(linalg.product(factor, linalg.symmetrize(direction)), factor.mT)
    return _reciprocal_of_positive(spectra.largest_eigenvalue(local))


def _triangular_room(raw: Tensor, direction: Tensor) -> Tensor:
    return _reciprocal_of_positive((linalg.diagonal(direction) / linalg.diagonal(raw)).amax(-1))


def _reciprocal_of_positive(shrinkage: Tensor) -> Tensor:
    return torch.where(shrinkage > 0, 1 / shrinkage, torch.inf)
