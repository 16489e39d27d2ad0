"""What is taken away: settings and end of a run as JSON, history, log and comparison as tables, the model as torch's file."""

import io
import json
import math
import platform
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import covdemo
from covdemo import spreadsheets
from covdemo.comparison import Comparison, Result, result
from covdemo.config import RunConfig
from covdemo.failures import Failure
from covdemo.history import History, condition_number
from covdemo.run import Run
from covdemo.trials import Trials

LOG_COLUMNS = (
    "trial",
    "epoch",
    "category",
    "kind",
    "lr_cov",
    "room",
    "eigenvalues",
    "matrix",
    "done",
    "PyTorch's message",
)
_DIGITS = 17  # which tell every number of double precision


def report(run: Run) -> dict[str, Any]:
    """Return the run's end as what JSON can hold: outcome, reason, trials, accuracy, KL, failures and settings.

    Trials are counted from 0 and epochs and categories from 1, as everywhere that the program tells of them.
    """
    frame = run.frame()
    return {
        "outcome": run.outcome.value if run.outcome else None,
        "reason": run.reason.name.lower() if run.reason else None,
        "trials": run.trial,
        "accuracy": frame.accuracy,
        "kl": _json_number(float(frame.kl.sum())),
        "failures": [_failure(failure) for failure in run.history.failures],
        "config": asdict(run.config),
        "data": _origin(run.data),
    }


def _origin(data: Trials) -> dict[str, Any] | None:
    """Return how a row of the table becomes a point; None where there was no table."""
    return {**data.origin._asdict(), "categories": data.names} if data.origin else None


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        **asdict(failure),
        "epoch": failure.epoch + 1,
        "kind": failure.kind.value,
        "matrix": [[_json_number(entry) for entry in line] for line in failure.matrix],
        "eigenvalues": [_json_number(value) for value in failure.eigenvalues],
        "rate": _json_number(failure.rate),
        "room": _json_number(failure.room),
    }


def _json_number(value: float) -> float | None:
    """Return the number, or None where JSON has no number for it."""
    return value if math.isfinite(value) else None


def run_json(run: Run) -> str:
    """Return the ``report`` of a run as JSON, with the versions of what computed it."""
    versions = {
        "covdemo": covdemo.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }
    return json.dumps({**report(run), "versions": versions}, allow_nan=False, indent=1) + "\n"


def history_csv(history: History) -> str:
    """Return the records of a run as CSV, a line for each; names that end in a number are of this category, from 1.

    Where ``valid`` is 0, the last update broke the matrix: eigenvalues, condition number and weights are as it left them,
    ``mean``, ``var``, ``cov_xy`` and ``kl`` those of the last valid distribution.
    """
    columns: dict[str, NDArray[Any]] = {"trial": history.column("trial").astype(int)}
    columns |= {name: history.column(name) for name in ("loss", "accuracy")}
    means, factors, values = (history.column(name) for name in ("means", "scale_trils", "eigenvalues"))
    covariances = factors @ factors.swapaxes(-1, -2)
    condition = condition_number(values)
    whole = {name: history.column(name) for name in ("kl", "room", "gradient_norm", "silent", "silent_trials", "silent_share")}
    readout = history.column("readout")
    for k in range(means.shape[1]):
        of_category = {
            "mean_x": means[:, k, 0],
            "mean_y": means[:, k, 1],
            "var_x": covariances[:, k, 0, 0],
            "cov_xy": covariances[:, k, 0, 1],
            "var_y": covariances[:, k, 1, 1],
            "valid": history.column("valid")[:, k].astype(int),
            "smallest_eigenvalue": values[:, k, 0],
            "largest_eigenvalue": values[:, k, -1],
            "condition_number": condition[:, k],
            **{name: column[:, k] for name, column in whole.items()},
            **{f"weight_{row + 1}": readout[:, row, k] for row in range(readout.shape[1])},
        }
        columns |= {f"{name}_{k + 1}": column for name, column in of_category.items()}
    table = zip(*(column.tolist() for column in columns.values()), strict=True)
    return spreadsheets.write([list(columns), *table])


def comparison_csv(comparison: Comparison) -> str:
    """Return how each method of a comparison stands as CSV, a line for each; empty where there is nothing to say."""
    results = [result(run, run.frame(), time) for run, time in zip(comparison.runs, comparison.seconds, strict=True)]
    header = ("method", "lr_cov", *Result._fields)
    return spreadsheets.write([header, *map(_standing, comparison.config, results)])


def _standing(config: RunConfig, found: Result) -> tuple[object, ...]:
    outcome, reason = found.outcome and found.outcome.value, found.reason and found.reason.name.lower()
    return (config.parameterization, config.lr_cov, outcome, reason, *found[2:])


def log_row(failure: Failure, digits: int = _DIGITS) -> tuple[object, ...]:
    """Return a failure as a row of ``LOG_COLUMNS``, its matrix and eigenvalues as text with so many digits."""
    return (
        failure.trial,
        failure.epoch + 1,
        failure.category,
        failure.kind.value,
        failure.rate,
        failure.room,
        f"[{_numbers(failure.eigenvalues, digits)}]",  # in brackets, as a minus sign might begin a formula
        f"[{'; '.join(_numbers(line, digits) for line in failure.matrix)}]",
        failure.action,
        failure.message,
    )


def _numbers(values: Sequence[float], digits: int) -> str:
    return ", ".join(f"{value:.{digits}g}" for value in values)


def log_csv(failures: Sequence[Failure]) -> str:
    """Return the failure log as CSV."""
    return spreadsheets.write([LOG_COLUMNS, *map(log_row, failures)])


def model_file(run: Run) -> bytes:
    """Return the last valid model as a ``state_dict`` that ``torch.load`` reads with ``weights_only=True``.

    It fits ``covdemo.DistrLearner`` and the class ``Model`` of the script that ``covdemo.export`` writes for the same settings.
    """
    buffer = io.BytesIO()
    parameters = run.model()._asdict()
    own = {"device": "cpu", "memory_format": torch.contiguous_format, "copy": True}
    torch.save({name: tensor.detach().to(**own) for name, tensor in parameters.items()}, buffer)
    return buffer.getvalue()
