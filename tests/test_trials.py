import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from covdemo import limits
from covdemo.config import RunConfig
from covdemo.trials import DISTRIBUTIONS, Trials, draw, read_npz, to_csv

CONFIG = RunConfig()


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


def test_csv_has_a_header_and_all_digits():
    data = draw(RunConfig(points=1))
    (x1, y1), (x2, y2) = data.x.tolist()
    assert to_csv(data) == f"x,y,category\r\n{x1!r},{y1!r},1\r\n{x2!r},{y2!r},2\r\n"


def test_names_that_look_like_formulas_are_defused():
    data = Trials(X, LABEL, LABEL, ("=1+1", "b"))
    assert "0.0,0.0,'=1+1\r\n" in to_csv(data)
