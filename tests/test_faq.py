"""docs/faq.md quotes what the installed torch says."""

import re
from pathlib import Path

import pytest
import torch
from torch.distributions import MultivariateNormal

PAGE = (Path(__file__).parent.parent / "docs" / "faq.md").read_text()
INDEFINITE = torch.tensor([[1.0, 2.0], [2.0, 1.0]])
BATCH = torch.stack([torch.eye(2), INDEFINITE])
FACTOR = torch.tensor([[1.0, 0.0], [0.5, -0.1]])
LOST = torch.tensor([torch.nan, 0.0])
ORIGIN, ROUND = torch.zeros(2), torch.eye(2)

FAULTS = {
    "covariance": lambda: MultivariateNormal(ORIGIN, INDEFINITE),
    "batch of covariances": lambda: MultivariateNormal(ORIGIN, BATCH),
    "asymmetric covariance": lambda: MultivariateNormal(ORIGIN, torch.tensor([[1.0, 0.5], [0.4, 1.0]])),
    "covariance that is not a number": lambda: MultivariateNormal(ORIGIN, torch.full((2, 2), torch.nan)),
    "precision": lambda: MultivariateNormal(ORIGIN, precision_matrix=INDEFINITE),
    "factor": lambda: MultivariateNormal(ORIGIN, scale_tril=FACTOR),
    "factor that is not triangular": lambda: MultivariateNormal(ORIGIN, scale_tril=torch.ones(2, 2)),
    "mean": lambda: MultivariateNormal(LOST, ROUND),
    "point": lambda: MultivariateNormal(ORIGIN, ROUND).log_prob(LOST),
    "unchecked covariance": lambda: MultivariateNormal(ORIGIN, INDEFINITE, validate_args=False),
    "unchecked covariance that is not a number": lambda: MultivariateNormal(
        ORIGIN, torch.full((2, 2), torch.nan), validate_args=False
    ),
    "factorisation": lambda: torch.linalg.cholesky(INDEFINITE),
    "factorisation of a batch": lambda: torch.linalg.cholesky(BATCH),
}
EARLIER = [
    "cholesky_cpu: U(2,2) is zero, singular U.",
    "cholesky_cpu: For batch 0: U(2,2) is zero, singular U.",
    "cholesky_cuda: U(2,2) is zero, singular U.",
    "cholesky_cuda: For batch 0: U(2,2) is zero, singular U.",
    "torch.linalg.cholesky: U(2,2) is zero, singular U.",
    "torch.linalg.cholesky: For batch 0: U(2,2) is zero, singular U.",
    "RuntimeError: Lapack Error in potrf : the leading minor of order 2 is not positive definite",
    "The parameter covariance_matrix has invalid values",
    "The parameter scale_tril has invalid values",
    "The parameter precision_matrix has invalid values",
    "The parameter loc has invalid values",
]


def general(text):
    """Return a text with one sign for each number, list of numbers or shape."""
    return re.sub(r"#(, ?#)*,?", "#", re.sub(r"\d+", "#", text))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_page_quotes_the_message_with_the_name_of_its_class(fault):
    with pytest.raises((ValueError, torch.linalg.LinAlgError)) as caught:
        fault()
    kind = caught.type
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    first, *_ = str(caught.value).splitlines()
    assert general(f"{name}: {first}\n") in general(PAGE)


@pytest.mark.parametrize("message", EARLIER)
def test_the_page_quotes_what_torch_said_earlier(message):
    assert message in PAGE


def test_an_unchecked_factor_gives_nan_as_the_page_says():
    assert MultivariateNormal(ORIGIN, scale_tril=FACTOR, validate_args=False).log_prob(ORIGIN).isnan()


def test_an_infinite_mean_passes_the_check_as_the_page_says():
    assert MultivariateNormal(torch.tensor([torch.inf, 0.0]), ROUND).loc.isinf().any()
    assert "A mean is `nan`; an infinite one passes the check." in PAGE


def test_an_infinite_diagonal_passes_the_check_as_the_page_says():
    assert MultivariateNormal(ORIGIN, scale_tril=torch.diag(torch.tensor([1.0, torch.inf]))).scale_tril.isinf().any()
