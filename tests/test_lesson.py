"""The lessons on the page, without a browser."""

import pytest
from pages import address, field, open_page, player, press, said, widget

from covdemo.config import RunConfig, read
from covdemo.lessons import lessons

KEYS = list(lessons())
LR_COV = field("lr_cov")


@pytest.fixture
def page():
    return open_page()


def choose(page, key):
    return page.menu_button[0].click(key).run()


def shown(page):
    """Return the text of the open lesson; empty if none is open."""
    return " ".join(text.value for text in page.main.markdown if ":small[" in text.value)


def test_no_lesson_is_open_at_first(page):
    assert shown(page) == ""
    assert page.menu_button[0].options == [f"{number}. {lessons()[key].title}" for number, key in enumerate(KEYS, 1)]


@pytest.mark.parametrize("key", KEYS)
def test_a_lesson_opens_with_its_settings_its_text_and_its_link(key, page):
    lesson = lessons()[key]
    choose(page, key)
    assert not page.exception
    assert player(page).run.config == lesson.config
    assert f"Lesson {KEYS.index(key) + 1} of 8 · **{lesson.title}.** {lesson.text}" in shown(page)
    assert f"**Look at** {lesson.look_at}" in shown(page)
    assert {name: text for name, text in address(page).items() if name != "lesson"}.keys() == lesson.query.keys()
    assert address(page)["lesson"] == key


@pytest.mark.parametrize("key", KEYS)
def test_a_link_of_the_name_alone_opens_the_lesson_with_its_settings(key):
    page = open_page(lesson=key)
    assert player(page).run.config == lessons()[key].config
    assert lessons()[key].text in shown(page)
    assert not said(page)


def test_next_and_previous_lead_from_one_lesson_to_its_neighbours(page):
    choose(page, KEYS[1])
    press(page, "next lesson")
    assert (address(page)["lesson"], player(page).run.config) == (KEYS[2], lessons()[KEYS[2]].config)
    press(page, "previous lesson")
    assert (address(page)["lesson"], player(page).run.config) == (KEYS[1], lessons()[KEYS[1]].config)


@pytest.mark.parametrize(("place", "disabled"), [(0, (True, False)), (3, (False, False)), (7, (False, True))])
def test_there_is_nothing_before_the_first_lesson_and_nothing_after_the_last(place, disabled, page):
    choose(page, KEYS[place])
    assert (page.button(key="previous lesson").disabled, page.button(key="next lesson").disabled) == disabled


def test_closing_a_lesson_keeps_its_settings(page):
    choose(page, "momentum")
    press(page, "close lesson")
    assert shown(page) == ""
    assert player(page).run.config == lessons()["momentum"].config
    assert address(page) == {"lr_cov": "3e-05", "momentum": "0.9"}


def test_changing_a_setting_keeps_the_lesson_open(page):
    choose(page, "momentum")
    widget(page, LR_COV).set_value("1e-5").run()
    assert lessons()["momentum"].text in shown(page)
    assert address(page) == {"lesson": "momentum", "lr_cov": "1e-05", "momentum": "0.9"}


def test_a_link_copied_in_a_lesson_whose_setting_was_put_back_to_the_default_opens_the_same_run(page):
    choose(page, "log-cholesky")
    widget(page, field("parameterization")).set_value(RunConfig.parameterization).run()
    copied = open_page(**address(page))
    assert player(copied).run.config == player(page).run.config == RunConfig(lr_cov=0.01)
    assert shown(copied) == shown(page)


def test_settings_in_the_link_count_before_those_of_its_lesson():
    page = open_page(lesson="momentum", momentum="0", epochs="2")
    assert player(page).run.config == read({**lessons()["momentum"].query, "momentum": "0", "epochs": "2"})[0]
    assert lessons()["momentum"].text in shown(page)


def test_an_unknown_lesson_is_told_and_the_page_lives():
    page = open_page(lesson="momentun", lr_cov="1e-5")
    assert "there is no lesson 'momentun', the nearest is momentum; none is opened." in said(page)
    assert (player(page).run.config, address(page)) == (RunConfig(lr_cov=1e-5), {"lr_cov": "1e-05"})


def test_an_unknown_lesson_is_forgotten_once_one_is_opened():
    page = choose(open_page(lesson="nonsense"), "the-question")
    assert not said(page)


def test_a_lesson_opens_the_tab_in_which_its_run_is_seen(page):
    page.session_state["tab"] = "Explain"
    page.run()
    choose(page, "the-question")
    assert page.session_state["tab"] == "Train"
    assert len(page.get("vega_lite_chart")) == 7
