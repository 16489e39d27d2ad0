"""The page in a browser without a screen: for tests, benchmarks and pictures.

Needs Playwright. The browser is the one that the environment variable ``COVDEMO_CHROMIUM`` names, else ``chromium`` on the
PATH, else Playwright's own.
"""

import math
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Error, Page, sync_playwright

from covdemo.shots import TABS, Shot

APP = Path(__file__).resolve().parent.parent / "app.py"
PATIENCE = 120.0  # seconds to wait for a server, a browser or a first picture; much, for machines that have other work
REST = 0.5  # seconds to wait after the last change
_LOWEST = 800  # height of a page
_RUN = 1800.0  # seconds to wait for the end of a run
_TRIES = 10  # pictures of a page that goes on changing
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu"]
_NO_BROWSER = "no browser starts: set COVDEMO_CHROMIUM, install chromium, or run `playwright install chromium`"
_FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]  # no calls home


class Unavailable(RuntimeError):
    """No server, no browser or no picture can be had; why, in a sentence."""


@dataclass
class Server:
    """A page that is being served.

    Attributes:
        url: address of the page.
        pid: of the process.
        log: what it has printed.
    """

    url: str
    pid: int
    _log: Path

    @property
    def log(self) -> str:
        """What the server has printed, Streamlit's greeting included."""
        return self._log.read_text()

    @property
    def cpu_seconds(self) -> float:
        """Processor time used so far (Linux)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory_mb(self) -> float:
        """Resident memory (Linux)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@contextmanager
