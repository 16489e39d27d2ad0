"""The maps of the forum experiment that ship with the package, one for every parameterization, and how they are made."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np

from covdemo.config import RunConfig
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.safe_rates import RATES, SEEDS, rounded
from covdemo.stability import Axis, StabilityMap, stack, sweep

MEAN_RATES = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1)
READOUT_RATES = tuple(rounded(np.logspace(-3, 1, 9)).tolist())
FOLDER = "maps"


def empty(key: str) -> StabilityMap:
    """Return the map of a parameterization before anything is known: lr_cov across, lr_mu up."""
    config = RunConfig(parameterization=key)
    return StabilityMap.empty(config, Axis("lr_cov", tuple(RATES.tolist())), Axis("lr_mu", MEAN_RATES), range(SEEDS))


def make(key: str, progress: Callable[[float], None] = lambda done: None) -> StabilityMap:
    """Compute the map of a parameterization."""
    return sweep(empty(key), progress=progress)


def place(key: str) -> Traversable:
    """Return the file of the map of a parameterization."""
    return files("covdemo") / "data" / FOLDER / f"{key}.npz"


@cache
def shipped() -> Mapping[str, StabilityMap]:
    """Return the maps that ship, key of a parameterization -> map; those that are missing or damaged are left out."""
    found = {}
    for key in PARAMETERIZATIONS:
        try:
            with place(key).open("rb") as file:
                found[key] = StabilityMap.load(file)
        except (OSError, ValueError):
            continue
    return {key: each for key, each in found.items() if each.same_grid(empty(key))}


def covering(config: RunConfig) -> StabilityMap | None:
    """Return the shipped map that the settings lie on, whatever their rates of means and covariances; None if there is none."""
    found = shipped().get(config.parameterization)
    usual = RunConfig()
    same = replace(config, lr_cov=usual.lr_cov, lr_mu=usual.lr_mu, parameterization=usual.parameterization, seed=usual.seed)
    return found if same == usual else None


def methods() -> StabilityMap | None:
    """Return the map of all parameterizations over lr_cov, at the forum's rate of the means; None if none ships."""
    rows = list(shipped().values())
    if not rows:
        return None
    row = int(np.flatnonzero(np.isclose(MEAN_RATES, RunConfig().lr_mu))[0])
    return stack(rows, row)
