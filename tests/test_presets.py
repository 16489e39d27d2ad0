"""Configurations worth seeing."""

import pytest

from covdemo.config import RunConfig, read, to_query
from covdemo.presets import PRESETS
from covdemo.trials import DISTRIBUTIONS


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_is_valid(preset):
    assert read(to_query(preset.config)) == (preset.config, [])


@pytest.mark.parametrize("changes", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
def test_named_distributions_are_valid(changes):
    config = RunConfig(**changes)
    assert read(to_query(config)) == (config, [])


def test_the_first_preset_is_the_default():
    assert next(iter(PRESETS.values())).config == RunConfig()
