"""Cost of a trial against the number of replicas B, categories K, dimensions D and trials T.

    python benchmarks/costs.py [--json] [--quick] [--write]

Prints nanoseconds for one trial of one replica, medians; ``--write`` puts the table and the chart into ``docs/speed.md``. The
loop is the one that a PyTorch user writes; compiled trials are measured where ``FusedTrials`` takes them. Each side runs on
one thread or on all of them, whichever is faster. Against B the
experiment is the forum's, raw covariance; against K and D it is 10,000 replicas of log-Cholesky; against T whole runs of
100 replicas, drawing of the data and verdict included.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import doctables
import torch
from step_speed import CONFIG, cores, fastest, loop, ours
from throughput import fused

from covdemo import linalg
from covdemo.batch import build_trainer, run_batch
from covdemo.charts import COLORS, Spec
from covdemo.fates import Fate
from covdemo.fused import FusedTrials
from covdemo.pictures import draw
from covdemo.trainer import Trial

AXES = {"B": "replicas B", "K": "categories K", "D": "dimensions D", "T": "trials T of a run"}
ENGINES = ("textbook loop", "eager", "compiled")
EAGER, COMPILED = (1, 10, 100, 1_000, 10_000, 100_000), (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
CATEGORIES, SIZES = (2, 3, 4, 5), (2, 3, 4, 5, 6, 8, 10)
LENGTHS = (100, 400, 2_000, 10_000)
REPLICAS = 10_000  # against K and D
RUNS = 100  # against T
UNROLL = 2  # against K and D, where compiling is what takes the time
LANES = 10_000_000  # trials of all replicas in a round, at most
PICTURE = "images/speed.svg"


@dataclass(frozen=True)
class Cost:
    """Nanoseconds of one trial of one replica, where the quantity ``axis`` has a value and the others their usual ones."""

    axis: str
    value: int
    engine: str
    ns: float


def of_replicas(rounds: int) -> Iterator[Cost]:
    """Measure against B, K = D = 2."""
    yield Cost("B", 1, "textbook loop", _inverse(loop(), 1, 300, rounds))
    for replicas in EAGER:
        yield Cost("B", replicas, "eager", _inverse(ours(replicas), cores(), max(10, min(300, 200_000 // replicas)), rounds))
    for replicas in COMPILED:
        calls = max(4, min(400, LANES // replicas // 10))
        yield Cost("B", replicas, "compiled", _inverse(fused(replicas, "cpu"), cores(), calls, rounds))


def _inverse(side: Callable[[int], float], threads: int, trials: int, rounds: int) -> float:
    """Return nanoseconds from a side that measures trials per second."""
    torch.set_num_threads(fastest(side, threads))
    return 1e9 / statistics.median(side(trials) for _ in range(rounds))


def of_shape(axis: str, categories: int, size: int, rounds: int) -> Iterator[Cost]:
    """Measure one K and D, eager and, where the algebra is written out, compiled."""
    value = {"K": categories, "D": size}[axis]
    trainer = build_trainer([replace(CONFIG, parameterization="log-cholesky")] * REPLICAS)
    state = trainer.init(torch.zeros(categories, size), torch.eye(size).expand(categories, size, size))
    x, label = torch.randn(size, REPLICAS), torch.randint(categories, (REPLICAS,))
    yield Cost(axis, value, "eager", _timed(partial(trainer.step, state, Trial(x.T, label)), REPLICAS, rounds))
    if size <= linalg.UNROLLED:
        side = FusedTrials(trainer, state, unroll=UNROLL)
        tables = side.pack(state, Fate.unknown(REPLICAS, state.alive.device))
        shown = torch.stack([x] * UNROLL), torch.stack([label] * UNROLL), torch.arange(REPLICAS)
        call = partial(side, tables, torch.stack([*trainer.rates]), *shown, 1)
        yield Cost(axis, value, "compiled", _timed(call, UNROLL * REPLICAS, rounds))


def of_length(trials: int) -> Cost:
    """Measure whole runs of T trials."""
    points = min(trials, 400) // 2
    config = replace(CONFIG, points=points, epochs=trials // (2 * points))
    torch.set_num_threads(1)
    began = time.perf_counter()
    run_batch([replace(config, seed=seed) for seed in range(RUNS)])
    return Cost("T", trials, "eager", (time.perf_counter() - began) / trials / RUNS * 1e9)


@torch.no_grad()
def _timed(call: Callable[[], Any], trials: int, rounds: int) -> float:
    medians = []
    for threads in (1, cores()):
        torch.set_num_threads(threads)
        call()
        medians.append(statistics.median(_seconds(call) for _ in range(rounds)))
    return min(medians) / trials * 1e9


def _seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    for _ in range(5):
        call()
    return (time.perf_counter() - began) / 5


def measure(quick: bool) -> list[Cost]:
    """Return all costs."""
    rounds = 3 if quick else 7
    lengths, categories, sizes = (LENGTHS[:2], CATEGORIES[:1], SIZES[-2:]) if quick else (LENGTHS, CATEGORIES, SIZES)
    with torch.no_grad():
        costs = [of_length(trials) for trials in (LENGTHS[0], *lengths)][1:]  # the first one warms up
    costs += of_replicas(rounds)
    costs += [cost for number in categories for cost in of_shape("K", number, 2, rounds)]
    return costs + [cost for size in sizes for cost in of_shape("D", 2, size, rounds)]


def machine() -> str:
    """Return what the costs were measured on, a sentence."""
    return f"Measured on {cores()} cores with Python {platform.python_version()} and torch {torch.__version__.split('+')[0]}."


def table(costs: list[Cost]) -> str:
    """Return the costs as a table in Markdown."""
    found = {(cost.axis, cost.value, cost.engine): cost.ns for cost in costs}
    places = sorted({(list(AXES).index(cost.axis), cost.value) for cost in costs})
    keys = [(list(AXES)[axis], value) for axis, value in places]
    return doctables.table(
        ("varied", "value", *ENGINES),
        *((AXES[axis], f"{value:,}", *(_show(found.get((axis, value, engine))) for engine in ENGINES)) for axis, value in keys),
    )


def _show(ns: float | None) -> str:
    return "" if ns is None else f"{float(f'{ns:.3g}'):,.{1 if ns < 100 else 0}f}"


def chart(costs: list[Cost]) -> Spec:
    """Return the costs as a figure: a panel for each quantity, logarithmic upwards."""
    color = {"field": "engine", "scale": {"domain": ENGINES, "range": COLORS[: len(ENGINES)]}, "title": None}
    powers = [10**power for power in range(8)]
    y = {"field": "ns", "type": "quantitative", "scale": {"type": "log"}, "title": "ns per trial and replica"}
    panels = [
        {
            "data": {"values": [asdict(cost) for cost in costs if cost.axis == axis]},
            "mark": {"type": "line", "point": {"size": 50}},
            "width": 280,
            "height": 180,
            "encoding": {
                "x": {
                    "field": "value",
                    "type": "quantitative",
                    "scale": {"type": "log" if axis in "BT" else "linear", "zero": False},
                    "axis": {"title": title, "format": "~s", "grid": False, "tickMinStep": 1}
                    | ({"values": powers} if axis in "BT" else {}),
                },
                "y": {**y, "axis": {"format": "~s", "values": powers}},
                "color": {**color, "type": "nominal", "legend": {"orient": "top"}},
                "shape": {**color, "type": "nominal", "scale": {"domain": ENGINES}},
            },
        }
        for axis, title in AXES.items()
    ]
    return {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "columns": 2, "concat": panels}


def main() -> None:
    """Print the costs, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    parser.add_argument("--quick", action="store_true", help="fewer values of each quantity, and fewer rounds")
    parser.add_argument("--write", action="store_true", help="put table and chart into docs/speed.md")
    options = parser.parse_args()
    costs = measure(options.quick)
    if options.json:
        print(json.dumps({"cores": cores(), "costs": [asdict(cost) for cost in costs]}))
    else:
        print(f"{machine()}\n\n{table(costs)}")
    if options.write:
        doctables.put(doctables.DOCS / "speed.md", "python benchmarks/costs.py --write", f"{machine()}\n\n{table(costs)}")
        (doctables.DOCS / PICTURE).write_bytes(draw(chart(costs), "svg"))


if __name__ == "__main__":
    main()