def serve(prefix: Sequence[str] = (), port: int = 0) -> Iterator[Server]:
    """Serve the page until the block ends.

    Args:
        prefix: command to start it through, such as ``("taskset", "-c", "0,1")``.
        port: where to; 0 takes a free one.

    Raises:
        Unavailable: if it does not start.
    """
    if not APP.exists():
        raise Unavailable(f"there is no {APP.name} beside the package: the page is served from a copy of the repository")
    port = port or _free_port()
    options = {"server.port": port, "server.address": "localhost", "server.headless": "true", "server.fileWatcherType": "none"}
    command = [*prefix, sys.executable, "-m", "streamlit", "run", str(APP)]
    command += [f"--{name}={value}" for name, value in options.items()]
    with tempfile.TemporaryDirectory() as folder, open(Path(folder) / "log", "w") as log:
        process = subprocess.Popen(command, cwd=APP.parent, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_for(f"http://localhost:{port}/_stcore/health", process)
            yield Server(f"http://localhost:{port}", process.pid, Path(log.name))
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    how = f"did not start within {PATIENCE:.0f} s" if process.poll() is None else f"ended with code {process.poll()}"
    raise Unavailable(f"the page's server {how}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser.

    Raises:
        Unavailable: if there is none that starts.
    """
    path = os.environ.get("COVDEMO_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=_FLAGS, timeout=1000 * PATIENCE)
        except Error as error:
            raise Unavailable(f"{_NO_BROWSER} ({str(error).splitlines()[0]})") from None
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class View:
    """A viewer's browser page.

    Attributes:
        page: Playwright's page.
        complaints: warnings and errors of the browser's console.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)

    def visit(self, url: str, width: int = 1280, height: int = 800, theme: Literal["light", "dark"] = "light") -> None:
        """Open the page at an address, as somebody who has just come, and wait until its charts are drawn."""
        self.complaints.clear()
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=theme)
        self.page.goto(url)
        settle(self.page)

    def leave(self) -> None:
        """Close the page and forget what it has kept in the browser, but for the scripts that it has loaded."""
        self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
        self.page.goto("about:blank")
        self.page.context.clear_cookies()
        self.page.mouse.move(0, 0)

    def added_canvases(self) -> int:
        """Return how many pictures have been made since the page was opened, the first ones included."""
        count: int = self.page.evaluate("covdemoCanvases")
        return count

    def shown(self) -> list[tuple[float, str]]:
        """Return every text that the progress bar has shown, with the time in seconds."""
        texts: list[Any] = self.page.evaluate("covdemoShown")
        return [(milliseconds / 1000, text) for milliseconds, text in texts]


_WATCH = """
globalThis.covdemoCanvases = 0;
globalThis.covdemoShown = [];
new MutationObserver((changes) => {
  for (const change of changes)
    for (const node of change.addedNodes)
      if (node.nodeType === Node.ELEMENT_NODE)
        covdemoCanvases += node.matches("canvas.marks") + node.querySelectorAll("canvas.marks").length;
  const text = document.querySelector("[data-testid=stProgress]")?.innerText;
  if (text && text !== covdemoShown.at(-1)?.[1]) covdemoShown.push([performance.now(), text]);
}).observe(document, {childList: true, subtree: true, characterData: true});
"""


@contextmanager
def window(browser: Browser) -> Iterator[View]:
    """Open an empty window of a viewer's own: nothing in it is shared with others."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    opened = View(page)
    page.add_init_script(_WATCH)
    page.on("console", lambda message: opened.complaints.append(message.text) if message.type in _BAD else None)
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    context.close()


@contextmanager
def view(
    browser: Browser, url: str, width: int = 1280, height: int = 800, theme: Literal["light", "dark"] = "light"
) -> Iterator[View]:
    """Open the page as a new viewer, in a window of its own, and wait until its charts are drawn."""
    with window(browser) as opened:
        opened.visit(url, width, height, theme)
        yield opened


_BAD = ("warning", "error")


def settle(page: Page) -> None:
    """Wait until a chart is drawn and the script rests."""
    page.wait_for_selector(".marks:visible", timeout=1000 * PATIENCE)
    rest(page)


def rest(page: Page) -> None:
    """Wait until the script rests and nothing stands in for a table whose code is loading, and a little longer."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=1000 * PATIENCE)
    page.wait_for_selector("[data-testid=stSkeleton]", state="detached", timeout=1000 * PATIENCE)
    page.wait_for_timeout(1000 * REST)


_UNSTEADY = "[data-testid=stTable] :is(th, td):last-child { visibility: hidden }"  # how long training took
_CONTENT = "document.querySelector('[data-testid=stMainBlockContainer]').getBoundingClientRect().height"


def photograph(browser: Browser, url: str, shot: Shot) -> bytes:
    """Return a picture of the page, as high as what it shows, at the end of the run that it shows.

    Args:
        browser: to take it in.
        url: of a server.
        shot: what to show.

    Raises:
        Unavailable: if the page does not answer in time, or does not come to rest.
    """
    try:
        with view(browser, f"{url}/?{shot.query}", width=shot.width, height=_LOWEST, theme=shot.theme) as viewer:
            return portray(viewer.page, shot)
    except Error as error:
        raise Unavailable(f"no picture of the page was taken: {str(error).splitlines()[0]}") from None


def portray(page: Page, shot: Shot) -> bytes:
    """Return the picture of a page that has been opened: ``photograph`` without opening it."""
    first, second = TABS[:2]
    if shot.tab in (first, second, "Compare"):
        page.get_by_role("button", name="Run to the end", exact=True).click()
        page.get_by_role("button", name="Train again", exact=True).wait_for(timeout=1000 * _RUN)
    if shot.tab == second:
        page.get_by_role("tab", name=second, exact=True).click()
        page.get_by_role("slider", name=re.compile("^Record")).press("End")
    settle(page)
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    return _still(page, shot.width)


def _still(page: Page, width: int) -> bytes:
    """Return the picture that is the same twice in a row, each as high as the page was before it."""
    before = b""
    for _ in range(_TRIES):
        page.set_viewport_size({"width": width, "height": max(_LOWEST, math.ceil(page.evaluate(_CONTENT)))})
        settle(page)
        taken = page.screenshot(animations="disabled", style=_UNSTEADY)
        if taken == before:
            return taken
        before = taken
    raise Unavailable(f"the page did not come to rest: {_TRIES} pictures in a row, no two alike")
