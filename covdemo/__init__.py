"""Train normal distributions point by point, and see why a covariance matrix breaks under SGD.

Letters used for shapes throughout:

- ``B``: replicas, independent copies of the experiment that are trained side by side
- ``K``: categories, one normal distribution each
- ``D``: dimensions of a data point
- ``T``: trials, one data point shown once
- ``N``: data points
"""

from covdemo.batch import Results, run_batch
from covdemo.config import RunConfig
from covdemo.failures import Failure, FailureKind
from covdemo.gaussians import Gaussians
from covdemo.learner import OBJECTIVES, DistrLearner
from covdemo.optim import AffineInvariantSGD
from covdemo.optimizers import OPTIMIZERS
from covdemo.outcomes import Outcome, Reason
from covdemo.parameterizations import PARAMETERIZATIONS, Parameterization, register
from covdemo.policies import POLICIES
from covdemo.run import Run
from covdemo.trials import Trials

__version__ = "0.1.0"

__all__ = [
    "OBJECTIVES",
    "OPTIMIZERS",
    "PARAMETERIZATIONS",
    "POLICIES",
    "AffineInvariantSGD",
    "DistrLearner",
    "Failure",
    "FailureKind",
    "Gaussians",
    "Outcome",
    "Parameterization",
    "Reason",
    "Results",
    "Run",
    "RunConfig",
    "Trials",
    "register",
    "run_batch",
]
