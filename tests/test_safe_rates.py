"""The largest safe rate is safe, and the next one tried is not."""

from dataclasses import replace

import numpy as np
import pytest

from covdemo.batch import learned, run_batch
from covdemo.config import RunConfig
from covdemo.safe_rates import RATES, SafeRate, largest_safe_rate

FORUM = RunConfig(epochs=2)
SEEDS = 3


def all_learn(config, rate):
    return bool(learned(run_batch([replace(config, lr_cov=rate, seed=seed) for seed in range(SEEDS)])).all())


@pytest.mark.parametrize("key", ["covariance", "tril"])
def test_it_is_safe_and_the_next_one_is_not(key):
    config = replace(FORUM, parameterization=key)
    found = largest_safe_rate(config, SEEDS)
    assert (all_learn(config, found.rate), all_learn(config, found.next)) == (True, False)
    assert found.next / found.rate == pytest.approx(10 ** (0.25 / 16), rel=0.01)


def test_no_rate_of_the_grid_above_it_is_safe():
    config = replace(FORUM, parameterization="covariance")
    found = largest_safe_rate(config, SEEDS)
    assert [rate for rate in RATES[found.rate < RATES] if all_learn(config, float(rate))] == []


def test_the_accepted_answer_has_none():
    config = replace(FORUM, parameterization="tril-as-posted")
    assert largest_safe_rate(config, SEEDS) == SafeRate(None, 1e-8)


def test_the_step_that_cannot_fail_is_safe_to_the_end():
    config = replace(FORUM, parameterization="affine-invariant")
    assert largest_safe_rate(config, SEEDS) == SafeRate(100.0, None)


def test_progress_rises_from_zero_below_one():
    seen = []
    largest_safe_rate(replace(FORUM, points=20, epochs=1), SEEDS, seen.append)
    assert (seen[0], seen == sorted(seen), max(seen) < 1) == (0, True, True)


def test_what_progress_raises_ends_the_search():
    def refuse(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        largest_safe_rate(FORUM, SEEDS, refuse)


def test_rates_go_in_quarters_of_a_decade():
    assert np.allclose(np.diff(np.log10(RATES)), 0.25, atol=0.002)
