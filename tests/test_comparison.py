import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from torch.distributions import MultivariateNormal, kl_divergence

from covdemo.comparison import Comparison, result
from covdemo.config import RunConfig
from covdemo.entrants import DEFAULT
from covdemo.outcomes import Outcome, Reason
from covdemo.run import Run
from covdemo.trials import draw

SHORT = RunConfig(points=30, epochs=2)
CONFIGS = tuple(entrant.config(SHORT) for entrant in DEFAULT)
BREAKS = 0  # the raw covariance
pytestmark = pytest.mark.xdist_group("comparison")  # whose runs several tests look at


@pytest.fixture(scope="module")
def ended():
    comparison = Comparison(CONFIGS)
    comparison.advance(comparison.total)
    return comparison


@pytest.fixture(scope="module")
def results(ended):
    return [result(run, run.frame(), seconds) for run, seconds in zip(ended.runs, ended.seconds, strict=True)]


@pytest.mark.parametrize("number", range(len(CONFIGS)))
def test_each_run_is_equal_to_one_of_its_own(number, ended):
    alone = Run(CONFIGS[number])
    alone.advance(alone.total)
    for name in ("trial", "loss", "means", "scale_trils", "readout"):
        np.testing.assert_array_equal(ended.runs[number].history.column(name), alone.history.column(name))


def test_all_runs_have_the_same_data_in_the_same_order(ended):
    assert len({id(run.data) for run in ended.runs}) == 1


def test_all_that_go_on_have_done_as_many_trials():
    comparison = Comparison(CONFIGS)
    comparison.advance(20)
    assert comparison.runs[BREAKS].stopped
    assert {run.trial for run in comparison.runs if not run.stopped} == {20}
    assert comparison.trial == 20


def test_a_run_that_fails_stays_where_it_broke_while_others_go_on(ended):
    broken = ended.runs[BREAKS]
    assert broken.trial == broken.history.failures[-1].trial < ended.total
    assert [run.trial for run in ended.runs[1:]] == [ended.total] * (len(CONFIGS) - 1)


def test_it_ends_where_all_have_failed():
    comparison = Comparison((RunConfig(), RunConfig(lr_cov=1e-2)))
    comparison.advance(comparison.total)
    assert comparison.finished
    assert comparison.trial == max(run.trial for run in comparison.runs) < comparison.total


def test_without_a_method_there_is_nothing_to_do():
    comparison = Comparison((), draw(SHORT))
    comparison.advance(5)
    assert (comparison.finished, comparison.trial, comparison.total) == (True, 0, 0)


def test_data_that_are_given_are_used():
    data = draw(RunConfig(points=7, epochs=1, seed=3))
    comparison = Comparison(CONFIGS, data)
    assert comparison.total == 14
    assert all(run.data is data for run in comparison.runs)


def test_time_is_counted_for_each_run_alone_while_it_trains():
    seconds = itertools.count()
    comparison = Comparison(CONFIGS, clock=lambda: next(seconds))
    comparison.advance(comparison.total)
    assert comparison.seconds == tuple(run.trial for run in comparison.runs)


def test_a_failure_is_told_with_its_trial_and_kind(results, ended):
    found = results[BREAKS]
    assert (found.outcome, found.kind) == (Outcome.FAILED, "not positive definite")
    assert (found.failed_at, found.trials) == (ended.runs[BREAKS].trial, ended.runs[BREAKS].trial)


def test_a_run_that_has_not_learned_is_told_with_the_reason(results):
    assert (results[1].outcome, results[1].reason) == (Outcome.NOT_LEARNED, Reason.UNDERFLOW)
    assert (results[1].failed_at, results[1].kind) == (None, "")


def test_a_run_under_way_has_no_outcome_yet():
    run = Run(SHORT)
    found = result(run, run.frame(), 0.0)
    assert (found.outcome, found.failed_at, found.trials) == (None, None, 0)


def test_a_failure_that_was_repaired_is_told_though_the_run_went_on():
    run = Run(RunConfig(points=30, epochs=1, policy="skip"))
    run.advance(run.total)
    found = result(run, run.frame(), 0.0)
    assert found.failed_at == run.history.failures[0].trial
    assert (found.failures, found.kind) == (run.history.failed, "")


def test_the_divergence_is_that_of_torch_summed_over_the_categories(ended, results):
    run = ended.runs[3]
    model = run.distributions()
    pairs = zip(run.truth.means, run.truth.covariances, model.loc, model.scale_tril, strict=True)
    expected = sum(
        kl_divergence(
            MultivariateNormal(model.loc.new_tensor(mean).double(), model.loc.new_tensor(covariance).double()),
            MultivariateNormal(loc.double(), scale_tril=factor.double()),
        ).item()
        for mean, covariance, loc, factor in pairs
    )
    assert results[3].kl == pytest.approx(expected, rel=1e-4)


def test_the_wasserstein_distance_before_the_first_trial_is_that_of_the_start():
    start = RunConfig(mean_x=(-0.25, -0.15), mean_y=(0.35, -0.25), var_x=(0.02, 0.02), var_y=(0.02, 0.02), cov_xy=(0, 0))
    run = Run(start)
    assert result(run, run.frame(), 0.0).wasserstein == pytest.approx(0.3)  # one mean is .3 away, all else is right


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.parameterization)
@pytest.mark.parametrize("policy", ["stop", "skip", "project"])
def test_results_are_numbers_whatever_the_rates(config, policy):
    run = Run(replace(config, lr_cov=1e30, lr_mu=1e30, policy=policy, points=5))
    run.advance(run.total)
    found = result(run, run.frame(), 0.0)
    assert not math.isnan(found.accuracy)
    assert found.wasserstein >= 0
