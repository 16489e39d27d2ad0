"""Every control says in a sentence what it is for, and every chart what is to be seen."""

import pytest
from pages import APP, open_page, press, run_to_the_end

from covdemo.config import FIELDS

TABS = ("Train", "Replay", "Compare", "Map", "Code", "Explain")
CHARTS = {"Train": 7, "Replay": 1, "Compare": 3, "Map": 1, "Code": 0, "Explain": 0}  # at least
pytestmark = pytest.mark.xdist_group("help")  # whose pages are opened for all of them


def elements(block):
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from elements(child)
        else:
            yield child


def shown(page, tab):
    page.session_state["tab"] = tab
    page.run()
    return [element.proto for root in (page.sidebar, page.main) for element in elements(root)]


@pytest.fixture(scope="module")
def pages():
    """What every tab shows in a lesson after a failure; with three categories, of which one can be removed; and of a table."""
    opened = [
        run_to_the_end(open_page(lesson="the-question")),
        press(open_page(categories="3"), "step"),
        open_page(source="iris"),
    ]
    return {tab: [proto for page in opened for proto in shown(page, tab)] for tab in TABS}


@pytest.mark.parametrize("tab", TABS)
def test_every_control_has_a_sentence_of_help(tab, pages):
    controls = [proto for proto in pages[tab] if hasattr(proto, "help") and hasattr(proto, "id") and hasattr(proto, "label")]
    assert len(controls) > len(FIELDS) / 2
    assert [proto.label for proto in controls if not proto.help.endswith(".")] == []


def test_the_readme_says_what_every_control_that_is_no_setting_does(pages):
    protos = [proto for tab in TABS for proto in pages[tab] if hasattr(proto, "help") and hasattr(proto, "id")]
    settings = {field.label.partition(" of category")[0] for field in FIELDS}
    labels = {proto.label for proto in protos if proto.label and not proto.label.startswith((*settings, "lr_cov of"))}
    told = (APP.parent / "README.md").read_text().partition("## What the controls do")[2].partition("\n## ")[0]
    assert len(labels) > 20
    assert [label for label in sorted(labels) if label.rstrip(" 123") not in told] == []


@pytest.mark.parametrize("tab", TABS)
def test_every_chart_says_in_words_what_is_to_be_seen(tab, pages):
    charts = [proto for proto in pages[tab] if proto.DESCRIPTOR.name == "VegaLiteChart"]
    assert len(charts) >= CHARTS[tab]
    assert [proto.alt for proto in charts if len(proto.alt) < 40] == []
