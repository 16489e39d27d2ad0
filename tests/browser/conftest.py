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


@pytest.fixture(scope="module")
def seen(browser, server):
    """Return a function that opens the page once for all tests of a file that ask alike; they leave it as they find it."""
    with ExitStack() as stack:
        viewers = {}

        def open_page(query="", **options):
            key = (query, *options.items())
            if key not in viewers:
                viewers[key] = stack.enter_context(headless.view(browser, f"{server.url}/{query}", **options))
            assert viewers[key].complaints == []
            return viewers[key]

        yield open_page


@pytest.fixture
def visit(browser, server):
    """Return a function that opens the page as a new viewer; all viewers must leave console and log clean."""
    with ExitStack() as stack:
        viewers = []

        def open_page(query="", **options):
            viewers.append(stack.enter_context(headless.view(browser, f"{server.url}/{query}", **options)))
            return viewers[-1]

        yield open_page
        assert [complaint for viewer in viewers for complaint in viewer.complaints] == []
        assert not re.search("Traceback|does not exist anymore", server.log), server.log
