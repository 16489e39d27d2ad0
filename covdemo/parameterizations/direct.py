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
    use="Never for gradient descent, unless the rate stays far below twice the square of the smallest eigenvalue.",
    pitfall=(
        "A point near the mean shrinks the matrix by lr / 2 times its inverse: the thinner the ellipse, the harder it "
        "is hit, until an eigenvalue is negative."
    ),
    links={
        "torch: MultivariateNormal": "https://docs.pytorch.org/docs/stable/distributions.html#multivariatenormal",
        "The question on the PyTorch forum": "https://discuss.pytorch.org/t/111065",
    },
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
    use="Where the model needs the inverse covariance itself and rates are small.",
    pitfall="A far-away point shrinks the precision by lr / 2 times its squared distance: one outlier can make it indefinite.",
    links={
        "Dempster (1972)": "https://doi.org/10.2307/2528966",
        "torch: MultivariateNormal": "https://docs.pytorch.org/docs/stable/distributions.html#multivariatenormal",
    },
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
    use="Never: it is here because it was accepted as the answer.",
    pitfall=(
        "0.02 I is now read as the factor, so the variance starts at 0.0004; the densities of most points are 0 in "
        "floating point and no gradient reaches them. No error, and nothing is learned."
    ),
    links={
        "torch: MultivariateNormal": "https://docs.pytorch.org/docs/stable/distributions.html#multivariatenormal",
        "The question on the PyTorch forum": "https://discuss.pytorch.org/t/111065",
    },
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
    use="For a quick change to existing code, with a small rate and the start converted to its Cholesky factor.",
    pitfall=(
        "A step larger than a diagonal entry carries it through zero; PyTorch then raises, or without argument checks "
        "returns NaN."
    ),
    links={
        "torch: MultivariateNormal": "https://docs.pytorch.org/docs/stable/distributions.html#multivariatenormal",
        "Pinheiro and Bates (1996)": "https://doi.org/10.1007/BF00140873",
    },
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
    present = linalg.every(linalg.no_nan(linalg.map_diagonal(direction, lambda diagonal: diagonal)))
    shrinkage = (linalg.diagonal(direction) / linalg.diagonal(raw)).amax(-1)
    return torch.where(present, _reciprocal_of_positive(shrinkage), 0.0)


def _reciprocal_of_positive(shrinkage: Tensor) -> Tensor:
    """Return 1 / s, infinite where s is not positive, and 0, no room at all, where it is not a number."""
    return torch.where(shrinkage <= 0, torch.inf, torch.where(shrinkage == shrinkage, 1 / shrinkage, 0.0))
