"""``python -m covdemo export``: the settings of a run as a stand-alone script."""

import argparse
from pathlib import Path

from covdemo import table_file
from covdemo.arguments import BadArgument, writing
from covdemo.config import RunConfig
from covdemo.export import script
from covdemo.sources import data_of
from covdemo.trials import to_csv


def export(config: RunConfig, options: argparse.Namespace) -> int:
    """Write the script to a file, or print it; return the exit code.

    A script whose data are not drawn reads them from a file beside it, which is written too, unless the script is printed.

    Raises:
        BadArgument: if a file cannot be written, or would be written over the table that was read.
    """
    data = table_file.data(config, options.table) or data_of(config)
    if options.output is None:
        print(script(config, data), end="")
        return 0
    table: Path = options.output.with_suffix(".csv")
    if options.table and data.moments and table.resolve() == options.table.path.resolve():
        raise BadArgument("--output: expected another name, as the points would be written over the table")
    with writing("--output"):
        if data.moments:
            table.write_text(to_csv(data), encoding="utf-8", newline="")
        options.output.write_text(script(config, data, file=table.name), encoding="utf-8")
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes beside the settings of the run."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE.py",
        help="where to write, data that are not drawn beside it as .csv; default: print it",
    )
