"""``python -m covdemo screenshots``: pictures of the page for documentation, taken in a browser without a screen."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from covdemo import atlas, drawings, lessons, map_charts, pictures, shots
from covdemo.config import RunConfig
from covdemo.run import Run
from covdemo.shots import Shot

_WIDTHS = range(320, 3841)
_ALL = "all"


def screenshots(config: RunConfig, options: argparse.Namespace) -> int:
    """Take the pictures that are asked for, or draw their charts alone; return the exit code.

    Raises:
        ValueError: if there is no such folder or lesson, or what is needed for a picture is missing.
    """
    if not options.out.is_dir():
        raise ValueError(f"expected a folder to write to, got {options.out}")
    chosen = _chosen(config, options)
    if options.static:
        for shot in chosen:
            _draw(shot, options.out)
        return 0
    headless = _headless()
    with headless.serve() as server, headless.chromium() as browser:
        for shot in chosen:
            path = options.out / f"{shot.name}.png"
            path.write_bytes(headless.photograph(browser, server.url, shot))
            print(path, file=sys.stderr)
    if options.docs:
        text = json.dumps({shot.name: shots.content(shot) for shot in chosen}, indent=1)
        (options.out / shots.CONTENT).write_text(text + "\n")
    return 0


def _chosen(config: RunConfig, options: argparse.Namespace) -> Sequence[Shot]:
    if options.docs:
        return shots.DOCUMENTATION
    if options.lesson:
        keys = list(lessons.lessons()) if options.lesson == _ALL else [options.lesson]
        return [shots.of_lesson(key, options.theme, options.width) for key in keys]
    return [Shot(options.name, config, options.tab, theme=options.theme, width=options.width)]


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
            path.write_bytes(pictures.draw(pictures.sized(spec), kind, datasets, theme=shot.theme))
            print(path, file=sys.stderr)


def _headless():  # type: ignore[no-untyped-def]  # noqa: ANN202  (a module that needs an optional package)
    try:
        from covdemo import headless
    except ModuleNotFoundError as error:
        raise ValueError(f"{error.name} is missing: pip install playwright, and have a chromium browser") from None
    return headless


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes beside the settings of the run."""
    known = [*lessons.lessons(), _ALL]
    parser.add_argument("out", type=Path, metavar="FOLDER", help="where to write the pictures")
    parser.add_argument("--name", default="page", help="of the picture, without .png")
    parser.add_argument("--tab", choices=shots.TABS, default=shots.TABS[0], help=f"that is open; default: {shots.TABS[0]}")
    parser.add_argument("--lesson", choices=known, metavar="KEY", help=f"a lesson and its run, instead: {', '.join(known)}")
    parser.add_argument("--theme", choices=shots.THEMES, default=shots.THEMES[0], help=f"default: {shots.THEMES[0]}")
    parser.add_argument("--width", type=_width, default=1280, metavar="N", help="in pixels; default: 1280")
    parser.add_argument("--static", action="store_true", help="charts alone, as PNG and SVG, without a browser")
    parser.add_argument("--docs", action="store_true", help="the pictures of the documentation, and what they show")


def _width(text: str) -> int:
    number = int(text) if text.isdecimal() and len(text) < 9 else -1
    if number not in _WIDTHS:
        raise argparse.ArgumentTypeError(f"expected a whole number from {_WIDTHS[0]} to {_WIDTHS[-1]:,}, got {text!r}")
    return number
