"""``--table FILE.csv``: a table of one's own as the data of a command, and the settings that follow from it."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from covdemo.arguments import reading
from covdemo.config import RunConfig, read_arguments
from covdemo.constraints import OF_TABLES, suiting
from covdemo.datafiles import Table, read_table
from covdemo.sources import SOURCES, data_of, sample_of
from covdemo.trials import Trials

_FLAG = "--table"
_HELP = "a table of yours: lines of x, y and category; categories, start and columns follow from it where they are not given"
_SOURCE = next(key for key, row in SOURCES.items() if row.uploaded)


class TableFile(NamedTuple):
    """A table, and where it was read."""

    path: Path
    table: Table


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option to a command."""
    parser.add_argument(_FLAG, type=_read, metavar="FILE.csv", help=_HELP)


def _read(text: str) -> TableFile:
    path = Path(text)
    try:
        return TableFile(path, read_table(path.read_bytes()))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"the file cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def settings(given: Mapping[str, object], file: TableFile | None) -> RunConfig:
    """Return the configuration that arguments and a file stand for.

    Args:
        given: field name -> text; settings that are not given are left out.
        file: None where there is none.

    Raises:
        ValueError: with a line for each problem.
    """
    if file is None:
        config = read_arguments(given)
        if SOURCES[config.source].uploaded:
            raise ValueError(
                f"--source: the table of yours is missing: {_FLAG} FILE.csv, which train, export, animate and map take"
            )
        return config
    given = {"source": _SOURCE, **given}
    asked = read_arguments({name: given[name] for name in ("source", *OF_TABLES, "categories") if name in given})
    if not SOURCES[asked.source].uploaded:
        raise ValueError(f"{_FLAG}: expected --source {_SOURCE} with it, got {asked.source}")
    with reading(_FLAG):
        usual = suiting(sample_of(asked, file.table))
    if "categories" in given and asked.categories != usual["categories"]:
        raise ValueError(f"--categories: expected {usual['categories']}, as many as in the table, got {asked.categories}")
    return read_arguments(usual | given)


def data(config: RunConfig, file: TableFile | None) -> Trials | None:
    """Return the data of a file; None where there is none, and the settings alone say what the data are.

    Raises:
        BadArgument: if these are too many trials.
    """
    if file is None:
        return None
    with reading(_FLAG):
        return data_of(config, file.table)
