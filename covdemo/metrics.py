"""How far a model is from the truth, and how healthy its matrices are. No gradients are meant to flow through these."""

import torch
from torch import Tensor

from covdemo import linalg
from covdemo.gaussians import Gaussians


def kl_divergence(p: Gaussians, q: Gaussians) -> Tensor:
    """Return KL(p || q) = (|Lq^-1 Lp|_F^2 + |Lq^-1 (mu_p - mu_q)|^2 - D) / 2 + sum log diag Lq - sum log diag Lp, in nats.

    Args:
        p: ``[..., K, D]``.
        q: ``[..., K, D]``, leading dimensions broadcast.

    Returns:
        ``[..., K]``; NaN where one of the two is not a distribution.
    """
    ratio = torch.linalg.solve_triangular(q.scale_tril, p.scale_tril, upper=False)
    shift = torch.linalg.solve_triangular(q.scale_tril, (p.loc - q.loc).unsqueeze(-1), upper=False)
    spread = ratio.square().sum((-2, -1)) + shift.square().sum((-2, -1)) - p.loc.shape[-1]
    divergence = 0.5 * spread + _log_determinant(q) - _log_determinant(p)
    return torch.where(p.valid & q.valid, divergence, torch.nan)


def _log_determinant(distributions: Gaussians) -> Tensor:
    return linalg.diagonal(distributions.scale_tril).log().sum(-1)


def wasserstein(p: Gaussians, q: Gaussians) -> Tensor:
    """Return the 2-Wasserstein distance, in the units of the data.

    W^2 = |mu_p - mu_q|^2 + tr(Sp) + tr(Sq) - 2 |Lq^T Lp|_*, the nuclear norm standing for tr((Sp^1/2 Sq Sp^1/2)^1/2).
    Source: Olkin and Pukelsheim (1982), "The distance between two random vectors with given dispersion matrices".

    Returns:
        ``[..., K]``; NaN where one of the two is not a distribution, infinite where the numbers overflow.
    """
    valid = p.valid & q.valid
    left, right = (_where_valid(valid, distributions) for distributions in (p, q))
    product = right.mT @ left
    finite = product.isfinite().all(-1).all(-1)
    overlap = torch.linalg.svdvals(torch.where(finite[..., None, None], product, 0.0)).sum(-1)
    squared = (p.loc - q.loc).square().sum(-1) + left.square().sum((-2, -1)) + right.square().sum((-2, -1)) - 2 * overlap
    distance = torch.where(finite, squared.clamp_min(0).sqrt(), torch.inf)
    return torch.where(valid, distance, torch.nan)


def _where_valid(valid: Tensor, distributions: Gaussians) -> Tensor:
    return torch.where(valid[..., None, None], distributions.scale_tril, 0.0)


def covariance_eigenvalues(feeds: str, matrix: Tensor) -> Tensor:
    """Return the eigenvalues of the covariance matrix, negative ones included, in float64.

    Args:
        feeds: the keyword of torch that ``matrix`` is meant for.
        matrix: ``[..., D, D]``.

    Returns:
        ``[..., D]``, ascending; NaN where an entry is not finite.
    """
    finite = matrix.isfinite().all(-1).all(-1)
    safe = torch.where(finite[..., None, None], matrix, 0.0).double()
    if feeds == "scale_tril":
        values = torch.linalg.svdvals(safe.tril()).square().flip(-1)
    else:
        values = torch.linalg.eigvalsh(linalg.symmetrize(safe))
    if feeds == "precision_matrix":
        values = values.reciprocal().sort(-1).values
    return torch.where(finite[..., None], values, torch.nan)


def accuracy(scores: Tensor, label: Tensor) -> Tensor:
    """Return the share of points whose largest score is at their label.

    Args:
        scores: ``[..., N, K]``; a tie goes to the first, NaN to nobody.
        label: ``[N]``, from 0.
    """
    right = (linalg.first_largest(scores) == label) & linalg.no_nan(scores)
    return right.sum(-1).double() / right.shape[-1]
