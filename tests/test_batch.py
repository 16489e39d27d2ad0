"""A lane of a batch is the run it stands for."""

import os
import shutil
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from covdemo import limits
from covdemo.batch import build_trainer, run_batch
from covdemo.config import RunConfig
from covdemo.learner import OBJECTIVES
from covdemo.outcomes import Outcome
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.policies import POLICIES
from covdemo.run import Run

COMPILER = shutil.which(os.environ.get("CXX", "g++")) or shutil.which("clang++")
SMALL = RunConfig(points=30, epochs=2)
LANES = [
    replace(SMALL, lr_cov=lr_cov, seed=seed, lr_mu=lr_mu, lr_nn=lr_nn, momentum=momentum)
    for lr_cov, seed, lr_mu, lr_nn, momentum in [
        (1e-5, 0, 0.002, 0.1, 0.3),
        (1e-3, 1, 0.004, 0.5, 0.0),
        (1e-2, 0, 0.002, 0.02, 0.9),
    ]
]


@cache
def single(config):
    run = Run(config)
    run.advance(run.total)
    failed_at = run.history.failures[0].trial if run.history.failures else -1
    return run.outcome, failed_at, run.frame().accuracy, run.frame().kl.sum()


def cases():
    for key in PARAMETERIZATIONS:
        yield pytest.param({"parameterization": key}, id=key)
    for key in OBJECTIVES:
        yield pytest.param({"objective": key, "parameterization": "log-cholesky"}, id=key)
    for key in POLICIES:
        yield pytest.param({"policy": key}, id=key)
    yield pytest.param({"optimizer": "adam", "parameterization": "tril"}, id="adam")
    yield pytest.param({"dtype": "float64"}, id="float64")


@pytest.mark.parametrize("changes", list(cases()))
def test_every_lane_ends_as_its_single_run_does(changes):
    configs = [replace(config, **changes) for config in LANES]
    together = run_batch(configs)
    alone = [single(config) for config in configs]
    assert together.outcome.tolist() == [outcome for outcome, *_ in alone]
    assert together.failed_at.tolist() == [trial for _, trial, *_ in alone]
    assert together.accuracy.tolist() == [accuracy for _, _, accuracy, _ in alone]
    # element-wise functions round differently in vector lanes and alone, a float32 last digit each trial
    assert together.kl.tolist() == pytest.approx([kl for *_, kl in alone], rel=1e-3, nan_ok=True)


def test_configurations_that_differ_in_more_than_rates_and_seed_are_refused():
    with pytest.raises(ValueError, match="differ in lr_mu, lr_cov, lr_nn, momentum, seed only"):
        build_trainer([SMALL, replace(SMALL, parameterization="tril")])


def test_no_configuration_is_refused():
    with pytest.raises(ValueError, match="got 0 of them"):
        run_batch([])


def test_progress_goes_from_nothing_towards_all():
    seen = []
    run_batch([replace(config, parameterization="diagonal", lr_cov=1e-6) for config in LANES], seen.append)
    assert seen == [0, 100 / 120]


def test_a_batch_in_which_all_have_stopped_is_not_carried_on():
    seen = []
    run_batch([replace(LANES[0], lr_cov=1.0)], seen.append)
    assert seen == [0, 100 / 120]  # it is looked at every 100 trials


def test_measuring_in_parts_changes_nothing(monkeypatch):
    whole = run_batch(LANES)
    monkeypatch.setattr("covdemo.batch.ASSESSED", 2)
    parts = run_batch(LANES)
    assert [field.tolist() for field in parts[:-1]] == [field.tolist() for field in whole[:-1]]


@pytest.mark.skipif(not COMPILER and "CI" not in os.environ, reason="no C++ compiler: install g++ or set CXX")
def test_compiled_runs_end_as_others_do_and_no_later_than_all_have_stopped(monkeypatch):
    monkeypatch.setattr("covdemo.fused.UNROLL", 2)  # compiling takes the longer, the more trials there are
    plain, compiled = run_batch(LANES), run_batch(LANES, compiled=True)
    assert compiled.outcome.tolist() == plain.outcome.tolist()
    assert compiled.failed_at.tolist() == plain.failed_at.tolist()
    assert compiled.kl.tolist() == pytest.approx(plain.kl.tolist(), rel=1e-3)
    seen = []
    run_batch([replace(LANES[0], lr_cov=1.0)], seen.append, compiled=True)
    assert seen == [0, 40 / 120]  # looked at every twenty calls of two trials


@pytest.mark.skipif(not COMPILER and "CI" not in os.environ, reason="no C++ compiler: install g++ or set CXX")
def test_the_longest_run_comes_to_its_end_where_its_trials_are_compiled(monkeypatch):
    monkeypatch.setattr("covdemo.fused.UNROLL", 2)  # compiled by the test above already
    config, seen = replace(LANES[0], points=1, epochs=int(limits.EPOCHS.high)), []
    found = run_batch([config], seen.append, compiled=True)
    assert (config.trials, seen[-1]) == (limits.TRIALS, 1 - 40 / limits.TRIALS)
    assert (found.outcome[0], found.failed_at[0], found.accuracy[0]) == (Outcome.LEARNED, -1, 1)
    assert np.isfinite(found.kl[0])


def test_what_cannot_be_compiled_is_done_without_and_said(caplog):
    configs = [replace(config, policy="jitter") for config in LANES]
    assert run_batch(configs, compiled=True).outcome.tolist() == run_batch(configs).outcome.tolist()
    assert "without compiling" in caplog.text
