"""Densities -> linear read-out -> logits -> loss: the model of the experiment.

The functions take any leading dimensions; ``DistrLearner`` is the same model as an ordinary ``nn.Module``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from covdemo import linalg
from covdemo.gaussians import Gaussians
from covdemo.parameterizations import PARAMETERIZATIONS


def read_out(weights: Tensor, log_density: Tensor) -> Tensor:
    """Return the logits W a of the densities a_k = exp(log N(x | mu_k, Sigma_k)).

    Args:
        weights: W, ``[..., K, K]``, row = logit, column = density.
        log_density: ``[..., K]``.
    """
    return linalg.total(weights * log_density.exp().unsqueeze(-2))


class Evaluation(NamedTuple):
    """What an objective says of one data point per replica.

    Attributes:
        loss: ``[...]``.
        log_density_gradient: derivative of the loss with respect to the log-densities, ``[..., K]``.
        readout_gradient: derivative of the loss with respect to the weights, ``[..., K, K]``.
    """

    loss: Tensor
    log_density_gradient: Tensor
    readout_gradient: Tensor


@dataclass(frozen=True)
class Objective:
    """One row of the registry of objectives.

    Attributes:
        key: name used in links, on the command line and in files.
        label: name for people.
        formula: LaTeX.
        summary: one sentence.
        evaluate: ``(log_density [..., K], weights [..., K, K], target [..., K], share) -> Evaluation``; ``target`` is one-hot,
            ``share`` the part of the likelihood in a weighted sum.
        scores: ``(log_density, weights) -> [..., K]``; the category with the largest score is the model's answer.
        loss_code: the loss of one data point in torch's own words, for exported scripts.
        scores_code: the scores of many data points, likewise.
    """

    key: str
    label: str
    formula: str
    summary: str
    evaluate: Callable[[Tensor, Tensor, Tensor, float], Evaluation]
    scores: Callable[[Tensor, Tensor], Tensor]
    loss_code: str
    scores_code: str


def one_hot(label: Tensor, categories: int) -> Tensor:
    """Return a boolean ``[..., K]`` that is true at the label ``[...]``."""
    index = torch.arange(categories, device=label.device).view(-1, *(1,) * label.ndim)
    return (label == index).movedim(0, -1)


def softmax_cross_entropy(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return -log softmax(logits)_y, ``[...]``, and its gradient softmax(logits) - target, ``[..., K]``."""
    shifted = logits - logits.amax(-1, keepdim=True)
    share = shifted.exp()
    whole = linalg.total(share)
    loss = whole.log() - linalg.pick(shifted, target)
    return loss, share / whole.unsqueeze(-1) - target.to(logits.dtype)


def cross_entropy(log_density: Tensor, weights: Tensor, target: Tensor, share: float = 0.0) -> Evaluation:
    """Evaluate -log softmax(W a)_y; with e = softmax - target: dW = e a^T, d log a_k = a_k (W^T e)_k."""
    density = log_density.exp()
    loss, error = softmax_cross_entropy(read_out(weights, log_density), target)
    gradient = density * linalg.apply(weights.mT, error)
    return Evaluation(loss, gradient, linalg.outer(error, density))


def bayes_posterior(log_density: Tensor, weights: Tensor, target: Tensor, share: float = 0.0) -> Evaluation:
    """Evaluate -log p(y | x) with equal priors, -log softmax(log a)_y; the weights take no part."""
    return Evaluation(*softmax_cross_entropy(log_density, target), torch.zeros_like(weights))


def negative_log_likelihood(log_density: Tensor, weights: Tensor, target: Tensor, share: float = 1.0) -> Evaluation:
    """Evaluate -log N(x | mu_y, Sigma_y); the weights take no part."""
    loss = -linalg.pick(log_density, target)
    return Evaluation(loss, -target.to(log_density.dtype).expand_as(log_density), torch.zeros_like(weights))


def weighted(log_density: Tensor, weights: Tensor, target: Tensor, share: float) -> Evaluation:
    """Evaluate (1 - share) x cross-entropy + share x negative log-likelihood."""
    parts = (rule(log_density, weights, target) for rule in (cross_entropy, negative_log_likelihood))
    return Evaluation(*((1 - share) * first + share * last for first, last in zip(*parts, strict=True)))


def _posterior_scores(log_density: Tensor, weights: Tensor) -> Tensor:
    return log_density


