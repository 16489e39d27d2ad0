"""What axe-core, which knows the rules of accessible pages, has to say of every tab; and the page by keyboard alone."""

import itertools
import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from test_page import press, say

from covdemo import cards, export, headless
from covdemo.config import FIELDS, RunConfig

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("still browser")]

TABS = ("Train", "Replay", "Compare", "Map", "Code", "Explain")
# Streamlit's own markup, which the page has no hand in: rule and exact place of the element that it complains of
STREAMLITS = (
    ("scrollable-region-focusable", "[data-testid=stCode] pre"),  # a block of code that is wider than the page
    ("scrollable-region-focusable", "[data-testid=stTable] > div"),  # a table that is
    ("scrollable-region-focusable", ".katex-display"),  # a formula that is
)


def complaints(page):
    """Return rule and element of every serious violation that is ours to mend, and that is still there after a moment."""
    found = _serious(page)
    if found:  # what fades in or out has little contrast for that time
        page.wait_for_timeout(1500)
    return found and _serious(page)


def _serious(page):
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]  # spare it the lists of what passes
    serious = [(each["id"], node) for each in found if each["impact"] in ("serious", "critical") for node in each["nodes"]]
    return [(rule, node["html"]) for rule, node in serious if not _is_streamlits(page, rule, node["target"])]


def _is_streamlits(page, rule, target):
    places = [place for name, place in STREAMLITS if name == rule]
    return any(page.locator(target[-1]).evaluate("(node, place) => node.matches(place)", place) for place in places)


def unfold(page, tab):
    """Open what is folded away in a tab."""
    if tab == "Train":
        page.get_by_role("button", name="Take it away").click()
        page.get_by_test_id("stPopoverBody").locator("code").scroll_into_view_if_needed()
    if tab == "Explain":
        page.get_by_test_id("stMain").locator("summary").first.click()
        page.get_by_role("button", name="Use it and show the code").first.wait_for()


@pytest.mark.parametrize(("query", "theme", "width"), [("", "light", 390), ("?lesson=the-question", "dark", 1280)])
def test_no_tab_has_a_serious_violation_with_what_unfolds_in_it(visit, query, theme, width):
    viewer = visit(query, theme=theme, width=width)
    press(viewer, "Run to the end")
    say(viewer, "not positive definite")
    found = {}
    for tab in TABS:
        viewer.page.get_by_role("tab", name=tab, exact=True).click()
        headless.rest(viewer.page)
        unfold(viewer.page, tab)
        found[tab] = complaints(viewer.page)
        viewer.page.keyboard.press("Escape")
    assert found == {tab: [] for tab in TABS}


def test_from_the_first_screen_to_the_code_of_the_best_method_in_four_clicks(visit):
    page = visit().page
    page.get_by_role("tab", name="Explain").click()
    headless.rest(page)
    page.get_by_test_id("stMain").locator("summary").first.click()
    page.get_by_role("button", name="Use it and show the code").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as .py").click()
    assert download.value.path().read_text() == export.script(RunConfig(parameterization=cards.ranked()[0].key))
    assert page.get_by_role("combobox", name="Parameterization").input_value() == cards.ranked()[0].label


FOCUSED = "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText.split('\\n').at(-1)"


def go_to(page, name, key="Tab"):
    """Press a key until the focus is on what has a name."""
    for _ in range(80):
        if page.evaluate(FOCUSED) == name:
            return
        page.keyboard.press(key)


def test_the_keyboard_alone_takes_another_method_trains_it_and_reaches_its_code(visit):
    viewer = visit("?epochs=1")
    page = viewer.page
    go_to(page, "Parameterization")
    page.keyboard.type("Log-Chol")
    page.wait_for_function("() => document.querySelector('[role=option][data-focused]')?.innerText === 'Log-Cholesky'")
    page.keyboard.press("Enter")
    say(viewer, "the usual choice of mixed-model software")
    go_to(page, "Run to the end")
    page.keyboard.press("Enter")
    say(viewer, "Learned")
    go_to(page, "Train", key="Shift+Tab")
    for before, tab in itertools.pairwise(TABS[:5]):
        go_to(page, before)  # where the focus is, but that Streamlit may drop it when it draws the tabs anew
        go_to(page, tab, key="ArrowRight")
        headless.rest(page)  # a tab that is left in the very moment in which Streamlit answers may come back
    say(viewer, "These settings as a script of its own")


ROOM = """(inputs) => inputs.map((input) => {
  const style = getComputedStyle(input), pen = document.createElement("canvas").getContext("2d");
  pen.font = style.font;
  const room = input.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return [input.getAttribute("aria-label"), room, (text) => pen.measureText(text).width];
}).filter(([name]) => name in OPTIONS)
  .map(([name, room, width]) => [name, room, OPTIONS[name].filter((text) => width(text) > room)])"""


@pytest.mark.parametrize("width", [1280, 390])
def test_no_choice_of_the_sidebar_is_cut(visit, width):
    viewer = visit("?source=iris", width=width)  # whose scale can be chosen
    if width == 390:
        viewer.page.get_by_test_id("stExpandSidebarButton").click()
        headless.rest(viewer.page)
    options = {field.label: [row.label for row in field.registry.values()] for field in FIELDS if field.registry}
    found = viewer.page.locator("[data-testid=stSidebar] input[role=combobox]").evaluate_all(
        ROOM.replace("OPTIONS", json.dumps(options))
    )
    assert set(options) <= {name for name, _, _ in found}
    assert {name: cut for name, _, cut in found if cut} == {}
