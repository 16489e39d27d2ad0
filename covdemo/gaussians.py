"""Multivariate normal distributions: densities, samples, contour ellipses.

The true distributions, the model's and every snapshot in between are the same type.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from covdemo import linalg

FEEDS = ("covariance_matrix", "scale_tril", "precision_matrix")


@dataclass(frozen=True)
class Gaussians:
    """K normal distributions in R^D, held as mean and lower Cholesky factor.

    Attributes:
        loc: means, ``[..., K, D]``.
        scale_tril: L with Sigma = L L^T, ``[..., K, D, D]``.
        ok: ``[..., K]``, false where no such covariance matrix exists; the numbers there mean nothing.
    """

    loc: Tensor
    scale_tril: Tensor
    ok: Tensor

    @classmethod
    def build(cls, loc: Tensor, feeds: str, matrix: Tensor) -> "Gaussians":
        """Build from the matrix that ``torch.distributions.MultivariateNormal`` knows under the keyword ``feeds``.

        Args:
            loc: ``[..., K, D]``.
            feeds: "covariance_matrix", "scale_tril" or "precision_matrix".
            matrix: ``[..., K, D, D]``.

        Raises:
            ValueError: if ``feeds`` is another word.
        """
        scale_tril, ok = factor(feeds, matrix)
        return cls(loc, scale_tril, ok)

    @property
    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        """``loc``, ``scale_tril`` and ``ok``."""
        return self.loc, self.scale_tril, self.ok

    @property
    def valid(self) -> Tensor:
        """Whether torch would accept each distribution: ``ok``, and no NaN in the mean, ``[..., K]``."""
        return self.ok & linalg.no_nan(self.loc)

    @property
    def covariance_matrix(self) -> Tensor:
        """Sigma = L L^T, ``[..., K, D, D]``."""
        return linalg.gram(self.scale_tril)

    def whiten(self, x: Tensor) -> Tensor:
        """Return z = L^-1 (x - mu), ``[..., K, D]``, for points ``x`` ``[..., D]``."""
        return linalg.solve_lower(self.scale_tril, x.unsqueeze(-2) - self.loc)

    def log_density(self, x: Tensor) -> Tensor:
        """Return log N(x | mu_k, Sigma_k), ``[..., K]``.

        Args:
            x: points, ``[..., D]``; leading dimensions broadcast against those of the distributions.
        """
        return self.log_density_at(self.whiten(x))

    def log_density_at(self, z: Tensor) -> Tensor:
        """Return -(|z|^2 + D log 2 pi) / 2 - sum_i log L_ii, ``[..., K]``, for whitened points ``[..., K, D]``."""
        constant = 0.5 * z.shape[-1] * math.log(2 * math.pi)
        log_determinant = linalg.total(linalg.diagonal(self.scale_tril).log())
        return torch.add(-constant - log_determinant, linalg.total(z.square()), alpha=-0.5)

    def gradient_at(self, z: Tensor, weight: Tensor, feeds: str) -> tuple[Tensor, Tensor]:
        """Return the gradient of sum_k weight_k log N(x | mu_k, Sigma_k) for the means and the matrices that ``feeds`` names.

        With v = Sigma^-1 (x - mu) = L^-T z: v for the mean; (v v^T - Sigma^-1) / 2 for the covariance matrix;
        (Sigma - (x - mu)(x - mu)^T) / 2 for the precision matrix; tril(v z^T) - diag(1 / L_ii) for the factor. The weight
        is multiplied in first, as backpropagation does it: 0 times a huge number is 0, but 0 times its square overflowing
        to infinity would not be. Source: Petersen and Pedersen (2012), "The Matrix Cookbook", sections 2.1, 2.2 and 8.1.

        Args:
            z: whitened points, ``[..., K, D]``.
            weight: ``[..., K]``.
            feeds: one of torch's three keywords.

        Returns:
            ``[..., K, D]`` and ``[..., K, D, D]``, the latter symmetric except for "scale_tril".
        """
        v = linalg.solve_lower_transposed(self.scale_tril, weight.unsqueeze(-1) * z)
        return v, _MATRIX_GRADIENTS[feeds](self.scale_tril, z, v, weight)

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw ``count`` points x = mu + L z with z ~ N(0, I) from each distribution, ``[count, ..., K, D]``."""
        z = torch.randn(count, *self.loc.shape, generator=generator, dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + (self.scale_tril @ z.unsqueeze(-1)).squeeze(-1)

    def ellipse(self, deviations: float, points: int = 64) -> Tensor:
        """Return the contour |z| = ``deviations`` of each plane distribution, closed, ``[..., K, points, 2]``.

        Raises:
            ValueError: if D is not 2.
        """
        if self.loc.shape[-1] != 2:
            raise ValueError(f"an ellipse needs D = 2, got D = {self.loc.shape[-1]}")
        angle = torch.linspace(0, 2 * math.pi, points, dtype=self.loc.dtype, device=self.loc.device)
        circle = torch.stack([angle.cos(), angle.sin()], dim=-1)
        return self.loc.unsqueeze(-2) + deviations * circle @ self.scale_tril.mT


def factor(feeds: str, matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return the lower Cholesky factor of the covariance and a validity mask from any of torch's three keywords.

    Args:
        feeds: the keyword that the matrix is meant for.
        matrix: ``[..., D, D]``, symmetric, or lower triangular for "scale_tril".

    Returns:
        ``L`` ``[..., D, D]`` and ``ok`` ``[...]``: what torch's own argument check would say of such a matrix. Whether it is
        symmetric or lower triangular is not looked at.

    Raises:
        ValueError: for an unknown keyword.
    """
    if feeds == "covariance_matrix":
        return linalg.cholesky(matrix)
    if feeds == "precision_matrix":
        return linalg.scale_tril_from_precision(matrix)
    if feeds == "scale_tril":
        return matrix, linalg.every(linalg.diagonal(matrix) > 0) & linalg.every(linalg.no_nan(matrix))
    raise ValueError(f"feeds must be one of {', '.join(FEEDS)}; got {feeds!r}")


def unfactor(feeds: str, scale_tril: Tensor) -> Tensor:
    """Return the matrix that torch's keyword ``feeds`` expects for the distribution with factor L; undo ``factor``.

    Raises:
        ValueError: for an unknown keyword.
    """
    if feeds == "covariance_matrix":
        return linalg.gram(scale_tril)
    if feeds == "precision_matrix":
        return linalg.inverse_gram(scale_tril)
    if feeds == "scale_tril":
        return scale_tril
    raise ValueError(f"feeds must be one of {', '.join(FEEDS)}; got {feeds!r}")


def _covariance_gradient(scale_tril: Tensor, z: Tensor, v: Tensor, weight: Tensor) -> Tensor:
    unweighted = linalg.solve_lower_transposed(scale_tril, z)
    return linalg.outer(0.5 * v, unweighted) - (0.5 * weight)[..., None, None] * linalg.inverse_gram(scale_tril)


def _precision_gradient(scale_tril: Tensor, z: Tensor, v: Tensor, weight: Tensor) -> Tensor:
    centred = linalg.apply(scale_tril, z)
    half = 0.5 * weight.unsqueeze(-1)
    return half.unsqueeze(-1) * linalg.gram(scale_tril) - linalg.outer(half * centred, centred)


def _scale_tril_gradient(scale_tril: Tensor, z: Tensor, v: Tensor, weight: Tensor) -> Tensor:
    reciprocal = weight.unsqueeze(-1) / linalg.diagonal(scale_tril)
    return linalg.map_diagonal(linalg.outer(v, z), lambda diagonal: diagonal) - linalg.embed_diagonal(reciprocal)


_MATRIX_GRADIENTS = {
    "covariance_matrix": _covariance_gradient,
    "precision_matrix": _precision_gradient,
    "scale_tril": _scale_tril_gradient,
}
