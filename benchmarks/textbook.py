"""The loop a PyTorch user writes: MultivariateNormal, autograd, torch.optim.SGD, one data point at a time.

It shares no code with covdemo, so that tests and benchmarks can hold covdemo against it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal
from torch.distributions.transforms import LowerCholeskyTransform
from torch.nn import functional


def _softplus_cholesky(raw: Tensor) -> Tensor:
    positive = functional.softplus(raw.diagonal(dim1=-2, dim2=-1)) + 1e-5
    return torch.tril(raw, -1) + torch.diag_embed(positive)


def _softplus_inverse(factor: Tensor) -> Tensor:
    return torch.tril(factor, -1) + torch.diag_embed((factor.diagonal(dim1=-2, dim2=-1) - 1e-5).expm1().log())


# parameterization -> (keyword of MultivariateNormal, raw -> matrix, start covariance -> raw)
WAYS: dict[str, tuple[str, Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "covariance": ("covariance_matrix", lambda raw: raw, lambda start: start),
    "tril-as-posted": ("scale_tril", torch.tril, lambda start: start),
    "tril": ("scale_tril", torch.tril, torch.linalg.cholesky),
    "log-cholesky": (
        "scale_tril",
        LowerCholeskyTransform(),
        lambda start: LowerCholeskyTransform().inv(torch.linalg.cholesky(start)),
    ),
    "softplus-cholesky": (
        "scale_tril",
        _softplus_cholesky,
        lambda start: _softplus_inverse(torch.linalg.cholesky(start)),
    ),
}


@dataclass
class TextbookRun:
    """What the loop ended with: ``trials`` done, torch's ``message`` if it raised, and the parameters by then."""

    trials: int
    message: str
    means: Tensor
    raw: Tensor
    readout: Tensor


class TextbookLearner:
    """The model and its optimizer, for one data point at a time.

    ``rates`` are the learning rates of the means, the covariance parameters and the read-out.
    """

    def __init__(
        self, parameterization: str, means: Tensor, covariances: Tensor, rates: Sequence[float], momentum: float
    ) -> None:
        self.keyword, self.forward, start = WAYS[parameterization]
        self.means = means.clone().requires_grad_()
        self.raw = start(covariances.clone()).requires_grad_()
        self.readout = torch.zeros(len(means), len(means), dtype=means.dtype, requires_grad=True)
        parameters = (self.means, self.raw, self.readout)
        groups = [{"params": [p], "lr": lr} for p, lr in zip(parameters, rates, strict=True)]
        self.optimizer = torch.optim.SGD(groups, lr=0.0, momentum=momentum)

    def step(self, point: Tensor, label: Tensor) -> None:
        """Learn one ``point`` [D] with its ``label`` [1]; raise what PyTorch raises."""
        matrix: dict[str, Any] = {self.keyword: self.forward(self.raw)}
        distribution = MultivariateNormal(self.means, **matrix)
        densities = distribution.log_prob(point).exp()
        loss = functional.cross_entropy(functional.linear(densities, self.readout).unsqueeze(0), label)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def textbook_loop(
    parameterization: str,
    points: Tensor,
    labels: Tensor,
    means: Tensor,
    covariances: Tensor,
    rates: Sequence[float],
    momentum: float,
) -> TextbookRun:
    """Train on ``points`` [T, D] with ``labels`` [T] in the order given; stop where PyTorch raises."""
    learner = TextbookLearner(parameterization, means, covariances, rates, momentum)
    trials, message = 0, ""
    for trial in range(len(points)):
        try:
            learner.step(points[trial], labels[trial : trial + 1])
        except ValueError as error:
            message = str(error)
            break
        trials += 1
    last = (tensor.detach() for tensor in (learner.means, learner.raw, learner.readout))
    return TextbookRun(trials, message, *last)
