"""The largest learning rate of the covariance matrices that is found safe: every data seed learns."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from covdemo.batch import learned, run_batch
from covdemo.config import RunConfig
from covdemo.stability import within
from covdemo.trials import Trials


def rounded(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rates with three digits, so that what is shown is what was tried."""
    return np.array([float(f"{rate:.3g}") for rate in rates])


RATES = rounded(np.logspace(-8, 2, 41))
SEEDS = 8
INNER = 7  # rates tried at once between the largest that is safe and the next
WIDTH = 1.02  # ratio of these two, below which the search ends
ROUNDS = math.ceil(math.log(math.log(RATES[1] / RATES[0]) / math.log(WIDTH), INNER + 1))
FINER = ROUNDS * INNER  # rates that are tried after the first ones


class SafeRate(NamedTuple):
    """What a search for the largest safe rate found.

    Attributes:
        rate: the largest rate found at which all seeds learn; None if there is none.
        next: the smallest rate tried above it, at which at least one seed does not; None if there is none.
    """

    rate: float | None
    next: float | None


def largest_safe_rate(
    config: RunConfig,
    seeds: int = SEEDS,
    progress: Callable[[float], None] = lambda done: None,
    data: Trials | None = None,
) -> SafeRate:
    """Search from 1e-8 to 1e2: first four rates to the decade, then, by bisection, between the largest safe one and the next.

    Safe rates need not be an interval. What is promised is that the rate is safe, and that the next one tried, at most 2 %
    above it, is not; nor is any of the first rates above. Between these, single rates may be safe, and below there may be rates
    that are not: too small a rate does not learn in the trials it has.

    Args:
        config: the settings; ``lr_cov`` and ``seed`` are replaced.
        seeds: how many data seeds have to learn, from 0.
        progress: called now and then with the share of the work done; what it raises ends it.
        data: points to use instead of those that the settings name, as in ``run_batch``.
    """
    try_rates = partial(_safe, config, seeds, data)
    work = len(RATES) + FINER
    safe = np.flatnonzero(try_rates(RATES, within(progress, 0, len(RATES) / work)))
    if not len(safe):
        return SafeRate(None, float(RATES[0]))
    if safe[-1] == len(RATES) - 1:
        return SafeRate(float(RATES[-1]), None)
    low, high = float(RATES[safe[-1]]), float(RATES[safe[-1] + 1])
    for before in range(len(RATES), work, INNER):
        low, high = _closer(try_rates, low, high, within(progress, before / work, INNER / work))
    return SafeRate(low, high)


def _closer(
    try_rates: Callable[..., NDArray[np.bool_]], low: float, high: float, progress: Callable[[float], None]
) -> tuple[float, float]:
    """Try rates between one that is safe and a higher one that is not; return the largest that is, and the next one."""
    between = rounded(np.geomspace(low, high, INNER + 2))
    best = int(np.flatnonzero([True, *try_rates(between[1:-1], progress)])[-1])
    return float(between[best]), float(between[best + 1])


def _safe(
    config: RunConfig, seeds: int, data: Trials | None, rates: NDArray[np.float64], progress: Callable[[float], None]
) -> NDArray[np.bool_]:
    """Return at which rates all seeds learn."""
    configs = [replace(config, lr_cov=float(rate), seed=seed) for rate in rates for seed in range(seeds)]
    return np.all(learned(run_batch(configs, progress, data=data)).reshape(len(rates), seeds), axis=1)
