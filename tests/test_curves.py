import numpy as np
import pytest
from scipy.signal import lfilter

from covdemo.curves import CURVES, FIRST, SMOOTHING, smoothed


def test_at_every_trial_smoothing_is_an_exponential_filter():
    values, decay = np.random.default_rng(0).normal(size=300), np.exp(-1 / SMOOTHING)
    expected = lfilter([1], [1, -decay], values) / lfilter([1], [1, -decay], np.ones(300))
    np.testing.assert_allclose(smoothed(values, np.arange(1.0, 301)), expected, rtol=1e-12)


def test_what_is_farther_apart_counts_less():
    near, far = (smoothed(np.array([0.0, 1.0]), np.array([0.0, apart]))[1] for apart in (1, SMOOTHING))
    assert near == pytest.approx(1 / (1 + np.exp(-1 / SMOOTHING)))
    assert far == pytest.approx(1 / (1 + np.exp(-1)))


def test_what_is_no_number_has_no_weight():
    found = smoothed(np.array([np.nan, 2.0, np.inf, 2.0]), np.arange(4.0))
    np.testing.assert_allclose(found, [np.nan, 2, 2, 2])


def test_every_curve_is_there_and_the_first_ones_fit_a_row():
    named = {"loss", "accuracy", "eigenvalue", "room", "kl", "condition", "gradient", "underflow"}
    assert {row.name for row in CURVES} == named
    assert len(FIRST) == 5
