"""What became of each of many replicas: the trial of its first failure, and what it was."""

from typing import NamedTuple

import torch
from torch import Tensor

from covdemo import failures
from covdemo.trainer import Info, State, Trainer, Trial

NONE = -1


class Fate(NamedTuple):
    """The first failure of each replica, ``[B]`` each.

    Attributes:
        failed_at: its trial, numbered as in ``Failure``; ``NONE`` where there was none.
        kind: place in ``failures.KINDS``; ``NONE`` where there was none.
    """

    failed_at: Tensor
    kind: Tensor

    @classmethod
    def unknown(cls, replicas: int, device: torch.device) -> "Fate":
        """Return the fate of replicas that have not failed."""
        return cls(*(torch.full((replicas,), NONE, dtype=torch.int32, device=device) for _ in cls._fields))


def follow(trainer: Trainer, state: State, fate: Fate, trial: Trial, number: Tensor) -> tuple[State, Fate]:
    """Do a trial, and note which replicas failed in it for the first time.

    Args:
        trainer: does the trial.
        state: before the trial.
        fate: before the trial.
        trial: a point for each replica.
        number: of the trial from 1, ``[]`` or ``[1]``.
    """
    state, info = trainer.step(state, trial)
    first = info.failed & (fate.failed_at == NONE)
    if _none_seen(first):
        return state, fate
    return state, Fate(
        torch.where(first, number.to(torch.int32), fate.failed_at),
        torch.where(first, _kind(trainer, info), fate.kind),
    )


def _kind(trainer: Trainer, info: Info) -> Tensor:
    """Return what is wrong with the first category whose distribution is not valid, ``[B]``."""
    row, candidate = trainer.parameterization, info.candidate
    each = failures.kinds(row.feeds, candidate.means, row.matrix(candidate.raw)).to(torch.int32)
    kind = torch.full_like(each[:, 0], NONE)
    for category in reversed(range(each.shape[1])):
        kind = torch.where(info.ok[:, category], kind, each[:, category])
    return kind


def _none_seen(mask: Tensor) -> bool:
    """Return whether all of the mask is known to be false; only asked where looking is cheap."""
    return mask.device.type == "cpu" and not bool(mask.any())
