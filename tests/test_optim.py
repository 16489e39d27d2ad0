"""The safe step on models that are not ours."""

import pytest
import torch
from torch import nn
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from covdemo.optim import AffineInvariantSGD


class Mixture(nn.Module):
    """A Gaussian mixture as a PyTorch user would write it."""

    def __init__(self, means):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(len(means)))
        self.means = nn.Parameter(means.clone())
        self.scale_tril = nn.Parameter(torch.eye(means.shape[-1]).repeat(len(means), 1, 1))

    def log_prob(self, x):
        parts = MultivariateNormal(self.means, scale_tril=self.scale_tril)
        return MixtureSameFamily(Categorical(logits=self.logits), parts).log_prob(x)


def points_of_two_thin_clusters(count=400):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(2, count, 2, generator=generator)
    factors = torch.tensor([[[1.0, 0.0], [0.9, 0.05]], [[0.05, 0.0], [0.0, 1.0]]])
    return (torch.tensor([[-2.0, 0.0], [2.0, 0.0]])[:, None] + z @ factors.mT).flatten(0, 1), factors @ factors.mT


@pytest.mark.parametrize("lr", [1e-6, 1e-2, 1e0, 1e4, 1e30])
def test_no_learning_rate_makes_a_factor_of_a_mixture_invalid(lr):
    points, _ = points_of_two_thin_clusters(50)
    model = Mixture(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))
    optimizer = AffineInvariantSGD([model.scale_tril], lr=lr, momentum=0.9)
    for point in points:
        optimizer.zero_grad()
        (-model.log_prob(point)).backward()
        optimizer.step()
    assert (model.scale_tril.diagonal(dim1=-2, dim2=-1) > 0).all()


def test_a_mixture_learns_the_covariances_of_its_clusters():
    points, covariances = points_of_two_thin_clusters()
    model = Mixture(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))
    safe = AffineInvariantSGD([model.scale_tril], lr=0.2)
    plain = torch.optim.Adam([model.means, model.logits], lr=0.05)
    for _ in range(300):
        safe.zero_grad()
        plain.zero_grad()
        (-model.log_prob(points).mean()).backward()
        safe.step()
        plain.step()
    # 400 points a cluster: a variance is known to 2 / sqrt(2 * 400) = 7 % with two standard errors
    learned = (model.scale_tril @ model.scale_tril.mT).detach()
    eigenvalues = torch.linalg.eigvals(torch.linalg.solve(covariances, learned)).real
    assert eigenvalues == pytest.approx(torch.ones(2, 2), abs=0.2)


def test_one_small_step_is_natural_gradient_descent_on_the_covariance():
    factor = nn.Parameter(torch.tensor([[2.0, 0.0], [0.5, 1.0]], dtype=torch.float64))
    before = (factor @ factor.mT).detach()
    target = torch.tensor([[1.0, 0.3], [0.3, 2.0]], dtype=torch.float64)
    covariance = before.clone().requires_grad_()
    (covariance * target).sum().backward()
    (factor @ factor.mT * target).sum().backward()
    AffineInvariantSGD([factor], lr=1e-6).step()
    # the affine-invariant gradient of f at Sigma is Sigma G Sigma with G the Euclidean one (Pennec 2006)
    expected = before - 1e-6 * before @ covariance.grad @ before
    assert (factor @ factor.mT).detach() == pytest.approx(expected, abs=1e-10)


def test_a_gradient_that_is_not_finite_moves_nothing_out_of_the_valid_factors():
    factor = nn.Parameter(torch.eye(3))
    factor.grad = torch.full((3, 3), float("nan"))
    factor.grad[0, 0] = float("inf")
    AffineInvariantSGD([factor], lr=1.0).step()
    assert (factor.diagonal() > 0).all()
    assert factor.isfinite().all()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("bad", [float("inf"), float("-inf"), float("nan")])
