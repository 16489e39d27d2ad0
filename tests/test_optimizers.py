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


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("key", OPTIMIZERS)
def test_the_rule_goes_where_torch_goes(key, momentum):
    theirs = torch.ones(4, 3, dtype=torch.float64, requires_grad=True)
    optimizer, row = THEIRS[key]([theirs], 0.01, momentum), OPTIMIZERS[key]
    mine = torch.ones(4, 3, dtype=torch.float64)
    slots = row.init(mine)
    for gradient in gradients():
        theirs.grad = gradient.clone()
        optimizer.step()
        direction, slots = row.update(gradient, slots, torch.full((4, 1), momentum, dtype=torch.float64))
        mine = mine - 0.01 * direction
    assert mine.numpy() == pytest.approx(theirs.detach().numpy(), rel=1e-10)


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
