"""The tab Replay and the choice of further curves, which it shares with the tab Train."""

import json

import pytest
from pages import open_page, press

from covdemo.curves import CURVES, FIRST

FURTHER = [row.title for row in CURVES if not row.first]


@pytest.fixture
def page():
    return press(open_page(), "step")


def more_curves(page):
    return next(group for group in page.button_group if group.label == "More curves")


def open_tab(page, name):
    page.session_state["tab"] = name
    return page.run()


def strips(page):
    """Return the titles of the curves that the replay shows."""
    (figure,) = page.get("vega_lite_chart")
    titles = [view["title"]["text"] for view in json.loads(figure.proto.spec)["vconcat"] if "title" in view]
    return [title for title in titles if title != "Timeline"]


def test_the_replay_shows_the_first_curves(page):
    assert strips(open_tab(page, "Replay")) == [row.title for row in FIRST]


def test_a_further_curve_is_played_back_too(page):
    more_curves(open_tab(page, "Replay")).set_value([FURTHER[1]]).run()
    assert strips(page) == [*(row.title for row in FIRST), FURTHER[1]]


def test_the_curves_chosen_in_one_tab_are_those_of_the_other(page):
    more_curves(page).set_value([FURTHER[0]]).run()
    assert strips(open_tab(page, "Replay")) == [*(row.title for row in FIRST), FURTHER[0]]
    more_curves(page).set_value([FURTHER[2]]).run()
    assert more_curves(open_tab(page, "Train")).value == [FURTHER[2]]
    assert len(page.get("vega_lite_chart")) == 2 + len(FIRST) + 1
