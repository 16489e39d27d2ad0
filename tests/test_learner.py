"""Objectives against autograd, and the module against the trainer."""

import pytest
import torch
from torch.nn import functional

from covdemo.learner import OBJECTIVES, DistrLearner, one_hot, read_out
from covdemo.optimizers import OPTIMIZERS
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.policies import POLICIES
from covdemo.trainer import Rates, Trainer, Trial


def example(categories=3, replicas=5):
    generator = torch.Generator().manual_seed(0)
    log_density = torch.randn(replicas, categories, dtype=torch.float64, generator=generator)
    weights = torch.randn(replicas, categories, categories, dtype=torch.float64, generator=generator)
    label = torch.randint(categories, (replicas,), generator=generator)
    return log_density, weights, label


# the losses as torch.nn.functional has them
LOSSES = {
    "cross-entropy": lambda a, w, y: functional.cross_entropy((w @ a.exp()[..., None])[..., 0], y, reduction="none"),
    "bayes": lambda a, w, y: functional.cross_entropy(a, y, reduction="none"),
    "likelihood": lambda a, w, y: functional.nll_loss(a, y, reduction="none"),
}
LOSSES["weighted"] = lambda a, w, y: 0.7 * LOSSES["cross-entropy"](a, w, y) + 0.3 * LOSSES["likelihood"](a, w, y)


@pytest.mark.parametrize("key", OBJECTIVES)
def test_the_loss_is_that_of_torch(key):
    log_density, weights, label = example()
    found = OBJECTIVES[key].evaluate(log_density, weights, one_hot(label, 3), 0.3)
    assert found.loss.numpy() == pytest.approx(LOSSES[key](log_density, weights, label).numpy())


@pytest.mark.parametrize("key", OBJECTIVES)
def test_the_gradients_written_out_are_those_of_autograd(key):
    log_density, weights, label = example()
    log_density.requires_grad_()
    weights.requires_grad_()
    # adding 0 times everything gives the parts that take no part a gradient of 0
    (LOSSES[key](log_density, weights, label).sum() + 0 * log_density.sum() + 0 * weights.sum()).backward()
    found = OBJECTIVES[key].evaluate(log_density.detach(), weights.detach(), one_hot(label, 3), 0.3)
    assert found.log_density_gradient.numpy() == pytest.approx(log_density.grad.numpy(), abs=1e-12)
    assert found.readout_gradient.numpy() == pytest.approx(weights.grad.numpy(), abs=1e-12)


@pytest.mark.parametrize("row", OBJECTIVES.values(), ids=OBJECTIVES)
def test_a_registered_key_is_the_key_of_its_row(row):
    assert OBJECTIVES[row.key] is row


def test_the_read_out_is_a_linear_layer_without_bias_over_the_densities():
    log_density, weights, _ = example()
    expected = torch.stack([functional.linear(a, w) for a, w in zip(log_density.exp(), weights, strict=True)])
    assert read_out(weights, log_density).numpy() == pytest.approx(expected.numpy())


def test_an_underflowing_density_gives_a_gradient_of_exactly_zero():
    log_density = torch.tensor([[-1e4, 0.0]])
    found = OBJECTIVES["cross-entropy"].evaluate(log_density, torch.eye(2)[None], one_hot(torch.tensor([0]), 2), 0.0)
    assert found.log_density_gradient[0, 0].item() == 0


MEANS, COVARIANCES = torch.tensor([[-0.25, 0.05], [-0.15, -0.25]]).double(), 0.02 * torch.eye(2).double().expand(2, 2, 2)


@pytest.mark.parametrize("key", [key for key, row in PARAMETERIZATIONS.items() if not hasattr(row.module, "retract")])
def test_the_module_trained_with_torch_goes_where_the_trainer_goes(key):
    generator = torch.Generator().manual_seed(0)
    points = 0.3 * torch.randn(50, 2, dtype=torch.float64, generator=generator)
    labels = torch.randint(2, (50,), generator=generator)
    learner = DistrLearner(MEANS, COVARIANCES, key)
    optimizer = torch.optim.SGD(
        [{"params": [p], "lr": lr} for p, lr in ((learner.means, 0.002), (learner.raw, 1e-6), (learner.readout, 0.1))],
        lr=0.0,
        momentum=0.3,
    )
    rates = Rates(*(torch.tensor([rate], dtype=torch.float64) for rate in (0.002, 1e-6, 0.1, 0.3)))
    trainer = Trainer(PARAMETERIZATIONS[key], OBJECTIVES["cross-entropy"], OPTIMIZERS["sgd"], POLICIES["stop"], rates)
    state = trainer.init(MEANS, COVARIANCES)
    for point, label in zip(points, labels, strict=True):
        optimizer.zero_grad()
        functional.cross_entropy(learner(point)[None], label[None]).backward()
        optimizer.step()
        state, _ = trainer.step(state, Trial(point[None], label[None]))
    for mine, theirs in zip(state.parameters, (learner.means, learner.raw, learner.readout), strict=True):
        assert mine[0].numpy() == pytest.approx(theirs.detach().numpy(), rel=1e-9, abs=1e-12)


def test_an_unknown_parameterization_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"expected one of covariance, .*; got parameterization 'magic'"):
        DistrLearner(MEANS, COVARIANCES, "magic")


@pytest.mark.parametrize(
    ("means", "covariances", "found"),
    [
        (torch.zeros(2, 2), torch.eye(2), r"got \[2, 2\] and \[2, 2\]"),
        (torch.zeros(2), torch.eye(2).expand(2, 2, 2), r"got \[2\] and \[2, 2, 2\]"),
        (torch.zeros(2, 2), torch.stack([torch.eye(2), -torch.eye(2)]), r"got \[\[-1.0, -0.0\], \[-0.0, -1.0\]\] at 1"),
        (torch.zeros(1, 2), torch.tensor([[[1.0, 0.5], [0.0, 1.0]]]), "symmetric positive definite"),
        (torch.zeros(1, 3), torch.full((1, 3, 3), torch.nan), "symmetric positive definite"),
    ],
    ids=["no category", "one mean", "negative", "not symmetric", "NaN"],
)
def test_a_start_that_is_none_is_refused_with_what_is_wrong(means, covariances, found):
    with pytest.raises(ValueError, match=found):
        DistrLearner(means, covariances)
