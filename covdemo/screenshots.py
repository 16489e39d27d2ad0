"""``python -m covdemo screenshots``: pictures of the page for documentation, taken in a browser without a screen."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from covdemo import atlas, drawings, lessons, map_charts, pictures, shots
from covdemo.arguments import BadArgument, check_target, reading, write
from covdemo.config import FIELDS, RunConfig
from covdemo.run import Run
from covdemo.shots import Shot

_WIDTHS = range(320, 3841)
_ALL = "all"
_OUT, _NAME = "FOLDER", "page"
_FLAGS = {"preset": "--preset"} | {field.name: field.flag for field in FIELDS}
_FIXED = {
    "docs": ("lesson", "static", "name", "tab", "theme", "width", *_FLAGS),
    "lesson": ("name", "tab", *_FLAGS),
    "static": ("tab", "width"),
}
"""What an option settles, so that it cannot be asked for as well."""


def screenshots(config: RunConfig, options: argparse.Namespace) -> int:
    """Take the pictures that are asked for, or draw their charts alone; return the exit code.

    Raises:
        BadArgument: if options exclude each other, the folder cannot be written, or what a picture needs is missing.
    """
    _check(options)
    chosen = _chosen(config, options)
    if options.static:
        for shot in chosen:
            _draw(shot, options.out)
        return 0
    _photograph(chosen, options.out)
    if options.docs:
        text = json.dumps({shot.name: shots.content(shot) for shot in chosen}, indent=1)
        write(_OUT, options.out / shots.CONTENT, text + "\n")
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse options that exclude each other, a folder that is none, and pictures that nothing here can draw."""
    given = [name for name, value in vars(options).items() if value not in (None, False)]
    for option, fixed in _FIXED.items():
        for name in given if option in given else ():
            if name in fixed:
                raise BadArgument(f"{_FLAGS.get(name, f'--{name}')} cannot be asked for together with --{option}")
    if not options.out.is_dir():
        raise BadArgument(f"expected a folder to write to, got {options.out}")
    if options.static:
        with reading("--static"):
            pictures.require()


def _photograph(chosen: Sequence[Shot], folder: Path) -> None:
    """Write pictures of the page."""
    paths = [folder / f"{shot.name}.png" for shot in chosen]
    for path in paths:
        check_target(_OUT, path)
    headless = _headless()
    try:
        with headless.chromium() as browser, headless.serve() as server:
            for shot, path in zip(chosen, paths, strict=True):
                write(_OUT, path, headless.photograph(browser, server.url, shot))
                print(path, file=sys.stderr)
    except headless.Unavailable as error:
        raise BadArgument(str(error)) from None


def _chosen(config: RunConfig, options: argparse.Namespace) -> Sequence[Shot]:
    look = {name: getattr(options, name) for name in ("theme", "width") if name in options}
    if options.docs:
        return shots.DOCUMENTATION
    if options.lesson:
        keys = list(lessons.lessons()) if options.lesson == _ALL else [options.lesson]
        return [shots.of_lesson(key, **look) for key in keys]
    return [Shot(getattr(options, "name", _NAME), config, getattr(options, "tab", Shot.tab), **look)]


def _draw(shot: Shot, folder: Path) -> None:
    """Write every chart of a run, and the map that its settings lie on, as PNG and SVG."""
    run = Run(shot.config)
    run.advance(run.total)
    figures: dict[str, tuple[Mapping[str, Any], Mapping[str, bytes] | None]] = dict(drawings.figures(run))
    if found := atlas.covering(shot.config):
        figures["map"] = map_charts.stability(found), None
    for name, (spec, datasets) in figures.items():
        for kind in pictures.KINDS:
            path = folder / f"{shot.name}-{name}.{kind}"
            write(_OUT, path, pictures.draw(pictures.sized(spec), kind, datasets, theme=shot.theme))
            print(path, file=sys.stderr)


def _headless():  # type: ignore[no-untyped-def]  # noqa: ANN202  (a module that needs an optional package)
    try:
        from covdemo import headless
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        raise BadArgument(f"{package} is missing: pip install playwright, and have a chromium browser") from None
    return headless


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes beside the settings of the run."""
    known, absent = [*lessons.lessons(), _ALL], argparse.SUPPRESS  # what is not given is told from what is
    parser.add_argument("out", type=Path, metavar=_OUT, help="where to write the pictures")
    parser.add_argument("--name", default=absent, help=f"of the picture, without .png; default: {_NAME}")
    parser.add_argument("--tab", choices=shots.TABS, default=absent, help=f"that is open; default: {Shot.tab}")
    parser.add_argument("--lesson", choices=known, metavar="KEY", help=f"a lesson and its run, instead: {', '.join(known)}")
    parser.add_argument("--theme", choices=shots.THEMES, default=absent, help=f"default: {Shot.theme}")
    parser.add_argument("--width", type=_width, default=absent, metavar="N", help=f"in pixels; default: {Shot.width}")
    parser.add_argument("--static", action="store_true", help="charts alone, as PNG and SVG, without a browser")
    parser.add_argument("--docs", action="store_true", help="the pictures of the documentation, and what they show")


def _width(text: str) -> int:
    number = int(text) if text.isdecimal() and len(text) < 9 else -1
    if number not in _WIDTHS:
        raise argparse.ArgumentTypeError(f"expected a whole number from {_WIDTHS[0]} to {_WIDTHS[-1]:,}, got {text!r}")
    return number
