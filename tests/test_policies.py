"""Each policy, walked through with numbers that can be checked by hand.

One category in one dimension with variance .02 and a data point at its mean: the likelihood's gradient is 1 / (2 * .02) = 25,
so that a rate of .001 moves the variance to .02 - .025 = -.005.
"""

import numpy as np
import pytest
import torch

from covdemo.gaussians import FEEDS
from covdemo.learner import OBJECTIVES
from covdemo.optimizers import OPTIMIZERS
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.parameters import Parameters, move, valid
from covdemo.policies import POLICIES, Update
from covdemo.trainer import Rates, Trainer, Trial


def one_step(policy, rates=(0.001,), parameterization="covariance", x=0.0, momentum=0.0):
    """Return the state before and after one trial and what was observed, one replica per rate, in float64."""
    numbers = torch.tensor(rates, dtype=torch.float64)
    trainer = Trainer(
        PARAMETERIZATIONS[parameterization],
        OBJECTIVES["likelihood"],
        OPTIMIZERS["sgd"],
        POLICIES[policy],
        Rates(torch.zeros_like(numbers), numbers, torch.zeros_like(numbers), torch.full_like(numbers, momentum)),
    )
    state = trainer.init(torch.zeros(1, 1, dtype=torch.float64), torch.full((1, 1, 1), 0.02, dtype=torch.float64))
    points = torch.full((len(rates), 1), x, dtype=torch.float64)
    return state, *trainer.step(state, Trial(points, torch.zeros(len(rates), dtype=torch.long)))


def variance(state, replica=0):
    return state.parameters.raw[replica, 0, 0, 0].item()


def test_the_example_is_an_update_to_minus_five_thousandths():
    _, _, info = one_step("stop")
    assert info.candidate.raw.item() == pytest.approx(-0.005, abs=1e-15)


def test_stop_ends_the_replica_at_its_last_valid_parameters():
    _, after, _ = one_step("stop")
    assert (variance(after), after.alive.tolist()) == (0.02, [False])


def test_skip_goes_on_from_the_parameters_before_the_update():
    _, after, _ = one_step("skip")
    assert (variance(after), after.alive.tolist()) == (0.02, [True])


def test_skip_keeps_the_momentum_as_it_was():
    before, after, _ = one_step("skip", momentum=0.9)
    assert torch.equal(after.slots[1][0], before.slots[1][0])


def test_jitter_adds_the_smallest_rung_that_makes_the_matrix_valid():
    _, after, info = one_step("jitter")
    # -.005 + .001 is still negative, -.005 + .01 is not
    assert (variance(after), info.amount.item()) == (pytest.approx(0.005, abs=1e-15), 0.01)


def test_project_raises_the_smallest_eigenvalue_to_the_floor():
    _, after, info = one_step("project")
    assert (variance(after), info.amount.item()) == (pytest.approx(1e-6), pytest.approx(0.005001))


def test_backtrack_halves_the_step_until_it_is_valid():
    _, after, info = one_step("backtrack", rates=(0.002,))
    # .02 - .05 and .02 - .025 are negative, .02 - .0125 is not
    assert (variance(after), info.amount.item()) == (pytest.approx(0.0075, abs=1e-15), 2)


@pytest.mark.parametrize("policy", [key for key, row in POLICIES.items() if row.repair])
def test_a_repaired_replica_lives_on(policy):
    _, after, _ = one_step(policy)
    assert after.alive.tolist() == [True]


@pytest.mark.parametrize("policy", [key for key, row in POLICIES.items() if row.repair])
def test_a_repair_of_one_replica_leaves_its_neighbours_as_they_would_be_alone(policy):
    _, together, _ = one_step(policy, rates=(1e-5, 0.001, 2e-5))
    alone = [variance(one_step(policy, rates=(rate,))[1]) for rate in (1e-5, 0.001, 2e-5)]
    assert [variance(together, replica) for replica in range(3)] == alone


@pytest.mark.parametrize("policy", [key for key, row in POLICIES.items() if row.repair])
def test_an_update_that_nothing_can_repair_ends_the_replica_at_its_last_valid_parameters(policy):
    _, after, _ = one_step(policy, x=float("nan"))
    assert (variance(after), after.alive.tolist()) == (0.02, [False])


@pytest.mark.parametrize("policy", ["jitter", "project"])
def test_repairs_work_on_the_diagonal_of_a_cholesky_factor_too(policy):
    # gradient 1 / L = 7.07 at L = .1414: a rate of .03 moves it to -.0707
    _, after, info = one_step(policy, rates=(0.03,), parameterization="tril")
    expected = {"jitter": 2**0.5 / 10 - 0.03 * 5 * 2**0.5 + 0.1, "project": 1e-6}[policy]
    assert (variance(after), info.ok.item()) == (pytest.approx(expected), False)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_valid_update_is_made_whatever_the_policy(policy):
    _, after, info = one_step(policy, rates=(1e-4,))
    assert (variance(after), info.amount.item()) == (pytest.approx(0.0175, abs=1e-15), 0)


