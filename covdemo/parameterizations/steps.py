"""Steps that stay on the manifold of covariance matrices: no map from free numbers, but a rule for moving."""

import torch
from torch import Tensor, nn

from covdemo import linalg
from covdemo.parameterizations.registry import register

HUGE = 1e30  # entries of a step count as at most this: far beyond the trust radius, and sums of a few stay finite


@register(
    "affine-invariant",
    label="Affine-invariant step",
    feeds="scale_tril",
    guarantee="step",
    formula=r"\Sigma' = L\,(I + M + \tfrac{1}{2} M^2)\,L^\top,\quad \lVert M \rVert_F \le 0.1,\quad \mu' = \mu + 2 L u",
    summary="Steps are written in the distribution's own coordinates and bounded there: it cannot fail and cannot jump.",
    use="Where training must not fail whatever the rate: unattended runs, sweeps, online learning.",
    pitfall=(
        "At a huge rate every step has the largest size allowed, so the ellipse trembles instead of settling: lower "
        "the rate for precise estimates. Means step in the same coordinates: with maximum likelihood and no momentum, each "
        "point draws its mean nearer by 4 lr_mu of the distance, so lr_mu does not mean what it means to the other methods."
    ),
    links={
        "Pennec, Fillard and Ayache (2006)": "https://doi.org/10.1007/s11263-005-3222-z",
        "Lin, Schmidt and Khan (2020)": "https://arxiv.org/abs/2002.10060",
        "geoopt: symmetric positive definite manifold": "https://geoopt.readthedocs.io/en/latest/manifolds.html",
    },
)
class AffineInvariant(nn.Module):
    """L' = L chol(S(M)) with S(M) = I + M + M M / 2, M the symmetric part of the step, its Frobenius norm at most ``trust``.

    With eigenvalues m of M those of S are 1 + m + m^2 / 2 >= 1/2, so L' has a positive diagonal for every step. S is the
    second-order expansion of the affine-invariant exponential map; the gradient with respect to M at 0 of the log-density is
    (z z^T - I) / 2. Means step in the same coordinates, mu' = mu + stretch L u, u being the step of the optimizer, which is
    -lr_mu stretch L^T times the gradient with respect to mu: the factor 1 / sigma^2 of the plain gradient is missing. The
    stretch, which counts squared, lets a rate chosen for plain gradients still forget its start in time.

    Sources: Pennec, Fillard and Ayache (2006), "A Riemannian framework for tensor computing", IJCV 66; Lin, Schmidt and Khan
    (2020), "Handling the positive-definite constraint in the Bayesian learning rule", ICML.

    Args:
        trust: largest Frobenius norm of M.
    """

    stretch = 2.0

    def __init__(self, trust: float = 0.1) -> None:
        super().__init__()
        self.trust = trust

    def forward(self, raw: Tensor) -> Tensor:
        """Return the factor, the lower triangle of ``[..., D, D]``."""
        return linalg.map_diagonal(raw, lambda diagonal: diagonal)

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Return the factor itself."""
        return matrix

    def retract(self, raw: Tensor, step: Tensor) -> Tensor:
        """Return the factor after ``step``, ``[..., D, D]``; an entry that is not a number counts as 0."""
        local = self._bounded(linalg.symmetrize(torch.nan_to_num(step, nan=0.0).clamp(-HUGE, HUGE)))
        identity = torch.eye(raw.shape[-1], dtype=raw.dtype, device=raw.device)
        expanded = identity + local + linalg.product(local, local) / 2
        return linalg.product(self(raw), linalg.cholesky(expanded)[0])

    def _bounded(self, local: Tensor) -> Tensor:
        """Shorten ``local`` to the trust radius; it is divided by its largest entry first, so that no square overflows."""
        largest = local.detach().abs().amax((-2, -1), keepdim=True).clamp_min(torch.finfo(local.dtype).tiny)
        norm = linalg.total(linalg.total((local.detach() / largest).square())).sqrt()[..., None, None]
        return torch.where(largest * norm > self.trust, local / largest * (self.trust / norm.clamp_min(1)), local)

    def pull_back(self, raw: Tensor, matrix_gradient: Tensor) -> Tensor:
        """Return the gradient with respect to M: half the symmetric part of L^T G, diagonal halved, lower triangle read.

        For a small step L' = L (I + Phi(M)), Phi taking the lower triangle with half the diagonal.
        """
        local = linalg.product(self(raw).mT, matrix_gradient)
        lower = linalg.map_diagonal(local, lambda diagonal: diagonal / 2)
        return linalg.symmetrize(lower)

    def mean_basis(self, raw: Tensor) -> Tensor:
        """Return stretch L: a mean moves by this times its step."""
        return self.stretch * self(raw)
