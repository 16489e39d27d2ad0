"""What is done about an update that would make a distribution invalid, for each replica by itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from covdemo import linalg
from covdemo.parameterizations import Parameterization
from covdemo.parameters import Parameters, move, valid

JITTERS = tuple(10.0**power for power in range(-6, 1))
FLOOR = 1e-6
HALVINGS = 40


class Update(NamedTuple):
    """An update that has been proposed.

    Attributes:
        row: the parameterization.
        before: the valid parameters, ``[B, ...]``.
        steps: the steps proposed.
        candidate: the parameters after these steps.
        ok: ``[B, K]``, which candidate distributions exist.
    """

    row: Parameterization
    before: Parameters
    steps: Parameters
    candidate: Parameters
    ok: Tensor


@dataclass(frozen=True)
class Policy:
    """One row of the registry of failure policies.

    Attributes:
        key: name used in links, on the command line and in files.
        label: name for people.
        summary: one sentence.
        action: what the log says was done, with ``{amount}`` for what the repair took.
        ends: whether an update that stays invalid ends the replica's run; if not, the replica goes on from before it.
        repair: ``update -> (parameters, amount [B])``, tried where an update fails.
    """

    key: str
    label: str
    summary: str
    action: str
    ends: bool = True
    repair: Callable[[Update], tuple[Parameters, Tensor]] | None = None


def jitter(update: Update) -> tuple[Parameters, Tensor]:
    """Add the smallest of 1e-6, 1e-5, ..., 1 to the diagonal of each failing matrix that makes it valid.

    The ladder of gpytorch's ``psd_safe_cholesky``, continued; the amount is the largest jitter of the replica.
    """
    row, candidate = update.row, update.candidate
    matrix = row.matrix(candidate.raw)
    identity = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    raw, repaired = candidate.raw, update.ok
    amount = torch.zeros_like(update.ok, dtype=matrix.dtype)
    for size in JITTERS:
        trial = row.module.right_inverse(matrix + size * identity)  # type: ignore[operator]
        helps = ~repaired & row.gaussians(candidate.means, trial).valid
        raw = torch.where(linalg.expand_like(helps, raw), trial, raw)
        amount, repaired = torch.where(helps, size, amount), repaired | helps
    return candidate._replace(raw=raw), amount.amax(-1)


def project(update: Update) -> tuple[Parameters, Tensor]:
    """Raise the eigenvalues of each failing matrix, the diagonal of a factor, to at least 1e-6.

    The amount is how far the smallest one was raised.
    """
    row, candidate = update.row, update.candidate
    matrix = torch.nan_to_num(row.matrix(candidate.raw))
    if row.feeds == "scale_tril":
        smallest = linalg.diagonal(matrix).amin(-1)
        floored = linalg.map_diagonal(matrix, lambda diagonal: diagonal.clamp_min(FLOOR))
    else:
        values, vectors = torch.linalg.eigh(linalg.symmetrize(matrix))
        smallest = values[..., 0]
        floored = vectors @ values.clamp_min(FLOOR).diag_embed() @ vectors.mT
    raw = torch.where(linalg.expand_like(update.ok, candidate.raw), candidate.raw, row.module.right_inverse(floored))  # type: ignore[operator]
    raised = torch.where(update.ok, 0.0, FLOOR - smallest)
    return candidate._replace(raw=linalg.lay_out(raw)), raised.amax(-1)


def backtrack(update: Update) -> tuple[Parameters, Tensor]:
    """Halve the whole step of a failing replica until its distributions are valid; the amount is the number of halvings."""
    done = linalg.every(update.ok)
    parameters, amount = update.candidate, torch.zeros_like(done, dtype=update.before.means.dtype)
    for halvings in range(1, HALVINGS + 1):
        if bool(done.all()):
            break
        shorter = move(update.row, update.before, Parameters(*(step * 0.5**halvings for step in update.steps)))
        helps = ~done & linalg.every(valid(update.row, shorter))
        parameters = choose(helps, shorter, parameters)
        amount, done = torch.where(helps, halvings, amount), done | helps
    return parameters, amount


def choose(mask: Tensor, chosen: Parameters, other: Parameters) -> Parameters:
    """Return ``chosen`` for the replicas where ``mask`` ``[B]`` is true, ``other`` elsewhere."""
    if _all_seen(mask):
        return chosen
    pairs = zip(chosen, other, strict=True)
    return Parameters(*(torch.where(linalg.expand_like(mask, new), new, old) for new, old in pairs))


def _all_seen(mask: Tensor) -> bool:
    """Return whether all of the mask is known to be true; only asked where looking costs less than choosing."""
    return mask.device.type == "cpu" and not torch.compiler.is_compiling() and bool(mask.all())


POLICIES: dict[str, Policy] = {
    row.key: row
    for row in (
        Policy(
            key="stop",
            label="Stop, as PyTorch does",
            summary="The run ends at the trial at which PyTorch raises.",
            action="stopped",
        ),
        Policy(
            key="skip",
            label="Skip the update",
            summary="An update that would make a distribution invalid is not made; momentum is kept as it was.",
            action="update skipped",
            ends=False,
        ),
        Policy(
            key="jitter",
            label="Add jitter to the diagonal",
            summary="The smallest of 1e-6, 1e-5, ..., 1 that makes the matrix valid is added to its diagonal.",
            action="jitter {amount:.0e} added",
            repair=jitter,
        ),
        Policy(
            key="project",
            label="Project: floor the eigenvalues",
            summary="Eigenvalues below 1e-6 are raised to it, which puts the matrix back at the edge it fell over.",
            action="smallest eigenvalue raised by {amount:.2g} to 1e-06",
            repair=project,
        ),
        Policy(
            key="backtrack",
            label="Backtrack: halve the step",
            summary="The step is halved until it leads to a valid matrix.",
            action="step halved {amount:.0f} times",
            repair=backtrack,
        ),
    )
}
