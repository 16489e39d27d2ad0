"""The pieces that every exported script is made of; what fills their gaps comes from the registries."""

HEAD = '''"""Train normal distributions point by point: {label}.

{settings}
Made by covdemo, where the parameterization below comes from.{caveat}
"""

{imports}import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal, kl_divergence
from torch.nn import functional
'''

CAVEAT = """After a repair puts a matrix back on the edge, the next steps magnify the last digit of every number: the script
and the page may part there, as two runs of the page do whose starts differ in one digit."""

DRAWN = """
# The data, and the order in which they are shown.
generator = np.random.default_rng([SEED, 0])
drawn = [
    mean + generator.standard_normal((POINTS, 2)) @ np.linalg.cholesky(covariance).T
    for mean, covariance in zip(TRUE_MEANS, TRUE_COVARIANCES, strict=True)
]
x = torch.tensor(np.concatenate(drawn), dtype=DTYPE)
labels = torch.arange(len(TRUE_MEANS)).repeat_interleave(POINTS)
"""

READ = """
# The data, lines of x, y and category below a header, and the order in which they are shown.
with open(DATA, newline="", encoding="utf-8") as file:
    lines = list(csv.reader(file))[1:]
x = torch.tensor([[float(cell) for cell in line[:2]] for line in lines], dtype=DTYPE)
labels = torch.tensor([NAMES.index(line[2]) for line in lines])
"""

ORDER = """
generator = np.random.default_rng([SEED, 1])
order = np.concatenate([generator.permutation(len(x)) for _ in range(EPOCHS)])

"""

MODEL = '''
class Model(nn.Module):
    """Normal distributions at their start, and weights that read them out; takes a ``state_dict`` saved by covdemo."""

    def __init__(self) -> None:
        super().__init__()
        means = torch.tensor(START_MEANS, dtype=DTYPE)
        covariances = torch.tensor(START_COVARIANCES, dtype=DTYPE)
        self.means = nn.Parameter(means)
        self.raw = nn.Parameter({start}.clone())
        self.readout = nn.Parameter(torch.zeros(len(means), len(means), dtype=DTYPE))

    def normals(self) -> MultivariateNormal:
        """Return the distributions as they are; PyTorch raises where they do not exist."""
        return MultivariateNormal(self.means, {feeds}=parameterization(self.raw))

    def forward(self, x: Tensor) -> Tensor:
        """Return the score of each category for points, one per line; the largest is the answer."""
        log_density = self.normals().log_prob(x.unsqueeze(-2))
        return {scores}


model = Model()
'''

LOSS = '''
def loss_of(log_density: Tensor, readout: Tensor, label: Tensor) -> Tensor:
    """Return the loss of one data point, given its log-density under each distribution."""
    return {loss}
'''

PLAIN = """
{loss_function}


groups = [{{"params": [p], "lr": lr}} for p, lr in zip(model.parameters(), RATES, strict=True)]
optimizer = {optimizer}

trials, kept = 0, copy.deepcopy(model.state_dict())
try:
    for row in order:
        label = labels[row : row + 1]
        log_density = model.normals().log_prob(x[row])
        loss = loss_of(log_density, model.readout, label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        trials += 1
        model.normals()  # raises here, rather than in the next trial, if this update broke a matrix
        kept = copy.deepcopy(model.state_dict())
except (ValueError, torch.linalg.LinAlgError) as error:
    print(f"broke at trial {{trials}}: {{error}}")
model.load_state_dict(kept)
"""

STEPS = '''
{loss_function}


# The optimizer moves steps that start at zero in each trial; what they do to the parameters is up to the parameterization.
means, raw, readout = (parameter.detach().clone() for parameter in model.parameters())
steps = [torch.zeros_like(p, requires_grad=True) for p in (means, raw, readout)]
groups = [{{"params": [step], "lr": lr}} for step, lr in zip(steps, RATES, strict=True)]
optimizer = {optimizer}


def moved(scale: float = 1.0) -> list[Tensor]:
    """Return means, free numbers and weights after the steps, each times ``scale``."""
    step, raw_step, readout_step = (scale * each for each in steps)
    return [
        {mean},
        {raw},
        readout + readout_step,
    ]


def normals(means: Tensor, raw: Tensor) -> MultivariateNormal:
    """Return the distributions; PyTorch raises where they do not exist."""
    return MultivariateNormal(means, {feeds}=parameterization(raw))


def accepted(means: Tensor, raw: Tensor) -> bool:
    """Return whether PyTorch accepts the distributions."""
    try:
        normals(means, raw)
    except (ValueError, torch.linalg.LinAlgError):
        return False
    return True


trials = 0
for row in order:
    label = labels[row : row + 1]
{memory}    now = moved()
    loss = loss_of(normals(*now[:2]).log_prob(x[row]), now[2], label)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    trials += 1
    with torch.no_grad():
        candidate = moved()
        if not accepted(*candidate[:2]):
            print(f"trial {{trials}}: the update would break a matrix")
{repair}
        if not accepted(*candidate[:2]):
            break
        means, raw, readout = candidate
        for step in steps:
            step.zero_()
model.load_state_dict({{"means": means, "raw": raw, "readout": readout}})
'''

RESULT = """
# The result.
with torch.no_grad():
    learned = model.normals()
    scores = model(x)
    right = scores.argmax(-1).eq(labels) & ~scores.isnan().any(-1)
    accuracy = right.double().mean().item()
    truth = MultivariateNormal(torch.tensor(TRUE_MEANS), torch.tensor(TRUE_COVARIANCES))
    found = MultivariateNormal(learned.loc.double(), scale_tril=learned.scale_tril.double(), validate_args=False)
    kl = kl_divergence(truth, found)
print(f"{trials} trials, accuracy {accuracy:.4f}, KL to the truth {kl.sum().item():.6f}")
print("means", learned.loc.tolist())
print("covariance matrices", learned.covariance_matrix.tolist())
"""
