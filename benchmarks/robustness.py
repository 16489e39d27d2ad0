"""Which learning rates of the covariance matrices work, for every method and objective, on the forum experiment.

For each of 41 rates from 1e-8 to 1e2 and 8 seeds: the share of runs that end in an error, the share that learn, the best mean
KL to the truth, and the number of decades over which all seeds learn.
"""

import argparse
import json
import os
import platform
import time
from typing import Any

import checkout  # noqa: F401
import numpy as np
import torch

from covdemo.batch import Results, learned, run_batch
from covdemo.config import RunConfig
from covdemo.learner import OBJECTIVES
from covdemo.outcomes import Outcome
from covdemo.parameterizations import PARAMETERIZATIONS


def measure(method: str, objective: str, rates: np.ndarray, seeds: int, epochs: int, points: int = 200) -> dict[str, Any]:
    """Return shares of errors and of learning per rate, the best KL, and the decades over which all seeds learn."""
    configs = [
        RunConfig(parameterization=method, objective=objective, lr_cov=float(rate), seed=seed, epochs=epochs, points=points)
        for rate in rates
        for seed in range(seeds)
    ]
    results = run_batch(configs)
    errors = (results.outcome == Outcome.FAILED).reshape(len(rates), seeds).mean(1)
    learns = learned(results).reshape(len(rates), seeds).mean(1)
    return {
        "errors": errors.tolist(),
        "learns": learns.tolist(),
        "best_kl": best_kl(results, len(rates), seeds),
        "decades_all_learn": decades(rates, learns == 1),
    }


def best_kl(results: Results, rates: int, seeds: int) -> float | None:
    """Return the smallest mean KL over the seeds, of the rates at which no run ends in an error; None if there is none."""
    whole = (results.outcome != Outcome.FAILED).reshape(rates, seeds).all(1)
    kl = results.kl.reshape(rates, seeds).mean(1)
    kept = kl[whole & np.isfinite(kl)]
    return float(kept.min()) if len(kept) else None


def decades(rates: np.ndarray, works: np.ndarray) -> float:
    """Return the width, in powers of ten, of the rates that work, each grid point standing for its cell inside the range."""
    powers = np.log10(rates)
    edges = np.concatenate([powers[:1], (powers[1:] + powers[:-1]) / 2, powers[-1:]])
    return round(float(np.diff(edges)[works].sum()), 3)


def main() -> None:
    """Print the table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--quick", action="store_true", help="6 rates, 2 seeds, 1 epoch, 10 points; not 41, 8, 5, 200")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rates, seeds = np.logspace(-8, 2, 6 if options.quick else 41), 2 if options.quick else 8
    epochs, points = (1, 10) if options.quick else (5, 200)
    began = time.perf_counter()
    methods = {
        method: {objective: measure(method, objective, rates, seeds, epochs, points) for objective in OBJECTIVES}
        for method in PARAMETERIZATIONS
    }
    if options.json:
        print(json.dumps({"rates": rates.tolist(), "seeds": seeds, "methods": methods}))
        return
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}")
    print(f"{len(rates)} rates x {seeds} seeds for each row, {time.perf_counter() - began:.0f} s in all\n")
    print(f"{'method':24s}{'objective':16s}{'errors':>8s}{'learns':>8s}{'best KL':>9s}{'decades':>9s}")
    for method, objectives in methods.items():
        for objective, row in objectives.items():
            kl = "none" if row["best_kl"] is None else f"{row['best_kl']:.3f}"
            errors, learns = np.mean(row["errors"]), np.mean(row["learns"])
            print(f"{method:24s}{objective:16s}{errors:8.1%}{learns:8.1%}{kl:>9s}{row['decades_all_learn']:9.2f}")


if __name__ == "__main__":
    main()