def test_an_entry_of_a_gradient_that_is_not_finite_counts_as_zero_and_the_next_steps_are_taken(bad, momentum):
    factors = []
    for first in (bad, 0.0):
        factor = nn.Parameter(10 * torch.eye(2))
        optimizer = AffineInvariantSGD([factor], lr=0.01, momentum=momentum)
        for gradient in (torch.tensor([[first, 0.0], [0.0, 1.0]]), torch.eye(2), torch.eye(2)):
            factor.grad = gradient
            optimizer.step()
        factors.append(factor.detach())
    assert torch.equal(*factors)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_gradient_that_overflows_in_local_coordinates_is_got_over_by_the_next_step(dtype):
    factor, seen = nn.Parameter(10 * torch.eye(2, dtype=dtype)), []
    optimizer = AffineInvariantSGD([factor], lr=0.1)
    for gradient in (torch.full((2, 2), torch.finfo(dtype).max, dtype=dtype), -torch.eye(2, dtype=dtype)):
        factor.grad = gradient
        optimizer.step()
        seen.append(factor.detach().diagonal().clone())
    assert (seen[0] < 10).all()
    assert (seen[1] > seen[0]).all()


def test_the_velocity_stays_finite_where_huge_gradients_add_up():
    factor = nn.Parameter(torch.eye(2))
    optimizer = AffineInvariantSGD([factor], lr=0.1, momentum=0.9)
    for _ in range(3):
        factor.grad = torch.full((2, 2), torch.finfo(torch.float32).max)
        optimizer.step()
    assert optimizer.state[factor]["velocity"].isfinite().all()


BAD_SETTINGS = pytest.mark.parametrize(
    "settings",
    [{"lr": -1.0}, {"lr": float("nan")}, {"lr": float("inf")}, {"lr": 0.1, "momentum": 1.0}, {"lr": 0.1, "trust": 0.0}],
    ids=["negative rate", "rate not a number", "infinite rate", "momentum of 1", "no trust"],
)
BAD_FACTORS = pytest.mark.parametrize(
    ("matrix", "found"),
    [
        (torch.ones(2, 2), "1 above the diagonal"),
        (-torch.eye(2), "-1 on the diagonal"),
        (torch.ones(3), r"shape \(3,\)"),
        (torch.ones(2, 3), r"shape \(2, 3\)"),
        (torch.tensor([[1.0, 0.0], [float("nan"), 1.0]]), "nan"),
        (torch.tensor([[float("inf"), 0.0], [0.0, 1.0]]), "inf"),
    ],
    ids=["full", "negative diagonal", "vector", "not square", "not a number", "infinite"],
)


@BAD_SETTINGS
def test_a_setting_out_of_range_is_refused_with_what_was_expected(settings):
    with pytest.raises(ValueError, match="expected finite lr >= 0"):
        AffineInvariantSGD([nn.Parameter(torch.eye(2))], **settings)


@BAD_FACTORS
def test_a_parameter_that_is_no_cholesky_factor_is_refused_with_what_is_wrong(matrix, found):
    with pytest.raises(ValueError, match=f"expected finite lower-triangular .* with a positive diagonal; got {found}$"):
        AffineInvariantSGD([nn.Parameter(matrix)], lr=0.1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_a_factor_in_half_precision_is_refused(dtype):
    with pytest.raises(ValueError, match="expected a factor in float32 or float64; got torch"):
        AffineInvariantSGD([nn.Parameter(torch.eye(2, dtype=dtype))], lr=0.1)


@pytest.mark.parametrize(
    "group",
    [{"params": [nn.Parameter(-torch.eye(2))]}, {"params": nn.Parameter(torch.eye(2)), "lr": -1.0}],
    ids=["no factor", "negative rate"],
)
def test_a_group_that_is_added_later_is_checked_too_and_not_kept(group):
    optimizer = AffineInvariantSGD([nn.Parameter(torch.eye(2))], lr=0.1)
    with pytest.raises(ValueError, match="expected finite"):
        optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1


def test_the_state_can_be_saved_and_loaded():
    factor = nn.Parameter(torch.eye(2))
    optimizer = AffineInvariantSGD([factor], lr=0.1, momentum=0.5)
    factor.grad = torch.ones(2, 2)
    optimizer.step()
    other = AffineInvariantSGD([factor], lr=0.1, momentum=0.5)
    other.load_state_dict(optimizer.state_dict())
    assert torch.equal(other.state[factor]["velocity"], optimizer.state[factor]["velocity"])
