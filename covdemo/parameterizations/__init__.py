"""The zoo: ways to write a covariance matrix as free numbers, one small module each, one registry.

To add one, write a class with ``@register(...)`` above it in the file of its family (see ``registry`` for the protocol): the
page's drop-down, the command line, the exported code and the contract tests follow.
"""

from covdemo.parameterizations import direct, cholesky, spectral, restricted, steps  # noqa: F401, I001  (drop-down order)
from covdemo.parameterizations.registry import GUARANTEES, PARAMETERIZATIONS, Guarantee, Parameterization, register

__all__ = ["GUARANTEES", "PARAMETERIZATIONS", "Guarantee", "Parameterization", "register"]
