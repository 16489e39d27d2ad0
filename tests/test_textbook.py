"""The package against the loop that a PyTorch user writes: same draws, order and start, float32.

Near the edge, and where densities are huge, the dynamics multiply differences in rounding: there the loop does not reproduce
*itself* once its start is changed in the last digit of float32. A run may end otherwise than the loop only there, such cases
are counted, and they are few.
"""

from dataclasses import replace
from functools import cache

import pytest
import torch
from textbook import WAYS, TextbookRun, textbook_loop
from torch import Tensor
from torch.distributions import MultivariateNormal

from covdemo.batch import build_trainer, tensor
from covdemo.config import RunConfig
from covdemo.failures import classify, torch_message
from covdemo.run import Run
from covdemo.trainer import Trial
from covdemo.trials import draw

# rates of the covariance matrices at which some seeds fail within an epoch and others do not;
# softplus-Cholesky has none
EDGE = {
    "covariance": (5e-5, 1e-4),
    "tril-as-posted": (3e-3, 6e-3),
    "tril": (6e-3, 1e-2),
    "log-cholesky": (30.0, 100.0),
}
SEEDS = range(8)
PAIRS = [(key, rate, seed) for key, rates in EDGE.items() for rate in rates for seed in SEEDS]
CALM = [("covariance", 1e-5), ("tril", 1e-3), ("log-cholesky", 1e-3), ("softplus-cholesky", 1e-3)]
CHAOTIC = ("tril-as-posted", 1e-5)
ALLOWED = 1 / 32
LAST_DIGIT = 2.0**-23
Ending = tuple[int, int, str, str]  # trials done, category (0: none), kind, first line of torch's message
NO_FAILURE = (0, "", "")


def config_of(key: str, rate: float, seed: int, epochs: int) -> RunConfig:
    return RunConfig(parameterization=key, lr_cov=rate, seed=seed, epochs=epochs)


def loop(config: RunConfig, nudge: float = 0.0) -> TextbookRun:
    """Return what the loop does; its means start ``nudge`` (relative) away from where they should."""
    data = draw(config)
    order, means = torch.as_tensor(data.order), tensor(config.start_means, config)
    return textbook_loop(
        config.parameterization,
        tensor(data.x, config)[order],
        torch.as_tensor(data.label)[order],
        means + nudge * means,
        tensor(config.start_covariances, config),
        (config.lr_mu, config.lr_cov, config.lr_nn),
        config.momentum,
    )


def difference(mine: tuple[Tensor, ...], other: TextbookRun) -> float:
    """Return the largest difference of means, free numbers and weights, each relative to its largest entry."""
    pairs = zip(mine, (other.means, other.raw, other.readout), strict=True)
    return max(((a - b).abs().max() / b.abs().max()).item() for a, b in pairs)


def finished(config: RunConfig) -> Run:
    run = Run(config)
    run.advance(run.total)
    return run


@pytest.mark.parametrize(("key", "rate"), CALM)
def test_after_two_thousand_trials_the_parameters_are_those_of_the_loop(key, rate):
    config = config_of(key, rate, seed=0, epochs=5)
    run, other = finished(config), loop(config)
    assert (run.trial, other.trials, other.message) == (2000, 2000, "")
    assert difference(run.parameters(), other) < 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_the_posted_code_is_followed_as_long_as_it_follows_itself(seed):
    config = replace(config_of(*CHAOTIC, seed, epochs=1), points=10)
    assert difference(finished(config).parameters(), loop(config)) < 1e-4


def test_after_two_thousand_trials_the_posted_code_is_as_near_as_it_is_to_itself():
    """Its densities are so large and so narrow that a last digit of the start decides which points are noticed at all."""
    config = config_of(*CHAOTIC, seed=0, epochs=5)
    other = loop(config)
    nudged = [loop(config, sign * LAST_DIGIT) for sign in (1, -1)]
    own = max(difference((run.means, run.raw, run.readout), other) for run in nudged)
    assert own > 1e-4
    assert difference(finished(config).parameters(), other) < 3 * own


