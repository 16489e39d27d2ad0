"""The log of failures: a row for each distribution that an update broke, and what it says."""

from dataclasses import replace

import numpy as np
import pytest

from covdemo.config import RunConfig
from covdemo.failures import FailureKind
from covdemo.history import LOGGED
from covdemo.outcomes import Outcome
from covdemo.run import Run

SHORT = RunConfig(points=20, epochs=3, lr_cov=1e-5)
BREAKS = RunConfig()


def finished(config):
    run = Run(config)
    run.advance(run.total)
    return run


def test_the_failure_of_the_question_is_a_row_with_all_its_particulars():
    failure = finished(BREAKS).history.failures[0]
    assert (failure.trial, failure.epoch, failure.category) == (12, 0, 1)
    assert failure.kind is FailureKind.NOT_POSITIVE_DEFINITE
    assert failure.message.startswith("Expected parameter covariance_matrix")
    assert np.linalg.eigvalsh(np.array(failure.matrix)) == pytest.approx(failure.eigenvalues, abs=1e-6)
    assert failure.eigenvalues[0] < 0
    assert failure.room < failure.rate == 1e-3
    assert failure.action == "stopped"


def test_a_failure_of_the_second_category_in_a_later_epoch_is_told_as_such():
    run = finished(replace(BREAKS, points=5))
    failure = run.history.failures[0]
    assert (failure.trial, failure.epoch, failure.category) == (26, 2, 2)
    assert np.array_equal(run.covariances()[1], np.array(failure.matrix))
    assert run.frame().valid.tolist() == [True, False]


def test_a_step_as_long_as_the_room_of_the_log_ends_at_the_edge():
    run = finished(replace(BREAKS, points=5))
    failure, before = run.history.failures[0], run.frame().covariances[1]
    step = (before - np.array(failure.matrix)) / failure.rate
    # numbers of size .02 in float32
    assert np.linalg.eigvalsh(before - failure.room * step)[0] == pytest.approx(0, abs=1e-7)


def test_a_failure_ends_the_run_where_it_happens():
    run = finished(BREAKS)
    assert (run.trial, run.finished, run.stopped, run.outcome) == (12, True, True, Outcome.FAILED)


def test_the_last_frame_of_a_broken_run_shows_the_last_valid_distributions_and_the_broken_eigenvalue():
    frame = finished(BREAKS).frame()
    assert np.linalg.eigvalsh(frame.covariances).min() > 0
    assert frame.eigenvalues[0, 0] < 0
    assert frame.valid.tolist() == [False, True]


def test_skipping_goes_on_to_the_last_trial():
    run = finished(replace(BREAKS, policy="skip", epochs=1))
    assert (run.trial, run.stopped) == (400, False)
    assert run.history.failed > 1
    assert {failure.action for failure in run.history.failures} == {"update skipped"}


@pytest.mark.parametrize(("policy", "words"), [("jitter", "jitter 1e-"), ("project", "raised by"), ("backtrack", "halved")])
def test_what_a_repair_took_is_in_the_log(policy, words):
    run = finished(replace(BREAKS, policy=policy, points=50, epochs=1))
    assert words in run.history.failures[0].action


def test_each_category_that_fails_has_a_row_with_the_amount_of_its_own_repair():
    run = Run(replace(BREAKS, policy="project", objective="likelihood", points=50, epochs=2))
    run.advance(1)
    run.advance(1)
    rows = run.history.failures[-2:]
    assert [(row.trial, row.category) for row in rows] == [(2, 1), (2, 2)]
    raised = [float(row.action.split()[-1]) for row in rows]
    assert raised == pytest.approx([1e-6 - row.eigenvalues[0] for row in rows], rel=0.01)
    assert run.history.failed == run.frame().failures == len(run.history.failures)


def test_the_rows_of_a_trial_that_ended_the_run_are_led_by_the_one_that_torch_raises_for():
    run = finished(replace(BREAKS, objective="bayes", lr_cov=1.0))
    assert [(row.category, row.action) for row in run.history.failures] == [(1, "stopped"), (2, "stopped")]
    assert run.history.latest is run.history.failures[0]


@pytest.mark.parametrize("policy", ["project", "backtrack"])
def test_no_matrix_breaks_with_room_to_spare(policy):
    run = finished(replace(BREAKS, policy=policy, points=40, epochs=1, lr_cov=1e-3))
    assert run.history.failed > 5
    assert all(row.room <= row.rate for row in run.history.failures)


def test_the_log_is_bounded_and_the_rest_is_counted():
    run = finished(replace(SHORT, lr_mu=1e308, policy="skip", points=300, epochs=1))
    assert (len(run.history.failures), run.history.failed) == (LOGGED, 2 * run.total)
    assert run.frame().failures == run.history.failed


def test_the_failure_that_ends_a_run_is_in_the_log_however_many_came_before():
    run = Run(BREAKS)
    run.history.failed = LOGGED
    run.advance(run.total)
    assert [failure.trial for failure in run.history.failures] == [12]


def test_a_failure_is_of_the_kind_that_torch_speaks_of_where_a_mean_is_lost_too():
    config = replace(BREAKS, points=20, epochs=2, objective="likelihood", policy="skip", lr_mu=1e300, lr_cov=1.0)
    failures = finished(config).history.failures
    assert {(failure.kind, failure.message.split()[2]) for failure in failures} == {(FailureKind.MEAN_NOT_FINITE, "loc")}


def test_a_broken_factor_is_seen_among_the_eigenvalues_as_the_log_has_it():
    run = finished(replace(BREAKS, parameterization="tril", lr_cov=2e-2))
    failure, eigenvalues = run.history.failures[-1], run.history.column("eigenvalues")[-1]
    assert failure.eigenvalues[0] < 0
    assert eigenvalues[failure.category - 1].tolist() == list(failure.eigenvalues)
