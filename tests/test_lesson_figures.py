"""Every number in a lesson is computed here anew, and what a lesson claims of its run is true."""

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from covdemo import atlas
from covdemo.batch import learned, run_batch
from covdemo.config import RunConfig
from covdemo.gaussians import Gaussians
from covdemo.learner import one_hot
from covdemo.lessons import lessons
from covdemo.outcomes import Outcome
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.run import Run
from covdemo.safe_rates import RATES, SEEDS
from covdemo.trials import draw
from covdemo.walls import likelihood_wall

FORUM = RunConfig()
NUMBER = re.compile(r"\d[\d,.]*(?:e-?\d+)?(?<![,.])(?: %)?")
WORD = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|half|third|quarter|twice|thousand|million)\b", re.IGNORECASE
)
KEYS = list(lessons())
pytestmark = pytest.mark.xdist_group("lessons")  # whose runs several tests look at


def config(key, **changes):
    return replace(lessons()[key].config, **changes)


@cache
def run(key, **changes):
    """Return the run of a lesson, at its end."""
    found = Run(config(key, **changes))
    found.advance(found.total)
    return found


@cache
def seeds(key, **changes):
    """Return how the runs of all seeds end."""
    return run_batch([config(key, **changes, seed=seed) for seed in range(SEEDS)])


def count(results, outcome=Outcome.LEARNED):
    return int((results.outcome == outcome).sum())


def row(key):
    """Return how many seeds learn and how many fail at each rate of the shipped map, at the forum's rate of the means."""
    found = atlas.shipped()[config(key).parameterization]
    place = atlas.MEAN_RATES.index(FORUM.lr_mu)
    return (np.rint(SEEDS * found.share(outcome)[place]).astype(int) for outcome in (Outcome.LEARNED, Outcome.FAILED))


def last_safe(key):
    learn, _ = row(key)
    return RATES[np.flatnonzero(learn == SEEDS)[-1]]


def plain(number):
    """Return a number as the lessons write it: three digits, without a power of ten."""
    return np.format_float_positional(float(f"{number:.3g}"), trim="-")


def ends():
    """Return the lowest and the highest rate of the maps."""
    return np.format_float_scientific(RATES[0], trim="-", exp_digits=1), plain(RATES[-1])


def percent(share):
    return f"{100 * share:.1f} %"


def accuracy(key, **changes):
    return percent(run(key, **changes).frame().accuracy)


def last_kl(key, digits, **changes):
    """Return where the lines of KL end, with few digits, as the last ones depend on the processor."""
    return [np.format_float_positional(float(f"{kl:.{digits}g}"), trim="-") for kl in run(key, **changes).frame().kl]


def wall(eigenvalue):
    return plain(float(likelihood_wall(torch.tensor(float(eigenvalue), dtype=torch.float64))))


def underflowing():
    """Return how many points in four have density 0 under their own category before training, rounded."""
    start, data = Run(config("the-accepted-answer")).distributions(), draw(FORUM)
    spread = Gaussians(start.loc.unsqueeze(0), start.scale_tril.unsqueeze(0), start.ok.unsqueeze(0))
    density = spread.log_density(torch.as_tensor(data.x, dtype=torch.float32)).exp()
    own = density[one_hot(torch.as_tensor(data.label), FORUM.categories)]
    return round(4 * float((own == 0).float().mean()))


def variance_as_posted():
    return float(Run(config("the-accepted-answer")).frame().covariances[0, 0, 0])


def edges(*momenta):
    """Return the largest rate at which all seeds learn with the raw covariance, from four rates a decade, for each momentum."""
    rates = RATES[(RATES > 3e-6) & (RATES < 3e-4)]
    settings = itertools.product(momenta, rates.tolist(), range(SEEDS))
    runs = [replace(FORUM, momentum=momentum, lr_cov=rate, seed=seed) for momentum, rate, seed in settings]
    safe = learned(run_batch(runs)).reshape(len(momenta), len(rates), SEEDS).all(-1)
    return [plain(rates[np.flatnonzero(each)[-1]]) for each in safe]


def the_question():
    return [plain(FORUM.lr_cov), SEEDS, f"{FORUM.trials:,}", run("the-question").trial]


def slower():
    key = "slower-is-not-safer"
    thinnest = np.linalg.eigvalsh(FORUM.true_covariances).min()
    failed = [count(seeds(key), Outcome.FAILED), SEEDS, run(key).trial, accuracy(key)]
    return [*failed, wall(FORUM.start_var), wall(thinnest), plain(run(key).history.failures[0].room)]


def accepted_answer():
    key, narrow = "the-accepted-answer", variance_as_posted()
    start, times = [plain(FORUM.start_var), plain(narrow)], FORUM.start_var / narrow
    return [*start, plain(times), round(times**0.5), underflowing(), 4, SEEDS, len(RATES), *ends(), accuracy(key)]


def correct_start():
    key = "the-correct-start"
    _, failed = row(key)
    first = RATES[np.flatnonzero(failed)[0]]
    start = plain(np.linalg.cholesky(FORUM.start_covariances)[0, 0, 0])
    return [start, SEEDS, plain(last_safe(key)), plain(last_safe("the-question")), plain(first), failed[first == RATES][0]]


def log_cholesky():
    key = "log-cholesky"
    learn, failed = row(key)
    last = RATES[np.flatnonzero(failed)[0] - 1]
    room = plain(np.nanmin(run(key).history.column("room")))
    return [SEEDS, plain(last_safe(key)), plain(last), plain(last), learn[last == RATES][0], room]


def cannot_fail():
    learn, _ = row("the-step-that-cannot-fail")
    row_of_step = PARAMETERIZATIONS[config("the-step-that-cannot-fail").parameterization]
    decades = round(float(np.log10(RATES[-1] / RATES[0])))
    return [1, row_of_step.module.trust, SEEDS, (learn == SEEDS).sum(), *ends(), decades, learn.size * SEEDS]


