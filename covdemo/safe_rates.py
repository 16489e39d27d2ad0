"""The largest learning rate of the covariance matrices that is safe: every data seed learns."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from covdemo.batch import learned, run_batch
from covdemo.config import RunConfig


def rounded(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rates with three digits, so that what is shown is what was tried."""
    return np.array([float(f"{rate:.3g}") for rate in rates])


RATES = rounded(np.logspace(-8, 2, 41))
SEEDS = 8
FINER = 15  # rates tried between the last that is safe and the next


class SafeRate(NamedTuple):
    """What a search for the largest safe rate found.

    Attributes:
        rate: the largest rate tried at which all seeds learn; None if there is none.
        next: the smallest rate tried above it, at which some seed does not; None if there is none.
    """

    rate: float | None
    next: float | None


def largest_safe_rate(config: RunConfig, seeds: int = SEEDS, progress: Callable[[float], None] = lambda done: None) -> SafeRate:
    """Search from 1e-8 to 1e2, first four rates to the decade, then between the last safe one and the next.

    What is below the largest safe rate need not be safe: too small a rate does not learn in the trials it has.

    Args:
        config: the settings; ``lr_cov`` and ``seed`` are replaced.
        seeds: how many data seeds have to learn, from 0.
        progress: called now and then with the share of the work done; what it raises ends it.
    """
    share = len(RATES) / (len(RATES) + FINER)
    safe = np.flatnonzero(_safe(config, RATES, seeds, lambda done: progress(share * done)))
    if not len(safe):
        return SafeRate(None, float(RATES[0]))
    last = int(safe[-1])
    if last == len(RATES) - 1:
        return SafeRate(float(RATES[-1]), None)
    between = rounded(np.geomspace(RATES[last], RATES[last + 1], FINER + 2))
    inner = _safe(config, between[1:-1], seeds, lambda done: progress(share + (1 - share) * done))
    best = int(np.flatnonzero(np.concatenate([[True], inner]))[-1])
    return SafeRate(float(between[best]), float(between[best + 1]))


def _safe(config: RunConfig, rates: NDArray[np.float64], seeds: int, progress: Callable[[float], None]) -> NDArray[np.bool_]:
    """Return at which rates all seeds learn."""
    configs = [replace(config, lr_cov=float(rate), seed=seed) for rate in rates for seed in range(seeds)]
    return np.all(learned(run_batch(configs, progress)).reshape(len(rates), seeds), axis=1)
