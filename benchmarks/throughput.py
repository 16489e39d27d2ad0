"""Trials per second of the loop a PyTorch user writes, of ``Trainer.step``, and of ``FusedTrials`` under ``torch.compile``.

All sides are warm, take turns, and show the points of the forum experiment; the medians of the rounds count. The eager side
runs on one thread or on all of them, whichever is faster. ``costs.py`` measures the cost against B, K, D and T.

loop                      trials/s of the loop
eager, compiled           number of replicas -> trials/s
ratio_eager               the same, over the loop's
ratio_compiled            likewise
whole_runs                trials/s of whole runs as a map does them, compiled, drawing and verdict included; and their ratio
compile_s                 the first call: 'cold' with an empty cache on disk, 'warm' with the cache of an earlier process
bytes_per_lane            memory of one replica: 'state' is what one trial hands to the next; 'peak' all that is in use
peak_mb                   memory of the whole process, with so many replicas done in chunks
largest_difference        between eager and compiled parameters after 200 trials, relative to the largest entry
"""

import argparse
import contextlib
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import checkout
import torch
from step_speed import CONFIG, cores, fastest, loop, ours

from covdemo.batch import Shown, build_trainer, initial_state, run_batch
from covdemo.config import RunConfig
from covdemo.fates import Fate, follow
from covdemo.fused import UNROLL, FusedTrials
from covdemo.trainer import State, Trainer

REPLICAS = (1, 1_000, 10_000, 100_000, 1_000_000)
EAGER = 100_000  # replicas at most
LANES = 40_000_000  # trials of all replicas in a round, at most
SEEDS = 8  # of the data that the replicas are shown
RUNS = (4_096, 100_000)  # whole runs; 4,096 is a chunk of a map
CHUNK = 100_000  # replicas that are in memory at a time


