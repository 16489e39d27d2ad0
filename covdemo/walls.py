"""The wall: how far an update may go before the covariance matrix breaks."""

import torch
from torch import Tensor

from covdemo import linalg
from covdemo.gaussians import factor
from covdemo.parameterizations import Parameterization

SEARCHED = (-12.0, 12.0)  # powers of ten between which a line search looks
COARSE, FINE = 193, 129  # rates tried in its two passes

_CANNOT_FAIL = ("float", "step")


def room(row: Parameterization, raw: Tensor, direction: Tensor) -> Tensor:
    """Return the largest learning rate at which the update raw, -lr direction leaves the matrix valid.

    The parameterization's closed form where it has one; infinite where only overflow can make it fail; else a line search that
    is right to 0.3 %.

    Args:
        row: the parameterization.
        raw: free numbers of valid matrices, ``[..., *]``.
        direction: what the optimizer proposes, shaped like ``raw``.

    Returns:
        ``[...]``, perhaps infinite; 0 where no rate is valid, as with a direction that is not a number, or the line search
        finds none.
    """
    own = getattr(row.module, "room", None)
    if own is not None:
        return own(raw, direction)
    if row.guarantee in _CANNOT_FAIL:
        return torch.full_like(linalg.diagonal(row.matrix(raw))[..., 0], torch.inf)
    return line_search(row, raw, direction)


def room_of_update(row: Parameterization, raw: Tensor, direction: Tensor, rate: float, broken: Tensor) -> Tensor:
    """Return ``room`` for an update whose fate is known: where it has broken the matrix, never more than its rate.

    A closed form cancels where the matrix sits on the edge already, and what cannot fail can overflow: there the line search
    decides.

    Args:
        row: the parameterization.
        raw: free numbers of valid matrices, ``[..., *]``.
        direction: what the optimizer proposes, shaped like ``raw``.
        rate: of the update that was made.
        broken: whether it left no valid matrix, ``[...]``.

    Returns:
        ``[...]``, in float64.
    """
    found = room(row, raw, direction).double()
    doubtful = broken & ~(found <= rate)
    if not bool(doubtful.any()):
        return found
    return torch.where(doubtful, line_search(row, raw, direction).double().clamp_max(rate), found)


def line_search(row: Parameterization, raw: Tensor, direction: Tensor) -> Tensor:
    """Find ``room`` by trying rates on a logarithmic grid, then between the last that is valid and the first that is not.

    It is 0 where the smallest rate tried, 1e-12, is not valid.
    """
    powers = torch.linspace(*SEARCHED, COARSE, dtype=torch.float64, device=raw.device)
    last = _last_valid(row, raw, direction, powers)
    low = powers[last.clamp_min(0)]
    width = (SEARCHED[1] - SEARCHED[0]) / (COARSE - 1)
    finer = low + width * torch.linspace(0, 1, FINE, dtype=torch.float64, device=raw.device).view(-1, *(1,) * low.ndim)
    best = finer.gather(0, _last_valid(row, raw, direction, finer).clamp_min(0).unsqueeze(0)).squeeze(0)
    rate = torch.where(last < 0, 0.0, 10.0**best)
    return torch.where(last == COARSE - 1, torch.inf, rate).to(raw.dtype)


def _last_valid(row: Parameterization, raw: Tensor, direction: Tensor, powers: Tensor) -> Tensor:
    """Return the index of the last rate before the first invalid one, -1 if the first fails; ``powers`` ``[R, ...]``."""
    rates = (10.0**powers).to(raw.dtype)
    rates = rates.view(*rates.shape, *(1,) * (raw.ndim + 1 - rates.ndim))
    moved = row.retract(raw.expand(len(rates), *raw.shape), -rates * direction)
    _, ok = factor(row.feeds, row.matrix(moved))
    return ok.long().cumprod(0).sum(0) - 1


def likelihood_wall(smallest_eigenvalue: Tensor) -> Tensor:
    """Return 2 lambda_min^2, the largest rate that one step of maximum likelihood survives whatever the data point.

    For the raw covariance: the gradient is (Sigma^-1 - v v^T) / 2, so a point at the mean shrinks the matrix the most, by
    lr / (2 lambda) along each axis, and lambda - lr / (2 lambda) > 0 for all of them iff lr < 2 lambda_min^2. It speaks of a
    single plain step; momentum, or another objective, changes the step and so the wall, which ``room`` then gives.

    Args:
        smallest_eigenvalue: of the covariance matrix, ``[...]``.
    """
    return 2 * smallest_eigenvalue.square()
