"""Batched small-matrix algebra against torch.linalg and NumPy, one matrix at a time."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from covdemo import linalg

SIZES = [1, 2, 3, 4, 5, 10]
LEADING = [(), (7,), (5, 3)]


def positive_definite(size, leading=(), device="cpu", seed=0):
    """Return well-conditioned symmetric positive definite matrices, float64."""
    square = torch.randn(*leading, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return (square @ square.mT + torch.eye(size, dtype=torch.float64)).to(device)


def lower(size, leading=(), device="cpu"):
    return torch.linalg.cholesky(positive_definite(size, leading, device))


def close(tensor):
    """Compare with the rounding of float64 algebra on well-conditioned matrices."""
    return pytest.approx(tensor.cpu().numpy(), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("leading", LEADING)
def test_the_cholesky_factor_is_that_of_torch(size, leading, device):
    matrix = positive_definite(size, leading, device)
    factor, ok = linalg.cholesky(matrix)
    assert factor.cpu().numpy() == close(torch.linalg.cholesky(matrix))
    assert ok.shape == leading
    assert ok.all()


@pytest.mark.parametrize("size", SIZES)
def test_the_gradient_of_the_cholesky_factor_is_that_of_torch(size, device):
    weights = lower(size, (3,), device)
    mine, theirs = (positive_definite(size, (3,), device, seed=1).requires_grad_() for _ in range(2))
    (linalg.cholesky(mine)[0] * weights).sum().backward()
    (torch.linalg.cholesky(theirs) * weights).sum().backward()
    assert mine.grad.cpu().numpy() == close(theirs.grad)


@pytest.mark.parametrize("size", SIZES)
def test_only_the_symmetric_part_of_a_matrix_is_factored(size, device):
    matrix, twist = positive_definite(size, (3,), device), lower(size, (3,), device).tril(-1)
    assert linalg.cholesky(matrix + twist - twist.mT)[0].cpu().numpy() == close(linalg.cholesky(matrix)[0])


# positive definite, only semi-definite, indefinite, negative; as torch's own constraint sees them
TABLE = {
    "positive definite": [[2.0, 1.0], [1.0, 2.0]],
    "semi-definite": [[1.0, 2.0], [2.0, 4.0]],
    "indefinite": [[3.0, -5.0], [-5.0, 3.0]],
    "negative": [[-1.0, 0.0], [0.0, 1.0]],
    "zero": [[0.0, 0.0], [0.0, 0.0]],
    "not a number": [[float("nan"), 0.0], [0.0, 1.0]],
    "not a number below": [[1.0, float("nan")], [float("nan"), 1.0]],
}


@pytest.mark.parametrize("name", TABLE)
def test_the_mask_says_what_the_constraint_of_torch_says(name, device):
    matrix = torch.tensor(TABLE[name], device=device)
    expected = torch.distributions.constraints.positive_definite.check(matrix)
    assert linalg.cholesky(matrix)[1].item() == expected.item()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("position", range(3))
def test_one_bad_matrix_in_a_batch_is_marked_and_leaves_the_others_bit_equal(size, position, device):
    good = positive_definite(size, (3,), device)
    batch = good.clone()
    batch[position] = -batch[position]
    factor, ok = linalg.cholesky(batch)
    others = [k for k in range(3) if k != position]
    assert ok.tolist() == [k != position for k in range(3)]
    assert torch.equal(factor[others], linalg.cholesky(good)[0][others])


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3))
def test_the_factor_of_every_matrix_marked_valid_gives_the_matrix_back(entries):
    a, b, c = entries
    matrix = torch.tensor([[a, b], [b, c]], dtype=torch.float64)
    factor, ok = linalg.cholesky(matrix)
    restored = factor @ factor.mT if ok else matrix
    assert restored.numpy() == pytest.approx(matrix.numpy(), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("leading", LEADING)
def test_solving_with_the_factor_undoes_multiplying(size, leading, device):
    factor, vector = lower(size, leading, device), torch.arange(size, dtype=torch.float64, device=device).expand(*leading, size)
    product = (factor @ vector.unsqueeze(-1)).squeeze(-1)
    assert linalg.solve_lower(factor, product).cpu().numpy() == close(vector)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("leading", LEADING)
def test_solving_with_the_transposed_factor_undoes_multiplying(size, leading, device):
    factor, vector = lower(size, leading, device), torch.arange(size, dtype=torch.float64, device=device).expand(*leading, size)
    product = (factor.mT @ vector.unsqueeze(-1)).squeeze(-1)
    assert linalg.solve_lower_transposed(factor, product).cpu().numpy() == close(vector)


@pytest.mark.parametrize("size", SIZES)
def test_one_factor_solves_for_many_vectors(size, device):
    factor, vectors = lower(size, (3,), device), torch.randn(7, 3, size, dtype=torch.float64).to(device)
    each = torch.stack([linalg.solve_lower(factor, vector) for vector in vectors])
    assert linalg.solve_lower(factor, vectors).cpu().numpy() == close(each)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("leading", LEADING)
def test_the_inverse_of_a_factor_is_that_of_torch(size, leading, device):
    factor = lower(size, leading, device)
    assert linalg.inverse_lower(factor).cpu().numpy() == close(torch.linalg.inv(factor))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("leading", LEADING)
def test_a_product_is_the_matrix_product(size, leading, device):
    left, right = lower(size, leading, device), positive_definite(size, leading, device)
    assert linalg.product(left, right).cpu().numpy() == close(left @ right)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("leading", LEADING)
def test_the_factor_from_a_precision_matrix_is_that_of_the_covariance(size, leading, device):
    covariance = positive_definite(size, leading, device)
    factor, ok = linalg.scale_tril_from_precision(torch.linalg.inv(covariance))
    assert factor.cpu().numpy() == close(torch.linalg.cholesky(covariance))
    assert ok.all()


@pytest.mark.parametrize("size", SIZES)
def test_a_function_of_the_diagonal_leaves_the_rest_of_the_lower_triangle(size, device):
    matrix = positive_definite(size, (2,), device)
    expected = matrix.tril(-1) + matrix.diagonal(dim1=-2, dim2=-1).exp().diag_embed()
    assert linalg.map_diagonal(matrix, torch.exp).cpu().numpy() == close(expected)


@pytest.mark.parametrize("size", SIZES)
def test_sums_and_all_over_the_last_dimension_are_those_of_torch(size):
    numbers = torch.randn(4, 3, size, dtype=torch.float64)
    assert linalg.total(numbers).numpy() == close(numbers.sum(-1))
    assert torch.equal(linalg.every(numbers > -1), (numbers > -1).all(-1))


@pytest.mark.parametrize("size", SIZES)
def test_nan_is_seen_wherever_it_stands_and_nothing_else_is(size):
    numbers = torch.full((size + 1, size), torch.inf)
    numbers[:, 0] = -torch.inf
    numbers[range(size), range(size)] = torch.nan
    assert torch.equal(linalg.no_nan(numbers), ~numbers.isnan().any(-1))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("leading", [(), (1,), (4,)])
def test_the_entry_at_the_target_is_picked_whatever_stands_beside_it(size, leading):
    numbers, label = torch.randn(*leading, 3, size), torch.randint(size, (3,))
    target = torch.nn.functional.one_hot(label, size).bool()
    beside = numbers.masked_fill(~target, torch.nan)
    assert torch.equal(linalg.pick(beside, target), numbers.gather(-1, label.expand(*leading, 3).unsqueeze(-1)).squeeze(-1))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("leading", LEADING)
def test_gram_matrices_are_products_with_the_transpose(size, leading, device):
    factor = lower(size, leading, device)
    square = torch.randn(*leading, size, 2, dtype=torch.float64, device=device)
    assert linalg.gram(square).cpu().numpy() == close(square @ square.mT)
    assert linalg.inverse_gram(factor).cpu().numpy() == close(torch.linalg.inv(factor @ factor.mT))


@pytest.mark.parametrize("size", SIZES)
def test_products_with_vectors_are_those_of_numpy(size):
    matrix, vector = lower(size, (4,)), torch.randn(4, size, dtype=torch.float64)
    assert linalg.apply(matrix, vector).numpy() == close(torch.einsum("bij,bj->bi", matrix, vector))
    assert linalg.outer(vector, vector).numpy() == close(torch.einsum("bi,bj->bij", vector, vector))
    assert linalg.embed_diagonal(vector).numpy() == close(torch.diag_embed(vector))


@pytest.mark.parametrize("shape", [(5,), (5, 2), (5, 2, 3), (5, 2, 3, 3)])
def test_laying_out_keeps_the_values_and_puts_the_first_dimension_innermost(shape):
    tensor = torch.randn(shape)
    laid = linalg.lay_out(tensor)
    assert torch.equal(laid, tensor)
    assert laid.stride(0) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_unrolled_results_keep_the_first_dimension_innermost(size):
    matrix = linalg.lay_out(positive_definite(size, (100, 2)))
    factor, _ = linalg.cholesky(matrix)
    results = [factor, linalg.inverse_lower(factor), linalg.product(factor, matrix), linalg.solve_lower(factor, factor[..., 0])]
    assert [result.stride(0) for result in results] == [1, 1, 1, 1]


def test_matrix_entries_and_assembling_are_inverse():
    matrix = torch.arange(24.0).view(2, 2, 2, 3)
    assert np.array_equal(linalg.assemble_matrix(linalg.matrix_entries(matrix), 2, 3), matrix)


@pytest.mark.parametrize("size", [1, 2, 4, 7])
def test_the_first_of_the_largest_entries_is_found_as_numpy_finds_it(size):
    tensor = torch.randint(3, (2, 50, size), generator=torch.Generator().manual_seed(0)).float()
    assert np.array_equal(linalg.first_largest(tensor), tensor.numpy().argmax(-1))
