"""``python -m covdemo animate``: a run as an animated picture."""

import argparse
import sys
from pathlib import Path

from covdemo import animation, pictures, table_file
from covdemo.arguments import check_target, reading, write
from covdemo.config import RunConfig
from covdemo.fields import parse_number
from covdemo.progress import Progress, advance
from covdemo.run import Run

_FLAG = "--output"
_WIDTHS = range(200, 1201)  # pixels
_SECONDS = 0.1, 60.0


def animate(config: RunConfig, options: argparse.Namespace) -> int:
    """Train, draw the records and write the file; return the exit code.

    Raises:
        BadArgument: if the file cannot be written, or vl-convert is missing.
    """
    with reading():
        pictures.require()
    check_target(_FLAG, options.output)
    run = Run(config, table_file.data(config, options.table))
    advance(run, sys.stderr)
    progress, ending = Progress(sys.stderr), options.output.suffix
    content = animation.animate(run, options.frames, options.seconds, ending, options.width, progress)
    write(_FLAG, options.output, content)
    print(f"{options.output}: {len(content) / 1e6:.1f} MB", file=sys.stderr)
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes beside the settings of the run."""
    most, low, high = animation.MOST, _WIDTHS[0], _WIDTHS[-1]
    parser.add_argument(_FLAG, type=_path, default=Path("run.gif"), metavar="FILE", help=".gif or .webp; default: run.gif")
    parser.add_argument("--frames", type=_frames, default=80, metavar="N", help=f"pictures, 2 to {most}; default: 80")
    parser.add_argument("--seconds", type=_seconds, default=8.0, metavar="X", help="that they take together; default: 8")
    parser.add_argument("--width", type=_width, default=640, metavar="N", help=f"in pixels, {low} to {high}; default: 640")


def _path(text: str) -> Path:
    path = Path(text)
    if path.suffix not in animation.FORMATS:
        raise argparse.ArgumentTypeError(f"expected a name that ends in .gif or .webp, got {path.name}")
    return path


def _frames(text: str) -> int:
    return _whole(text, range(2, animation.MOST + 1))


def _width(text: str) -> int:
    return _whole(text, _WIDTHS)


def _whole(text: str, allowed: range) -> int:
    number = int(text) if text.isdecimal() and len(text) < 9 else -1
    if number not in allowed:
        raise argparse.ArgumentTypeError(f"expected a whole number from {allowed[0]} to {allowed[-1]:,}, got {text!r}")
    return number


def _seconds(text: str) -> float:
    low, high = _SECONDS
    number = parse_number(text)
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"expected a number from {low:g} to {high:g}, got {text!r}")
    return number
