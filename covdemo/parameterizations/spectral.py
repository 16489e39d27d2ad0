"""Parameterizations through the eigenvalues: matrix exponential, rotation and log-eigenvalues, A A^T."""

import torch
from torch import Tensor, nn

from covdemo import linalg, spectra
from covdemo.parameterizations.registry import register


@register(
    "matrix-exponential",
    label="Matrix exponential",
    feeds="scale_tril",
    guarantee="exact",
    formula=r"\Sigma = \exp\left(\tfrac{1}{2}(A + A^\top)\right)",
    summary="A symmetric matrix exponentiated: no order of the axes is preferred, and a step multiplies.",
    use="Where no axis should be preferred and the widest range of plain rates is wanted.",
    pitfall="Costs more above two dimensions; a large step is exponentiated and can overflow.",
    links={
        "Pinheiro and Bates (1996)": "https://doi.org/10.1007/BF00140873",
        "torch: matrix_exp": "https://docs.pytorch.org/docs/stable/generated/torch.linalg.matrix_exp.html",
        "torch tutorial: parametrizations": "https://docs.pytorch.org/tutorials/intermediate/parametrizations.html",
    },
)
class MatrixExponential(nn.Module):
    """Sigma = expm(S) with S = (A + A^T) / 2, handed over as its Cholesky factor.

    L is taken from E = expm(S / 2) by an orthogonal transformation, L = E Q: Sigma itself is never formed, which doubles the
    range of eigenvalues that floating point can hold. Source: Pinheiro and Bates (1996), "Unconstrained parametrizations for
    variance-covariance matrices", Statistics and Computing 6 (the matrix logarithm).
    """

    def forward(self, raw: Tensor) -> Tensor:
        """Return the factor."""
        half = linalg.symmetrize(raw) / 2
        return spectra.lower_from_square(spectra.symmetric_exponential(half), linalg.total(linalg.diagonal(half)))

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Return the logarithm of L L^T from the singular values of L; gradients do not flow through it."""
        left, values, _ = torch.linalg.svd(matrix)
        return left @ (2 * values.log()).diag_embed() @ left.mT


@register(
    "spectral",
    label="Rotation and log-eigenvalues",
    feeds="scale_tril",
    guarantee="exact",
    formula=r"\Sigma = R(\theta)\,\operatorname{diag}(e^{\lambda})\,R(\theta)^\top",
    summary="Axes and their lengths, as 3-D Gaussian splatting has them; a round start gives the angle no gradient.",
    use="Where axes and their lengths are what one wants to read off or bound.",
    pitfall="A round start gives the angles a gradient of exactly 0; axes can change places, and angles repeat.",
    links={
        "Pinheiro and Bates (1996)": "https://doi.org/10.1007/BF00140873",
        "Kerbl et al. (2023), 3-D Gaussian splatting": "https://doi.org/10.1145/3592433",
        "geotorch: positive definite matrices": "https://geotorch.readthedocs.io/en/latest/psd/psd.html",
    },
)
class Spectral(nn.Module):
    """Sigma = R diag(exp A_ii) R^T, R a product of plane rotations by the angles A_ij below the diagonal.

    Handed over as the Cholesky factor, taken from R diag(exp A_ii / 2) by an orthogonal transformation. At equal eigenvalues
    the gradient of the angles is exactly 0. Source: Pinheiro and Bates (1996), section 2.5 (Givens).
    """

    def forward(self, raw: Tensor) -> Tensor:
        """Return the factor."""
        half = linalg.diagonal(raw) / 2
        square = _rotation(raw) * half.exp().unsqueeze(-2)
        return spectra.lower_from_square(square, linalg.total(half))

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Take the axes from the singular value decomposition of L, as angles; gradients do not flow through it."""
        left, values, _ = torch.linalg.svd(matrix)
        left = torch.cat([left[..., :-1], left[..., -1:] * torch.linalg.det(left)[..., None, None]], dim=-1)
        return (2 * values.log()).diag_embed() + _angles(left)


def _rotation(raw: Tensor) -> Tensor:
    """Multiply the plane rotations by the angles below the diagonal of ``[..., D, D]``, column by column."""
    size = raw.shape[-1]
    free = linalg.matrix_entries(raw)
    one, zero = torch.ones_like(free[0, 0]), torch.zeros_like(free[0, 0])
    columns = [[one if i == j else zero for i in range(size)] for j in range(size)]
    for j in reversed(range(size)):
        for i in reversed(range(j + 1, size)):
            cosine, sine = free[i, j].cos(), free[i, j].sin()
            for column in columns:
                column[j], column[i] = cosine * column[j] - sine * column[i], sine * column[j] + cosine * column[i]
    parts = {(i, j): columns[j][i] for i in range(size) for j in range(size)}
    return linalg.assemble_matrix(parts, size, size)


def _angles(rotation: Tensor) -> Tensor:
    """Undo ``_rotation`` for matrices ``[..., D, D]`` of determinant 1."""
    size = rotation.shape[-1]
    parts = linalg.matrix_entries(rotation)
    rows = [[parts[i, j] for j in range(size)] for i in range(size)]
    angles = {(0, 0): torch.zeros_like(parts[0, 0])}
    for j in range(size):
        for i in range(j + 1, size):
            angles[i, j] = torch.atan2(rows[i][j], rows[j][j])
            cosine, sine = angles[i, j].cos(), angles[i, j].sin()
            above, below = rows[j], rows[i]
            rows[j] = [cosine * a + sine * b for a, b in zip(above, below, strict=True)]
            rows[i] = [cosine * b - sine * a for a, b in zip(above, below, strict=True)]
    return linalg.assemble_matrix(angles, size, size)


@register(
    "factor",
    label="A A^T + eps I",
    feeds="covariance_matrix",
    guarantee="exact",
    formula=r"\Sigma = A A^\top + 10^{-6} I",
    summary="What forums suggest; the product is formed, so long and thin ellipses are lost to rounding.",
    use="For models where a product of factors is natural and ellipses stay fat.",
    pitfall=(
        "Sigma is formed as a product and factored again: in float32 an ellipse longer than about 4, which eps is too small "
        "to help, is lost to rounding once it is thinner than about 1 to 4,000; at A = 0 the gradient is 0."
    ),
    links={
        "Tipping and Bishop (1999)": "https://doi.org/10.1111/1467-9868.00196",
        "torch: MultivariateNormal": "https://docs.pytorch.org/docs/stable/distributions.html#multivariatenormal",
        "geotorch: positive definite matrices": "https://geotorch.readthedocs.io/en/latest/psd/psd.html",
    },
)
class Factor(nn.Module):
    """Sigma = A A^T + eps I for free ``[..., D, D]``, eps = 1e-6.

    The form of Tipping and Bishop (1999), "Probabilistic principal component analysis", J. Royal Statistical Society B 61.
    """

    epsilon = 1e-6

    def forward(self, raw: Tensor) -> Tensor:
        """Return the covariance."""
        identity = torch.eye(raw.shape[-1], dtype=raw.dtype, device=raw.device)
        return linalg.gram(raw) + self.epsilon * identity

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Return the symmetric root of Sigma - eps I; an eigenvalue below eps is read as eps."""
        values, vectors = torch.linalg.eigh(linalg.symmetrize(matrix))
        return vectors @ (values - self.epsilon).clamp_min(0).sqrt().diag_embed() @ vectors.mT