def lanes(replicas: int, device: str) -> list[RunConfig]:
    """Return the configuration of each replica: they take turns with the seeds of a map."""
    seeds = [replace(CONFIG, device=device, seed=seed) for seed in range(SEEDS)]
    return (seeds * -(-replicas // SEEDS))[:replicas]


def begun(replicas: int, device: str) -> tuple[Trainer, State, Shown]:
    """Return what so many replicas need, before their first trial."""
    configs = lanes(replicas, device)
    trainer = build_trainer(configs)
    return trainer, initial_state(trainer, configs[0]), Shown(configs)


@cache
def trials(device: str, unroll: int) -> FusedTrials:
    """Return compiled trials for any number of replicas."""
    trainer, state, _ = begun(1, device)
    return FusedTrials(trainer, state, unroll=unroll)


def fused(replicas: int, device: str, unroll: int = UNROLL) -> Callable[[int], float]:
    """Return a function that measures the trials per second of so many replicas over so many calls.

    More than ``CHUNK`` replicas are done in chunks, one after the other.
    """
    size = min(replicas, CHUNK)
    trainer, state, shown = begun(size, device)
    side, rates = trials(device, unroll), torch.stack([*trainer.rates])
    start = side.pack(state, Fate.unknown(size, state.alive.device))

    @torch.no_grad()
    def measure(calls: int) -> float:
        began = _now(device)
        for _ in range(replicas // size):
            tables = start
            for call in range(calls):
                trial = call * unroll % shown.total
                tables = side(tables, rates, *shown.trials(trial, unroll), shown.lane, trial + 1)
        return replicas * calls * unroll / (_now(device) - began)

    return measure


def _now(device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def measure_all(
    device: str, unroll: int, rounds: int, lanes: int, numbers: Sequence[int] = REPLICAS
) -> dict[str, dict[str, float]]:
    """Return the median trials per second of the loop, and of each number of replicas, eager and compiled."""
    reference = {"loop": loop()}
    eager = {str(replicas): ours(replicas) for replicas in numbers if replicas <= EAGER} if device == "cpu" else {}
    compiled = {str(replicas): fused(replicas, device, unroll) for replicas in numbers}
    sides = {("loop", name): (side, 300) for name, side in reference.items()}
    sides |= {("eager", name): (side, max(10, min(300, 200_000 // int(name)))) for name, side in eager.items()}
    sides |= {("compiled", name): (side, max(4, min(400, lanes // int(name) // unroll))) for name, side in compiled.items()}
    threads = {
        key: fastest(side, cores()) if key[0] == "eager" else 1 for key, (side, _) in sides.items() if key[0] != "compiled"
    }
    for (kind, _), (side, _) in sides.items():
        if kind == "compiled":
            torch.set_num_threads(cores())
            side(4)
    speeds: dict[tuple[str, str], list[float]] = {key: [] for key in sides}
    for _ in range(rounds):
        for key, (side, length) in sides.items():
            torch.set_num_threads(threads.get(key, cores()))
            speeds[key].append(side(length))
    found: dict[str, dict[str, float]] = {"loop": {}, "eager": {}, "compiled": {}}
    for (kind, name), values in speeds.items():
        found[kind][name] = statistics.median(values)
    return found


@torch.no_grad()
def largest_difference(device: str, unroll: int) -> float:
    """Return how far compiled parameters are from eager ones on the CPU after 200 trials, relative to the largest entry."""
    trainer, state, shown = begun(SEEDS, "cpu")
    fate = Fate.unknown(SEEDS, state.alive.device)
    for trial in range(200):
        state, fate = follow(trainer, state, fate, shown.trial(trial), torch.tensor(trial + 1))
    trainer, moved, shown = begun(SEEDS, device)
    side, rates = trials(device, unroll), torch.stack([*trainer.rates])
    tables = side.pack(moved, Fate.unknown(SEEDS, moved.alive.device))
    for trial in range(0, 200, unroll):
        tables = side(tables, rates, *shown.trials(trial, unroll), shown.lane, trial + 1)
    other, _ = side.unpack(tables)
    pairs = zip(state.parameters, other.parameters, strict=True)
    return max(((mine - theirs.cpu()).abs().max() / mine.abs().max()).item() for mine, theirs in pairs)


@torch.no_grad()
def first_call(device: str, unroll: int) -> float:
    """Return how many seconds the first call takes in this process."""
    began = time.perf_counter()
    fused(10_000, device, unroll)(1)
    return time.perf_counter() - began


@torch.no_grad()
def peak(device: str, replicas: int, unroll: int) -> tuple[float, float]:
    """Return the peak memory of this process while it does so many replicas, in bytes, in all and beyond what it began with."""
    fused(10, device, unroll)(1)
    forget_peak()
    before = memory("VmRSS")
    fused(replicas, device, unroll)(2)
    return memory("VmHWM"), memory("VmHWM") - before


@torch.no_grad()
def whole_runs(replicas: int, device: str) -> float:
    """Return the trials per second of whole runs as a map does them: from drawing the data to the verdict."""
    configs = lanes(replicas, device)
    began = _now(device)
    run_batch(configs, compiled=True)
    return replicas * configs[0].trials / (_now(device) - began)


def memory(name: str) -> float:
    """Return a figure of this process in /proc, in bytes: "VmRSS" now, "VmHWM" at its peak; NaN where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return math.nan
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def forget_peak() -> None:
    """Begin to watch for the peak anew."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


@contextlib.contextmanager
def own_cache() -> Iterator[None]:
    """Keep what is compiled, here and in other processes, in a folder of its own, empty at first."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
        yield
    del os.environ["TORCHINDUCTOR_CACHE_DIR"]


def _elsewhere(call: str, *arguments: object) -> Any:
    """Call a function of this file in a Python of its own and return what it returns."""
    program = f"import json, throughput; print(json.dumps(throughput.{call}(*{arguments!r})))"
    folder = os.path.dirname(os.path.abspath(__file__))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([folder, str(checkout.ROOT)])}
    command = [sys.executable, "-c", program]
    return json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def _here(call: str, *arguments: object) -> Any:
    return globals()[call](*arguments)


@own_cache()
def measure(device: str, quick: bool) -> dict[str, Any]:
    """Return all figures."""
    unroll = 1 if quick else UNROLL
    called = _here if quick else _elsewhere
    compile_s = {name: called("first_call", device, unroll) for name in (("cold",) if quick else ("cold", "warm"))}
    found = measure_all(device, unroll, *((1, LANES // 400, REPLICAS[1:3]) if quick else (7, LANES)))
    reference = found["loop"]["loop"]
    largest = 10**5 if quick else 10**6
    total, own = called("peak", device, largest, unroll)
    runs = (
        {} if quick else {str(replicas): statistics.median(whole_runs(replicas, device) for _ in range(5)) for replicas in RUNS}
    )
    return {
        "cores": cores(),
        "device": device,
        "loop": reference,
        "eager": found["eager"],
        "compiled": found["compiled"],
        "ratio_eager": {name: speed / reference for name, speed in found["eager"].items()},
        "ratio_compiled": {name: speed / reference for name, speed in found["compiled"].items()},
        "whole_runs": runs,
        "ratio_whole_runs": {name: speed / reference for name, speed in runs.items()},
        "compile_s": compile_s,
        "bytes_per_lane": {
            "state": trials(device, unroll).bytes_per_replica,
            "peak": own / min(largest, CHUNK),
        },
        "peak_mb": {str(largest): total / 1e6},
        "largest_difference": largest_difference(device, unroll),
    }


def show(found: dict[str, Any]) -> None:
    """Print the figures as a table."""
    print(f"{found['cores']} cores, {found['device']}, Python {platform.python_version()}, torch {torch.__version__}")
    print(f"{'':>16s}{'trials/s':>16s}{'ratio':>12s}")
    print(f"{'textbook loop':>16s}{found['loop']:16,.0f}{1:12.2f}")
    for kind in ("eager", "compiled", "whole_runs"):
        for name, speed in found[kind].items():
            print(f"{kind.replace('_', ' ') + ' ' + name:>16s}{speed:16,.0f}{found['ratio_' + kind][name]:12,.2f}")
    for name in ("compile_s", "bytes_per_lane", "peak_mb", "largest_difference"):
        print(f"{name}: {found[name]}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures as a table, or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    parser.add_argument(
        "--quick", action="store_true", help="one round, two numbers of replicas, and one trial in a compiled call"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="of the compiled side")
    options = parser.parse_args(arguments)
    found = measure(options.device, options.quick)
    if options.json:
        print(json.dumps(found))
    else:
        show(found)


if __name__ == "__main__":
    main()
