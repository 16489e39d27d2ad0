"""What the guarantees of the parameterizations are worth: 20,000 random free numbers each, in float32."""

from functools import cache

import pytest
import torch
from torch.distributions import MultivariateNormal

from covdemo.parameterizations import PARAMETERIZATIONS

ROWS = PARAMETERIZATIONS.values()
COUNT = 20_000


@cache
def random_raw(row, size, scale):
    generator = torch.Generator().manual_seed(size)
    shape = row.start(torch.eye(size)[None]).shape[1:]
    return scale * torch.randn(COUNT, *shape, generator=generator)


def valid(row, raw):
    return row.gaussians(raw.new_zeros(*raw.shape[:1], row.matrix(raw).shape[-1]), raw).valid


def rows_of(guarantee):
    return pytest.mark.parametrize("row", [row for row in ROWS if row.guarantee == guarantee], ids=lambda row: row.key)


SMALL = [(size, scale) for size in (2, 3) for scale in (1, 3, 10)]
small = pytest.mark.parametrize(("size", "scale"), SMALL)
small_or_wide = pytest.mark.parametrize(("size", "scale"), [*SMALL, (10, 10)])
# the largest share of matrices, from free numbers larger than 1, whose spread is more than float32 can hold
LOST = {
    ("precision-log-cholesky", 10): 0.01,
    ("correlation", 10): 0.07,
    ("matrix-exponential", 3): 0.01,
    ("spectral", 3): 0.01,
    ("spectral", 10): 0.001,
    ("factor", 2): 0.001,
    ("factor", 3): 0.001,
    ("factor", 10): 0.001,
}


@rows_of("float")
@small_or_wide
def test_a_guarantee_in_floats_holds_for_any_free_numbers(row, size, scale):
    assert valid(row, random_raw(row, size, scale)).all()


@rows_of("exact")
@small
def test_a_guarantee_in_exact_arithmetic_holds_where_float64_can_tell(row, size, scale):
    """Invalid in float64 means rounding or overflow: then the matrix is beyond what its 16 digits can hold."""
    raw = random_raw(row, size, scale).double()
    bad = ~valid(row, raw)
    spread = row.covariance(raw[bad])
    eigenvalues = torch.linalg.eigvalsh(torch.nan_to_num(spread)).abs()
    assert (eigenvalues[:, 0] <= 1e-13 * eigenvalues[:, -1]).all()


@rows_of("exact")
@small_or_wide
def test_a_guarantee_in_exact_arithmetic_fails_in_float32_no_more_often_than_is_known(row, size, scale):
    share = (~valid(row, random_raw(row, size, scale))).double().mean()
    assert share <= (LOST.get((row.key, size), 0) if scale > 1 else 0)


@pytest.mark.parametrize(("long", "lost"), [(3, False), (10, True)])
def test_a_product_is_lost_where_an_ellipse_is_longer_than_about_4_and_thinner_than_1_to_4_000(long, lost):
    angle = torch.linspace(0, 3, COUNT)
    axes = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).unflatten(-1, (2, 2))
    raw = axes * torch.tensor([long, long / 8000])
    assert bool(valid(PARAMETERIZATIONS["factor"], raw).all()) is not lost


@rows_of("step")
@small_or_wide
@pytest.mark.parametrize("length", [1, 10, 1e38])
def test_a_guaranteed_step_leads_from_a_valid_matrix_to_a_valid_matrix(row, size, scale, length):
    raw = PARAMETERIZATIONS["log-cholesky"].matrix(random_raw(row, size, scale))
    step = length * torch.randn(raw.shape, generator=torch.Generator().manual_seed(0))
    assert valid(row, row.retract(raw, step)).all()


# free numbers that a small step reaches from valid ones, and that torch refuses
COUNTER_EXAMPLES = {
    "covariance": [[1.0, 2.0], [2.0, 1.0]],
    "precision": [[1.0, 2.0], [2.0, 1.0]],
    "tril-as-posted": [[-0.1, 0.0], [0.0, 1.0]],
    "tril": [[1.0, 0.0], [0.5, -0.1]],
}


def test_every_row_without_a_guarantee_has_a_counter_example():
    assert [row.key for row in ROWS if row.guarantee == "none"] == list(COUNTER_EXAMPLES)


@pytest.mark.parametrize("key", COUNTER_EXAMPLES)
def test_without_a_guarantee_torch_refuses_some_free_numbers(key):
    row, raw = PARAMETERIZATIONS[key], torch.tensor(COUNTER_EXAMPLES[key])
    matrix = row.matrix(raw)
    with pytest.raises(ValueError, match="to satisfy the constraint"):
        MultivariateNormal(torch.zeros(2), **{row.feeds: matrix})
    assert not row.gaussians(torch.zeros(2), raw).valid
