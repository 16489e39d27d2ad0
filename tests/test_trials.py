import io
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from covdemo import limits
from covdemo.config import RunConfig
from covdemo.trials import DISTRIBUTIONS, Trials, defuse, draw, read_csv, read_npz, to_csv

CONFIG = RunConfig()
ONCE = RunConfig(epochs=1)


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    return file


def test_data_are_drawn_category_by_category():
    data = draw(CONFIG)
    assert (data.x.shape, data.label.tolist(), data.categories) == ((400, 2), [0] * 200 + [1] * 200, 2)


def test_one_generator_draws_the_points_of_all_categories_in_turn():
    z = np.random.default_rng([7, 0]).standard_normal((400, 2))
    factor = np.linalg.cholesky(CONFIG.true_covariances[1])
    expected = CONFIG.true_means[1] + z[200:] @ factor.T
    np.testing.assert_allclose(draw(RunConfig(seed=7)).x[200:], expected, rtol=0, atol=1e-15)  # rounding of the product


def test_each_epoch_shows_each_point_once_in_an_order_of_its_own():
    order = draw(CONFIG).order.reshape(5, 400)
    np.testing.assert_array_equal(np.sort(order), np.tile(np.arange(400), (5, 1)))
    assert len(np.unique(order, axis=0)) == 5


def test_the_order_comes_from_a_generator_of_its_own():
    generator = np.random.default_rng([3, 1])
    expected = np.concatenate([generator.permutation(400) for _ in range(5)])
    np.testing.assert_array_equal(draw(RunConfig(seed=3)).order, expected)


def test_equal_configs_draw_equal_data():
    first, second = draw(CONFIG), draw(RunConfig())
    assert first.x.tobytes() + first.order.tobytes() == second.x.tobytes() + second.order.tobytes()


def test_another_seed_draws_other_data():
    assert not np.isin(draw(CONFIG).x, draw(RunConfig(seed=1)).x).any()


def test_learning_rates_do_not_change_the_data():
    np.testing.assert_array_equal(draw(CONFIG).x, draw(RunConfig(lr_cov=1.0)).x)


def test_many_points_have_the_mean_and_covariance_of_their_distribution():
    data = draw(RunConfig(points=5000))
    own = data.x[data.label == 1]
    # five standard errors of 5,000 points
    np.testing.assert_allclose(own.mean(0), CONFIG.true_means[1], atol=5 * math.sqrt(0.0125 / 5000))
    np.testing.assert_allclose(np.cov(own.T), CONFIG.true_covariances[1], atol=5 * 0.0125 * math.sqrt(2 / 5000))


@pytest.mark.parametrize("correlation", [limits.CORRELATION, -limits.CORRELATION])
@pytest.mark.parametrize("variance", [limits.VARIANCE.low, limits.VARIANCE.high])
def test_data_at_the_limits_are_finite(variance, correlation):
    bound = limits.covariance_bound(variance, 1.0)
    config = RunConfig(var_x=(variance,) * 2, var_y=(1.0,) * 2, cov_xy=(correlation * bound,) * 2)
    assert np.isfinite(draw(config).x).all()


@pytest.mark.parametrize(("trial", "epoch"), [(0, 0), (399, 0), (400, 1), (1999, 4)])
def test_a_trial_belongs_to_an_epoch(trial, epoch):
    assert draw(CONFIG).epoch(trial) == epoch


def test_the_forum_distributions_are_among_the_named_ones():
    np.testing.assert_array_equal(RunConfig(**DISTRIBUTIONS["forum"]).true_covariances, CONFIG.true_covariances)


def test_npz_gives_back_what_was_saved():
    data = draw(CONFIG)
    read = read_npz(npz(x=data.x, label=data.label, order=data.order), CONFIG)
    np.testing.assert_array_equal(read.x, data.x)
    np.testing.assert_array_equal(read.label, data.label)
    np.testing.assert_array_equal(read.order, data.order)


