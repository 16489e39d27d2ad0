"""Categories and tables in a real browser: what a viewer clicks, chooses and downloads."""

import pytest

from covdemo import headless
from covdemo.config import read
from covdemo.datafiles import read_table
from covdemo.sources import content, data_of, example
from covdemo.trials import to_csv

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("still browser")]


def open_distributions(viewer):
    viewer.page.get_by_text("True distributions", exact=True).click()
    viewer.page.wait_for_timeout(800)  # a click on what still unfolds may miss it


def press(viewer, name):
    viewer.page.get_by_role("button", name=name, exact=True).click()
    headless.settle(viewer.page)


def choose_file(viewer, name, file):
    viewer.page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": file})
    viewer.page.get_by_test_id("stFileChipName").get_by_text(name).wait_for()
    headless.settle(viewer.page)


def test_added_categories_survive_a_reload(visit):
    viewer = visit()
    open_distributions(viewer)
    press(viewer, "Add a category")
    press(viewer, "Remove category 1")
    address = viewer.page.url
    viewer.page.reload()
    headless.settle(viewer.page)
    open_distributions(viewer)
    assert viewer.page.get_by_label("Mean, x", exact=True).nth(1).input_value() == "0.4"
    assert viewer.page.url == address


def test_a_file_is_taken_and_trained_on_and_its_points_come_back(visit):
    viewer = visit("?source=file&parameterization=log-cholesky&epochs=1")
    viewer.page.get_by_text("an address cannot hold one").wait_for()
    choose_file(viewer, "penguins.csv", content("penguins"))
    press(viewer, "Run to the end")
    viewer.page.get_by_text("Trial 342 of 342").wait_for()
    with viewer.page.expect_download() as download:
        viewer.page.get_by_role("button", name="points.csv", exact=True).click()
    config, _ = read({"source": "file", "categories": "3"})
    assert read_table(download.value.path().read_bytes()).rows == read_table(to_csv(data_of(config, example("penguins")))).rows


def test_a_file_that_is_wrong_is_answered_below_it_on_a_telephone(visit):
    viewer = visit("?source=file", width=390, height=844)
    viewer.page.get_by_test_id("stExpandSidebarButton").click()
    choose_file(viewer, "mine.csv", b"x,y,category\n1,2,a\n3,four,b\n")
    viewer.page.get_by_text("Line 3: expected for 'y' a number from -1e6 to 1e6, got 'four'.").wait_for()
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= 390
