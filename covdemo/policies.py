"""What is done about an update that would make a distribution invalid, for each replica by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from covdemo import linalg
from covdemo.parameterizations import Parameterization
from covdemo.parameters import Parameters, move, valid
from covdemo.repairs import FLOOR, JITTERS, bounded, is_bounded, raise_diagonal, raise_eigenvalues

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
        action: what the log says was done, with ``{amount}`` for what the repair took, and ``{smallest}`` for what it raised.
        ends: whether an update that stays invalid ends the replica's run; if not, the replica goes on from before it.
        repair: ``update -> (parameters, amount [B, K])``, tried where an update fails; the amount is 0 where nothing was done.
        code: what is done, for exported scripts, given the keyword that the matrix is fed to; empty for the policy that ends.
    """

    key: str
    label: str
    summary: str
    action: str
    ends: bool = True
    repair: Callable[[Update], tuple[Parameters, Tensor]] | None = None
    code: Callable[[str], str] = lambda feeds: ""

    def told(self, feeds: str, amount: float) -> str:
        """Return what the log says was done about a matrix that was meant for the keyword ``feeds``."""
        return self.action.format(amount=amount, smallest=_SMALLEST.get(feeds, "smallest eigenvalue"))


_SMALLEST = {"scale_tril": "smallest diagonal entry of L"}


def jitter(update: Update) -> tuple[Parameters, Tensor]:
    """Add the smallest of 1e-6, 1e-5, ..., 1 to the diagonal of each failing matrix that makes it valid.

    The ladder of gpytorch's ``psd_safe_cholesky``, continued; the amount is the jitter. A matrix with an entry that is huge or
    not a number is left as it is.
    """
    row, candidate = update.row, update.candidate
    matrix = row.matrix(candidate.raw)
    within = is_bounded(matrix)
    identity = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    raw, repaired = candidate.raw, update.ok
    amount = torch.zeros_like(update.ok, dtype=matrix.dtype)
    for size in JITTERS:
        trial = row.module.right_inverse(bounded(matrix) + size * identity)  # type: ignore[operator]
        helps = ~repaired & within & row.gaussians(candidate.means, trial).valid
        raw = torch.where(linalg.expand_like(helps, raw), trial, raw)
        amount, repaired = torch.where(helps, size, amount), repaired | helps
    return candidate._replace(raw=linalg.lay_out(raw)), amount


def project(update: Update) -> tuple[Parameters, Tensor]:
    """Raise the eigenvalues of each failing matrix, the diagonal of a factor, to the floor of ``covdemo.repairs``.

    The amount is how far the smallest one was raised. An entry that is not a number counts as 0.
    """
    row, candidate = update.row, update.candidate
    floored, raised = _rise(row.feeds)(bounded(row.matrix(candidate.raw)))
    raw = torch.where(linalg.expand_like(update.ok, candidate.raw), candidate.raw, row.module.right_inverse(floored))  # type: ignore[operator]
    return candidate._replace(raw=linalg.lay_out(raw)), torch.where(update.ok, 0.0, raised)


def _rise(feeds: str) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Return what raises the matrices that are meant for a keyword."""
    return raise_diagonal if feeds == "scale_tril" else raise_eigenvalues


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
    return parameters, amount.unsqueeze(-1).expand(update.ok.shape)


def choose(mask: Tensor, chosen: Parameters, other: Parameters) -> Parameters:
    """Return ``chosen`` for the replicas where ``mask`` ``[B]`` is true, ``other`` elsewhere."""
    return Parameters(*choose_each(mask, chosen, other))


def choose_each(mask: Tensor, chosen: Sequence[Tensor], other: Sequence[Tensor]) -> Sequence[Tensor]:
    """Do the same with any tensors ``[B, ...]``."""
    if _all_seen(mask):
        return chosen
    pairs = zip(chosen, other, strict=True)
    return [torch.where(linalg.expand_like(mask, new), new, old) for new, old in pairs]


def _all_seen(mask: Tensor) -> bool:
    """Return whether all of the mask is known to be true; only asked where looking costs less than choosing."""
    return mask.device.type == "cpu" and not torch.compiler.is_compiling() and bool(mask.all())


# For one replica: ``candidate`` is the list of means, free numbers and weights after the update.
_SKIP = """
candidate = [means, raw, readout]
optimizer.load_state_dict(memory)
"""
_JITTER = """
for k in range(len(raw)):
    matrix = parameterization(candidate[1][k]).clone()
    for size in JITTERS if is_bounded(matrix) else ():
        if accepted(candidate[0][k], candidate[1][k]):
            break
        candidate[1][k] = parameterization.right_inverse(matrix + size * torch.eye(2, dtype=DTYPE))
"""
_PROJECT = """
for k in range(len(raw)):
    if not accepted(candidate[0][k], candidate[1][k]):
        matrix = bounded(parameterization(candidate[1][k]))
        candidate[1][k] = parameterization.right_inverse({rise}(matrix)[0])
"""
_BACKTRACK = f"""
for halvings in range(1, {HALVINGS + 1}):
    if accepted(*candidate[:2]):
        break
    candidate = moved(0.5**halvings)
"""


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
            code=lambda feeds: _SKIP,
        ),
        Policy(
            key="jitter",
            label="Add jitter to the diagonal",
            summary="The smallest of 1e-6, 1e-5, ..., 1 that makes the matrix valid is added to its diagonal.",
            action="jitter {amount:.0e} added",
            repair=jitter,
            code=lambda feeds: _JITTER,
        ),
        Policy(
            key="project",
            label="Project: floor the eigenvalues",
            summary=(
                f"Eigenvalues below {FLOOR:g}, or what rounding leaves beside a large one, are raised to it, which puts the "
                "matrix back at the edge it fell over; of a Cholesky factor the diagonal is."
            ),
            action="{smallest} raised by {amount:.2g}",
            repair=project,
            code=lambda feeds: _PROJECT.format(rise=_rise(feeds).__name__),
        ),
        Policy(
            key="backtrack",
            label="Backtrack: halve the step",
            summary="The step is halved until it leads to a valid matrix.",
            action="step halved {amount:.0f} times",
            repair=backtrack,
            code=lambda feeds: _BACKTRACK,
        ),
    )
}