def our_endings(key: str) -> dict[tuple[str, float, int], Ending]:
    """Return how the runs of all pairs of one parameterization end, one replica each."""
    pairs = [pair for pair in PAIRS if pair[0] == key]
    configs = [config_of(*pair, epochs=1) for pair in pairs]
    trainer, first = build_trainer(configs), configs[0]
    data = [draw(config) for config in configs]
    state = trainer.init(tensor(first.start_means, first), tensor(first.start_covariances, first))
    endings: dict[tuple[str, float, int], Ending] = {}
    for trial in range(len(data[0].order)):
        x = tensor([each.x[each.order[trial]] for each in data], first)
        label = torch.as_tensor([each.label[each.order[trial]] for each in data])
        state, info = trainer.step(state, Trial(x, label))
        for lane in info.failed.nonzero().flatten().tolist():
            means, matrix = info.candidate.means[lane], trainer.parameterization.matrix(info.candidate.raw)[lane]
            category, feeds = int((~info.ok[lane]).nonzero()[0]), trainer.parameterization.feeds
            kind = classify(feeds, means[category], matrix[category]).value
            words = torch_message(feeds, means, matrix).split("\n")[0]
            endings[pairs[lane]] = (trial + 1, category + 1, kind, words)
    whole = len(data[0].order)
    # an update that breaks a matrix in the very last trial is noticed by us, but the loop ends before it would notice
    return {pair: (whole, *NO_FAILURE) if endings.get(pair, (whole,))[0] == whole else endings[pair] for pair in pairs}


def their_ending(pair: tuple[str, float, int], nudge: float = 0.0) -> Ending:
    other = loop(config_of(*pair, epochs=1), nudge)
    if not other.message:
        return (other.trials, *NO_FAILURE)
    keyword, forward, _ = WAYS[pair[0]]
    category = refused(other, keyword, forward(other.raw))
    kind = classify(keyword, other.means[category], forward(other.raw)[category]).value
    return other.trials, category + 1, kind, other.message.split("\n")[0]


def refused(other: TextbookRun, keyword: str, matrix: Tensor) -> int:
    """Return the category that torch refuses on its own, by asking it about one after the other."""
    for category in range(len(matrix)):
        arguments = {keyword: matrix[category]}
        try:
            MultivariateNormal(other.means[category], **arguments)
        except ValueError:
            return category
    raise AssertionError("torch accepts each category alone")


@cache
def endings() -> tuple[dict[tuple[str, float, int], Ending], dict[tuple[str, float, int], Ending]]:
    """Return how all pairs end with us and with the loop."""
    return {pair: end for key in EDGE for pair, end in our_endings(key).items()}, {pair: their_ending(pair) for pair in PAIRS}


@pytest.mark.xdist_group("textbook")
@pytest.mark.parametrize("key", EDGE)
def test_the_pairs_straddle_the_edge(key):
    failed = {bool(end[1]) for pair, end in endings()[1].items() if pair[0] == key}
    assert failed == {True, False}


@pytest.mark.xdist_group("textbook")
def test_runs_fail_at_the_same_trial_and_category_for_the_same_reason_as_the_loop_but_for_one_in_thirty_two():
    mine, other = endings()
    exceptions = [(pair, mine[pair], other[pair]) for pair in PAIRS if mine[pair] != other[pair]]
    print(f"{len(exceptions)} exceptions in {len(PAIRS)} pairs: {exceptions}")
    assert len(PAIRS) >= 64
    assert len(exceptions) <= ALLOWED * len(PAIRS)


@pytest.mark.xdist_group("textbook")
def test_where_a_run_ends_otherwise_the_loop_does_not_survive_a_change_in_the_last_digit_of_its_start():
    mine, other = endings()
    nudges = [sign * k * LAST_DIGIT for k in (1, 2, 4) for sign in (1, -1)]
    exceptions = [pair for pair in PAIRS if mine[pair] != other[pair]]
    steady = [pair for pair in exceptions if all(their_ending(pair, nudge) == other[pair] for nudge in nudges)]
    assert steady == []
