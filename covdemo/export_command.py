"""``python -m covdemo export``: the settings of a run as a stand-alone script."""

import argparse
from pathlib import Path

from covdemo import table_file
from covdemo.arguments import BadArgument, check_target, writing
from covdemo.config import RunConfig
from covdemo.export import script
from covdemo.sources import data_of
from covdemo.trials import to_csv


def export(config: RunConfig, options: argparse.Namespace) -> int:
    """Write the script to a file, or print it; return the exit code.

    A script whose data are not drawn reads them from a file beside it, which is written too, unless the script is printed.

    Raises:
        BadArgument: if the script is named like a table, a file cannot be written, or other points are in the file of points.
    """
    data = table_file.data(config, options.table) or data_of(config)
    if options.output is None:
        print(script(config, data), end="")
        return 0
    if options.output.suffix.lower() == ".csv":
        raise BadArgument(f"--output: expected the name of a script, as in run.py, got {options.output.name}")
    check_target("--output", options.output)
    table: Path = options.output.with_name(f"{options.output.stem}-points.csv")
    with writing("--output"):
        if data.moments:
            _write_points(table, to_csv(data).encode())
        options.output.write_text(script(config, data, file=table.name), encoding="utf-8")
    return 0


def _write_points(path: Path, content: bytes) -> None:
    """Write the points, but over no file that holds something else: it may be anybody's table.

    Raises:
        BadArgument: if there is such a file.
        OSError: if it cannot be written.
    """
    if path.exists() and path.read_bytes() != content:
        raise BadArgument(f"--output: {path} holds something else than these points; take another name, or move it away")
    path.write_bytes(content)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes beside the settings of the run."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE.py",
        help="where to write, data that are not drawn beside it as FILE-points.csv; default: print it",
    )
