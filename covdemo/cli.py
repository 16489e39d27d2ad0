"""The command line as a table of contents: what the commands are, and what their arguments mean.

Exit codes: 0 the run learned or came to its end, 2 bad arguments, 3 a failure stopped the run, 4 a cluster was lost,
130 interrupted, 141 nobody reads what is printed any more.
"""

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from covdemo import animate_command, export_command, map_command, screenshots, table_file, train_command
from covdemo.arguments import BadArgument, reading
from covdemo.config import FIELDS, RunConfig, to_query
from covdemo.fields import parse_number
from covdemo.presets import PRESETS

BAD_ARGUMENTS, INTERRUPTED, UNREAD = 2, 130, 141

_NAMES = {field.name for field in FIELDS}

Command = Callable[[RunConfig, argparse.Namespace], int]


def main(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    try:
        try:
            return _answer(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more as it ends
        return UNREAD


def _answer(arguments: Sequence[str]) -> int:
    options = build_parser().parse_args(_attach_numbers(arguments))
    command: Command = options.command
    parser: _Parser = options.parser
    try:
        with reading():
            config = settings(options)
        return command(config, options)
    except BadArgument as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """A parser that answers bad arguments with a sentence; the usage, with a flag for each setting, would bury it."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_ARGUMENTS, f"{self.prog}: {message}\nAll arguments: {self.prog} --help\n")


def _attach_numbers(arguments: Iterable[str]) -> list[str]:
    """Write ``--flag -5e-3`` as ``--flag=-5e-3``: argparse knows negative numbers without exponents only."""
    attached: list[str] = []
    for argument in arguments:
        number = argument.startswith("-") and not math.isnan(parse_number(argument))
        if number and attached and attached[-1].startswith("--"):
            attached[-1] += f"={argument}"
        else:
            attached.append(argument)
    return attached


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    purpose = "See why a covariance matrix breaks under SGD, and train it so that it never does."
    parser = _Parser(prog="python -m covdemo", description=purpose)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train = _add(commands, "train", "run an experiment and print how it ended", train_command.train)
    train_command.add_arguments(train)
    export = _add(commands, "export", "write the settings of a run as a stand-alone script", export_command.export)
    export_command.add_arguments(export)
    moving = _add(commands, "animate", "run an experiment and write it as an animated picture", animate_command.animate)
    animate_command.add_arguments(moving)
    maps = _add(commands, "map", "train over a grid of settings and map which of them work", map_command.map_grid)
    map_command.add_arguments(maps)
    for taking in (train, export, moving, maps):
        table_file.add_argument(taking)
    pictures = _add(commands, "screenshots", "take a picture of the page at the end of a run", screenshots.screenshots)
    screenshots.add_arguments(pictures)
    return parser


def _add(commands: "argparse._SubParsersAction[_Parser]", name: str, text: str, command: Command) -> _Parser:
    """Add a command that takes the settings of a run, one flag for each row of ``FIELDS``."""
    parser = commands.add_parser(name, help=text, description=text.capitalize() + ".")
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
    preset = {field.name: preset[field.url] for field in FIELDS if field.url in preset}
    return table_file.settings(preset | given, getattr(options, "table", None))
