"""Trials per second of the loop a PyTorch user writes and of ``Trainer.step``, eager, at several numbers of replicas.

Both sides are warm, take turns, and show the points of the forum experiment; the medians of the rounds count. Each runs on one
thread or on all of them, whichever is faster for it: where there is little to share, threads only wait for each other.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable

import checkout  # noqa: F401
import torch
from textbook import TextbookLearner
from torch import Tensor

from covdemo.batch import build_trainer, initial_state, tensor
from covdemo.config import RunConfig
from covdemo.trainer import Trial
from covdemo.trials import draw

REPLICAS = (1, 10, 1_000, 10_000, 100_000)
LANES = 200_000  # trials of all replicas in a round, at most
CONFIG = RunConfig(lr_cov=1e-5)  # a rate at which no run fails


def experiment() -> tuple[Tensor, Tensor]:
    """Return the points of the forum experiment in the order in which they are shown, ``[T, 2]``, and their labels."""
    data = draw(CONFIG)
    return tensor(data.x[data.order], CONFIG), torch.as_tensor(data.label[data.order])


def loop() -> Callable[[int], float]:
    """Return a function that measures the trials per second of the textbook loop over so many trials."""
    points, labels = experiment()
    start = tensor(CONFIG.start_means, CONFIG), tensor(CONFIG.start_covariances, CONFIG)
    learner = TextbookLearner("covariance", *start, (CONFIG.lr_mu, CONFIG.lr_cov, CONFIG.lr_nn), CONFIG.momentum)

    def measure(trials: int) -> float:
        began = time.perf_counter()
        for trial in range(trials):
            learner.step(points[trial], labels[trial : trial + 1])
        return trials / (time.perf_counter() - began)

    return measure


def ours(replicas: int) -> Callable[[int], float]:
    """Return the same for so many replicas, each with a place of its own in the order."""
    points, labels = experiment()
    trainer = build_trainer([CONFIG] * replicas)
    state = initial_state(trainer, CONFIG)
    place = torch.arange(replicas) % len(points)

    def measure(trials: int) -> float:
        now = state
        shown = [
            Trial(points.T[:, (place + trial) % len(points)].T, labels[(place + trial) % len(points)])
            for trial in range(trials)
        ]
        began = time.perf_counter()
        for trial in shown:
            now, _ = trainer.step(now, trial)
        return trials * replicas / (time.perf_counter() - began)

    return measure


def fastest(measure: Callable[[int], float], threads: int) -> int:
    """Return ``threads`` if they do clearly more trials per second than a single one, else 1; warm up on the way."""
    speeds = []
    for number in sorted({1, threads}):
        torch.set_num_threads(number)
        measure(5)
        speeds.append(measure(10))
    return threads if speeds[-1] > 1.2 * speeds[0] else 1


def measure_all(threads: int, rounds: int, trials: int) -> tuple[dict[str, float], dict[str, int]]:
    """Return the median trials per second of the ``"loop"`` and of each number of replicas, and their threads."""
    sides = {"loop": loop()} | {str(replicas): ours(replicas) for replicas in REPLICAS}
    length = {"loop": trials} | {str(replicas): max(10, min(trials, LANES // replicas)) for replicas in REPLICAS}
    used = {name: fastest(measure, threads) for name, measure in sides.items()}
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            torch.set_num_threads(used[name])
            speeds[name].append(measure(length[name]))
    return {name: statistics.median(values) for name, values in speeds.items()}, used


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main() -> None:
    """Print the table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--quick", action="store_true", help="one round of fewer trials")
    parser.add_argument("--threads", type=int, default=cores(), help="at most; default: as many as there are cores")
    options = parser.parse_args()
    eager, threads = measure_all(options.threads, *((1, 40) if options.quick else (7, 400)))
    reference = eager.pop("loop")
    ratio = {name: speed / reference for name, speed in eager.items()}
    if options.json:
        print(json.dumps({"cores": cores(), "threads": threads, "loop": reference, "eager": eager, "ratio": ratio}))
        return
    print(f"{cores()} cores, Python {platform.python_version()}, torch {torch.__version__}")
    print(f"{'':>16s}{'trials/s':>14s}{'ratio':>10s}{'threads':>9s}")
    print(f"{'textbook loop':>16s}{reference:14,.0f}{1:10.2f}{threads['loop']:9d}")
    for name, speed in eager.items():
        print(f"{'B = ' + name:>16s}{speed:14,.0f}{ratio[name]:10,.2f}{threads[name]:9d}")


if __name__ == "__main__":
    main()
