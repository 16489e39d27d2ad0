"""Parameterizations with fewer free numbers, which cannot represent every covariance matrix."""

import torch
from torch import Tensor, nn

from covdemo import linalg
from covdemo.parameterizations.registry import register


@register(
    "low-rank",
    label="Rank one plus diagonal",
    feeds="scale_tril",
    guarantee="exact",
    formula=r"\Sigma = w w^\top + \operatorname{diag}(e^{d})",
    summary="One common direction plus noise per axis, the rank-one case of torch's LowRankMultivariateNormal.",
    misses="In 3 dimensions or more, covariances between axes that one common direction does not explain.",
    use="In many dimensions, where a few directions explain the covariance.",
    pitfall="At w = 0 its gradient is 0; noise that has shrunk to nothing on an axis hardly moves any more.",
    links={
        "Rubin and Thayer (1982)": "https://doi.org/10.1007/BF02293851",
        "torch: LowRankMultivariateNormal": "https://docs.pytorch.org/docs/stable/distributions.html#lowrankmultivariatenormal",
    },
)
class LowRank(nn.Module):
    """Sigma = w w^T + diag(exp d), free numbers ``[..., D, 2]`` with w in the first column and d in the second.

    Handed over as its Cholesky factor: that of the diagonal, updated by w. Nothing is subtracted on the way, so that no entry
    of the diagonal falls below the noise. Source: Gill, Golub, Murray and Saunders (1974), "Methods for modifying matrix
    factorizations", Mathematics of Computation 28 (method C1).
    """

    def forward(self, raw: Tensor) -> Tensor:
        """Return the factor: L_jj = sqrt(noise_j^2 + (r w_j)^2), L_ij = r w_i r w_j / L_jj, then r noise_j / L_jj for r."""
        size = raw.shape[-2]
        free = linalg.matrix_entries(raw)
        lower, rest = {}, torch.ones_like(free[0, 0])
        for j in range(size):
            noise, part = (free[j, 1] / 2).exp(), rest * free[j, 0]
            lower[j, j] = noise.hypot(part)
            for i in range(j + 1, size):
                lower[i, j] = rest * free[i, 0] * (part / lower[j, j])
            rest = rest * (noise / lower[j, j])
        return linalg.assemble_matrix(lower, size, size)

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Reproduce the diagonal and the first row: w_1 = c sd_1, w_j = Sigma_1j / w_1, c^2 half way from max rho_1j^2 to 1.

        In two dimensions that is the whole matrix. A zero w would be a saddle point, so w_1 is never zero.
        """
        variance, first = linalg.total(matrix.square()), matrix[..., :1, 0] * matrix[..., 0]
        squared_correlation = first.square() / (variance * variance[..., :1])
        largest = squared_correlation[..., 1:].amax(-1, keepdim=True) if matrix.shape[-1] > 1 else 0.0
        lead = ((1 + largest) / 2 * variance[..., :1]).sqrt()
        direction = torch.cat([lead, first[..., 1:] / lead], dim=-1)
        return torch.stack([direction, (variance - direction.square()).log()], dim=-1)


@register(
    "diagonal",
    label="Diagonal",
    feeds="scale_tril",
    guarantee="exact",
    formula=r"\Sigma = \operatorname{diag}(e^{2 a_1}, \dots, e^{2 a_D})",
    summary="Standard deviations only: cheap, hard to break, blind to correlation.",
    misses="Any covariance between two axes.",
    use="Where correlation does not matter, or there are too many dimensions for a full matrix.",
    pitfall="It cannot tilt: a correlated category is fitted by a wider, upright ellipse.",
    links={
        "Celeux and Govaert (1995)": "https://doi.org/10.1016/0031-3203(94)00125-6",
        "TensorFlow Probability: MultivariateNormalDiag": "https://www.tensorflow.org/probability/api_docs/python/tfp/distributions/MultivariateNormalDiag",
    },
)
class Diagonal(nn.Module):
    """L = diag(exp a) for free ``[..., D]``."""

    def forward(self, raw: Tensor) -> Tensor:
        """Return the factor."""
        return linalg.embed_diagonal(raw.exp())

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Return the logarithm of the standard deviations of L L^T."""
        return linalg.total(matrix.square()).log() / 2


@register(
    "spherical",
    label="Spherical",
    feeds="scale_tril",
    guarantee="exact",
    formula=r"\Sigma = e^{2 a_1} I",
    summary="One radius for all directions.",
    misses="Any difference between the axes and any covariance between them.",
    use="For prototypes with a radius, and as a baseline.",
    pitfall="It cannot stretch: thin categories are fitted by a circle.",
    links={
        "Celeux and Govaert (1995)": "https://doi.org/10.1016/0031-3203(94)00125-6",
        "scikit-learn: covariance types of mixtures": "https://scikit-learn.org/stable/modules/mixture.html",
    },
)
class Spherical(nn.Module):
    """L = exp(a_1) I for free ``[..., D]``, of which the first is read; the others only say how many axes there are."""

    def forward(self, raw: Tensor) -> Tensor:
        """Return the factor."""
        return linalg.embed_diagonal(raw[..., :1].exp().expand(raw.shape))

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Return half the logarithm of the mean variance of L L^T, D times."""
        return (linalg.total(matrix.square()).mean(-1, keepdim=True).log() / 2).expand(matrix.shape[:-1])