@pytest.mark.parametrize("row", POLICIES.values(), ids=POLICIES)
def test_the_log_says_what_was_done(row):
    assert row.told("scale_tril", 0.01).strip(" .")


# In the plane, with axes u = (.6, .8) and v = (-.8, .6): -.3 u u' + .5 v v'; then upright, and a matrix that is valid.
PLANE = [[[0.212, -0.384], [-0.384, -0.012]], [[-0.005, 0.0], [0.0, 1.0]], [[2.0, 0.5], [0.5, 1.0]]]
REPAIRED = {
    "project": ([[0.32 + 0.36e-6, -0.24 + 0.48e-6], [-0.24 + 0.48e-6, 0.18 + 0.64e-6]], [[1e-6, 0.0], [0.0, 1.0]]),
    "jitter": ([[1.212, -0.384], [-0.384, 0.988]], [[0.005, 0.0], [0.0, 1.01]]),
}
AMOUNTS = {"project": [0.300001, 0.005001, 0], "jitter": [1, 0.01, 0]}


def repaired(policy, matrices, parameterization="covariance", dtype=torch.float64):
    """Return what a policy makes of an update to these matrices, ``[B, K, D, D]``, and the amounts."""
    row, raw = PARAMETERIZATIONS[parameterization], torch.tensor(matrices, dtype=dtype)
    means = raw.new_zeros(raw.shape[:-1])
    candidate = Parameters(means, raw, means)
    found, amount = POLICIES[policy].repair(Update(row, candidate, candidate, candidate, valid(row, candidate)))
    return found, amount, valid(row, found)


@pytest.mark.parametrize("policy", REPAIRED)
def test_in_the_plane_each_matrix_gets_the_repair_that_it_needs_and_the_valid_one_none(policy):
    found, amount, _ = repaired(policy, [PLANE])
    assert found.raw[0].numpy() == pytest.approx(np.array([*REPAIRED[policy], PLANE[2]]), abs=1e-14)
    assert amount[0].tolist() == pytest.approx(AMOUNTS[policy], abs=1e-14)


@pytest.mark.parametrize("largest", [1.0, 100.0, 1e8])
@pytest.mark.parametrize("key", ["covariance", "precision"])
def test_a_projected_matrix_is_valid_in_float32_too_whatever_its_largest_eigenvalue(key, largest):
    angle = torch.linspace(0, 6.28, 300)
    u, v = torch.stack([angle.cos(), angle.sin()], -1), torch.stack([-angle.sin(), angle.cos()], -1)
    matrix = largest * u[:, :, None] * u[:, None] - 0.01 * v[:, :, None] * v[:, None]
    _, _, ok = repaired("project", matrix[:, None].tolist(), key, torch.float32)
    assert ok.all()


def test_the_log_speaks_of_what_was_raised():
    told = {feeds: POLICIES["project"].told(feeds, 0.25) for feeds in FEEDS}
    assert told == {
        "covariance_matrix": "smallest eigenvalue raised by 0.25",
        "precision_matrix": "smallest eigenvalue raised by 0.25",
        "scale_tril": "smallest diagonal entry of L raised by 0.25",
    }


NUMBERS = torch.tensor([0.0, 0.0, 0.0, 1.0, -1.0, 1e-30, 100.0, 3e38, -3e38, float("inf"), float("-inf"), float("nan")])


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("key", PARAMETERIZATIONS)
@pytest.mark.parametrize("policy", [key for key, row in POLICIES.items() if row.repair])
def test_no_repair_raises_or_loses_count_whatever_the_step(policy, key, size):
    row, generator = PARAMETERIZATIONS[key], torch.Generator().manual_seed(0)
    raw = row.start(0.02 * torch.eye(size).expand(200, 2, size, size))
    step = NUMBERS[torch.randint(len(NUMBERS), raw.shape, generator=generator)]
    means = torch.zeros(200, 2, size)
    before, steps = Parameters(means, raw, means), Parameters(means, step, means)
    candidate = move(row, before, steps)
    found, amount = POLICIES[policy].repair(Update(row, before, steps, candidate, valid(row, candidate)))
    assert (found.raw.shape, amount.shape, amount.isfinite().all().item()) == (raw.shape, (200, 2), True)


@pytest.mark.parametrize("key", ["covariance", "matrix-exponential", "spectral", "factor"])
def test_jitter_cannot_make_numbers_of_what_is_not_a_number(key):
    _, after, _ = one_step("jitter", rates=(float("nan"), 1e-5), parameterization=key)
    assert after.alive.tolist() == [False, True]
