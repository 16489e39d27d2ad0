"""What is learned, and how it moves."""

from typing import NamedTuple

from torch import Tensor

from covdemo.parameterizations import Parameterization


class Parameters(NamedTuple):
    """What is learned; also steps and gradients, which have the same shapes.

    Attributes:
        means: ``[B, K, D]``.
        raw: free numbers of the covariance matrices, ``[B, K, *]``.
        readout: weights, ``[B, K, K]``.
    """

    means: Tensor
    raw: Tensor
    readout: Tensor

    def to(self, device: str) -> "Parameters":
        """Return the same on another device."""
        return Parameters(*(tensor.to(device) for tensor in self))


def move(row: Parameterization, parameters: Parameters, steps: Parameters) -> Parameters:
    """Return the parameters after ``steps``, by the parameterization's own rules of moving."""
    return Parameters(
        row.shift(parameters.means, parameters.raw, steps.means),
        row.retract(parameters.raw, steps.raw),
        parameters.readout + steps.readout,
    )


def valid(row: Parameterization, parameters: Parameters) -> Tensor:
    """Return whether torch would accept each distribution, ``[B, K]``."""
    return row.gaussians(parameters.means, parameters.raw).valid
