"""The registry of ways to write a covariance matrix as free numbers.

Every module follows the protocol of ``torch.nn.utils.parametrize``, with any leading dimensions:

- ``forward(raw) -> matrix``: the free numbers to the matrix that torch's keyword ``feeds`` expects;
- ``right_inverse(matrix) -> raw``: free numbers that give this matrix.

Where the plain rule does not hold a module may also define

- ``start(covariance) -> raw``: free numbers to start from;
- ``retract(raw, step) -> raw``: the free numbers after a step, instead of raw + step;
- ``mean_basis(raw) -> matrix``: the basis in which a step of the mean is written, instead of the axes;
- ``pull_back(raw, matrix_gradient) -> gradient``: the gradient with respect to a step, where autograd would be waste;
- ``room(raw, direction) -> rate``: the largest rate at which the update -rate x direction leaves the matrix valid, where
  there is a closed form (see ``covdemo.walls``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from covdemo import gaussians, linalg

Guarantee = Literal["none", "exact", "float", "step"]

GUARANTEES: dict[Guarantee, str] = {
    "none": "An update can make the matrix invalid.",
    "exact": "Always valid in exact arithmetic; rounding or overflow can still break it.",
    "float": "Always valid in float32 whatever the free numbers are, overflow aside.",
    "step": "A step from a valid matrix leads to a valid matrix, in float32, whatever its size.",
}


@dataclass(frozen=True)
class Parameterization:
    """One row of the registry.

    Attributes:
        key: name used in links, on the command line and in files.
        label: name for people.
        feeds: keyword of ``torch.distributions.MultivariateNormal`` that the matrix is meant for.
        guarantee: one of ``GUARANTEES``.
        formula: LaTeX.
        summary: one sentence on what it is good or bad for.
        use: when to choose it.
        pitfall: what goes wrong with it all the same.
        links: papers and counterparts in other libraries, name -> address.
        module: maps free numbers to the matrix and back.
        misses: what it cannot represent; empty if it can represent every covariance matrix.
    """

    key: str
    label: str
    feeds: str
    guarantee: Guarantee
    formula: str
    summary: str
    use: str
    pitfall: str
    links: Mapping[str, str] = field(repr=False, hash=False)
    module: nn.Module = field(repr=False)
    misses: str = ""

    def matrix(self, raw: Tensor) -> Tensor:
        """Return the matrix that ``raw`` stands for, ``[..., D, D]``."""
        matrix: Tensor = self.module(raw)
        return matrix

    def covariance(self, raw: Tensor) -> Tensor:
        """Return the covariance matrix, ``[..., D, D]``, also where it is not valid; NaN where a precision has no inverse."""
        matrix = self.matrix(raw)
        if self.feeds == "covariance_matrix":
            return matrix
        return _inverse(matrix) if self.feeds == "precision_matrix" else linalg.gram(matrix)

    def gaussians(self, means: Tensor, raw: Tensor) -> gaussians.Gaussians:
        """Return the normal distributions that the free numbers stand for.

        Args:
            means: ``[..., K, D]``.
            raw: ``[..., K, *]``.
        """
        return gaussians.Gaussians.build(means, self.feeds, self.matrix(raw))

    def start(self, covariance: Tensor) -> Tensor:
        """Return the free numbers to start from, given the covariance matrix meant, ``[..., D, D]``."""
        own = getattr(self.module, "start", None)
        if own is not None:
            return linalg.lay_out(own(covariance))
        matrix = gaussians.unfactor(self.feeds, linalg.cholesky(covariance)[0])
        return linalg.lay_out(self.module.right_inverse(matrix))  # type: ignore[operator]

    def retract(self, raw: Tensor, step: Tensor) -> Tensor:
        """Return the free numbers after ``step``: raw + step, unless the module knows better."""
        own = getattr(self.module, "retract", None)
        return raw + step if own is None else own(raw, step)

    def pull_back(self, raw: Tensor, matrix_gradient: Tensor) -> Tensor:
        """Return the gradient with respect to a step away from ``raw``, at step 0, given that for the matrix."""
        own = getattr(self.module, "pull_back", None)
        if own is not None:
            return own(raw, matrix_gradient)
        with torch.enable_grad():
            step = torch.zeros_like(raw, requires_grad=True)
            matrix = self.matrix(self.retract(raw, step))
            return torch.autograd.grad(matrix, step, matrix_gradient)[0]

    def shift(self, means: Tensor, raw: Tensor, step: Tensor) -> Tensor:
        """Return the means after ``step``, which is written in the module's own basis if it has one, ``[..., K, D]``."""
        basis = getattr(self.module, "mean_basis", None)
        return means + (step if basis is None else linalg.apply(basis(raw), step))

    def pull_back_mean(self, raw: Tensor, mean_gradient: Tensor) -> Tensor:
        """Return the gradient with respect to the step that ``shift`` takes, given that for the means."""
        basis = getattr(self.module, "mean_basis", None)
        return mean_gradient if basis is None else linalg.apply(basis(raw).mT, mean_gradient)


def _inverse(matrix: Tensor) -> Tensor:
    inverse, info = torch.linalg.inv_ex(matrix)
    return torch.where((info == 0)[..., None, None], inverse, torch.nan)


PARAMETERIZATIONS: dict[str, Parameterization] = {}


def register(key: str, **row: Any) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Enter a module class in the registry; the keywords are the attributes of ``Parameterization``.

    Raises:
        ValueError: if the key is taken.
    """

    def enter(module: type[nn.Module]) -> type[nn.Module]:
        if key in PARAMETERIZATIONS:
            raise ValueError(f"parameterization {key!r} is registered twice")
        PARAMETERIZATIONS[key] = Parameterization(key, module=module(), **row)
        return module

    return enter
