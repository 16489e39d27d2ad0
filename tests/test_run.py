"""One run: reproducible, divisible, bounded, honest about how it ended."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal, kl_divergence
from torch.nn.functional import cross_entropy

from covdemo.config import RunConfig
from covdemo.history import RECORDS, Frame, History
from covdemo.learner import OBJECTIVES
from covdemo.optimizers import OPTIMIZERS
from covdemo.outcomes import OFTEN, Outcome, Reason
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.policies import POLICIES
from covdemo.run import Run
from covdemo.trials import draw

SHORT = RunConfig(points=20, epochs=3, lr_cov=1e-5)
BREAKS = RunConfig()
STILL = {"points": 20, "epochs": 1, "lr_cov": 0.0, "lr_mu": 0.0, "lr_nn": 0.0}
SAME = {"mean_x": (0.0, 0.0), "mean_y": (0.0, 0.0), "var_x": (0.02, 0.02), "var_y": (0.02, 0.02), "cov_xy": (0.0, 0.0)}
SILENCE = ("silent", "silent_trials", "silent_share")


def finished(config, data=None):
    run = Run(config, data)
    run.advance(run.total)
    return run


def same(first, second):
    return all(np.array_equal(first.history.column(name), second.history.column(name), equal_nan=True) for name in NAMES)


NAMES = ("trial", "loss", "accuracy", "means", "scale_trils", "eigenvalues", "kl", "readout", "room", "gradient_norm", *SILENCE)


@pytest.mark.parametrize("key", PARAMETERIZATIONS)
def test_equal_configurations_give_equal_runs_to_the_last_bit(key):
    config = replace(SHORT, parameterization=key)
    assert same(finished(config), finished(config))


@pytest.mark.parametrize(
    "sizes", [[1] * 120, [7] * 18, [119, 1], [0, 60, 0, 1000]], ids=["ones", "sevens", "all but one", "zeros"]
)
def test_a_run_in_pieces_is_the_run_in_one(sizes):
    whole, pieces = finished(SHORT), Run(SHORT)
    for size in sizes:
        pieces.advance(size)
    assert pieces.trial == 120
    assert same(whole, pieces)


def test_a_different_seed_gives_a_different_run():
    assert not same(finished(SHORT), finished(replace(SHORT, seed=1)))


def test_looking_at_a_run_does_not_change_it():
    watched = Run(SHORT)
    for _ in range(120):
        watched.frame()
        watched.decide(np.zeros((3, 2)))
        watched.advance(1)
    assert same(finished(SHORT), watched)


def test_the_history_is_bounded_however_long_the_run():
    run = finished(replace(SHORT, points=500, epochs=3))
    assert len(run.history) <= RECORDS
    assert run.history.column("trial")[[0, -1]].tolist() == [0, 3000]


def test_a_history_can_be_pickled():
    history = finished(BREAKS).history
    copy = pickle.loads(pickle.dumps(history))
    assert copy.failures == history.failures


def test_a_frame_is_recorded_once():
    history, frame = History(), Run(SHORT).frame()
    history.record(frame)
    history.record(frame)
    assert (len(history), isinstance(frame, Frame)) == (1, True)


def test_a_quantity_that_is_not_recorded_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match="expected one of trial, loss"):
        Run(SHORT).history.column("temperature")


def test_the_kl_of_a_frame_is_that_of_torch():
    run = finished(SHORT)
    frame = run.frame()
    truth = MultivariateNormal(*(torch.as_tensor(a) for a in (run.truth.means, run.truth.covariances)))
    model = MultivariateNormal(*(torch.as_tensor(a) for a in (frame.means, frame.covariances)))
    assert frame.kl == pytest.approx(kl_divergence(truth, model).numpy(), rel=1e-4)


def test_the_accuracy_of_a_frame_is_the_share_of_right_decisions():
    run = finished(SHORT)
    right = run.decide(run.data.x).argmax(1) == run.data.label
    assert run.frame().accuracy == right.mean()


def test_data_of_ones_own_replace_the_drawn_data():
    data = replace(draw(SHORT), order=np.arange(10))
    run = finished(SHORT, data)
    assert (run.trial, run.total) == (10, 10)


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        ({}, Outcome.FAILED, None),
        ({"lr_cov": 1e-5}, Outcome.LEARNED, None),
        ({"parameterization": "tril-as-posted", "lr_cov": 1e-4}, Outcome.NOT_LEARNED, Reason.UNDERFLOW),
        ({"parameterization": "tril-as-posted", "lr_cov": 1e-4, "seed": 1}, Outcome.NOT_LEARNED, Reason.UNDERFLOW),
        (STILL, Outcome.NOT_LEARNED, Reason.UNFINISHED),
        (STILL | SAME, Outcome.NOT_LEARNED, Reason.INSEPARABLE),
        ({"parameterization": "softplus-cholesky", "lr_mu": 1e6}, Outcome.NOT_LEARNED, Reason.DIVERGED),
        ({"parameterization": "affine-invariant", "lr_cov": 100.0}, Outcome.LEARNED, None),
    ],
    ids=[
        "breaks",
        "slower",
        "as posted",
        "as posted, not at the end",
        "no rates",
        "nothing to learn",
        "means fly off",
        "safe step",
    ],
)
def test_a_run_says_how_it_ended_and_why(changes, outcome, reason):
    run = finished(replace(BREAKS, **changes))
    assert (run.outcome, run.reason) == (outcome, reason)


numbers = st.sampled_from([0.0, 1e-45, 1e-6, 0.1, 1e4, 1e19, 1e38, 1e308])
variances = st.sampled_from([2.0**-126, 1e-12, 0.02, 1e6])


@settings(max_examples=150)
@given(
    st.sampled_from(list(PARAMETERIZATIONS)),
    st.sampled_from(list(OBJECTIVES)),
    st.sampled_from(list(OPTIMIZERS)),
    st.sampled_from(list(POLICIES)),
    st.tuples(numbers, numbers, numbers),
    variances,
    st.sampled_from([0.0, 0.999]),
    st.sampled_from(["float32", "float64"]),
)
def test_numerical_trouble_never_raises(key, objective, optimizer, policy, rates, variance, momentum, dtype):
    lr_mu, lr_cov, lr_nn = rates
    config = RunConfig(points=3, epochs=2, parameterization=key, objective=objective, optimizer=optimizer, policy=policy)
    run = Run(replace(config, lr_mu=lr_mu, lr_cov=lr_cov, lr_nn=lr_nn, start_var=variance, momentum=momentum, dtype=dtype))
    run.advance(run.total)
    assert run.finished
    assert run.outcome in Outcome
    assert run.frame().covariances.shape == (2, 2, 2)


def test_an_unfinished_run_has_no_outcome():
    run = Run(SHORT)
    assert (run.outcome, run.reason, run.finished) == (None, None, False)


def test_silence_is_counted_where_a_density_of_zero_stops_the_gradient():
    """The counts are those of the loop that a PyTorch user writes: torch's densities, autograd's gradients."""
    config = replace(BREAKS, parameterization="tril-as-posted", lr_cov=1e-5, points=50, epochs=1)
    run, silent = Run(config), np.zeros((100, 2), dtype=bool)
    labels = run.data.label[run.data.order]
    for trial, label in enumerate(labels):
        means, raw, readout = (tensor.clone().requires_grad_() for tensor in run.parameters())
        point = torch.tensor(run.data.x[run.data.order[trial]], dtype=torch.float32)
        density = MultivariateNormal(means, scale_tril=raw.tril()).log_prob(point).exp()
        cross_entropy((readout @ density)[None], torch.tensor([label])).backward()
        silent[trial] = ((density == 0) & (raw.grad == 0).all(-1).all(-1)).numpy()
        run.advance(1)
    frame, own = run.frame(), [silent[labels == category, category] for category in range(2)]
    assert frame.silent_trials.tolist() == silent.sum(0).tolist()
    assert frame.silent_share.tolist() == [part.mean() for part in own]
    assert frame.silent.tolist() == [np.argmin(part[::-1]) for part in silent.T]
    assert frame.silent_share.max() > OFTEN


def test_a_gradient_that_is_zero_for_another_reason_is_no_silence():
    run = Run(BREAKS)
    run.advance(1)  # weights of 0 let no gradient pass
    frame = run.frame()
    assert frame.gradient_norm.tolist() == [0, 0]
    assert [getattr(frame, name).tolist() for name in SILENCE] == [[0, 0]] * 3


def test_there_is_no_silence_where_the_likelihood_needs_no_density():
    run = finished(replace(SHORT, parameterization="tril-as-posted", lr_cov=1e-7, lr_mu=1e-7, objective="likelihood"))
    assert run.history.column("silent_trials").max() > 20  # points of the other category, which ask nothing of this one
    assert run.frame().silent_share.tolist() == [0, 0]
