"""``python -m covdemo screenshots``: pictures of the page for documentation, taken in a browser without a screen."""

import argparse
import sys
from pathlib import Path
from urllib.parse import urlencode

from covdemo.config import RunConfig, to_query

HEIGHT = {1280: 1050, 390: 1900}  # a page as high as its contents, so that nothing is cut


def screenshots(config: RunConfig, options: argparse.Namespace) -> int:
    """Open the page with these settings, run it to its end, and write one picture; return the exit code.

    Raises:
        ValueError: if there is no Playwright, no browser, or no such folder.
    """
    headless = _headless()
    width, target = options.width, options.out / f"{options.name}.png"
    if not options.out.is_dir():
        raise ValueError(f"expected a folder to write to, got {options.out}")
    with headless.serve() as server, headless.chromium() as browser:
        address = f"{server.url}/?{urlencode(to_query(config))}"
        with headless.view(browser, address, width=width, height=HEIGHT[width], theme=options.theme) as viewer:
            viewer.page.get_by_role("button", name="Run to the end", exact=True).click()
            viewer.page.get_by_role("button", name="Train again", exact=True).wait_for()
            headless.settle(viewer.page)
            viewer.page.mouse.move(0, 0)
            viewer.page.screenshot(path=target)
    print(target, file=sys.stderr)
    return 0


def _headless():  # type: ignore[no-untyped-def]  # noqa: ANN202  (a module that needs an optional package)
    try:
        from covdemo import headless
    except ModuleNotFoundError as error:
        raise ValueError(f"{error.name} is missing: pip install playwright, and have a chromium browser") from None
    return headless


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes beside the settings of the run."""
    parser.add_argument("out", type=Path, metavar="FOLDER", help="where to write the picture")
    parser.add_argument("--name", default="page", help="of the picture, without .png")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--width", type=int, choices=tuple(HEIGHT), default=1280, help="in pixels")
