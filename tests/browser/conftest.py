import os
import re
from contextlib import ExitStack

import pytest

from covdemo import headless


@pytest.fixture(scope="session")
def browser():
    with ExitStack() as stack:
        try:
            started = stack.enter_context(headless.chromium())
        except headless.Unavailable as missing:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(missing))
        yield started


@pytest.fixture(scope="session")
def server():
    with headless.serve() as served:
        yield served


class Windows:
    """Windows that are used again: one that has loaded the page's scripts opens it in a third of the time."""

    def __init__(self, browser, server, stack):
        self.browser, self.server, self.stack = browser, server, stack
        self.free = []

    def open(self, query, **options):
        viewer = self.free.pop() if self.free else self.stack.enter_context(headless.window(self.browser))
        viewer.visit(f"{self.server.url}/{query}", **options)
        return viewer

    def close(self, viewers):
        for viewer in viewers:
            viewer.leave()
            self.free.append(viewer)


@pytest.fixture(scope="session")
def windows(browser, server):
    with ExitStack() as stack:
        yield Windows(browser, server, stack)


@pytest.fixture(scope="module")
def seen(windows):
    """Return a function that opens the page once for all tests of a file that ask alike; they leave it as they find it."""
    viewers = {}

    def open_page(query="", **options):
        key = (query, *options.items())
        if key not in viewers:
            viewers[key] = windows.open(query, **options)
        assert viewers[key].complaints == []
        return viewers[key]

    yield open_page
    windows.close(viewers.values())


@pytest.fixture
def visit(windows):
    """Return a function that opens the page as a new viewer; all viewers must leave console and log clean."""
    viewers = []

    def open_page(query="", **options):
        viewers.append(windows.open(query, **options))
        return viewers[-1]

    yield open_page
    complaints = [complaint for viewer in viewers for complaint in viewer.complaints]
    windows.close(viewers)
    assert complaints == []
    assert not re.search("Traceback|does not exist anymore", windows.server.log), windows.server.log
