"""The sidebar without a browser: what is not a single setting."""

import pytest
from pages import address, field, open_page, player, press, run_to_the_end, said, widget

from covdemo.categories import add_category, remove_category
from covdemo.config import RunConfig


def buttons(page):
    return [button.label for button in page.sidebar.button if "category" in button.label]


@pytest.fixture
def page():
    return open_page()


def test_a_category_is_added_with_one_click(page):
    press(page, "add category")
    assert player(page).run.config == add_category(RunConfig())
    assert address(page) == {"categories": "3"}


def test_a_category_is_removed_and_the_others_keep_their_numbers(page):
    press(page, "add category")
    press(page, "remove category 1")
    assert player(page).run.config == remove_category(add_category(RunConfig()), 1)
    assert widget(page, field("mean_x_2")).value == 0.4


def test_adding_and_removing_the_same_category_leaves_no_trace(page):
    press(page, "add category")
    press(page, "remove category 3")
    assert (player(page).run.config, address(page)) == (RunConfig(), {})
    assert not said(page)


def test_two_categories_are_the_fewest_and_five_the_most(page):
    assert buttons(page) == ["Add a category"]
    for _ in range(3):
        press(page, "add category")
    assert buttons(page) == [*(f"Remove category {k}" for k in range(1, 6)), "Add a category"]
    assert page.button(key="add category").disabled


def test_a_link_with_changed_categories_opens_the_same_run(page):
    press(page, "add category")
    press(page, "remove category 1")
    press(page, "add category")
    widget(page, field("mean_x_3")).set_value(0.75).run()
    assert player(open_page(**address(page))).run.config == player(page).run.config


def test_other_settings_survive_a_change_of_the_categories(page):
    widget(page, field("lr_cov")).set_value("1e-5").run()
    press(page, "add category")
    assert player(page).run.config.lr_cov == 1e-5


@pytest.mark.parametrize("categories", [3, 5])
def test_more_categories_are_learned_from_where_the_model_starts(categories):
    query = {"objective": "likelihood", "parameterization": "affine-invariant", "lr_cov": ".01"}
    page = run_to_the_end(open_page(categories=str(categories), points="40", **query))
    assert "Learned: " in said(page)
