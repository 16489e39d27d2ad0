"""Distances between distributions against torch, scipy, closed forms and a Monte-Carlo estimate."""

import numpy as np
import pytest
import scipy.linalg
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from covdemo import metrics
from covdemo.gaussians import Gaussians

SIZES = [1, 2, 3, 5, 10]


def pair(size, count=3):
    """Return two batches of distributions in float64."""
    generator = torch.Generator().manual_seed(size)

    def one():
        square = torch.randn(count, size, size, dtype=torch.float64, generator=generator)
        covariance = square @ square.mT + 0.3 * torch.eye(size, dtype=torch.float64)
        means = torch.randn(count, size, dtype=torch.float64, generator=generator)
        return Gaussians.build(means, "covariance_matrix", covariance)

    return one(), one()


def broken(size):
    return Gaussians.build(torch.zeros(3, size).double(), "covariance_matrix", -torch.eye(size).double().expand(3, size, size))


@pytest.mark.parametrize("size", SIZES)
def test_the_kl_divergence_is_that_of_torch(size):
    p, q = pair(size)
    expected = kl_divergence(
        MultivariateNormal(p.loc, scale_tril=p.scale_tril), MultivariateNormal(q.loc, scale_tril=q.scale_tril)
    )
    assert metrics.kl_divergence(p, q).numpy() == pytest.approx(expected.numpy())


def test_the_kl_divergence_is_the_mean_log_ratio_of_the_densities():
    p, q = pair(2, count=1)
    points = p.sample(200_000, torch.Generator().manual_seed(0)).squeeze(1)
    ratio = (p.log_density(points) - q.log_density(points)).squeeze(1)
    error = ratio.std().item() / len(points) ** 0.5
    assert metrics.kl_divergence(p, q).item() == pytest.approx(ratio.mean().item(), abs=4 * error)


@pytest.mark.parametrize("distance", [metrics.kl_divergence, metrics.wasserstein])
def test_a_distribution_is_at_no_distance_from_itself(distance):
    p, _ = pair(3)
    assert distance(p, p).numpy() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("distance", [metrics.kl_divergence, metrics.wasserstein])
def test_there_is_no_distance_to_what_is_no_distribution(distance):
    p, _ = pair(2)
    assert distance(p, broken(2)).isnan().all()


@pytest.mark.parametrize("size", SIZES)
def test_the_wasserstein_distance_is_that_of_the_formula_with_matrix_roots(size):
    p, q = pair(size)
    expected = []
    for k in range(3):
        root = scipy.linalg.sqrtm(p.covariance_matrix[k].numpy())
        cross = scipy.linalg.sqrtm(root @ q.covariance_matrix[k].numpy() @ root).real
        spread = np.trace(p.covariance_matrix[k].numpy() + q.covariance_matrix[k].numpy() - 2 * cross)
        expected.append(np.sqrt(((p.loc[k] - q.loc[k]) ** 2).sum().item() + spread))
    assert metrics.wasserstein(p, q).numpy() == pytest.approx(np.array(expected))


def test_the_wasserstein_distance_of_upright_ellipses_is_that_of_their_means_and_deviations():
    p = Gaussians.build(torch.zeros(1, 2), "scale_tril", torch.tensor([[[1.0, 0.0], [0.0, 2.0]]]))
    q = Gaussians.build(torch.tensor([[3.0, 0.0]]), "scale_tril", torch.tensor([[[5.0, 0.0], [0.0, 2.0]]]))
    assert metrics.wasserstein(p, q).item() == pytest.approx((3**2 + 4**2) ** 0.5)


@pytest.mark.parametrize("spread", [1e200, 1e308, float("inf")])
def test_the_wasserstein_distance_to_what_overflows_is_infinite(spread):
    p = Gaussians.build(torch.zeros(1, 2), "scale_tril", 10 * torch.eye(2, dtype=torch.double).unsqueeze(0))
    q = Gaussians(p.loc, p.scale_tril * torch.tensor([1.0, spread]).diag(), p.ok)
    assert metrics.wasserstein(p, q).tolist() == [float("inf")]


@pytest.mark.parametrize("size", SIZES)
def test_eigenvalues_of_the_covariance_are_the_same_whatever_is_fed(size):
    p, _ = pair(size)
    expected = torch.linalg.eigvalsh(p.covariance_matrix).numpy()
    for keyword, matrix in [
        ("covariance_matrix", p.covariance_matrix),
        ("scale_tril", p.scale_tril),
        ("precision_matrix", torch.linalg.inv(p.covariance_matrix)),
    ]:
        assert metrics.covariance_eigenvalues(keyword, matrix).numpy() == pytest.approx(expected)


def test_a_negative_eigenvalue_is_told():
    matrix = torch.tensor([[1.0, 2.0], [2.0, 1.0]])
    assert metrics.covariance_eigenvalues("covariance_matrix", matrix).tolist() == pytest.approx([-1, 3])


@pytest.mark.parametrize("keyword", ["covariance_matrix", "scale_tril", "precision_matrix"])
def test_a_matrix_that_is_not_finite_has_no_eigenvalues(keyword):
    matrix = torch.tensor([[float("inf"), 0.0], [0.0, 1.0]])
    assert metrics.covariance_eigenvalues(keyword, matrix).isnan().all()


def test_accuracy_is_the_share_of_points_with_the_largest_score_at_their_label():
    scores = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [float("nan"), 0.0]])
    assert metrics.accuracy(scores, torch.tensor([0, 1, 0, 0])).item() == 0.5
