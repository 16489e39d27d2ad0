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
        chance: of naming the largest category always.
        underflow: largest share of own points with density 0.
        extent: distance or width in units of the data's size.
        signal: mean size of the derivatives with respect to log-densities and weights.
        kl: KL(true || model) in nats, ``[B, K]``.
    """

    accuracy: Tensor
    true_accuracy: Tensor
    chance: Tensor
    underflow: Tensor
    extent: Tensor
    signal: Tensor
    kl: Tensor

    def ending(self, replica: int, stopped: bool) -> Ending:
        """Return the measurements of one replica, for ``outcomes.judge``."""
        return Ending(stopped, *(float(measured[replica]) for measured in self[:-1]))


class Task(NamedTuple):
    """What models are measured against.

    Attributes:
        truth: the true distributions, ``[K, D]``.
        points: ``[B, N, D]``.
        labels: categories of the points, ``[N]``.
        accuracy: of the true distributions, ``[B]``.
        centre: of the points, ``[B, D]``.
        size: largest distance of a point from the centre, ``[B]``.
    """

    truth: Gaussians
    points: Tensor
    labels: Tensor
    accuracy: Tensor
    centre: Tensor
    size: Tensor

    @classmethod
    def of(cls, truth: Gaussians, points: Tensor, labels: Tensor) -> "Task":
        """Measure the points and how well the true distributions tell them apart."""
        accuracy = metrics.accuracy(_over_points(truth).log_density(points.to(truth.loc)), labels)
        centre = points.mean(-2)
        size = (points - centre.unsqueeze(-2)).norm(dim=-1).amax(-1).clamp_min(torch.finfo(points.dtype).tiny)
        return cls(truth, linalg.lay_out(points), labels, accuracy, centre, size)

    def each(self, lane: Tensor) -> "Task":
        """Return the task of every replica, each with the points of its ``lane`` ``[B]``, replicas innermost in memory."""
        points = linalg.reverse(linalg.reverse(self.points)[..., lane])
        return Task(self.truth, points, self.labels, self.accuracy[lane], self.centre[lane], self.size[lane])


def assess(model: Gaussians, readout: Tensor, objective: Objective, share: float, task: Task) -> Assessment:
    """Measure B models against their data and the true distributions.

    Args:
        model: last valid distributions, ``[B, K, D]``.
        readout: weights, ``[B, K, K]``.
        objective: what was minimized.
        share: part of the likelihood in a weighted objective.
        task: of the same B.
    """
    log_density = _over_points(model).log_density(task.points)
    target = one_hot(task.labels, log_density.shape[-1])
    weights = readout.unsqueeze(-3)
    found = objective.evaluate(log_density, weights, target, share)
    return Assessment(
        metrics.accuracy(objective.scores(log_density, weights), task.labels),
        task.accuracy,
        target.double().mean(-2).amax(-1).expand(len(task.points)),
        _underflow(log_density, target),
        _extent(model, task),
        found.log_density_gradient.abs().mean((-2, -1)) + found.readout_gradient.abs().mean((-3, -2, -1)),
        metrics.kl_divergence(task.truth, double(model)),
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


def _extent(model: Gaussians, task: Task) -> Tensor:
    """Return the largest distance of a mean from the centre, or standard deviation, over the largest distance of a point."""
    away = (model.loc - task.centre.unsqueeze(-2)).norm(dim=-1).amax(-1)
    width = linalg.total(model.scale_tril.square()).sqrt().amax((-2, -1))
    return torch.maximum(away, width) / task.size
