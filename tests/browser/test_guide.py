"""The lessons in a real browser."""

import pytest

from covdemo import headless

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("still browser")]


def open_lesson(viewer, title):
    viewer.page.get_by_role("button", name="Lessons").click()
    viewer.page.get_by_role("menuitem", name=title).click()
    viewer.page.get_by_text("Look at").wait_for()
    headless.settle(viewer.page)


def wait_for_lesson(viewer, key):
    viewer.page.wait_for_function("key => new URLSearchParams(location.search).get('lesson') === key", arg=key)
    headless.settle(viewer.page)


def test_opening_a_lesson_and_running_it_makes_no_picture_anew(visit):
    viewer = visit()
    open_lesson(viewer, "The question")
    viewer.page.get_by_role("button", name="Run to the end").click()
    viewer.page.get_by_text("not positive definite").first.wait_for()
    headless.settle(viewer.page)
    assert viewer.added_canvases() == 7


def test_back_goes_back_to_the_lesson_before(visit):
    viewer = visit("?lesson=the-question")
    viewer.page.get_by_role("button", name="Next").click()
    wait_for_lesson(viewer, "slower-is-not-safer")
    viewer.page.go_back()
    wait_for_lesson(viewer, "the-question")
    viewer.page.get_by_text("Lesson 1 of 8").wait_for()


@pytest.mark.parametrize(("theme", "width", "height"), [("light", 1280, 800), ("dark", 390, 844)])
def test_a_lesson_fits_the_width(visit, theme, width, height):
    viewer = visit("?lesson=the-boundary", width=width, height=height, theme=theme)
    assert viewer.page.locator("canvas.marks").count() == 7
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_panels_and_curves_of_a_lesson_are_on_the_first_screen_of_a_laptop(visit):
    viewer = visit("?lesson=slower-is-not-safer")
    bottoms = [canvas.bounding_box() for canvas in viewer.page.locator("canvas.marks").all()]
    assert max(box["y"] + box["height"] for box in bottoms) <= 800
