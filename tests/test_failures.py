"""What is said of a failure."""

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal

from covdemo.failures import FailureKind, classify, eigenvalues, torch_message
from covdemo.gaussians import FEEDS, Gaussians

NAN, INF = math.nan, math.inf
OK = torch.zeros(2)


@pytest.mark.parametrize(
    ("feeds", "loc", "matrix", "kind"),
    [
        ("covariance_matrix", [0, 0], [[1, 2], [2, 1]], FailureKind.NOT_POSITIVE_DEFINITE),
        ("precision_matrix", [0, 0], [[1, 2], [2, 1]], FailureKind.NOT_POSITIVE_DEFINITE),
        ("scale_tril", [0, 0], [[-1, 0], [0, 1]], FailureKind.DIAGONAL_NOT_POSITIVE),
        ("scale_tril", [0, 0], [[NAN, 0], [0, 1]], FailureKind.MATRIX_NOT_FINITE),
        ("covariance_matrix", [0, 0], [[INF, 0], [0, -1]], FailureKind.MATRIX_NOT_FINITE),
        ("covariance_matrix", [NAN, 0], [[1, 2], [2, 1]], FailureKind.MEAN_NOT_FINITE),
    ],
)
def test_the_kind_is_told_by_the_numbers(feeds, loc, matrix, kind):
    assert classify(feeds, torch.tensor(loc, dtype=torch.float), torch.tensor(matrix, dtype=torch.float)) is kind


@pytest.mark.parametrize("feeds", ["covariance_matrix", "precision_matrix", "scale_tril"])
def test_the_message_is_that_of_the_installed_torch(feeds):
    matrix = -torch.eye(2)
    with pytest.raises(ValueError, match="constraint") as refusal:
        MultivariateNormal(OK, **{feeds: matrix})
    assert torch_message(feeds, OK, matrix) == str(refusal.value)


def test_there_is_no_message_where_torch_has_nothing_to_refuse():
    assert torch_message("covariance_matrix", OK, torch.eye(2)) == ""


def test_eigenvalues_are_those_of_the_symmetric_matrix_ascending():
    assert eigenvalues("covariance_matrix", torch.tensor([[1.0, 2.0], [2.0, 1.0]])) == pytest.approx((-1, 3))


def test_eigenvalues_of_a_factor_are_its_diagonal():
    assert eigenvalues("scale_tril", torch.tensor([[2.0, 0.0], [5.0, -1.0]])) == (-1, 2)


def test_a_matrix_that_is_not_finite_has_no_eigenvalues():
    assert all(math.isnan(value) for value in eigenvalues("covariance_matrix", torch.full((2, 2), INF)))


# integers are added without rounding, so that torch and we see the same sign
entry = st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0, 5.0, NAN, INF, -INF])


@given(st.sampled_from(FEEDS), st.tuples(entry, entry), entry, entry, entry)
def test_there_is_a_message_exactly_where_a_distribution_is_not_valid(feeds, loc, a, b, c):
    assume(a * c != b * b)  # there the sign of the last pivot is a matter of rounding
    matrix = torch.tensor([[a, 0.0 if feeds == "scale_tril" else b], [b, c]], dtype=torch.float64)
    means = torch.tensor(loc, dtype=torch.float64)
    assert (torch_message(feeds, means, matrix) == "") == Gaussians.build(means, feeds, matrix).valid.item()


@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_is_explained_in_a_sentence(kind):
    assert kind.explanation.endswith(".")
