"""What is gathered of a run between two records, and of its silent trials from its start."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from covdemo.history import Array
from covdemo.trainer import Info


class Observed:
    """What the trials showed; the quantities are those of ``Frame``.

    Args:
        categories: K.
    """

    def __init__(self, categories: int) -> None:
        self.silent, self.silent_trials = np.zeros(categories), np.zeros(categories)
        self._own, self._own_silent = np.zeros(categories), np.zeros(categories)
        self.gradient_norm = self.latest_room = np.full(categories, np.nan)
        self.forget()

    def forget(self) -> None:
        """Begin a new interval between records."""
        self._losses: list[float] = []
        self.room = np.full(len(self.silent), np.inf)

    def see(self, info: Info, label: int) -> None:
        """Take in one trial, and the category of its point."""
        self._losses.append(float(info.loss))
        self.gradient_norm = array(torch.linalg.vector_norm(info.gradient.raw[0].flatten(1), dim=1))
        self._count((array(info.log_density[0].exp()) == 0) & (self.gradient_norm == 0), label)

    def have_room(self, rooms: Array) -> None:
        """Take in the room that the latest updates had, ``[N, K]``."""
        self.room, self.latest_room = self.least_room(rooms), rooms[-1]

    def least_room(self, rooms: Array) -> Array:
        """Return the smallest room since the last record, ``[K]``, that of further updates ``[N, K]`` included."""
        least: Array = np.fmin.reduce([self.room, *rooms])
        return least

    def _count(self, silent: NDArray[np.bool_], label: int) -> None:
        self.silent = np.where(silent, self.silent + 1, 0)
        self.silent_trials = self.silent_trials + silent
        self._own[label] += 1
        self._own_silent[label] += silent[label]

    @property
    def silent_share(self) -> Array:
        """Share of its own points at which a category was silent, ``[K]``."""
        return self._own_silent / np.maximum(self._own, 1)

    @property
    def loss(self) -> float:
        """Mean loss since the last record; NaN before the first trial."""
        return float(np.mean(self._losses)) if self._losses else float("nan")


def array(tensor: Tensor) -> Array:
    """Return a tensor as an array in float64."""
    return tensor.detach().double().cpu().numpy()
