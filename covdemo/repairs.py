"""Put matrices ``[..., D, D]`` back among the valid ones; exported scripts hold these very functions."""

import torch
from torch import Tensor

from covdemo import linalg

JITTERS = tuple(10.0**power for power in range(-6, 1))
FLOOR = 1e-6
ROUNDING = 8  # epsilons of the largest eigenvalue; below two of them a factorization may fail again
HUGE = 1e18  # larger entries are not worked on: their sums and squares overflow in float32, and eigensolvers raise


def bounded(matrix: Tensor) -> Tensor:
    """Return the matrix with entries of at most ``HUGE``, 0 for what is not a number."""
    return torch.nan_to_num(matrix, nan=0.0).clamp(-HUGE, HUGE)


def is_bounded(matrix: Tensor) -> Tensor:
    """Return whether no entry is huge or not a number, ``[...]``."""
    return (bounded(matrix) == matrix).all(-1).all(-1)


def raise_diagonal(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Raise the diagonal of a lower-triangular matrix to ``FLOOR``; return it and how far its smallest entry was raised."""
    raised = FLOOR - linalg.diagonal(matrix).amin(-1)
    return linalg.map_diagonal(matrix, lambda diagonal: diagonal.clamp_min(FLOOR)), raised


def raise_eigenvalues(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Raise the eigenvalues to ``FLOOR``, or what rounding can tell from 0 beside the largest; return also how far."""
    values, vectors = torch.linalg.eigh(linalg.symmetrize(matrix))
    least = (ROUNDING * torch.finfo(values.dtype).eps * values[..., -1:]).clamp_min(FLOOR)
    floored = vectors @ torch.maximum(values, least).diag_embed() @ vectors.mT
    return linalg.symmetrize(floored), least[..., 0] - values[..., 0]
