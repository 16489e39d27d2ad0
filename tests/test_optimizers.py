"""Update rules against torch.optim."""

import pytest
import torch

from covdemo.optimizers import OPTIMIZERS

THEIRS = {
    "sgd": lambda p, lr, m: torch.optim.SGD(p, lr=lr, momentum=m),
    "adam": lambda p, lr, m: torch.optim.Adam(p, lr=lr, betas=(m, 0.999)),
    "rmsprop": lambda p, lr, m: torch.optim.RMSprop(p, lr=lr, momentum=m),
}


def gradients(steps=200):
    """Return gradients of very different sizes, and a spell of zeros."""
    generator = torch.Generator().manual_seed(0)
    sizes = 10 ** torch.linspace(-6, 3, steps, dtype=torch.float64)
    sizes[50:60] = 0
    return sizes[:, None, None] * torch.randn(steps, 4, 3, dtype=torch.float64, generator=generator)


def steps(key, momentum, given, dtype):
    """Return the steps that the rule and torch's own take for gradients ``[T, 4, 3]``, each ``[T, 4, 3]``."""
    moved, row, rate = torch.zeros(4, 3, dtype=dtype, requires_grad=True), OPTIMIZERS[key], 0.01
    optimizer, slots = THEIRS[key]([moved], rate, momentum), row.init(torch.zeros(4, 3, dtype=dtype))
    mine, theirs = [], []
    for gradient in given.to(dtype):
        moved.grad = gradient.clone()
        optimizer.step()
        direction, slots = row.update(gradient, slots, torch.full((4, 1), momentum, dtype=dtype))
        mine.append(-rate * direction)
        theirs.append(moved.detach().clone())
        moved.detach().zero_()
    return torch.stack(mine), torch.stack(theirs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("key", OPTIMIZERS)
def test_the_rule_goes_where_torch_goes(key, momentum, dtype):
    mine, theirs = steps(key, momentum, gradients(), dtype)
    # a momentum of .9 is rounded, and with it what is left of 1: 5 epsilon; torch's Adam rounds .999^n, in float64, before it
    # takes it from 1: at most half an epsilon of float64 in .001, under a root
    bound = 16 * torch.finfo(dtype).eps + 250 * torch.finfo(torch.float64).eps
    assert ((mine - theirs).abs() <= bound * theirs.abs().amax((1, 2), keepdim=True)).all()


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("key", OPTIMIZERS)
def test_a_gradient_that_is_not_finite_is_remembered_as_torch_remembers_it(key, momentum, bad):
    given = gradients(6)
    given[2, 0] = bad
    mine, theirs = steps(key, momentum, given, torch.float64)
    assert torch.equal(mine.isfinite(), theirs.isfinite())


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_each_replica_has_a_momentum_of_its_own(key):
    row, momenta = OPTIMIZERS[key], torch.tensor([[0.0], [0.5], [0.9]])
    together, slots = torch.zeros(3, 2), row.init(torch.zeros(3, 2))
    alone = [(torch.zeros(1, 2), row.init(torch.zeros(1, 2))) for _ in range(3)]
    for gradient in torch.randn(20, 2, generator=torch.Generator().manual_seed(0)):
        direction, slots = row.update(gradient.expand(3, 2), slots, momenta)
        together = together - direction
        for k in range(3):
            direction, own = row.update(gradient.expand(1, 2), alone[k][1], momenta[k : k + 1])
            alone[k] = (alone[k][0] - direction, own)
    assert torch.equal(together, torch.cat([parameter for parameter, _ in alone]))


@pytest.mark.parametrize("row", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_registered_key_is_the_key_of_its_row(row):
    assert OPTIMIZERS[row.key] is row
