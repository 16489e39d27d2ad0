"""The map in a real browser: a click on a cell, work in progress, and a viewer beside it."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from covdemo import atlas, headless

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("still browser")]


def open_map(viewer):
    viewer.page.get_by_role("tab", name="Map", exact=True).click()
    viewer.page.get_by_text("Click a cell").wait_for()


def press(viewer, name):
    viewer.page.get_by_role("button", name=name, exact=True).click()


def query(viewer):
    return {name: value[0] for name, value in parse_qs(urlsplit(viewer.page.url).query).items()}


def test_a_click_on_a_cell_opens_the_train_tab_with_its_settings(visit):
    viewer = visit()
    open_map(viewer)
    headless.settle(viewer.page)
    assert viewer.page.get_by_label("How the runs of a grid of settings ended").first.is_visible()
    box = viewer.page.locator(".marks:visible").bounding_box()
    viewer.page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    viewer.page.get_by_role("button", name="Run to the end").wait_for()
    headless.settle(viewer.page)
    found = atlas.shipped()["covariance"]
    chosen = query(viewer)
    assert float(chosen["lr_cov"]) in found.x.values
    assert float(chosen.get("lr_mu", "0.002")) in found.y.values
    assert viewer.page.get_by_label("Learning rate, covariances", exact=True).input_value() == chosen["lr_cov"]
    press(viewer, "Train")
    viewer.page.get_by_text(re.compile("^(Train again|Pause)$")).first.wait_for()


def test_a_map_under_way_shows_how_far_it_is_and_leaves_another_viewer_responsive(visit):
    viewer, other = visit("?points=250&epochs=8"), visit("?parameterization=log-cholesky&epochs=50")
    open_map(viewer)
    press(viewer, "Compute this map")
    viewer.page.get_by_text(re.compile(r"\d+%, \d+ s left")).wait_for()
    before = len(other.shown())
    press(other, "Train")
    other.page.wait_for_timeout(4000)
    assert len(other.shown()) - before >= 4
    press(viewer, "Cancel")
    viewer.page.get_by_role("button", name="Compute this map").wait_for()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_map_of_all_methods_fits_the_width(visit, width, height):
    viewer = visit(width=width, height=height)
    open_map(viewer)
    viewer.page.get_by_text("All methods", exact=True).click()
    viewer.page.get_by_text("4,920 runs, 8 seeds a cell").wait_for()
    headless.settle(viewer.page)
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_largest_safe_rate_is_found_and_used(visit):
    viewer = visit("?points=100&epochs=2&parameterization=affine-invariant")
    press(viewer, "Find the largest safe rate")
    viewer.page.get_by_text("Largest safe rate found: ").wait_for()
    use = viewer.page.get_by_role("button", name=re.compile("^Use "))
    rate = use.inner_text().removeprefix("Use ")
    use.click()
    viewer.page.get_by_text("the run starts anew").or_(viewer.page.get_by_text("All 8 seeds learn")).first.wait_for()
    headless.settle(viewer.page)
    assert float(query(viewer)["lr_cov"]) == float(rate)
