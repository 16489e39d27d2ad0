import math

import numpy as np
import pyarrow as pa
import pytest

from covdemo import tables
from covdemo.charts import DEVIATIONS, Box
from covdemo.config import RunConfig
from covdemo.curves import CURVES
from covdemo.run import Run
from covdemo.trials import draw

NAMES = ("Category 1", "Category 2")
BY_TITLE = {row.title: row for row in CURVES}
EIGENVALUE, ROOM, ACCURACY = (BY_TITLE[title] for title in ("Smallest eigenvalue", "Room for lr_cov", "Accuracy"))
pytestmark = pytest.mark.xdist_group("tables")  # whose runs several tests look at


def read(stream):
    return pa.ipc.open_stream(stream).read_all().to_pydict()


@pytest.fixture(scope="module")
def fresh():
    return Run(RunConfig())


@pytest.fixture(scope="module")
def broken():
    run = Run(RunConfig())
    run.advance(run.total)
    assert run.stopped
    return run


@pytest.fixture(scope="module")
def learned():
    run = Run(RunConfig(parameterization="log-cholesky", epochs=2))
    run.advance(run.total)
    return run


def test_numbers_travel_in_single_precision_and_stay_finite():
    table = pa.ipc.open_stream(tables.stream(value=[1.0, 1e300, -1e300, math.nan])).read_all()
    assert table.schema.field("value").type == pa.float32()
    np.testing.assert_array_equal(np.isfinite(table["value"].to_numpy()), [True, True, True, False])


def test_all_points_of_the_forum_experiment_are_shown(fresh):
    assert len(read(tables.points(fresh.data, NAMES))["x"]) == 400


def test_of_many_points_a_part_of_each_category_is_shown():
    shown = read(tables.points(Run(RunConfig(points=5000, epochs=1)).data, NAMES))["category"]
    assert len(shown) <= tables.POINTS
    assert shown.count("Category 1") == shown.count("Category 2")


def test_an_ellipse_has_a_row_per_category_and_contour(fresh):
    frame = fresh.frame()
    rows = read(tables.ellipses(frame.means, frame.scale_trils, frame.valid, NAMES))
    assert rows["r"] == list(DEVIATIONS) * 2
    np.testing.assert_allclose(rows["l11"], math.sqrt(0.02), rtol=1e-6)
    assert set(rows["state"]) == {"valid"}


def test_a_distribution_that_broke_is_marked(broken):
    frame = broken.frame()
    rows = read(tables.ellipses(frame.means, frame.scale_trils, frame.valid, NAMES))
    failing = NAMES[broken.history.failures[0].category - 1]
    assert {name for name, state in zip(rows["category"], rows["state"], strict=True) if state == "broken"} == {failing}


def test_there_is_no_boundary_before_the_first_trial(fresh):
    assert read(tables.boundary(fresh.decide, Box(0, 0, 1)))["x"] == []


def test_both_answers_are_given_close_to_the_boundary(learned):
    rows = read(tables.boundary(learned.decide, Box(0, 0, 1)))
    around = 0.005 * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    near = np.stack([rows["x"], rows["y"]], axis=-1)[:, None] + around
    answers = learned.decide(near.reshape(-1, 2)).argmax(axis=1).reshape(-1, len(around))
    assert (answers.min(axis=1) < answers.max(axis=1)).all()


def test_the_path_ends_at_the_present_mean(learned):
    rows, means = read(tables.path(learned.history, learned.frame(), NAMES)), learned.frame().means
    np.testing.assert_allclose([rows["x"][-2:], rows["y"][-2:]], means.T, rtol=1e-6)
    assert len(rows["x"]) <= 2 * (tables.ROWS + 1)


def test_the_point_of_the_last_trial_is_shown_and_none_before_the_first(fresh, learned):
    assert read(tables.trial(fresh.frame(), NAMES))["x"] == []
    last = learned.data.x[learned.data.order[-1]]
    np.testing.assert_allclose([read(tables.trial(learned.frame(), NAMES))[axis][0] for axis in "xy"], last, rtol=1e-6)


@pytest.mark.parametrize("row", CURVES, ids=lambda row: row.title)
def test_curves_are_bounded_and_reach_from_the_start_to_the_end(row, learned):
    rows = read(tables.curve(row, learned.history, NAMES))
    assert len(rows["trial"]) <= 2 * tables.ROWS
    if rows["trial"]:
        assert max(rows["trial"]) == learned.total


@pytest.mark.parametrize("row", CURVES, ids=lambda row: row.title)
def test_everything_on_a_curve_lies_between_the_ends_of_its_axes_unless_they_are_cut(row, broken):
    rows = {name: values[0] for name, values in read(tables.span(row, broken)).items()}
    values = read(tables.curve(row, broken.history, NAMES))["value"]
    assert rows["low"] <= min(values)
    assert max(values) <= rows["high"] or row.above < math.inf


@pytest.mark.parametrize("row", CURVES, ids=lambda row: row.title)
def test_axes_have_finite_ends_before_the_first_trial(row, fresh):
    rows = {name: values[0] for name, values in read(tables.span(row, fresh)).items()}
    assert rows["low"] < rows["high"] < math.inf
    assert (rows["first"], rows["last"]) == (0, fresh.total)


def test_an_eigenvalue_below_zero_is_a_mark_at_the_failing_trial(broken):
    failure = broken.history.failures[0]
    rows = read(tables.edge(EIGENVALUE, broken.history, NAMES))
    assert rows == {"trial": [failure.trial], "category": [NAMES[failure.category - 1]]}


def test_the_room_of_the_failing_trial_is_below_the_learning_rate(broken):
    rows = read(tables.curve(ROOM, broken.history, NAMES))
    assert min(rows["value"]) < broken.config.lr_cov
    assert read(tables.reference(ROOM, broken, NAMES)) == {"value": [np.float32(1e-3)], "category": [""]}


def test_where_records_are_left_out_the_smallest_room_stays():
    run = Run(RunConfig(parameterization="tril", lr_cov=1e-4))
    run.advance(run.total)
    smallest = np.nanmin(run.history.column("room"))
    assert len(run.history) > tables.ROWS
    np.testing.assert_allclose(min(read(tables.curve(ROOM, run.history, NAMES))["value"]), smallest, rtol=1e-6)


def test_the_eigenvalues_of_the_true_distributions_are_the_reference(fresh):
    rows = read(tables.reference(EIGENVALUE, fresh, NAMES))
    np.testing.assert_allclose(rows["value"], np.linalg.eigvalsh(fresh.truth.covariances)[:, 0], rtol=1e-6)


def test_the_failure_that_ended_the_run_is_told_from_those_that_did_not(broken):
    failures = broken.history.failures
    assert read(tables.failures(failures, stopped=True)) == {"trial": [failures[0].trial], "fatal": [True]}
    assert read(tables.failures(failures * 3, stopped=False))["fatal"] == [False] * 3
    assert read(tables.failures([], stopped=False)) == {"trial": [], "fatal": []}


def test_a_long_name_of_a_category_is_sent_once_and_not_with_every_row():
    data = draw(RunConfig())
    short, long = (len(tables.points(data, (name, "other"))) for name in ("x", 40 * "x"))
    assert long - short < 100
