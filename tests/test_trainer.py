"""The step over B replicas: against the loop a PyTorch user writes, against itself one replica at a time, and by hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from textbook import WAYS, textbook_loop
from torch.distributions import MultivariateNormal
from torch.nn import functional

from covdemo.learner import OBJECTIVES
from covdemo.optimizers import OPTIMIZERS
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.policies import POLICIES
from covdemo.trainer import Rates, Trainer, Trial

SIZES = [1, 2, 3, 5, 10]
TRIALS = 30
CALM = (0.002, 1e-5, 0.1, 0.3)  # learning rates and momentum at which nothing fails


def build(rows, key="covariance", policy="stop", objective="cross-entropy", optimizer="sgd", dtype=torch.float64, device="cpu"):
    """Return a trainer with one replica per row (lr_mu, lr_cov, lr_nn, momentum) of ``rows``."""
    rates = Rates(*torch.tensor(rows, dtype=dtype, device=device).unbind(-1))
    return Trainer(PARAMETERIZATIONS[key], OBJECTIVES[objective], OPTIMIZERS[optimizer], POLICIES[policy], rates)


def data(replicas, categories, size, dtype=torch.float64, device="cpu", trials=TRIALS):
    """Return starts and, for each trial, a point and a label per replica."""
    generator = torch.Generator().manual_seed(size + 100 * categories)
    means = 0.3 * torch.randn(categories, size, dtype=torch.float64, generator=generator)
    covariances = 0.2 * torch.eye(size, dtype=torch.float64).expand(categories, size, size)
    points = 0.5 * torch.randn(trials, replicas, size, dtype=torch.float64, generator=generator)
    labels = torch.randint(categories, (trials, replicas), generator=generator)
    start = (means.to(device, dtype), covariances.to(device, dtype))
    return start, [Trial(x.to(device, dtype), label.to(device)) for x, label in zip(points, labels, strict=True)]


def train(trainer, start, trials):
    """Return the last state and what was observed in each trial."""
    state, seen = trainer.init(*start), []
    for trial in trials:
        state, info = trainer.step(state, trial)
        seen.append(info)
    return state, seen


def numbers(tensor):
    return tensor.detach().cpu().numpy()


@pytest.mark.parametrize("key", WAYS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("categories", [2, 3, 5])
def test_any_number_of_categories_and_dimensions_goes_where_the_loop_goes(categories, size, key, device):
    start, trials = data(1, categories, size, device=device)
    state, _ = train(build([CALM], key, device=device), start, trials)
    x, label = torch.cat([trial.x for trial in trials]).cpu(), torch.cat([trial.label for trial in trials]).cpu()
    other = textbook_loop(key, x, label, start[0].cpu(), start[1].cpu(), CALM[:3], CALM[3])
    assert other.trials == TRIALS
    for mine, theirs in zip(state.parameters, (other.means, other.raw, other.readout), strict=True):
        # float64 keeps 16 digits; thirty trials of small algebra lose a few
        assert numbers(mine[0]) == pytest.approx(numbers(theirs), rel=1e-9, abs=1e-12)


DIFFERENT = [CALM, (0.01, 1e-4, 0.02, 0.9), (0.0, 2e-5, 0.3, 0.0)]


@pytest.mark.parametrize("key", PARAMETERIZATIONS)
@pytest.mark.parametrize("size", SIZES)
def test_replicas_with_rates_and_data_of_their_own_go_where_they_go_alone(size, key, device):
    start, trials = data(3, 2, size, device=device, trials=10)
    together, _ = train(build(DIFFERENT, key, device=device), start, trials)
    for replica, rates in enumerate(DIFFERENT):
        own = [Trial(*(part[replica : replica + 1] for part in trial)) for trial in trials]
        alone, _ = train(build([rates], key, device=device), start, own)
        for mine, theirs in zip(together.parameters, alone.parameters, strict=True):
            # element-wise functions may round differently in vector lanes and alone
            assert numbers(mine[replica]) == pytest.approx(numbers(theirs[0]), rel=1e-10, abs=1e-13)


@settings(max_examples=25)
@given(st.permutations(range(5)))
def test_the_order_of_the_replicas_does_not_matter(order):
    rates = [(0.002 * k, 1e-5 * k, 0.1, 0.1 * k) for k in range(5)]
    start, trials = data(5, 2, 2, trials=5)
    plain, _ = train(build(rates), start, trials)
    moved = [Trial(*(part[list(order)] for part in trial)) for trial in trials]
    permuted, _ = train(build([rates[k] for k in order]), start, moved)
    assert numbers(permuted.parameters.raw) == pytest.approx(numbers(plain.parameters.raw[list(order)]), rel=1e-12)


def fates(policy, key, middle, poison=0.0, dtype=torch.float32):
    """Return the end of three replicas, of which the one in the middle has a rate and perhaps a point of its own."""
    start, trials = data(3, 2, 2, dtype)
    trials[7] = trials[7]._replace(x=trials[7].x + torch.tensor([[0.0], [poison], [0.0]], dtype=dtype))
    return train(build([CALM, (0.002, middle, 0.1, 0.3), CALM], key, policy, dtype=dtype), start, trials)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("key", ["covariance", "tril", "precision", "log-cholesky"])
@pytest.mark.parametrize("poison", [0.0, float("nan"), float("inf")], ids=["high rate", "not a number", "infinite"])
def test_a_failing_replica_leaves_its_neighbours_bit_equal(poison, key, policy):
    calm, _ = fates(policy, key, 1e-5)
    state, seen = fates(policy, key, 1e6, poison)
    assert torch.stack([info.failed for info in seen]).any(0).tolist() == [False, True, False]
    assert state.alive[[0, 2]].all()
    for mine, theirs in zip((*state.parameters, *sum(state.slots, ())), (*calm.parameters, *sum(calm.slots, ())), strict=True):
        assert torch.equal(mine[[0, 2]], theirs[[0, 2]])


@pytest.mark.parametrize("key", ["covariance", "tril", "precision", "log-cholesky"])
def test_a_stopped_replica_keeps_its_last_valid_parameters_for_good(key):
    state, seen = fates("stop", key, 1e6)
    broke = next(trial for trial, info in enumerate(seen) if info.failed[1])
    start, trials = data(3, 2, 2, torch.float32)
    before, _ = train(build([CALM, (0.002, 1e6, 0.1, 0.3), CALM], key, dtype=torch.float32), start, trials[:broke])
    assert state.alive.tolist() == [True, False, True]
    for mine, theirs in zip(state.parameters, before.parameters, strict=True):
        assert torch.equal(mine[1], theirs[1])


def test_a_stopped_replica_fails_once():
    _, seen = fates("stop", "covariance", 1e6)
    assert sum(int(info.failed[1]) for info in seen) == 1


def test_the_mask_names_the_category_that_broke():
    start, _ = data(1, 3, 2)
    trainer = build([(0.0, 1e3, 0.0, 0.0)], objective="likelihood")
    _, info = trainer.step(trainer.init(*start), Trial(start[0][1:2], torch.tensor([1])))  # a point at the second mean
    assert (info.ok.tolist(), info.failed.tolist()) == ([[True, False, True]], [True])


def walk(policy, momentum):
    """Return the variance after each trial: one category in one dimension, rate .001, points at 0, then at .2, then at 0.

    The likelihood's gradient is (1 / var - (x / var)^2) / 2: 25 at (.02, 0), -25 at (.02, .2).
    """
    trainer = build([(0.0, 0.001, 0.0, momentum)], policy=policy, objective="likelihood")
    state = trainer.init(torch.zeros(1, 1).double(), torch.full((1, 1, 1), 0.02, dtype=torch.float64))
    variances = []
    for x in (0.0, 0.2, 0.0):
        state, _ = trainer.step(state, Trial(torch.tensor([[x]], dtype=torch.float64), torch.zeros(1, dtype=torch.long)))
        variances.append(state.parameters.raw.item())
    return variances


def test_skipping_leaves_out_the_update_that_fails_and_makes_the_others():
    # .02 - .025 is negative: skipped; .02 + .025 = .045; .045 - .001 / (2 * .045) = .033888...
    assert walk("skip", 0.0) == pytest.approx([0.02, 0.045, 0.045 - 0.001 / 0.09], abs=1e-15)


def test_skipping_forgets_the_velocity_of_the_update_that_it_left_out():
    # the second update has velocity -25 and not -25 + .5 * 25; the third .5 * -25 + 1 / (2 * .045)
    assert walk("skip", 0.5) == pytest.approx([0.02, 0.045, 0.045 + 0.0125 - 0.001 / 0.09], abs=1e-15)


def test_stopping_makes_no_update_after_the_one_that_fails():
    assert walk("stop", 0.0) == [0.02, 0.02, 0.02]


def test_one_step_of_likelihood_by_hand():
    """Mean 1, variance 4, point 3: v = (3 - 1) / 4 = .5; the mean moves by lr v, the variance by lr (v^2 - 1 / 4) / 2 = 0."""
    trainer = build([(0.1, 0.1, 0.1, 0.9), (0.2, 0.2, 0.2, 0.9)], objective="likelihood")
    state = trainer.init(torch.ones(1, 1).double(), torch.full((1, 1, 1), 4.0).double())
    state, _ = trainer.step(state, Trial(torch.full((2, 1), 3.0).double(), torch.zeros(2, dtype=torch.long)))
    assert state.parameters.means.flatten().tolist() == pytest.approx([1.05, 1.1], abs=1e-15)
    assert state.parameters.raw.flatten().tolist() == pytest.approx([4.0, 4.0], abs=1e-15)


@pytest.mark.parametrize("rate", range(3), ids=["means", "raw", "readout"])
def test_a_learning_rate_moves_its_own_parameters_only(rate):
    start, trials = data(1, 2, 2, trials=3)
    rates = (*(0.01 if k in (rate, 2) else 0.0 for k in range(3)), 0.0)
    state, _ = train(build([rates]), start, trials)
    before = build([CALM]).init(*start)
    moved = [not torch.equal(new, old) for new, old in zip(state.parameters, before.parameters, strict=True)]
    # with weights of 0 no gradient passes the read-out, so that the others only move where it has moved
    assert moved == [k in (rate, 2) for k in range(3)]


def test_the_loss_and_the_densities_are_those_before_the_update():
    start, trials = data(4, 2, 3)
    trainer = build([CALM] * 4)
    state, _ = train(trainer, start, trials)
    point = trials[0]
    _, info = trainer.step(state, point)
    means, raw, weights = state.parameters
    log_density = MultivariateNormal(means, raw).log_prob(point.x[:, None])
    logits = (weights @ log_density.exp()[..., None])[..., 0]
    assert numbers(info.log_density) == pytest.approx(numbers(log_density), rel=1e-10)
    assert numbers(info.loss) == pytest.approx(
        numbers(functional.cross_entropy(logits, point.label, reduction="none")), rel=1e-10
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("key", PARAMETERIZATIONS)
def test_the_type_is_kept(key, optimizer, dtype):
    start, trials = data(2, 2, 2, dtype, trials=3)
    state, seen = train(build([CALM] * 2, key, optimizer=optimizer, dtype=dtype), start, trials)
    tensors = (*state.parameters, *sum(state.slots, ()), seen[-1].loss, seen[-1].log_density, seen[-1].amount)
    assert {tensor.dtype for tensor in tensors} == {dtype}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("key", PARAMETERIZATIONS)
def test_the_replicas_stay_innermost_in_memory(key, policy):
    start, trials = data(50, 3, 2, torch.float32, trials=4)
    rates = [(0.002, 10.0 ** (k % 10 - 6), 0.1, 0.3) for k in range(50)]  # some of them fail where failing is possible
    state, _ = train(build(rates, key, policy, optimizer="adam", dtype=torch.float32), start, trials)
    tensors = (*state.parameters, *sum(state.slots, ()), state.distributions.scale_tril)
    assert {tensor.stride(0) for tensor in tensors} == {1}


@pytest.mark.parametrize("size", [1, 2])
def test_the_replicas_are_innermost_from_the_start(size):
    start, _ = data(50, 3, size)
    state = build([CALM] * 50).init(*start)
    assert {tensor.stride(0) for tensor in (*state.parameters, *sum(state.slots, ()))} == {1}


def test_a_start_of_its_own_for_each_replica_is_possible():
    start, trials = data(2, 2, 2)
    means = torch.stack([start[0], start[0] + 1])
    covariances = torch.stack([start[1], 2 * start[1]])
    together, _ = train(build([CALM] * 2), (means, covariances), trials)
    own = [Trial(trial.x[1:], trial.label[1:]) for trial in trials]
    alone, _ = train(build([CALM]), (means[1], covariances[1]), own)
    assert numbers(together.parameters.raw[1]) == pytest.approx(numbers(alone.parameters.raw[0]), rel=1e-10)
