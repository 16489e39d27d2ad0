"""Laws that every row of the registry of parameterizations keeps."""

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import nn
from torch.distributions import LowRankMultivariateNormal, MultivariateNormal
from torch.distributions.transforms import CorrCholeskyTransform, LowerCholeskyTransform
from torch.nn.utils.parametrize import register_parametrization

from covdemo import gaussians
from covdemo.parameterizations import GUARANTEES, PARAMETERIZATIONS, register

ROWS = PARAMETERIZATIONS.values()
SOURCES = ("https://doi.org/", "https://arxiv.org/", "https://discuss.pytorch.org/t/111065")  # papers, and the question
SIZES = [1, 2, 3, 5, 10]

every_row = pytest.mark.parametrize("row", ROWS, ids=PARAMETERIZATIONS)
every_size = pytest.mark.parametrize("size", SIZES)


def covariances(size, leading=(7, 2), condition=100.0, dtype=torch.float64, seed=0):
    """Return covariance matrices with random axes and eigenvalues from 1 / condition to 1."""
    square = torch.randn(*leading, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    axes = torch.linalg.qr(square).Q
    eigenvalues = torch.logspace(-torch.tensor(condition).log10().item(), 0, size, dtype=torch.float64)
    return (axes @ eigenvalues.diag() @ axes.mT).to(dtype)


def isotropic(size):
    return 0.02 * torch.eye(size, dtype=torch.float64).expand(2, size, size)


def meant(row, covariance):
    """Return the matrix that the row's keyword expects for a covariance matrix."""
    return gaussians.unfactor(row.feeds, torch.linalg.cholesky(covariance))


def starts_elsewhere(row):
    return hasattr(row.module, "start")


@every_row
def test_the_key_is_that_of_its_row(row):
    assert PARAMETERIZATIONS[row.key] is row


@every_row
def test_the_row_says_all_there_is_to_say(row):
    texts = [row.label, row.formula, row.summary, row.use, row.pitfall, type(row.module).__doc__]
    assert all(texts)
    assert any(home in address for address in row.links.values() for home in SOURCES)
    assert row.feeds in gaussians.FEEDS
    assert row.guarantee in GUARANTEES


def test_a_key_that_is_taken_is_refused():
    enter = register("covariance")
    with pytest.raises(ValueError, match="'covariance' is registered twice"):
        enter(nn.Identity)


@every_row
@every_size
def test_the_right_inverse_gives_a_matrix_back_or_the_nearest_of_its_family(row, size):
    matrix = meant(row, covariances(size))
    once = row.matrix(row.module.right_inverse(matrix))
    expected = once if row.misses else matrix
    again = row.matrix(row.module.right_inverse(once))
    # eigenvalue decompositions of matrices with condition number 100 keep about 13 of 16 digits
    assert again.numpy() == pytest.approx(expected.numpy(), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("row", [row for row in ROWS if row.misses], ids=lambda row: row.key)
@every_size
def test_what_a_restricted_family_keeps_of_a_covariance_is_its_total_variance(row, size):
    covariance = covariances(size)
    kept = row.gaussians(torch.zeros(7, 2, size).double(), row.start(covariance)).covariance_matrix
    total = torch.diagonal(covariance, dim1=-2, dim2=-1).sum(-1)
    assert torch.diagonal(kept, dim1=-2, dim2=-1).sum(-1).numpy() == pytest.approx(total.numpy())


@pytest.mark.parametrize("row", [row for row in ROWS if not row.misses], ids=lambda row: row.key)
@every_size
def test_free_numbers_move_in_every_direction_of_the_covariances(row, size):
    raw = row.start(covariances(size, leading=(1,)))[0]
    jacobian = torch.autograd.functional.jacobian(
        lambda step: row.covariance(row.retract(raw, step)).tril().flatten(), torch.zeros_like(raw), vectorize=True
    ).flatten(1)
    assert torch.linalg.matrix_rank(jacobian) == size * (size + 1) // 2


@every_row
@every_size
def test_the_start_means_the_covariance_asked_for(row, size):
    # the trap of the posted code: the covariance is read as a factor
    expected = isotropic(size) @ isotropic(size) if starts_elsewhere(row) else isotropic(size)
    model = row.gaussians(torch.zeros(2, size).double(), row.start(isotropic(size)))
    assert model.covariance_matrix.numpy() == pytest.approx(expected.numpy(), rel=1e-9, abs=1e-12)


@every_row
@every_size
def test_a_lane_of_a_batch_is_the_single_matrix(row, size):
    raw = row.start(covariances(size))
    single = row.matrix(raw[3, 1])
    assert row.matrix(raw)[3, 1].numpy() == pytest.approx(single.numpy(), rel=1e-12, abs=1e-14)


@every_row
@every_size
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shape_and_type_are_kept(row, size, dtype):
    raw = row.start(covariances(size, dtype=dtype))
    matrix = row.matrix(raw)
    assert (matrix.shape, matrix.dtype, raw.dtype) == ((7, 2, size, size), dtype, dtype)


@every_row
@pytest.mark.parametrize("size", [1, 2])  # in three dimensions torch.linalg does part of the work, in its own order
def test_small_matrices_keep_the_first_dimension_innermost(row, size):
    raw = row.start(covariances(size, leading=(100, 2)))
    assert (raw.stride(0), row.matrix(raw).stride(0)) == (1, 1)


@every_row
@every_size
@pytest.mark.parametrize("name", ["default start", "condition number 1e6"])
def test_the_gradient_is_finite(row, size, name):
    raw = row.start(isotropic(size) if name == "default start" else covariances(size, (2,), 1e6))
    model = row.gaussians(torch.zeros(2, size).double(), raw)
    z = model.whiten(torch.full((size,), 0.1).double())
    gradient = row.pull_back(raw, model.gradient_at(z, torch.ones(2).double(), row.feeds)[1])
    assert gradient.isfinite().all()


@every_row
@every_size
def test_the_gradient_pulled_back_is_that_of_autograd_through_torch(row, size):
    covariance, point = covariances(size), torch.linspace(-1, 1, size).double()
    raw, means = row.start(covariance), torch.zeros(7, 2, size).double()
    model = row.gaussians(means, raw)
    z = model.whiten(point)
    found = row.pull_back(raw, model.gradient_at(z, torch.ones(7, 2).double(), row.feeds)[1])
    step = torch.zeros_like(raw, requires_grad=True)
    matrix = row.matrix(row.retract(raw, step))
    MultivariateNormal(means, validate_args=False, **{row.feeds: matrix}).log_prob(point).sum().backward()
    assert found.numpy() == pytest.approx(step.grad.numpy(), rel=1e-7, abs=1e-8)


@every_row
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_the_map_passes_gradcheck(row, size):
    raw = row.start(covariances(size, leading=(2,))).detach()
    step = torch.zeros_like(raw, requires_grad=True)
    assert torch.autograd.gradcheck(lambda step: row.matrix(row.retract(raw, step)), step)


@every_row
def test_it_registers_on_a_module_of_ones_own(row):
    module = nn.Module()
    module.matrix = nn.Parameter(meant(row, covariances(3, leading=())))
    expected = row.matrix(row.module.right_inverse(module.matrix.detach()))
    register_parametrization(module, "matrix", row.module)
    assert module.matrix.detach().numpy() == pytest.approx(expected.numpy())


def on_diagonal(matrix, values):
    return np.tril(matrix, -1) + np.diag(values)


def logarithmic(lower):
    return on_diagonal(lower, np.log(np.diag(lower)))


def softplus_inverse(lower):
    return on_diagonal(lower, np.log(np.expm1(np.diag(lower) - 1e-5)))


# the free numbers of a covariance matrix, in closed form
INVERSES = {
    "log-cholesky": lambda covariance: logarithmic(np.linalg.cholesky(covariance)),
    "softplus-cholesky": lambda covariance: softplus_inverse(np.linalg.cholesky(covariance)),
    "precision-log-cholesky": lambda covariance: logarithmic(np.linalg.inv(np.linalg.cholesky(covariance))),
    "matrix-exponential": scipy.linalg.logm,
    "factor": lambda covariance: scipy.linalg.sqrtm(covariance - 1e-6 * np.eye(len(covariance))),
    "diagonal": lambda covariance: np.log(np.diag(covariance)) / 2,
    "spherical": lambda covariance: np.full(len(covariance), np.log(np.trace(covariance) / len(covariance)) / 2),
}


@pytest.mark.parametrize("key", INVERSES)
@every_size
def test_the_free_numbers_of_a_matrix_are_those_of_the_closed_form(key, size):
    (covariance,) = covariances(size, leading=(1,))
    expected = INVERSES[key](covariance.numpy())
    assert PARAMETERIZATIONS[key].start(covariance).numpy() == pytest.approx(expected, rel=1e-9, abs=1e-10)


@every_size
def test_the_factor_of_rank_one_plus_diagonal_is_that_of_torch(size):
    raw = 3 * torch.randn(7, size, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = LowRankMultivariateNormal(torch.zeros(size).double(), raw[..., :1], raw[..., 1].exp()).covariance_matrix
    assert PARAMETERIZATIONS["low-rank"].covariance(raw).numpy() == pytest.approx(expected.numpy(), rel=1e-12)


def test_in_the_plane_rank_one_plus_diagonal_gives_half_of_what_is_free_to_the_noise():
    (covariance,) = covariances(2, leading=(1,))
    (a, b), (_, c) = covariance.tolist()
    lead = ((a + b**2 / c) / 2) ** 0.5  # w_1^2 half way between its bounds, b^2 / c and a
    expected = [[lead, np.log(a - lead**2)], [b / lead, np.log(c - (b / lead) ** 2)]]
    assert PARAMETERIZATIONS["low-rank"].start(covariance).numpy() == pytest.approx(np.array(expected))


@every_size
def test_log_cholesky_is_the_transform_of_torch(size):
    raw = torch.randn(7, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert PARAMETERIZATIONS["log-cholesky"].matrix(raw).numpy() == pytest.approx(LowerCholeskyTransform()(raw).numpy())


@pytest.mark.parametrize("size", [2, 3, 5])
def test_correlations_are_those_of_the_transform_of_torch(size):
    raw = torch.randn(7, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    raw = raw.tril(-1)  # standard deviations of 1
    rows, columns = torch.tril_indices(size, size, -1)
    expected = CorrCholeskyTransform()(raw[:, rows, columns])
    assert PARAMETERIZATIONS["correlation"].matrix(raw).numpy() == pytest.approx(expected.numpy(), abs=1e-12)


@every_size
def test_the_matrix_exponential_is_that_of_torch(size):
    raw = torch.randn(7, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = torch.linalg.matrix_exp((raw + raw.mT) / 2)
    found = PARAMETERIZATIONS["matrix-exponential"].covariance(raw)
    assert found.numpy() == pytest.approx(expected.numpy(), rel=1e-9, abs=1e-9 * expected.abs().max().item())


@every_size
def test_the_eigenvalues_of_the_spectral_form_are_its_free_numbers(size):
    raw = torch.randn(7, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = torch.linalg.eigvalsh(PARAMETERIZATIONS["spectral"].covariance(raw))
    expected = torch.diagonal(raw, dim1=-2, dim2=-1).exp().sort(-1).values
    assert found.numpy() == pytest.approx(expected.numpy())


@every_size
def test_the_affine_invariant_step_is_the_same_in_any_coordinates(size):
    row = PARAMETERIZATIONS["affine-invariant"]
    factor, step = torch.linalg.cholesky(covariances(size, (3,))), 0.01 * covariances(size, (3,), seed=1)
    change = torch.linalg.cholesky(covariances(size, (3,), seed=2))
    moved_first = row.retract(change @ factor, step)
    moved_last = change @ row.retract(factor, step)
    assert moved_first.numpy() == pytest.approx(moved_last.numpy(), rel=1e-10, abs=1e-12)


@every_size
def test_the_affine_invariant_step_agrees_with_the_exponential_map_to_second_order(size):
    row = PARAMETERIZATIONS["affine-invariant"]
    factor, step = torch.linalg.cholesky(covariances(size, (3,))), 1e-3 * covariances(size, (3,), seed=1)
    exact = factor @ torch.linalg.matrix_exp(step) @ factor.mT
    # the next term is M^3 / 6, below 2e-10 for |M| < 1e-3
    assert row.covariance(row.retract(factor, step)).numpy() == pytest.approx(exact.numpy(), abs=1e-9)


def test_a_precision_without_an_inverse_has_a_covariance_of_nan():
    raw = torch.diag_embed(torch.tensor([[2.0, 0.5], [1.0, 0.0]]))
    found = PARAMETERIZATIONS["precision"].covariance(raw)
    assert found[0].tolist() == [[0.5, 0.0], [0.0, 2.0]]
    assert found[1].isnan().all()
