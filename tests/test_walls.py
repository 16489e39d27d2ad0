"""How far an update may go, against brute force."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.walls import likelihood_wall, line_search, room, room_of_update

CAN_FAIL = [key for key, row in PARAMETERIZATIONS.items() if row.guarantee in ("none", "exact")]
CLOSED_FORM = [key for key, row in PARAMETERIZATIONS.items() if hasattr(row.module, "room")]


def random_update(key, seed, size=2):
    """Return a parameterization, free numbers of three valid matrices and a direction, in float64."""
    generator = torch.Generator().manual_seed(seed)
    row = PARAMETERIZATIONS[key]
    square = torch.randn(3, size, size, dtype=torch.float64, generator=generator)
    raw = row.start(square @ square.mT + 0.05 * torch.eye(size, dtype=torch.float64))
    direction = torch.randn(raw.shape, dtype=torch.float64, generator=generator)
    return row, raw, (direction + direction.mT if row.feeds != "scale_tril" else direction)


def survives(row, raw, direction, rate):
    """Ask torch's own constraints about the matrices after the update, one by one."""
    matrix = row.matrix(row.retract(raw, -rate * direction))
    if row.feeds == "scale_tril":
        return torch.distributions.constraints.lower_cholesky.check(matrix)
    return torch.linalg.eigvalsh(matrix)[..., 0] > 0


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("key", CLOSED_FORM)
@pytest.mark.parametrize("seed", range(5))
def test_just_below_the_wall_every_update_survives(key, seed, size):
    row, raw, direction = random_update(key, seed, size)
    rate = room(row, raw, direction).clamp_max(1e6)
    assert survives(row, raw, direction, 0.999 * rate[:, None, None]).all()


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("key", CLOSED_FORM)
@pytest.mark.parametrize("seed", range(5))
def test_just_above_the_wall_no_update_survives(key, seed, size):
    row, raw, direction = random_update(key, seed, size)
    walled = room(row, raw, direction).isfinite()
    towards = torch.where(walled[:, None, None], direction, -direction)  # what grows the matrix one way shrinks it the other
    rate = room(row, raw, towards)
    assert rate.isfinite().all()
    assert not survives(row, raw, towards, 1.001 * rate[:, None, None]).any()


@pytest.mark.parametrize("key", CLOSED_FORM)
def test_a_direction_that_grows_the_matrix_has_no_wall(key):
    row, raw, _ = random_update(key, 0)
    assert room(row, raw, -raw).isinf().all()


@pytest.mark.parametrize("key", CLOSED_FORM)
@pytest.mark.parametrize("seed", range(5))
def test_the_line_search_finds_what_the_closed_form_says(key, seed):
    row, raw, direction = random_update(key, seed)
    exact, found = room(row, raw, direction), line_search(row, raw, direction)
    # its finer grid has 128 steps in an eighth of a decade, .23 % each
    assert found.numpy() == pytest.approx(exact.numpy(), rel=3e-3)


def test_the_line_search_finds_where_an_exponential_overflows():
    row = PARAMETERIZATIONS["log-cholesky"]
    raw, direction = torch.zeros(1, 2, 2), torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    # exp(-rate) becomes 0 in float32 once -rate < log(2^-150), half of the smallest number there is
    assert line_search(row, raw, direction).item() == pytest.approx(150 * np.log(2), rel=3e-3)


@pytest.mark.parametrize("key", [key for key in PARAMETERIZATIONS if key not in CAN_FAIL])
def test_what_cannot_fail_has_no_wall(key):
    row, raw, direction = random_update(key, 0)
    assert room(row, raw, 1e6 * direction).isinf().all()


@pytest.mark.parametrize(
    ("bad", "place"), [(float("nan"), (0, 0)), (float("nan"), (1, 0)), (float("inf"), (1, 1))], ids=["nan", "nan below", "inf"]
)
@pytest.mark.parametrize("key", CLOSED_FORM)
def test_where_the_direction_is_not_finite_no_rate_is_valid(key, bad, place):
    row, raw, direction = random_update(key, 0)
    i, j = place
    direction[:, i, j] = direction[:, j, i] = bad
    assert room(row, raw, direction).tolist() == [0, 0, 0]


def test_what_cannot_fail_but_by_overflow_has_the_room_up_to_it_once_it_has_failed():
    row = PARAMETERIZATIONS["softplus-cholesky"]
    raw, direction = torch.zeros(2, 2, 2), torch.tensor([[[0.0, 0.0], [float("nan"), 0.0]], [[0.0, 0.0], [1.0, 0.0]]])
    found = room_of_update(row, raw, direction, 1e-3, torch.tensor([True, False]))
    assert found.tolist() == [0, float("inf")]


def test_a_broken_update_had_at_most_the_room_of_its_rate_however_the_closed_form_rounds():
    row, raw, direction = random_update("covariance", 0)
    exact = room(row, raw, direction)
    walled = exact.isfinite()
    found = room_of_update(row, raw, direction, 1e-9, walled)
    assert found[walled].tolist() == [1e-9] * int(walled.sum())
    assert torch.equal(room_of_update(row, raw, direction, 1e-9, ~walled)[walled], exact[walled])


@pytest.mark.parametrize("key", CAN_FAIL)
def test_every_lane_of_a_batch_has_the_room_it_has_alone(key):
    row, raw, direction = random_update(key, 1)
    together = room(row, raw, direction)
    alone = torch.stack([room(row, raw[k : k + 1], direction[k : k + 1])[0] for k in range(3)])
    assert together.numpy() == pytest.approx(alone.numpy(), rel=1e-9)


numbers = st.floats(-3, 3, allow_nan=False)


@st.composite
def covariances(draw):
    """Covariance matrices with a condition number up to about 1e4."""
    angle, first, second = draw(st.floats(0, np.pi)), draw(st.floats(0.01, 1)), draw(st.floats(0.01, 1))
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return axes @ np.diag([first**2, second**2]) @ axes.T


def likelihood_gradient(covariance, deviation):
    v = np.linalg.solve(covariance, deviation)
    return (np.linalg.inv(covariance) - np.outer(v, v)) / 2


@settings(deadline=None)
@given(covariances(), numbers, numbers)
def test_below_two_smallest_eigenvalues_squared_one_likelihood_step_survives_every_point(covariance, x, y):
    smallest = np.linalg.eigvalsh(covariance)[0]
    rate = 0.999 * likelihood_wall(torch.tensor(smallest)).item()
    stepped = covariance - rate * likelihood_gradient(covariance, np.array([x, y]))
    assert np.linalg.eigvalsh(stepped)[0] > 0


@settings(deadline=None)
@given(covariances())
def test_above_it_a_point_at_the_mean_breaks_the_matrix(covariance):
    smallest = np.linalg.eigvalsh(covariance)[0]
    rate = 1.001 * likelihood_wall(torch.tensor(smallest)).item()
    stepped = covariance - rate * likelihood_gradient(covariance, np.zeros(2))
    assert np.linalg.eigvalsh(stepped)[0] < 0


def test_the_second_category_of_the_question_has_its_wall_at_an_eightieth_of_a_thousandth():
    covariance = np.array([[0.0125, 0.005], [0.005, 0.005]])
    smallest = torch.tensor(np.linalg.eigvalsh(covariance)[0])
    assert likelihood_wall(smallest).item() == pytest.approx(1.25e-5)
