"""Functions through the eigenvalues against scipy and closed forms."""

import numpy as np
import pytest
import scipy.linalg
import torch

from covdemo import spectra


def symmetric(size, scale=1.0, seed=0, count=5):
    square = torch.randn(count, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return scale * (square + square.mT) / 2


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("scale", [0, 1e-8, 1e-3, 0.05, 0.07, 1, 5])
def test_the_exponential_is_that_of_scipy(size, scale):
    matrix = symmetric(size, scale)
    expected = np.stack([scipy.linalg.expm(each) for each in matrix.numpy()])
    size_of_it = np.abs(expected).max()  # rounding is relative to the largest entry
    assert spectra.symmetric_exponential(matrix).numpy() == pytest.approx(expected, abs=1e-12 * size_of_it)


@pytest.mark.parametrize("scale", [0, 1e-3, 0.05, 0.07, 1])
def test_the_gradient_of_the_exponential_is_that_of_torch(scale):
    mine, theirs = (symmetric(2, scale).requires_grad_() for _ in range(2))
    spectra.symmetric_exponential((mine + mine.mT) / 2).square().sum().backward()
    torch.linalg.matrix_exp((theirs + theirs.mT) / 2).square().sum().backward()
    assert mine.grad.numpy() == pytest.approx(theirs.grad.numpy(), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_square_matrix_has_the_lower_factor_of_its_gram_matrix(size):
    square = spectra.symmetric_exponential(symmetric(size))
    factor = spectra.lower_from_square(square, torch.linalg.slogdet(square).logabsdet)
    assert factor.numpy() == pytest.approx(torch.linalg.cholesky(square @ square.mT).numpy(), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_the_largest_eigenvalue_is_that_of_torch(size):
    matrix = symmetric(size)
    assert spectra.largest_eigenvalue(matrix).numpy() == pytest.approx(torch.linalg.eigvalsh(matrix)[..., -1].numpy())


@pytest.mark.parametrize("size", [2, 3])
def test_the_largest_eigenvalue_of_what_is_not_a_number_is_not_a_number(size):
    matrix = torch.full((1, size, size), float("nan"))
    assert spectra.largest_eigenvalue(matrix).isnan().all()
