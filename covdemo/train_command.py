"""``python -m covdemo train``: the run of the page, without the page."""

import argparse
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from covdemo import table_file
from covdemo.arguments import check_target, reading, write
from covdemo.config import RunConfig
from covdemo.failures import Failure
from covdemo.history import LOGGED
from covdemo.outcomes import Outcome
from covdemo.progress import advance
from covdemo.run import Run
from covdemo.takeaway import history_csv, log_csv, model_file, report, run_json
from covdemo.trials import Trials, read_npz

FINISHED, STOPPED = 0, 3
_LISTED = 10
_DATA = "points to use instead of drawn ones: arrays x [N, 2], label [N], from 0, and perhaps order [T], rows of x"
_FINAL = "write the arrays means, covariances, raw and readout as the last update left them"
_FILES: dict[str, tuple[str, str, Callable[[Run], str | bytes]]] = {
    "run_json": ("json", "write settings, outcome, failures and versions as JSON", run_json),
    "history_csv": ("csv", "write the records of the run, a line each", lambda run: history_csv(run.history)),
    "log_csv": ("csv", "write the failures, a line each", lambda run: log_csv(run.history.failures)),
    "state_dict": ("pt", "write the last valid model, for the class Model of an exported script", model_file),
}
"""What a run can be taken away as: name of the option -> ending of the file, help, and what is written."""


def train(config: RunConfig, options: argparse.Namespace) -> int:
    """Run an experiment and print how it ended; return the exit code."""
    for option in ("final", *_FILES):
        check_target(_flag(option), getattr(options, option))
    run = Run(config, _data(config, options))
    advance(run, sys.stderr)
    if run.notice:
        print(run.notice, file=sys.stderr)
    print(json.dumps(report(run), allow_nan=False) if options.json else summary(run))
    if options.json and run.history.failed > LOGGED:
        print(f"the first {LOGGED:,} of {run.history.failed:,} failures are listed", file=sys.stderr)
    if options.final:
        write_final(run, options.final)
    for option, (_, _, content) in _FILES.items():
        if path := getattr(options, option):
            write(_flag(option), path, content(run))
    return STOPPED if run.outcome is Outcome.FAILED else FINISHED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes beside the settings of the run."""
    files = "[--final FILE.npz] " + " ".join(f"[{_flag(option)} FILE.{ending}]" for option, (ending, _, _) in _FILES.items())
    parser.usage = f"%(prog)s [--preset NAME] [--SETTING VALUE ...] [--json] [--table FILE.csv] [--data FILE.npz] {files}"
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else; NaN and infinity are null")
    parser.add_argument("--data", type=Path, metavar="FILE.npz", help=_DATA)
    parser.add_argument("--final", type=Path, metavar="FILE.npz", help=_FINAL)
    for option, (ending, text, _) in _FILES.items():
        parser.add_argument(_flag(option), type=Path, metavar=f"FILE.{ending}", help=text)


def _flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"


def _data(config: RunConfig, options: argparse.Namespace) -> Trials | None:
    """Return the data of a file; None where the settings say what they are."""
    if options.data is None:
        return table_file.data(config, options.table)
    with reading("--data"):
        if options.table:
            raise ValueError("expected one file of data, got --table too")
        return read_npz(options.data, config)


def summary(run: Run) -> str:
    """Return the run's end in words."""
    frame = run.frame()
    ending = f"{run.outcome.label if run.outcome else 'unfinished'} after {run.trial:,} of {run.total:,} trials"
    lines = [f"{ending}: accuracy {frame.accuracy:.1%}, KL to the truth {frame.kl.sum():.4g} nats"]
    lines += [run.reason.value] if run.reason else []
    lines += [_line(failure) for failure in run.history.failures[:_LISTED]]
    unlisted = run.history.failed - _LISTED
    return "\n".join([*lines, f"... and {unlisted:,} failures more"] if unlisted > 0 else lines)


def _line(failure: Failure) -> str:
    smallest = min(failure.eigenvalues)
    return (
        f"trial {failure.trial}, epoch {failure.epoch + 1}, category {failure.category}: {failure.kind.value}, "
        f"smallest eigenvalue {smallest:.3g}, step {failure.rate:.3g}, room for {failure.room:.3g}; {failure.action}\n"
        f"    {failure.message.splitlines()[0] if failure.message else ''}"
    )


def write_final(run: Run, path: Path) -> None:
    """Write ``means`` [K, D], ``covariances`` [K, D, D], ``raw`` [K, *] and ``readout`` [K, K] as the last update left them.

    Raises:
        BadArgument: if the file cannot be written.
    """
    means, raw, readout = (tensor.detach().cpu().numpy() for tensor in run.parameters())
    buffer = io.BytesIO()
    np.savez(buffer, means=means, covariances=run.covariances(), raw=raw, readout=readout)
    write("--final", path, buffer.getvalue())
