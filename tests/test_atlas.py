"""The maps that ship are current, complete and found again."""

from dataclasses import replace

import numpy as np
import pytest

from covdemo import atlas
from covdemo.batch import run_batch
from covdemo.config import RunConfig
from covdemo.outcomes import Outcome
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.stability import OUTCOMES, StabilityMap

SAMPLE = 40  # runs of each map that are done again
# of them may end otherwise: processors round differently, and runs near the edge notice; of the least steady method, the
# low-rank one, a tenth of all runs does
AT_THE_EDGE = 8


@pytest.mark.parametrize("key", PARAMETERIZATIONS)
def test_a_map_that_ships_is_current(key):
    found = atlas.shipped()[key]
    assert (found.complete, found.same_grid(atlas.empty(key))) == (True, True)
    places = np.random.default_rng(0).integers(found.outcome.shape, size=(SAMPLE, 3))
    again = run_batch([found.run_config(*place) for place in places.tolist()])
    then = [OUTCOMES[found.outcome[tuple(place)]] for place in places]
    assert sum(now is not before for now, before in zip(again.outcome, then, strict=True)) <= AT_THE_EDGE


def test_the_map_of_all_methods_is_a_row_of_each():
    found = atlas.methods()
    row = atlas.MEAN_RATES.index(RunConfig().lr_mu)
    expected = [each.outcome[row].tolist() for each in atlas.shipped().values()]
    assert (found.y.values, found.outcome.tolist()) == (tuple(PARAMETERIZATIONS), expected)


def test_the_step_that_cannot_fail_has_no_failure_on_its_map():
    assert not atlas.shipped()["affine-invariant"].share(Outcome.FAILED).any()


@pytest.mark.parametrize("changes", [{}, {"lr_cov": 0.5}, {"lr_mu": 0.1}, {"seed": 7}, {"parameterization": "tril"}])
def test_settings_that_lie_on_a_map_find_it(changes):
    config = replace(RunConfig(), **changes)
    assert atlas.covering(config) is atlas.shipped()[config.parameterization]


@pytest.mark.parametrize("changes", [{"points": 100}, {"momentum": 0.9}, {"objective": "likelihood"}])
def test_other_settings_find_none(changes):
    assert atlas.covering(replace(RunConfig(), **changes)) is None


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """An empty folder in place of the one that ships."""
    monkeypatch.setattr(atlas, "place", lambda key: tmp_path / f"{key}.npz")
    atlas.shipped.cache_clear()
    yield tmp_path
    atlas.shipped.cache_clear()


def test_a_damaged_map_is_as_good_as_none(elsewhere):
    (elsewhere / "tril.npz").write_bytes(b"damaged")
    assert (atlas.shipped(), atlas.methods(), atlas.covering(RunConfig())) == ({}, None, None)


def test_a_map_of_another_experiment_is_as_good_as_none(elsewhere):
    found = atlas.empty("tril")
    StabilityMap.empty(found.config, found.x, found.y, (0,)).save(elsewhere / "tril.npz")
    assert atlas.shipped() == {}