def test_npz_without_an_order_gets_that_of_the_config():
    data = draw(CONFIG)
    np.testing.assert_array_equal(read_npz(npz(x=data.x, label=data.label), CONFIG).order, data.order)


X, LABEL = np.zeros((2, 2)), np.array([0, 1])


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({}, "expected arrays x and label, got none"),
        ({"x": X}, "expected arrays x and label, got x"),
        ({"x": np.zeros(2), "label": LABEL}, r"shape \[N, 2\]"),
        ({"x": np.zeros((2, 3)), "label": LABEL}, r"shape \[N, 2\]"),
        ({"x": np.zeros((0, 2)), "label": LABEL}, r"N > 0"),
        ({"x": np.full((2, 2), "a"), "label": LABEL}, "expected numbers"),
        ({"x": np.full((2, 2), np.nan), "label": LABEL}, "NaN"),
        ({"x": np.full((2, 2), -(2**63)), "label": LABEL}, "larger"),
        ({"x": X, "label": np.array([0.0, 1.0])}, "whole numbers"),
        ({"x": X, "label": np.array([0, 2])}, "expected numbers from 0 to 1, got 0 to 2"),
        ({"x": X, "label": np.array([-1, 0])}, "got -1 to 0"),
        ({"x": X, "label": np.array([0])}, "one for each of the 2 points, got 1"),
        ({"x": X, "label": LABEL, "order": np.array([2])}, "order: expected numbers from 0 to 1"),
        ({"x": X, "label": LABEL, "order": np.array([], dtype=int)}, "order"),
        ({"x": np.array([None]), "label": LABEL}, "cannot be read"),
    ],
)
def test_npz_that_does_not_fit_is_refused(arrays, words):
    with pytest.raises(ValueError, match=words):
        read_npz(npz(**arrays), CONFIG)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        read_npz(tmp_path / "no.npz", CONFIG)


def test_a_single_array_is_refused(tmp_path):
    np.save(tmp_path / "one.npy", X)
    with pytest.raises(ValueError, match="single array"):
        read_npz(tmp_path / "one.npy", CONFIG)


@given(st.binary() | st.binary().map(lambda tail: npz(x=X, label=LABEL).getvalue()[:-200] + tail))
def test_bytes_that_are_no_npz_are_refused(content):
    with pytest.raises(ValueError, match="cannot be read"):
        read_npz(io.BytesIO(content), CONFIG)


coordinates = st.floats(limits.MEAN.low, limits.MEAN.high)
names = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=limits.NAME)


@given(st.lists(names, min_size=2, max_size=5, unique=True), st.data())
def test_csv_that_was_written_is_read_back(categories, data):
    rows = data.draw(st.lists(st.tuples(coordinates, coordinates), min_size=len(categories), max_size=20))
    text = "".join(f"{x!r},{y!r},{categories[i % len(categories)]}\n" for i, (x, y) in enumerate(rows))
    first = read_csv(text, ONCE)
    second = read_csv(to_csv(first), ONCE)
    np.testing.assert_array_equal(first.x, rows)
    np.testing.assert_array_equal(second.x, first.x)
    np.testing.assert_array_equal(second.label, first.label)
    assert second.names == first.names


def test_drawn_data_are_read_back_from_csv():
    data = draw(CONFIG)
    read = read_csv(to_csv(data), CONFIG)
    np.testing.assert_array_equal(read.x, data.x)
    np.testing.assert_array_equal(read.label, data.label)
    np.testing.assert_array_equal(read.order, data.order)


