"""Every number in the text that says why it breaks is computed here, and what it claims is seen to be true."""

import re
from importlib.resources import files

import numpy as np
import pytest
import torch
from test_lesson_figures import NUMBER, WORD, seeds
from torch.distributions import MultivariateNormal

from covdemo.config import RunConfig
from covdemo.run import Run
from covdemo.walls import likelihood_wall

TEXT = (files("covdemo.ui") / "lessons" / "why.md").read_text()
THINNEST = float(np.linalg.eigvalsh(RunConfig().true_covariances).min())


def numbers():
    """Return the numbers in the text, those of the displayed formulas left out."""
    plain = re.sub(r"\$\$.*?\$\$", "", TEXT, flags=re.DOTALL).replace("\\cdot 10^", "e").replace("10^", "1e")
    return [float(number) for number in NUMBER.findall(re.sub(r" ?e\{(-?\d+)\}", r"e\1", plain))]


def slope(eigenvalue):
    """Return the gradient of the negative log-likelihood of a point at the mean, along an axis of this variance."""
    covariance = torch.diag(torch.tensor([eigenvalue, 1.0], dtype=torch.float64)).requires_grad_()
    mean = torch.zeros(2, dtype=torch.float64)
    (-MultivariateNormal(mean, covariance).log_prob(mean)).backward()
    return float(covariance.grad[0, 0])


def test_every_number_is_what_the_package_computes():
    wall = float(likelihood_wall(torch.tensor(THINNEST, dtype=torch.float64)))
    divisor = 1 / (THINNEST * slope(THINNEST))
    bits = np.finfo(np.float64).bits
    assert numbers()[:4] == pytest.approx([divisor, THINNEST, wall, bits], rel=1e-2)
    assert len(numbers()) == 6  # the last two are tried below
    assert WORD.findall(TEXT) == []


def test_the_wall_of_the_text_is_where_the_worst_step_takes_the_eigenvalue_to_0():
    wall = float(likelihood_wall(torch.tensor(THINNEST, dtype=torch.float64)))
    assert THINNEST - wall * slope(THINNEST) == pytest.approx(0, abs=1e-12)


def test_double_precision_mostly_fails_at_the_same_trial():
    single, double = seeds("the-question"), seeds("the-question", dtype="float64")
    assert (single.failed_at > 0).all()
    assert (single.failed_at == double.failed_at).mean() > 0.5


def test_a_little_on_the_diagonal_does_not_stop_the_step():
    jitter, step = numbers()[-2:]
    run = Run(RunConfig(lr_cov=step))
    run.advance(run.total)
    assert run.stopped
    assert min(run.history.failures[0].eigenvalues) + jitter < 0
