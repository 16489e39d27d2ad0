"""Cholesky factors with a diagonal that is kept positive, of the covariance or of the precision."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from covdemo import linalg
from covdemo.parameterizations.registry import register


@register(
    "log-cholesky",
    label="Log-Cholesky",
    feeds="scale_tril",
    guarantee="exact",
    formula=r"L = \operatorname{stril}(A) + \operatorname{diag}(e^{A_{11}}, \dots, e^{A_{DD}})",
    summary="A Cholesky factor with an exponential diagonal, the usual choice of mixed-model software.",
    use="A good default: unconstrained, one to one, the usual choice in mixed models.",
    pitfall=(
        "A step adds to the logarithm, so a large one multiplies a standard deviation by e to the size of it: it "
        "overflows rather than going negative."
    ),
    links={
        "Pinheiro and Bates (1996)": "https://doi.org/10.1007/BF00140873",
        "torch: LowerCholeskyTransform": "https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.LowerCholeskyTransform",
        "Stan: covariance matrices": "https://mc-stan.org/docs/reference-manual/transforms.html",
    },
)
class LogCholesky(nn.Module):
    """L_ii = exp A_ii, L_ij = A_ij below the diagonal.

    The map of ``torch.distributions.transforms.LowerCholeskyTransform``, written so that the memory order survives (Note
    [Replicas innermost] in ``covdemo.linalg``). Source: Pinheiro and Bates (1996), "Unconstrained parametrizations for
    variance-covariance matrices", Statistics and Computing 6.
    """

    def forward(self, raw: Tensor) -> Tensor:
        """Return the factor."""
        return linalg.map_diagonal(raw, torch.exp)

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Take the logarithm of the diagonal."""
        return linalg.map_diagonal(matrix, torch.log)


@register(
    "softplus-cholesky",
    label="Softplus-Cholesky",
    feeds="scale_tril",
    guarantee="float",
    formula=r"L = \operatorname{stril}(A) + \operatorname{diag}(\operatorname{softplus}(A_{ii}) + 10^{-5})",
    summary="A Cholesky factor whose diagonal grows linearly and never falls below 1e-5.",
    use="A good default where rates may be large: growth is linear and there is a floor.",
    pitfall="Below about -10 the softplus is flat, so a diagonal that got there stays there: no error, and no learning.",
    links={
        "TensorFlow Probability: FillScaleTriL": "https://www.tensorflow.org/probability/api_docs/python/tfp/bijectors/FillScaleTriL",
        "Pinheiro and Bates (1996)": "https://doi.org/10.1007/BF00140873",
    },
)
class SoftplusCholesky(nn.Module):
    """L_ii = log(1 + exp A_ii) + 1e-5, L_ij = A_ij below the diagonal: the map of TensorFlow Probability's FillScaleTriL."""

    floor = 1e-5

    def forward(self, raw: Tensor) -> Tensor:
        """Return the factor."""
        return linalg.map_diagonal(raw, lambda diagonal: functional.softplus(diagonal) + self.floor)

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Invert the softplus as y + log(-expm1(-y)); a diagonal at or below the floor is read as just above it."""

        def inverse(diagonal: Tensor) -> Tensor:
            excess = (diagonal - self.floor).clamp_min(torch.finfo(diagonal.dtype).tiny)
            return excess + (-torch.expm1(-excess)).log()

        return linalg.map_diagonal(matrix, inverse)


@register(
    "precision-log-cholesky",
    label="Precision log-Cholesky",
    feeds="scale_tril",
    guarantee="exact",
    formula=r"\Sigma^{-1} = M^\top M,\quad M = \operatorname{stril}(A) + \operatorname{diag}(e^{A_{ii}})",
    summary="Log-Cholesky of the inverse covariance; an outlier moves it less than it moves a covariance.",
    use="Where outliers are common, or the precision is what is needed in the end.",
    pitfall="As with log-Cholesky a large step is exponentiated, now into the precision: the ellipse collapses or explodes.",
    links={
        "Pinheiro and Bates (1996)": "https://doi.org/10.1007/BF00140873",
        "TensorFlow Probability: MatrixInverseTriL": "https://www.tensorflow.org/probability/api_docs/python/tfp/bijectors/MatrixInverseTriL",
    },
)
class PrecisionLogCholesky(nn.Module):
    """L = M^-1 with M_ii = exp A_ii, M_ij = A_ij below the diagonal, so that the precision is M^T M."""

    def forward(self, raw: Tensor) -> Tensor:
        """Return the factor of the covariance."""
        return linalg.inverse_lower(linalg.map_diagonal(raw, torch.exp))

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Invert the factor and take the logarithm of the diagonal."""
        return linalg.map_diagonal(linalg.inverse_lower(matrix), torch.log)


@register(
    "correlation",
    label="Scales and correlations",
    feeds="scale_tril",
    guarantee="exact",
    formula=r"L = \operatorname{diag}(e^{A_{ii}})\,C,\quad C_{ij} = \tanh A_{ij} \prod_{k<j} \operatorname{sech} A_{ik}",
    summary="Scales and partial correlations apart, as Stan and the LKJ prior have them.",
    use="Where scales and correlations have priors or rates of their own.",
    pitfall="Near a correlation of 1 the hyperbolic tangent saturates and its gradient fades.",
    links={
        "Lewandowski, Kurowicka and Joe (2009)": "https://doi.org/10.1016/j.jmva.2009.04.008",
        "Stan: correlation matrices": "https://mc-stan.org/docs/reference-manual/transforms.html",
        "torch: CorrCholeskyTransform": "https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.CorrCholeskyTransform",
    },
)
class Correlation(nn.Module):
    """L = diag(exp A_ii) C with C the Cholesky factor of a correlation matrix.

    Row i of C: C_ij = tanh A_ij prod_{k<j} sech A_ik for j < i, and C_ii = prod_{k<i} sech A_ik. With sech written out, the
    diagonal does not round to 0 as sqrt(1 - tanh^2) does from |A| = 9 on. Source: Lewandowski, Kurowicka and Joe (2009),
    "Generating random correlation matrices based on vines and extended onion method", J. Multivariate Analysis 100.
    """

    def forward(self, raw: Tensor) -> Tensor:
        """Return the factor."""
        size = raw.shape[-1]
        free = linalg.matrix_entries(raw)
        lower = {}
        for i in range(size):
            rest = free[i, i].exp()
            for j in range(i):
                lower[i, j] = rest * free[i, j].tanh()
                rest = rest * _sech(free[i, j])
            lower[i, i] = rest
        return linalg.assemble_matrix(lower, size, size)

    def right_inverse(self, matrix: Tensor) -> Tensor:
        """Invert row by row as sinh A_ij = L_ij / sqrt(sum_{k>j} L_ik^2), which does not cancel."""
        size = matrix.shape[-1]
        factor = linalg.matrix_entries(matrix)
        free = {}
        for i in range(size):
            rest = factor[i, i]
            for j in reversed(range(i)):
                free[i, j] = (factor[i, j] / rest).asinh()
                rest = rest.hypot(factor[i, j])
            free[i, i] = rest.log()
        return linalg.assemble_matrix(free, size, size)


def _sech(x: Tensor) -> Tensor:
    small = (-x.abs()).exp()
    return 2 * small / (1 + small.square())
