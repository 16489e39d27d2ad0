"""``python -m covdemo export``: the settings of a run as a stand-alone script."""

import argparse
from pathlib import Path

from covdemo.config import RunConfig
from covdemo.export import script


def export(config: RunConfig, options: argparse.Namespace) -> int:
    """Write the script to a file, or print it; return the exit code.

    Raises:
        ValueError: if the file cannot be written.
    """
    if options.output is None:
        print(script(config), end="")
        return 0
    try:
        options.output.write_text(script(config))
    except OSError as error:
        raise ValueError(f"--output: the file cannot be written: {error.strerror}") from None
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes beside the settings of the run."""
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.py", help="where to write; default: print it")
