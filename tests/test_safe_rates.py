"""The largest safe rate is safe, and the next one tried is not."""

from dataclasses import replace

import numpy as np
import pytest

from covdemo.batch import learned, run_batch
from covdemo.config import RunConfig
from covdemo.safe_rates import RATES, SafeRate, largest_safe_rate
from covdemo.trials import DISTRIBUTIONS

FORUM = RunConfig(epochs=2)
SEEDS = 3
ROUND = DISTRIBUTIONS["nearly round"]
# starts at the true means, and few trials: it learns at every rate below the one at which some matrix breaks, and at none above
PLAIN = RunConfig(**ROUND, start_x=ROUND["mean_x"], start_y=ROUND["mean_y"], points=10, epochs=1, momentum=0.0)


def all_learn(config, *rates):
    """Return at which rates all seeds learn."""
    configs = [replace(config, lr_cov=float(rate), seed=seed) for rate in rates for seed in range(SEEDS)]
    return learned(run_batch(configs)).reshape(len(rates), SEEDS).all(axis=1).tolist()


@pytest.mark.parametrize("changes", [{}, {"objective": "likelihood", "parameterization": "tril"}], ids=["covariance", "tril"])
def test_where_rates_below_an_edge_are_safe_and_none_above_the_edge_is_found(changes):
    config = replace(PLAIN, **changes)
    found = largest_safe_rate(config, SEEDS)
    assert found.next / found.rate < 1.02
    rates = found.rate * np.random.default_rng(0).uniform(0.2, 5, 100)
    rates = rates[(rates <= found.rate) | (rates >= found.next)]
    assert all_learn(config, *rates) == (rates <= found.rate).tolist()


def test_elsewhere_it_is_safe_and_neither_the_next_one_nor_a_larger_one_of_the_grid_is():
    config = replace(PLAIN, points=40, parameterization="tril", objective="likelihood")
    found = largest_safe_rate(config, SEEDS)
    larger = [found.next, *RATES[found.next < RATES]]
    assert all_learn(config, found.rate, *larger) == [True] + [False] * len(larger)


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