def boundary():
    key, fit = "the-boundary", {"objective": "likelihood"}
    shown = [accuracy(key), *last_kl(key, 2), *last_kl(key, 1, **fit), accuracy(key, **fit)]
    return [*shown, SEEDS, *(f"{seeds(key, **changes).kl.mean():.2f}" for changes in ({}, fit))]


def momentum():
    key, heavy = "momentum", config("momentum").momentum
    without, there = seeds(key, momentum=0.0), seeds(key)
    first = [heavy, plain(1 / (1 - heavy)), count(without), plain(config(key).lr_cov)]
    after = [count(there, Outcome.FAILED), run(key).trial, count(there)]
    a_decade = round(1 / np.log10(RATES[1] / RATES[0]))
    without, usual, heavy = edges(0.0, FORUM.momentum, 0.6)
    return [*first, *after, a_decade, without, usual, FORUM.momentum, heavy, 0.6]


FIGURES: dict[str, Callable[[], list]] = dict(
    zip(
        KEYS,
        [the_question, slower, accepted_answer, correct_start, log_cholesky, cannot_fail, boundary, momentum],
        strict=True,
    )
)


@pytest.mark.parametrize("key", KEYS)
def test_every_number_in_a_lesson_is_what_the_package_computes(key):
    lesson = lessons()[key]
    assert NUMBER.findall(f"{lesson.text} {lesson.look_at}") == [str(figure) for figure in FIGURES[key]()]


@pytest.mark.parametrize("key", KEYS)
def test_no_number_hides_in_a_word(key):
    lesson = lessons()[key]
    assert WORD.findall(f"{lesson.title} {lesson.text} {lesson.look_at}") == []


@pytest.mark.parametrize(
    ("key", "outcome"),
    [
        ("the-question", Outcome.FAILED),
        ("slower-is-not-safer", Outcome.FAILED),
        ("the-accepted-answer", Outcome.NOT_LEARNED),
        ("the-correct-start", Outcome.LEARNED),
        ("log-cholesky", Outcome.LEARNED),
        ("the-step-that-cannot-fail", Outcome.LEARNED),
        ("the-boundary", Outcome.LEARNED),
        ("momentum", Outcome.FAILED),
    ],
)
def test_the_run_of_a_lesson_ends_as_the_lesson_says(key, outcome):
    assert run(key).outcome is outcome


def test_the_map_says_what_the_first_lesson_says_of_all_seeds():
    learn, failed = row("the-question")
    there = FORUM.lr_cov == RATES
    assert (learn[there].tolist(), failed[there].tolist()) == ([0], [SEEDS])


@pytest.mark.parametrize("key", ["the-question", "slower-is-not-safer"])
def test_the_failure_is_an_eigenvalue_below_zero(key):
    (failure,) = run(key).history.failures
    assert min(failure.eigenvalues) < 0


def test_a_tenth_of_the_rate_fails_later_for_every_seed_that_fails():
    slow, fast = seeds("slower-is-not-safer"), seeds("the-question")
    fails = slow.failed_at > 0
    assert config("slower-is-not-safer").lr_cov == pytest.approx(FORUM.lr_cov / 10)
    assert (slow.failed_at[fails] > fast.failed_at[fails]).all()


@pytest.mark.parametrize("key", ["slower-is-not-safer", "momentum"])
def test_the_room_stays_above_the_rate_until_the_last_point(key):
    room = run(key).history.column("room")[1:].min(-1)
    assert (room[:-1] > config(key).lr_cov).all()
    assert room[-1] < config(key).lr_cov


def test_the_accepted_answer_never_learns_and_does_not_fail_in_its_lesson():
    learn, failed = row("the-accepted-answer")
    assert (learn.max(), failed[config("the-accepted-answer").lr_cov == RATES].tolist()) == (0, [0])
    assert not run("the-accepted-answer").history.failures


@pytest.mark.parametrize(("key", "least"), [("the-correct-start", 1), ("log-cholesky", 1000)])
def test_the_room_is_finite_and_above_the_rate(key, least):
    room = run(key).history.column("room")[1:]
    assert least < room.min() / config(key).lr_cov < np.inf


@pytest.mark.parametrize("key", ["the-correct-start", "log-cholesky"])
def test_all_seeds_learn_from_the_rate_of_the_lesson_up_to_the_last_that_is_safe(key):
    learn, _ = row(key)
    between = (config(key).lr_cov <= RATES) & (last_safe(key) >= RATES)
    assert set(learn[between]) == {SEEDS}


def test_the_step_that_cannot_fail_is_cut_at_most_trials():
    start = Run(config("the-step-that-cannot-fail"))
    moved = []
    for _ in range(200):
        before = start.frame().scale_trils
        start.advance(1)
        local = np.linalg.solve(before, start.frame().scale_trils)
        moved.append(np.linalg.norm(local @ local.swapaxes(-1, -2) - np.eye(2), axis=(1, 2)).max())
    bound = PARAMETERIZATIONS["affine-invariant"].module.trust
    assert np.mean(np.array(moved) > 0.8 * bound) > 0.5  # S(M) - I = M + M M / 2 is about as long as M


def test_no_run_of_the_step_that_cannot_fail_fails():
    _, failed = row("the-step-that-cannot-fail")
    assert failed.sum() == 0


def test_the_gradient_of_the_last_point_alone_would_have_left_the_matrix_valid():
    history = run("momentum").history
    category = run("momentum").history.failures[0].category - 1
    step = config("momentum").lr_cov * history.column("gradient_norm")[-1, category]
    assert step < history.column("eigenvalues")[-2, category].min()
