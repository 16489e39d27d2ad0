"""Add a category to a configuration, or take one away."""

from dataclasses import replace
from typing import Any

import numpy as np

from covdemo import limits
from covdemo.config import FIELDS, RunConfig

# attribute of RunConfig -> its values where the categories stand that the page knows
_PLACES = {
    name: tuple(float(field.default) for field in FIELDS if field.attribute == name and field.category)
    for name in dict.fromkeys(field.attribute for field in FIELDS if field.category)
}


def add_category(config: RunConfig) -> RunConfig:
    """Return the configuration with one category more, at the known place that is farthest from all that it has.

    Raises:
        ValueError: if it has as many as are allowed.
    """
    if not limits.CATEGORIES.holds(config.categories + 1):
        raise ValueError(f"expected fewer than {limits.CATEGORIES.high} categories, got {config.categories}")
    places = np.stack([_PLACES["mean_x"], _PLACES["mean_y"]], axis=-1)
    distance = np.linalg.norm(places[:, None] - config.true_means, axis=-1).min(axis=1)
    chosen = int(distance.argmax())
    return _with(config, {name: (*getattr(config, name), values[chosen]) for name, values in _PLACES.items()})


def remove_category(config: RunConfig, category: int) -> RunConfig:
    """Return the configuration without a category, from 1; those after it move up.

    Raises:
        ValueError: if there is no such category, or no fewer are allowed.
    """
    if not 1 <= category <= config.categories:
        raise ValueError(f"expected a category from 1 to {config.categories}, got {category}")
    if not limits.CATEGORIES.holds(config.categories - 1):
        raise ValueError(f"expected more than {limits.CATEGORIES.low} categories, got {config.categories}")
    kept = [k for k in range(config.categories) if k != category - 1]
    return _with(config, {name: tuple(getattr(config, name)[k] for k in kept) for name in _PLACES})


def _with(config: RunConfig, changes: dict[str, Any]) -> RunConfig:
    return replace(config, **changes)
