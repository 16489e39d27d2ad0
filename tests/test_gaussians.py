"""Normal distributions against torch.distributions, scipy, autograd and a Monte-Carlo estimate."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import MultivariateNormal

from covdemo.gaussians import FEEDS, Gaussians, factor, unfactor

SIZES = [1, 2, 3, 5, 10]


def example(size, device="cpu", leading=(4, 3)):
    """Return means, covariances and points in float64."""
    generator = torch.Generator().manual_seed(size)
    square = torch.randn(*leading, size, size, dtype=torch.float64, generator=generator)
    covariance = square @ square.mT + 0.3 * torch.eye(size, dtype=torch.float64)
    means = torch.randn(*leading, size, dtype=torch.float64, generator=generator)
    points = torch.randn(leading[0], size, dtype=torch.float64, generator=generator)
    return means.to(device), covariance.to(device), points.to(device)


def fed(keyword, covariance):
    """Return the matrix that a keyword of torch expects, made by torch.linalg."""
    return {
        "covariance_matrix": covariance,
        "scale_tril": torch.linalg.cholesky(covariance),
        "precision_matrix": torch.linalg.inv(covariance),
    }[keyword]


@pytest.mark.parametrize("keyword", FEEDS)
@pytest.mark.parametrize("size", SIZES)
def test_the_log_density_is_that_of_torch(size, keyword, device):
    means, covariance, points = example(size, device)
    matrix = fed(keyword, covariance)
    expected = MultivariateNormal(means, **{keyword: matrix}).log_prob(points.unsqueeze(1))
    found = Gaussians.build(means, keyword, matrix).log_density(points)
    assert found.cpu().numpy() == pytest.approx(expected.cpu().numpy(), rel=1e-9)


@pytest.mark.parametrize("size", SIZES)
def test_the_log_density_is_that_of_scipy(size):
    means, covariance, points = example(size, leading=(1, 1))
    expected = stats.multivariate_normal(means[0, 0].numpy(), covariance[0, 0].numpy()).logpdf(points[0].numpy())
    assert Gaussians.build(means, "covariance_matrix", covariance).log_density(points).item() == pytest.approx(expected)


@pytest.mark.parametrize("keyword", FEEDS)
@pytest.mark.parametrize("size", SIZES)
def test_the_gradients_written_out_are_those_of_autograd_through_torch(size, keyword, device):
    means, covariance, points = example(size, device)
    matrix, weight = (
        fed(keyword, covariance).requires_grad_(),
        torch.linspace(-1, 2, 12, dtype=torch.float64, device=device).view(4, 3),
    )
    means.requires_grad_()
    (weight * MultivariateNormal(means, **{keyword: matrix}).log_prob(points.unsqueeze(1))).sum().backward()
    model = Gaussians.build(means.detach(), keyword, matrix.detach())
    mean_gradient, matrix_gradient = model.gradient_at(model.whiten(points), weight, keyword)
    assert mean_gradient.cpu().numpy() == pytest.approx(means.grad.cpu().numpy(), rel=1e-8, abs=1e-9)
    assert matrix_gradient.cpu().numpy() == pytest.approx(matrix.grad.cpu().numpy(), rel=1e-8, abs=1e-9)


def test_a_weight_of_zero_gives_a_gradient_of_zero_however_far_the_point():
    model = Gaussians.build(torch.zeros(1, 2), "scale_tril", 1e-15 * torch.eye(2).unsqueeze(0))
    gradients = model.gradient_at(model.whiten(torch.full((2,), 1e10)), torch.zeros(1), "scale_tril")
    assert [gradient.abs().max().item() for gradient in gradients] == [0, 0]


@pytest.mark.parametrize("keyword", FEEDS)
@pytest.mark.parametrize("size", SIZES)
def test_factoring_undoes_unfactoring(size, keyword):
    _, covariance, _ = example(size)
    lower = torch.linalg.cholesky(covariance)
    found, ok = factor(keyword, unfactor(keyword, lower))
    assert found.numpy() == pytest.approx(lower.numpy(), rel=1e-8, abs=1e-9)
    assert ok.all()


@pytest.mark.parametrize("function", [factor, unfactor])
def test_an_unknown_keyword_is_refused_with_the_known_ones(function):
    with pytest.raises(ValueError, match="one of covariance_matrix, scale_tril, precision_matrix"):
        function("variance", torch.eye(2))


NAN = float("nan")
REFUSED = {
    "covariance_matrix": [[[1.0, 2.0], [2.0, 1.0]], [[NAN, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]]],
    "precision_matrix": [[[1.0, 2.0], [2.0, 1.0]], [[NAN, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]]],
    "scale_tril": [[[-1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [NAN, 1.0]], [[1.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, NAN]]],
}


@pytest.mark.parametrize(("keyword", "entries"), [(keyword, each) for keyword, many in REFUSED.items() for each in many])
def test_what_torch_refuses_is_not_valid(keyword, entries):
    matrix = torch.tensor(entries)
    with pytest.raises(ValueError, match="constraint"):
        MultivariateNormal(torch.zeros(2), **{keyword: matrix})
    assert not Gaussians.build(torch.zeros(2), keyword, matrix).valid


def test_an_infinite_entry_of_a_factor_is_accepted_as_torch_accepts_it():
    matrix = torch.tensor([[float("inf"), 0.0], [0.0, 1.0]])
    MultivariateNormal(torch.zeros(2), scale_tril=matrix)
    assert Gaussians.build(torch.zeros(2), "scale_tril", matrix).valid


@pytest.mark.parametrize("mean", [[NAN, 0.0], [0.0, NAN]])
def test_a_mean_that_is_not_a_number_is_not_valid(mean):
    assert not Gaussians.build(torch.tensor(mean), "covariance_matrix", torch.eye(2)).valid


def test_samples_have_the_mean_and_the_covariance():
    means, covariance, _ = example(2, leading=(1, 2))
    model = Gaussians.build(means[0], "covariance_matrix", covariance[0])
    points = model.sample(100_000, torch.Generator().manual_seed(0)).numpy()
    # four standard errors: of a mean sd / sqrt(N), of a covariance at most sqrt(2) var / sqrt(N)
    largest = covariance.max().item()
    assert points.mean(0) == pytest.approx(means[0].numpy(), abs=4 * (largest / 1e5) ** 0.5)
    for k in range(2):
        assert np.cov(points[:, k].T) == pytest.approx(covariance[0, k].numpy(), abs=4 * largest * (2 / 1e5) ** 0.5)


def test_equal_generators_give_equal_samples():
    model = Gaussians.build(torch.zeros(2, 2), "covariance_matrix", torch.eye(2).expand(2, 2, 2))
    first, second = (model.sample(5, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("deviations", [0.5, 1, 3])
def test_an_ellipse_is_where_the_mahalanobis_distance_is_what_was_asked(deviations):
    means, covariance, _ = example(2, leading=(1, 2))
    ellipse = Gaussians.build(means[0], "covariance_matrix", covariance[0]).ellipse(deviations)
    away = ellipse - means[0].unsqueeze(1)
    distance = torch.einsum("kni,kij,knj->kn", away, torch.linalg.inv(covariance[0]), away).sqrt()
    assert distance.numpy() == pytest.approx(deviations)


def test_an_ellipse_is_closed():
    ellipse = Gaussians.build(torch.zeros(1, 2), "covariance_matrix", torch.eye(2).unsqueeze(0)).ellipse(1)
    assert ellipse[:, 0].numpy() == pytest.approx(ellipse[:, -1].numpy(), abs=1e-6)


def test_an_ellipse_in_three_dimensions_is_refused():
    model = Gaussians.build(torch.zeros(1, 3), "covariance_matrix", torch.eye(3).unsqueeze(0))
    with pytest.raises(ValueError, match="needs D = 2, got D = 3"):
        model.ellipse(1)
