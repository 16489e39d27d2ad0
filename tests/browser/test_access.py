"""What axe-core, which knows the rules of accessible pages, has to say of every tab; and the page by keyboard alone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from test_page import press, say

from covdemo import headless

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

TABS = ("Train", "Replay", "Compare", "Map", "Code", "Explain")
# Streamlit's own markup, which the page has no hand in: rule and part of the element that it complains of
STREAMLITS = (
    ("color-contrast", 'class="token'),  # the colours of code
    ("scrollable-region-focusable", "<pre"),  # a block of code that is wider than the page
    ("scrollable-region-focusable", "<div"),  # a table that is
)


def complaints(page):
    """Return rule and element of every serious violation that is ours to mend."""
    found = Axe().run(page).response["violations"]
    serious = [
        (each["id"], node["html"]) for each in found if each["impact"] in ("serious", "critical") for node in each["nodes"]
    ]
    return [(rule, html) for rule, html in serious if not any(rule == name and part in html for name, part in STREAMLITS)]


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_no_tab_has_a_serious_violation(visit, theme, width):
    viewer = visit(theme=theme, width=width)
    press(viewer, "Run to the end")
    say(viewer, "not positive definite")
    found = {}
    for tab in TABS:
        viewer.page.get_by_role("tab", name=tab, exact=True).click()
        headless.rest(viewer.page)
        found[tab] = complaints(viewer.page)
    assert found == {tab: [] for tab in TABS}


def test_an_open_lesson_has_no_serious_violation_in_the_dark(visit):
    assert complaints(visit("?lesson=question", theme="dark").page) == []
