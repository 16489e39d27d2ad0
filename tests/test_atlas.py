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

SAMPLE = 40  # runs of each map that are done again, in cells where all seeds ended alike: far from the edges
# how many of them may end otherwise: processors round differently, and where steps are large that grows from trial to trial,
# most with the low-rank method, of whose runs a tenth ends otherwise
ENDINGS, ENDINGS_LOW_RANK = 1, 4
EARLY = 100  # trials in which rounding cannot yet change when a run fails


def sampled(found):
    """Return places of the map, as an index of its arrays, and the settings of their runs."""
    alike = np.argwhere((found.outcome == found.outcome[..., :1]).all(-1))
    generator = np.random.default_rng(0)
    cells = alike[generator.integers(len(alike), size=SAMPLE)]
    places = np.column_stack([cells, generator.integers(len(found.seeds), size=SAMPLE)])
    return tuple(places.T), [found.run_config(*place) for place in places.tolist()]


def assert_current(found, where, again, key):
    """Compare runs that have been done again with those of a map."""
    then, failed_at, kl = found.outcome[where], found.failed_at[where], found.kl[where]
    early, whole = (failed_at >= 0) & (failed_at <= EARLY), failed_at < 0
    now = np.array([OUTCOMES.index(outcome) for outcome in again.outcome])
    assert (now != then).sum() <= (ENDINGS_LOW_RANK if key == "low-rank" else ENDINGS)
    assert again.failed_at[early].tolist() == failed_at[early].tolist()
    assert again.kind[early].tolist() == found.kind[where][early].tolist()
    assert np.median(np.abs(again.accuracy - found.accuracy[where])) == pytest.approx(0, abs=1e-6)
    assert np.median((np.abs(again.kl - kl) / kl)[whole]) < 0.01


@pytest.mark.parametrize("key", PARAMETERIZATIONS)
def test_a_map_that_ships_is_current(key):
    found = atlas.shipped()[key]
    assert (found.complete, found.same_grid(atlas.empty(key))) == (True, True)
    where, configs = sampled(found)
    assert_current(found, where, run_batch(configs), key)


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
