"""The first failure of each of many replicas is the one that its run logs."""

from dataclasses import replace

import pytest
import torch

from covdemo.batch import run_batch
from covdemo.config import RunConfig
from covdemo.failures import KINDS, FailureKind, classify, kinds
from covdemo.fates import NONE, Fate
from covdemo.run import Run

BASE = RunConfig(points=20, epochs=1)
FAILING = {
    "a mean, after a matrix": replace(BASE, objective="likelihood", policy="skip", lr_mu=1e300, lr_cov=1.0),
    FailureKind.NOT_POSITIVE_DEFINITE: replace(BASE, lr_cov=0.1),
    FailureKind.DIAGONAL_NOT_POSITIVE: replace(BASE, parameterization="tril", lr_cov=1.0),
    FailureKind.MATRIX_NOT_FINITE: replace(BASE, parameterization="log-cholesky", lr_cov=1e30),
    FailureKind.MEAN_NOT_FINITE: replace(BASE, parameterization="softplus-cholesky", lr_mu=1e38, objective="likelihood"),
}


@pytest.mark.parametrize("config", FAILING.values(), ids=map(str, FAILING))
def test_trial_and_kind_of_the_first_failure_are_those_of_the_log(config):
    run = Run(config)
    run.advance(run.total)
    results = run_batch([config])
    first = run.history.failures[0]
    assert (int(results.failed_at[0]), KINDS[results.kind[0]]) == (first.trial, first.kind)


def test_only_the_first_of_many_failures_counts():
    config = replace(BASE, lr_cov=0.1, policy="skip")
    run = Run(config)
    run.advance(run.total)
    assert run.history.failed > 1
    assert run_batch([config]).failed_at.tolist() == [run.history.failures[0].trial]


def test_nothing_is_known_of_replicas_that_have_not_failed():
    assert [field.tolist() for field in Fate.unknown(2, torch.device("cpu"))] == [[NONE, NONE]] * 2


@pytest.mark.parametrize(
    ("loc", "entry", "expected"),
    [
        (0.0, -1.0, FailureKind.NOT_POSITIVE_DEFINITE),
        (0.0, float("nan"), FailureKind.MATRIX_NOT_FINITE),
        (0.0, float("inf"), FailureKind.MATRIX_NOT_FINITE),
        (float("nan"), float("nan"), FailureKind.MEAN_NOT_FINITE),
    ],
)
def test_kinds_of_many_are_the_kinds_of_each(loc, entry, expected):
    means, matrices = torch.tensor([[loc, 0.0]]), torch.diag(torch.tensor([1.0, entry])).unsqueeze(0)
    assert KINDS[kinds("covariance_matrix", means, matrices)[0]] == expected
    assert classify("covariance_matrix", means[0], matrices[0]) == expected
