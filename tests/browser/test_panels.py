"""The comparison in a real browser: what only shows there."""

import random

import pytest
from test_data import choose_file
from test_page import BUSY, click_at_any_moment, press, say, trial, trials_shown, under_way, wait_for_address

from covdemo import headless
from covdemo.comparison import Comparison
from covdemo.config import RunConfig
from covdemo.entrants import read

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]  # one worker, as in test_page.py

SIX = "covariance@1e-05,tril,log-cholesky,affine-invariant,matrix-exponential,softplus-cholesky"
LONG = f"?tab=Compare&epochs=250&compare={SIX}"
FIVE = f"{LONG}&categories=5"
COUNT_TABLES = """() => {
  globalThis.tables = new Set();
  const table = () => document.querySelector("[data-testid=stTable]").innerText;
  new MutationObserver(() => tables.add(table())).observe(document, {childList: true, subtree: true, characterData: true});
}"""


@pytest.mark.parametrize(("theme", "width", "height"), [("light", 1280, 800), ("dark", 390, 844)])
def test_six_panels_are_drawn_and_fit_the_width(seen, theme, width, height):
    viewer = seen(LONG, width=width, height=height, theme=theme)
    assert viewer.page.locator("canvas.marks").count() == 6
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "columns"), [(1280, 3), (390, 1)])
def test_panels_stand_side_by_side_where_there_is_room_and_else_below_each_other(seen, width, columns):
    viewer = seen(FIVE, width=width)
    boxes = [canvas.bounding_box() for canvas in viewer.page.locator("canvas.marks").all()]
    assert len({round(box["x"]) for box in boxes}) == columns
    assert len({(round(box["width"]), round(box["height"])) for box in boxes}) == 1


@pytest.mark.parametrize("width", [1280, 390])
def test_no_name_of_a_method_or_category_is_cut(seen, width):
    viewer = seen(FIVE, width=width)
    choice, last = viewer.page.get_by_test_id("stMultiSelect").bounding_box(), viewer.page.get_by_text("Category 5").last
    crosses = [cross.bounding_box() for cross in viewer.page.get_by_role("button", name="Remove ").all()]
    inside = [box for box in crosses if box["x"] > choice["x"] and box["x"] + box["width"] < choice["x"] + choice["width"]]
    shown = [box for box in inside if box["y"] > choice["y"] and box["y"] + box["height"] < choice["y"] + choice["height"]]
    assert len(shown) == len(crosses) == 6
    assert last.evaluate("(name) => name.getBoundingClientRect().right") <= width


@pytest.mark.parametrize("width", [1280, 390])
def test_every_column_of_the_table_can_be_brought_into_view(seen, width):
    viewer = seen(FIVE, width=width)
    time = viewer.page.get_by_test_id("stTable").get_by_text("Time", exact=True)
    time.scroll_into_view_if_needed()
    assert time.bounding_box()["x"] + time.bounding_box()["width"] <= width


def test_all_panels_are_on_the_first_screen_of_a_laptop(seen):
    viewer = seen(LONG, width=1280, height=800, theme="light")
    viewer.page.evaluate("scrollTo(0, 0)")
    boxes = [canvas.bounding_box() for canvas in viewer.page.locator("canvas.marks").all()]
    assert max(box["y"] + box["height"] for box in boxes) <= 800


def test_six_live_panels_move_and_are_never_made_anew_and_the_table_follows(visit):
    viewer = visit(LONG)
    press(viewer, "Train")
    under_way(viewer)
    viewer.page.evaluate(COUNT_TABLES)
    canvases, shown = viewer.added_canvases(), len(viewer.shown())
    viewer.page.wait_for_timeout(4000)
    pictures = len(viewer.shown()) - shown
    assert viewer.added_canvases() == canvases
    assert pictures >= 6 * 4 / BUSY
    assert viewer.page.evaluate("tables.size") >= pictures / 2
    trials = trials_shown(viewer)  # once: it is still training
    assert trials == sorted(trials)


def test_from_the_first_step_to_the_last_failure_no_panel_is_made_anew(visit):
    viewer = visit("?tab=Compare&epochs=1&points=100&compare=covariance,tril@1,log-cholesky")
    press(viewer, "Step")
    press(viewer, "Train")
    say(viewer, "failed at trial")
    press(viewer, "Run to the end")
    say(viewer, "all at their end")
    headless.settle(viewer.page)
    assert viewer.added_canvases() == 3


def test_clicks_at_any_moment_neither_lose_nor_repeat_a_trial(visit):
    dice, chosen = random.Random(0), "covariance,tril,log-cholesky"
    viewer = visit(f"?tab=Compare&points=100&epochs=2&compare={chosen}")
    click_at_any_moment(viewer, dice, ".st-key-compare-train", ".st-key-compare-step")
    press(viewer, "Run to the end")
    say(viewer, "all at their end")
    headless.settle(viewer.page)
    straight = Comparison(tuple(entrant.config(RunConfig(points=100, epochs=2)) for entrant in read(chosen)[0]))
    straight.advance(straight.total)
    table = viewer.page.get_by_test_id("stTable").inner_text()
    assert all(f"{run.frame().accuracy:.1%}" in table for run in straight.runs)
    assert f"failed at trial {straight.runs[0].trial}" in viewer.page.get_by_test_id("stMain").inner_text()
    assert trials_shown(viewer) == sorted(trials_shown(viewer))


def test_a_method_taken_away_in_mid_run_starts_it_anew_and_leaves_no_ghost(visit):
    viewer = visit(LONG)
    press(viewer, "Train")
    under_way(viewer)
    press(viewer, "Remove Matrix exponential")
    say(viewer, "the comparison starts anew at trial 0")
    viewer.page.wait_for_function("() => document.querySelectorAll('canvas.marks').length === 5")
    chosen = "covariance@1e-05,tril,log-cholesky,affine-invariant,softplus-cholesky"
    wait_for_address(viewer, tab="Compare", epochs="250", compare=chosen)


def test_a_file_with_five_categories_is_compared_without_a_panel_made_anew(visit):
    viewer = visit("?tab=Compare&source=file&epochs=1&compare=tril@0.01,log-cholesky,affine-invariant")
    dice = random.Random(0)
    rows = [f"{k % 3 + dice.gauss(0, 0.1)},{k % 2 + dice.gauss(0, 0.1)},kind {k}" for k in 20 * [*range(5)]]
    file = "\n".join(["x,y,category", *rows]).encode()
    choose_file(viewer, "mine.csv", file)
    say(viewer, "kind 4")
    canvases = viewer.added_canvases()
    press(viewer, "Run to the end")
    say(viewer, "all at their end")
    headless.settle(viewer.page)
    assert viewer.added_canvases() == canvases
    assert trial(viewer.page.get_by_test_id("stProgress").inner_text()) == 100


def test_back_and_forward_go_from_tab_to_tab_and_keep_the_comparison(visit):
    viewer = visit("?epochs=250")
    viewer.page.get_by_role("tab", name="Compare").click()
    wait_for_address(viewer, epochs="250", tab="Compare")
    press(viewer, "Train")
    under_way(viewer)
    viewer.page.go_back()
    say(viewer, "Model result: decision boundary")
    wait_for_address(viewer, epochs="250")
    viewer.page.go_forward()
    wait_for_address(viewer, epochs="250", tab="Compare")
    viewer.page.get_by_test_id("stTable").wait_for()
    headless.settle(viewer.page)
    assert trial(viewer.page.get_by_test_id("stProgress").inner_text()) > 0
    assert viewer.page.get_by_role("button", name="Train", exact=True).count() == 1
