"""Numbers at the ends of what a setting allows: every run ends in a named outcome, and its charts are finite."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from covdemo import charts, limits, map_charts, tables
from covdemo.batch import run_batch
from covdemo.config import RunConfig, read
from covdemo.curves import CURVES
from covdemo.history import EARLY, RECORDS
from covdemo.learner import OBJECTIVES
from covdemo.optimizers import OPTIMIZERS
from covdemo.outcomes import Outcome
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.policies import POLICIES
from covdemo.run import Run
from covdemo.stability import Axis, StabilityMap, sweep
from covdemo.train_command import report
from covdemo.trials import Trials

OFTEN = settings(max_examples=15, derandomize=True)  # for each parameterization
RATES = st.sampled_from([0.0, 5e-324, 1e-45, 1e-8, 1e-3, 1.0, 1e2, 1e19, 1e38, 4e38, 1e154, limits.RATE.high])
VARIANCES = st.sampled_from([limits.VARIANCE.low, 1e-30, 1e-12, 1e-3, 1.0, limits.VARIANCE.high])
MEANS = st.sampled_from([limits.MEAN.low, -1.0, 0.0, 1e-30, 0.5, limits.MEAN.high])


@st.composite
def settings_of(draw):
    """Changes for ``RunConfig``: a few trials, and extreme numbers."""
    categories = draw(st.sampled_from([2, 2, 2, 3, 5]))
    many = {
        name: tuple(draw(each) for _ in range(categories))
        for name, each in [
            *((name, MEANS) for name in ("mean_x", "mean_y", "start_x", "start_y")),
            *((name, VARIANCES) for name in ("var_x", "var_y")),
        ]
    }
    share = draw(st.sampled_from([-0.999, 0.0, 0.999]))
    bounds = map(limits.covariance_bound, many["var_x"], many["var_y"])
    return dict(
        **many,
        cov_xy=tuple(share * bound for bound in bounds),
        start_var=draw(VARIANCES),
        points=draw(st.integers(1, 3)),
        epochs=draw(st.integers(1, 3)),
        objective=draw(st.sampled_from(sorted(OBJECTIVES))),
        likelihood_share=draw(st.sampled_from([0.0, 0.5, 1.0])),
        optimizer=draw(st.sampled_from(sorted(OPTIMIZERS))),
        policy=draw(st.sampled_from(sorted(POLICIES))),
        momentum=draw(st.sampled_from([0.0, 0.3, 0.999])),
        dtype=draw(st.sampled_from(["float32", "float64"])),
        **{name: draw(RATES) for name in ("lr_mu", "lr_cov", "lr_nn")},
    )


def finished(config, data=None):
    run = Run(config, data)
    run.advance(run.total)
    return run


@pytest.mark.parametrize("key", PARAMETERIZATIONS)
@OFTEN
@given(changes=settings_of())
def test_a_run_with_extreme_numbers_ends_in_a_named_outcome_with_finite_charts(key, changes):
    run = finished(RunConfig(**changes, parameterization=key))
    assert run.outcome in Outcome
    assert (run.outcome is Outcome.NOT_LEARNED) == (run.reason is not None)
    assert not_finite(run) == []
    json.dumps(report(run), allow_nan=False)


@pytest.mark.parametrize("key", PARAMETERIZATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_identical_points_end_in_a_named_outcome_with_finite_charts(key, dtype):
    same = Trials(np.full((4, 2), 0.25), np.array([0, 0, 1, 1]), np.tile(np.arange(4), 20))
    run = finished(RunConfig(parameterization=key, dtype=dtype, policy="skip"), same)
    assert run.outcome in Outcome
    assert not_finite(run) == []


@pytest.mark.parametrize("url", ["start_var", "vx1", "vy2"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_variance_below_what_charts_can_hold_is_told_why_in_both_number_formats(url, dtype):
    (problem,) = read({url: "1e-300", "dtype": dtype, "c1": "0", "c2": "0"})[1]
    assert problem.fault == "'1e-300' is not a number from 1.18e-38, the smallest normal float32, to 1e+06"
    assert problem.remedy == "1.18e-38 is used"
    assert np.float32(limits.VARIANCE.low) == np.finfo(np.float32).tiny


@pytest.mark.parametrize("key", PARAMETERIZATIONS)
def test_a_rate_of_0_changes_nothing_and_fails_nowhere(key):
    run = finished(RunConfig(parameterization=key, lr_mu=0, lr_cov=0, lr_nn=0, momentum=0.999, points=2, epochs=3))
    assert run.outcome is Outcome.NOT_LEARNED
    np.testing.assert_array_equal(run.history.column("means")[0], run.frame().means)
    assert not_finite(run) == []


def test_the_first_2_000_trials_of_the_longest_run_keep_few_records_and_their_charts_are_finite():
    run = Run(RunConfig(points=1, epochs=int(limits.EPOCHS.high), lr_cov=1e-5))
    run.advance(2_000)
    assert run.total == limits.TRIALS
    assert len(run.history) - EARLY <= RECORDS * 2_000 / run.total + 2
    assert not_finite(run) == []


@pytest.mark.parametrize("key", ["covariance", "tril", "affine-invariant"])
def test_a_map_of_the_highest_and_lowest_rates_has_named_outcomes_and_a_finite_picture(key):
    ends = (0.0, 5e-324, 1e-3, limits.RATE.high)
    config = RunConfig(parameterization=key, points=2, epochs=1)
    found = sweep(StabilityMap.empty(config, Axis("lr_cov", ends), Axis("lr_mu", ends), range(2)))
    assert found.complete
    json.dumps(map_charts.stability(found, config), allow_nan=False)


def test_a_batch_whose_runs_have_all_stopped_does_not_go_on():
    asked = []
    run_batch([RunConfig(points=1, epochs=int(limits.EPOCHS.high), lr_cov=limits.RATE.high)], asked.append)
    assert len(asked) < 10


def not_finite(run):
    """Return the tables of the page's charts with a number that is none, by the names of table and column."""
    names = tuple(f"Category {k + 1}" for k in range(run.config.categories))
    frame, truth = run.frame(), run.truth
    everywhere = np.ones(len(names), dtype=bool)
    box = box_of(run)
    found = {
        "points": tables.points(run.data, names),
        "truth": tables.ellipses(truth.means, truth.scale_trils, everywhere, names),
        "model": tables.ellipses(frame.means, frame.scale_trils, frame.valid, names),
        "boundary": tables.boundary(run.decide, box),
        "path": tables.path(run.history, frame, names),
        "trial": tables.trial(frame, names),
        "failures": tables.failures(run.history.failures, run.stopped),
    }
    for row in CURVES:
        found[f"{row.title} curve {row.scale}"] = tables.curve(row, run.history, names)
        found[f"{row.title} reference {row.scale}"] = tables.reference(row, run, names)
        found[f"{row.title} edge"] = tables.edge(row, run.history, names)
        found[f"{row.title} span"] = tables.span(row, run)
    json.dumps([charts.data_panel(box, names), charts.model_panel(box, names)], allow_nan=False)
    return [f"{name}: {column}" for name, table in found.items() for column in lost(table, name.endswith(" log"))]


def box_of(run):
    spread = 2.5 * np.sqrt(run.truth.covariances.diagonal(axis1=1, axis2=2))
    means = run.truth.means
    return charts.Box.around(np.concatenate([means - spread, means + spread, run.config.start_means]))


def lost(stream, log):
    """Return the columns of numbers that are not all finite, or on a logarithmic scale not all positive."""
    table = pa.ipc.open_stream(stream).read_all()
    numbers = [name for name in table.column_names if pa.types.is_floating(table.schema.field(name).type)]
    least = {"value": 0.0 if log else -math.inf}
    arrays = {name: table[name].to_numpy() for name in numbers}
    return [name for name, array in arrays.items() if not (np.isfinite(array) & (array > least.get(name, -math.inf))).all()]