def _readout_scores(log_density: Tensor, weights: Tensor) -> Tensor:
    return read_out(weights, log_density)


OBJECTIVES: dict[str, Objective] = {
    row.key: row
    for row in (
        Objective(
            key="cross-entropy",
            label="Cross-entropy, read-out",
            formula=r"-\log \operatorname{softmax}(W a)_y,\quad a_k = \mathcal{N}(x \mid \mu_k, \Sigma_k)",
            summary="Learns to tell the categories apart; it needs the boundary, not the distributions.",
            evaluate=cross_entropy,
            scores=_readout_scores,
            loss_code="functional.cross_entropy((readout @ log_density.exp()).unsqueeze(0), label)",
            scores_code="log_density.exp() @ readout.T",
        ),
        Objective(
            key="bayes",
            label="Cross-entropy, Bayes",
            formula=r"-\log \frac{\mathcal{N}(x \mid \mu_y, \Sigma_y)}{\sum_k \mathcal{N}(x \mid \mu_k, \Sigma_k)}",
            summary="The same aim without the read-out: the densities themselves have to answer.",
            evaluate=bayes_posterior,
            scores=_posterior_scores,
            loss_code="functional.cross_entropy(log_density.unsqueeze(0), label)",
            scores_code="log_density",
        ),
        Objective(
            key="likelihood",
            label="Maximum likelihood",
            formula=r"-\log \mathcal{N}(x \mid \mu_y, \Sigma_y)",
            summary="Fits each distribution to the points of its own category; this is what learns the true distributions.",
            evaluate=negative_log_likelihood,
            scores=_posterior_scores,
            loss_code="functional.nll_loss(log_density.unsqueeze(0), label)",
            scores_code="log_density",
        ),
        Objective(
            key="weighted",
            label="Weighted sum",
            formula=r"-(1 - s) \log \operatorname{softmax}(W a)_y - s \log \mathcal{N}(x \mid \mu_y, \Sigma_y)",
            summary="A bit of both: the share s goes to the likelihood.",
            evaluate=weighted,
            scores=_readout_scores,
            loss_code=(
                "torch.lerp(\n        functional.cross_entropy((readout @ log_density.exp()).unsqueeze(0), label),\n"
                "        functional.nll_loss(log_density.unsqueeze(0), label),\n        LIKELIHOOD_SHARE,\n    )"
            ),
            scores_code="log_density.exp() @ readout.T",
        ),
    )
}


class DistrLearner(nn.Module):
    """K normal distributions as receptive fields of K categories, with a bias-free linear read-out that starts at 0.

    Args:
        means: start of the means, ``[K, D]``.
        covariances: start of the covariance matrices, ``[K, D, D]``.
        parameterization: key of ``covdemo.parameterizations.PARAMETERIZATIONS``.

    Raises:
        ValueError: for an unknown parameterization, other shapes, or a matrix that is not symmetric and positive definite.
    """

    def __init__(self, means: Tensor, covariances: Tensor, parameterization: str = "log-cholesky") -> None:
        super().__init__()
        if parameterization not in PARAMETERIZATIONS:
            raise ValueError(f"expected one of {', '.join(PARAMETERIZATIONS)}; got parameterization {parameterization!r}")
        _check_start(means, covariances)
        self.parameterization = PARAMETERIZATIONS[parameterization]
        self.means = nn.Parameter(means.clone())
        self.raw = nn.Parameter(self.parameterization.start(covariances).clone())
        self.readout = nn.Parameter(means.new_zeros(len(means), len(means)))

    def gaussians(self) -> Gaussians:
        """Return the normal distributions as they are now."""
        return self.parameterization.gaussians(self.means, self.raw)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits ``[..., K]`` of points ``x`` ``[..., D]``."""
        return read_out(self.readout, self.gaussians().log_density(x))


def _check_start(means: Tensor, covariances: Tensor) -> None:
    if means.ndim != 2 or covariances.shape != (*means.shape, means.shape[-1]):
        found = f"{list(means.shape)} and {list(covariances.shape)}"
        raise ValueError(f"expected means [K, D] and covariances [K, D, D]; got {found}")
    symmetric = torch.isclose(covariances, covariances.mT).flatten(1).all(-1)
    valid = symmetric & linalg.cholesky(covariances)[1]
    if not valid.all():
        first = int(valid.logical_not().nonzero()[0])
        raise ValueError(f"expected symmetric positive definite covariances; got {covariances[first].tolist()} at {first}")
