"""What the last parameters of many runs amount to: the measurements that ``outcomes.judge`` decides on."""

from typing import NamedTuple

import torch
from torch import Tensor

from covdemo import linalg, metrics
from covdemo.gaussians import Gaussians
from covdemo.learner import Objective, one_hot
from covdemo.outcomes import Ending


class Assessment(NamedTuple):
    """Measurements per replica, ``[B]`` unless said otherwise; the words are those of ``outcomes.Ending``.

    Attributes:
        accuracy: of the model.
        true_accuracy: of the true distributions.
        underflow: largest share of own points with density 0.
        extent: distance or width in units of the data's size.
        signal: mean size of the derivatives with respect to log-densities and weights.
        kl: KL(true || model) in nats, ``[B, K]``.
    """

    accuracy: Tensor
    true_accuracy: Tensor
    underflow: Tensor
    extent: Tensor
    signal: Tensor
    kl: Tensor

    def ending(self, replica: int, stopped: bool) -> Ending:
        """Return the measurements of one replica, for ``outcomes.judge``."""
        return Ending(stopped, *(float(measured[replica]) for measured in self[:5]))


def assess(
    model: Gaussians, readout: Tensor, objective: Objective, share: float, truth: Gaussians, points: Tensor, labels: Tensor
) -> Assessment:
    """Measure B models against their data and the true distributions.

    Args:
        model: last valid distributions, ``[B, K, D]``.
        readout: weights, ``[B, K, K]``.
        objective: what was minimised.
        share: part of the likelihood in a weighted objective.
        truth: the true distributions, ``[K, D]``.
        points: ``[B, N, D]``.
        labels: categories of the points, ``[N]``.
    """
    log_density = _over_points(model).log_density(points)
    target = one_hot(labels, log_density.shape[-1])
    weights = readout.unsqueeze(-3)
    found = objective.evaluate(log_density, weights, target, share)
    return Assessment(
        metrics.accuracy(objective.scores(log_density, weights), labels),
        metrics.accuracy(_over_points(truth).log_density(points.to(truth.loc)), labels),
        _underflow(log_density, target),
        _extent(model, points),
        found.log_density_gradient.abs().mean((-2, -1)) + found.readout_gradient.abs().mean((-3, -2, -1)),
        metrics.kl_divergence(truth, double(model)),
    )


def double(distributions: Gaussians) -> Gaussians:
    """Return the distributions in float64."""
    return Gaussians(distributions.loc.double(), distributions.scale_tril.double(), distributions.ok)


def _over_points(distributions: Gaussians) -> Gaussians:
    """Give the distributions a dimension of size 1 for the points, ``[..., 1, K, D]``."""
    return Gaussians(distributions.loc.unsqueeze(-3), distributions.scale_tril.unsqueeze(-4), distributions.ok.unsqueeze(-2))


def _underflow(log_density: Tensor, target: Tensor) -> Tensor:
    gone = (log_density.exp() == 0) & target
    return (gone.sum(-2) / target.sum(-2).clamp_min(1)).amax(-1)


def _extent(model: Gaussians, points: Tensor) -> Tensor:
    """Return the largest distance of a mean from the centre, or standard deviation, over the largest distance of a point."""
    centre = points.mean(-2, keepdim=True)
    size = (points - centre).norm(dim=-1).amax(-1).clamp_min(torch.finfo(points.dtype).tiny)
    away = (model.loc - centre).norm(dim=-1).amax(-1)
    width = linalg.total(model.scale_tril.square()).sqrt().amax((-2, -1))
    return torch.maximum(away, width) / size