@pytest.mark.parametrize(
    "table",
    [
        "1.5,2,a\n3,4,b\n",
        "x,y,category\n1.5,2,a\n3,4,b",
        "width,height,kind\n1.5,2,a\n3,4,b",
        "category,y,x\na,2,1.5\nb,4,3\n",
        "name,x,y,category,note\nq,1.5,2,a,\nr,3,4,b,seen\n",
        "1.5;2;a\n3;4;b\n",
        "1,5;2;a\n3;4;b\n",
        "1.5\t2\ta\n3\t4\tb\n",
        '"1.5","2","a"\r\n"3","4","b"\r\n',
        "\n1.5, 2, a\n\n ,,\n3, 4, b\n\n",
        b"\xef\xbb\xbfx,y,category\n1.5,2,a\n3,4,b\n",
        "1.5,2,a\n3,4,b\n".encode("utf-16"),
        "\ufeff1.5,2,a\n3,4,b\n",
        "1.5,2,a\r3,4,b\r",
    ],
)
def test_csv_may_be_written_in_many_ways(table):
    data = read_csv(table, ONCE)
    assert (data.x.tolist(), data.label.tolist(), data.names) == ([[1.5, 2], [3, 4]], [0, 1], ("a", "b"))


def test_numbered_categories_are_sorted_as_numbers():
    assert read_csv("0,0,10\n0,0,9\n0,0,nan\n", ONCE).names == ("9", "10", "nan")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "expected 2 to 5 categories in the third column, got 0"),
        ("x,y,category\n", "got 0"),
        ("1,2,a\n3,4,a\n", "got 1"),
        ("".join(f"1,2,{k}\n" for k in range(6)), "got 6"),
        ("1,2,a\n3,4\n", "line 2: expected x, y and category, got 2 cells"),
        ("1,2,a\n3,4,b,5\n", "line 2: expected x, y and category, got 4 cells"),
        ("x,y,category\n1,2,a\n\nthree,4,b\n", "line 4: expected for x a number from -1e6 to 1e6, got 'three'"),
        ("1,2,a\n3,nan,b\n", "line 2: expected for y a number"),
        ("nan,nan,a\n3,4,b\n", "line 1: expected for x a number"),
        (",,a\n3,4,b\n", "line 1: expected for x a number"),
        ("1,2,a\n3,1e7,b\n", "line 2: expected for y a number"),
        ("1,2,a\n=1+1,2,b\n", "line 2: expected for x a number"),
        ("1,2,a\n3,4,\n", "line 2: expected a category of 1 to 40 characters, got 0"),
        ("1,2,a\n3,4," + "b" * 41, "got 41"),
        ('1,2,a\n3,4,"b\n', "line 2 is not a row of a table"),
        ("1,2," + "b" * 200_000, "line 1 is not a row of a table"),
        (b"\x80\x81\xfe", "expected text in UTF-8"),
        (b"\xff\xfe\x00", "expected text in UTF-8"),
        (b"0" * 50_000_000, "expected at most 5 MB, got 50.0 MB"),
        ("1,2,a\n3,4,b\n" * 10_001, "expected at most 100,000 trials"),
    ],
    ids=range(20),
)
def test_csv_that_is_no_such_table_is_refused(table, words):
    with pytest.raises(ValueError, match=words):
        read_csv(table, CONFIG)


cells = st.sampled_from([",", ";", "\t", "\n", "\r", '"', "1", "-.5", "a", "nan", "\x00", "=", "\ufeff", "é"])


@given(st.binary() | st.text() | st.text(st.characters()) | st.lists(cells, max_size=40).map("".join))
def test_whatever_is_read_as_csv_ends_in_data_or_a_sentence(table):
    try_read = _outcome(table)
    assert isinstance(try_read, str) or np.isfinite(try_read.x).all()


def _outcome(table) -> Trials | str:
    try:
        return read_csv(table, ONCE)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_names_that_look_like_formulas_are_defused(cell):
    assert f"'{cell}" in to_csv(read_csv(f"1,2,{cell}\n1,2,b\n", ONCE))


@given(st.text())
def test_a_defused_cell_begins_with_no_formula(cell):
    assume(cell)
    assert defuse(cell)[0] not in "=+-@"
