"""What can go wrong with a covariance matrix, and how it is told."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from covdemo import linalg


class FailureKind(enum.Enum):
    """Why torch refuses the parameters of a normal distribution."""

    NOT_POSITIVE_DEFINITE = "not positive definite"
    DIAGONAL_NOT_POSITIVE = "diagonal not positive"
    MATRIX_NOT_FINITE = "matrix not finite"
    MEAN_NOT_FINITE = "mean not finite"

    @property
    def explanation(self) -> str:
        """What the kind means, in a sentence."""
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    FailureKind.NOT_POSITIVE_DEFINITE: "The update pushed an eigenvalue of the matrix to zero or below.",
    FailureKind.DIAGONAL_NOT_POSITIVE: "The update pushed a diagonal entry of the Cholesky factor to zero or below.",
    FailureKind.MATRIX_NOT_FINITE: "The update made an entry of the matrix infinite or not a number.",
    FailureKind.MEAN_NOT_FINITE: "The update made an entry of a mean not a number; an infinite one passes.",
}

# What is wrong with a matrix of finite numbers that torch refuses, by the keyword it was meant for.
_KIND_BY_KEYWORD = {
    "covariance_matrix": FailureKind.NOT_POSITIVE_DEFINITE,
    "precision_matrix": FailureKind.NOT_POSITIVE_DEFINITE,
    "scale_tril": FailureKind.DIAGONAL_NOT_POSITIVE,
}


@dataclass(frozen=True)
class Failure:
    """One row of the failure log.

    Attributes:
        trial: number of the trial, from 0, at which PyTorch cannot build the distributions; T when the last update did it.
        epoch: epoch of that trial, from 0.
        category: one that torch complains of, from 1; of the same trial there is a row for each.
        kind: what is wrong with it.
        message: the words of the installed torch, about all of them.
        matrix: the matrix that was refused, as torch was given it.
        eigenvalues: of that matrix, ascending.
        action: what was done about it.
        rate: learning rate of the covariance matrices.
        room: the largest one at which this update would have left the matrix valid; at most ``rate`` if the matrix broke.
    """

    trial: int
    epoch: int
    category: int
    kind: FailureKind
    message: str
    matrix: tuple[tuple[float, ...], ...]
    eigenvalues: tuple[float, ...]
    action: str
    rate: float
    room: float


KINDS = tuple(FailureKind)


def refused(loc: Tensor, ok: Tensor) -> Tensor:
    """Return which of K categories torch complains of, ``[..., K]``: of lost means, if any, before it looks at matrices.

    Args:
        loc: ``[..., K, D]``.
        ok: whether each distribution exists, ``[..., K]``.
    """
    present = linalg.every(loc == loc)
    return torch.where(linalg.every(present).unsqueeze(-1), ~ok, ~present)


def kinds(feeds: str, loc: Tensor, matrix: Tensor) -> Tensor:
    """Return what is wrong with distributions that are not valid, as places in ``KINDS``, ``[...]``.

    Args:
        feeds: keyword of ``MultivariateNormal``.
        loc: ``[..., D]``.
        matrix: ``[..., D, D]``.
    """
    mean_lost = ~linalg.every(loc == loc)
    matrix_lost = ~linalg.every(linalg.every(matrix.abs() < torch.inf))
    plain = torch.where(matrix_lost, KINDS.index(FailureKind.MATRIX_NOT_FINITE), KINDS.index(_KIND_BY_KEYWORD[feeds]))
    return torch.where(mean_lost, KINDS.index(FailureKind.MEAN_NOT_FINITE), plain)


def classify(feeds: str, loc: Tensor, matrix: Tensor) -> FailureKind:
    """Name what is wrong with one distribution's mean ``[D]`` and matrix ``[D, D]``, given that something is."""
    return KINDS[int(kinds(feeds, loc, matrix))]


def torch_message(feeds: str, loc: Tensor, matrix: Tensor) -> str:
    """Return what the installed torch says when it is asked for these distributions; empty if it accepts them.

    Args:
        feeds: keyword of ``MultivariateNormal``.
        loc: ``[..., D]``.
        matrix: ``[..., D, D]``.
    """
    try:
        MultivariateNormal(loc, **{feeds: matrix}, validate_args=True)
    except ValueError as error:
        return str(error)
    return ""


def rows(
    feeds: str, loc: Tensor, matrix: Tensor, ok: Tensor, actions: Sequence[str], room: Sequence[float], **common: Any
) -> list[Failure]:
    """Return what the log says of K distributions that torch refuses: a row for each that it complains of.

    Args:
        feeds: keyword of ``MultivariateNormal``.
        loc: ``[K, D]``.
        matrix: ``[K, D, D]``.
        ok: whether each distribution exists, ``[K]``.
        actions: what was done about each.
        room: that each had.
        common: what the rows share, by the names of ``Failure``.
    """
    message = torch_message(feeds, loc, matrix)
    return [
        Failure(
            category=k + 1,
            kind=classify(feeds, loc[k], matrix[k]),
            message=message,
            matrix=tuple(tuple(line) for line in matrix[k].tolist()),
            eigenvalues=eigenvalues(feeds, matrix[k]),
            action=actions[k],
            room=room[k],
            **common,
        )
        for k in refused(loc, ok).nonzero().flatten().tolist()
    ]


def eigenvalues(feeds: str, matrix: Tensor) -> tuple[float, ...]:
    """Return the eigenvalues of ``[D, D]``, ascending; NaN where an entry is not finite.

    Those of a triangular factor are its diagonal; of the other matrices the symmetric part is taken.
    """
    if not matrix.isfinite().all():
        return (float("nan"),) * len(matrix)
    matrix = matrix.double().cpu()
    if feeds == "scale_tril":
        return tuple(matrix.diagonal().sort().values.tolist())
    return tuple(torch.linalg.eigvalsh(linalg.symmetrize(matrix)).tolist())
