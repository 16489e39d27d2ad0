"""Functions of small matrices that go through their eigenvalues, with gradients that stay finite where these are equal."""

import torch
from torch import Tensor

from covdemo import linalg


def symmetric_exponential(matrix: Tensor) -> Tensor:
    """Return the matrix exponential of a symmetric ``[..., D, D]``.

    In the plane, with mean m of the diagonal, h half its difference, b the other entry and r = sqrt(h^2 + b^2):
    expm = (e^(m+r) + e^(m-r)) / 2 I + (e^(m+r) - e^(m-r)) / 2r [[h, b], [b, -h]]. Unlike the route through ``eigh``, its
    gradient is finite where eigenvalues are equal.
    """
    if matrix.shape[-1] != 2:
        return torch.linalg.matrix_exp(matrix.contiguous())
    parts = linalg.matrix_entries(matrix)
    mean, half, other = (parts[0, 0] + parts[1, 1]) / 2, (parts[0, 0] - parts[1, 1]) / 2, parts[0, 1]
    even, odd = _hyperbolic(mean, half.square() + other.square())
    exponential = {(0, 0): even + odd * half, (1, 1): even - odd * half, (0, 1): odd * other, (1, 0): odd * other}
    return linalg.assemble_matrix(exponential, 2, 2)


def _hyperbolic(mean: Tensor, squared: Tensor) -> tuple[Tensor, Tensor]:
    """Return e^m cosh r and e^m sinh(r) / r for r^2 = ``squared``, by their series where r is small."""
    small = squared < 1e-2
    near, far = torch.where(small, squared, 0.0), torch.where(small, 1.0, squared).sqrt()
    series = [1 + near / n1 * (1 + near / n2 * (1 + near / n3 * (1 + near / n4))) for n1, n2, n3, n4 in _SERIES]
    up, down, scale = (mean + far).exp(), (mean - far).exp(), mean.exp()
    even = torch.where(small, series[0] * scale, (up + down) / 2)
    return even, torch.where(small, series[1] * scale, (up - down) / (2 * far))


_SERIES = ((2, 12, 30, 56), (6, 20, 42, 72))  # ratios of successive factorials: (2n)! for cosh, (2n + 1)! for sinh


def lower_from_square(square: Tensor, log_determinant: Tensor) -> Tensor:
    """Return the lower factor L with a positive diagonal and L L^T = E E^T.

    Args:
        square: E, ``[..., D, D]``, with positive determinant.
        log_determinant: log det E, ``[...]``, which in the plane gives L_22 without cancellation.
    """
    size = square.shape[-1]
    if size == 1:
        return log_determinant.exp()[..., None, None]
    if size > 2:
        upper = torch.linalg.qr(square.mT).R
        return upper.mT * linalg.diagonal(upper).sign().unsqueeze(-2)
    parts = linalg.matrix_entries(square)
    first = parts[0, 0].hypot(parts[0, 1])
    cross = (parts[0, 0] * parts[1, 0] + parts[0, 1] * parts[1, 1]) / first
    last = (linalg.reverse(log_determinant) - first.log()).exp()
    return linalg.assemble_matrix({(0, 0): first, (1, 0): cross, (1, 1): last}, 2, 2)


def largest_eigenvalue(matrix: Tensor) -> Tensor:
    """Return the largest eigenvalue ``[...]`` of a symmetric ``[..., D, D]``; NaN or infinite where an entry is."""
    if matrix.shape[-1] != 2:
        finite = matrix.isfinite().all(-1).all(-1)
        values = torch.linalg.eigvalsh(torch.where(finite[..., None, None], matrix, 0.0))[..., -1]
        return torch.where(finite, values, torch.nan)
    parts = linalg.matrix_entries(matrix)
    mean, half = (parts[0, 0] + parts[1, 1]) / 2, (parts[0, 0] - parts[1, 1]) / 2
    return linalg.reverse(mean + half.hypot(parts[0, 1]))
