"""The command line as a table of contents: what the commands are, and what their arguments mean.

Exit codes: 0 the run learned or came to its end, 2 bad arguments, 3 a failure stopped the run, 130 interrupted.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from covdemo import screenshots, train_command
from covdemo.config import FIELDS, RunConfig, read_arguments, to_query
from covdemo.presets import PRESETS

BAD_ARGUMENTS, INTERRUPTED = 2, 130

_NAMES = {field.name for field in FIELDS}

Command = Callable[[RunConfig, argparse.Namespace], int]


def main(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    command: Command = options.command
    try:
        return command(settings(options), options)
    except ValueError as error:
        _refuse(options.parser, str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def _refuse(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    parser.exit(BAD_ARGUMENTS, f"{parser.prog}: {message}\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="covdemo", description="See why a covariance matrix breaks under SGD, and train it so that it never does."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train = _add(commands, "train", "run an experiment and print how it ended", train_command.train)
    train.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    train.add_argument("--data", type=Path, metavar="FILE.npz", help="points to use: arrays x, label and perhaps order")
    train.add_argument("--final", type=Path, metavar="FILE.npz", help="write the final parameters to this file")
    pictures = _add(commands, "screenshots", "take a picture of the page at the end of a run", screenshots.screenshots)
    screenshots.add_arguments(pictures)
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, command: Command
) -> argparse.ArgumentParser:
    """Add a command that takes the settings of a run, one flag for each row of ``FIELDS``."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text.capitalize() + ".")
    parser.set_defaults(command=command, parser=parser)
    parser.add_argument("--preset", choices=list(PRESETS), help="settings to start from")
    for group in dict.fromkeys(field.group for field in FIELDS):
        section = parser.add_argument_group(group)
        for field in (field for field in FIELDS if field.group == group):
            choices = f" One of: {', '.join(field.choices)}." if field.choices else ""
            metavar = "KEY" if field.choices else "N" if field.kind is int else "X"
            text = f"{field.help}{choices} Default: {field.default}.".replace("%", "%%")
            section.add_argument(field.flag, dest=field.name, default=argparse.SUPPRESS, metavar=metavar, help=text)
    return parser


def settings(options: argparse.Namespace) -> RunConfig:
    """Return the configuration that the options stand for.

    Raises:
        ValueError: with a line for each problem.
    """
    given = {name: text for name, text in vars(options).items() if name in _NAMES}
    preset = to_query(PRESETS[options.preset].config) if options.preset else {}
    return read_arguments({field.name: preset[field.url] for field in FIELDS if field.url in preset} | given)
