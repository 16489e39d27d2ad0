"""Data from tables on the page, without a browser."""

import gc
import weakref

import numpy as np
import pytest
import streamlit as st
from pages import address, field, open_page, player, press, run_to_the_end, said, widget

from covdemo.config import RunConfig, read
from covdemo.datafiles import read_table
from covdemo.sources import SOURCES, content, data_of
from covdemo.ui import mydata, widgets

FOUR = b"x;y;category;note\n" + b"".join(f"{k},{j};{j * j};c{k};n\n".encode() for k in range(4) for j in range(6))


def choose(page, name, value):
    widget(page, field(name)).set_value(value).run()
    return page


def upload(page, file, name="mine.csv"):
    page.file_uploader[0].set_value((name, file, "text/csv")).run()
    return page


def downloads(page):
    return [button.proto.label for button in page.sidebar.get("download_button")]


def captions(page):
    return " ".join(caption.value for caption in page.caption)


@pytest.fixture
def page():
    return open_page()


@pytest.fixture
def waiting(page):
    return choose(page, "source", "file")


@pytest.mark.parametrize("key", ["iris", "penguins"])
def test_an_example_is_one_choice_away_with_its_credit_its_file_and_a_short_address(key, page):
    choose(page, "source", key)
    assert not page.exception
    assert (player(page).run.config, address(page)) == (read({"source": key})[0], {"source": key})
    assert SOURCES[key].credit in captions(page)
    assert downloads(page) == [f"{key}.csv", "points.csv"]
    assert len(page.get("vega_lite_chart")) == 7


def test_an_example_learns_from_a_link():
    page = run_to_the_end(open_page(source="iris", parameterization="log-cholesky"))
    assert "Learned: " in said(page)
    assert "contours of the mean and covariance matrix of each category's own points" in captions(page)


def test_the_preview_shows_the_first_rows_as_they_are(page):
    choose(page, "source", "iris")
    shown = next(frame.value for frame in page.dataframe if "species" in frame.value)
    assert shown.iloc[0].tolist() == ["5.1", "3.5", "1.4", "0.2", "setosa"]
    assert len(shown) == 5


def test_the_distributions_of_the_sample_take_the_place_of_the_true_ones(page):
    choose(page, "source", "penguins")
    shown = next(frame.value for frame in page.dataframe if "2: Chinstrap" in frame.value).set_index("")
    truth = player(page).run.truth
    assert list(shown) == ["1: Adelie", "2: Chinstrap", "3: Gentoo"]
    np.testing.assert_allclose(shown.loc["variance, x"].astype(float), truth.covariances[:, 0, 0], rtol=1e-2)
    assert not [box for box in page.number_input if box.key == widgets.name(field("mean_x_1"))]


def test_another_column_brings_another_start_and_stays_in_the_address(page):
    choose(page, "source", "iris")
    before = player(page).run.config
    choose(page, "column_x", "sepal_width")
    after = player(page).run.config
    assert (after.column_x, after.start_x == before.start_x) == ("sepal_width", False)
    assert address(page) == {"source": "iris", "column_x": "sepal_width"}
    assert player(open_page(**address(page))).run.config == after


def test_the_numbers_as_they_are_are_in_the_address_and_bring_a_start_of_their_size(page):
    choose(page, "source", "penguins")
    choose(page, "scaling", "as-is")
    assert address(page) == {"source": "penguins", "scaling": "as-is"}
    assert min(player(page).run.config.start_x) > 40


def test_the_usual_column_needs_no_place_in_the_address():
    page = open_page(source="iris", column_x="petal_length")
    page.run()
    assert address(page) == {"source": "iris"}


def test_the_same_column_twice_is_answered_in_place_and_the_run_goes_on_with_the_last_ones(page):
    choose(page, "source", "iris")
    choose(page, "column_x", "sepal_width")
    press(page, "step")
    choose(page, "column_x", "petal_width")
    assert not page.exception
    assert "expected three different columns" in page.sidebar.error[0].value
    assert page.sidebar.error[0].value.endswith("; sepal_width, petal_width, species are used.")
    assert (player(page).run.trial, player(page).run.config.column_x) == (1, "sepal_width")


def test_drawn_data_come_back_as_they_were(page):
    press(page, "add category")
    choose(page, "mean_x_1", -0.9)
    before = player(page).run.config
    choose(page, "source", "penguins")
    choose(page, "source", "drawn")
    assert player(page).run.config == before


def test_without_a_file_the_page_asks_for_it_and_draws(waiting):
    assert "choose the file in the sidebar" in said(waiting)
    assert player(waiting).run.data.moments is None
    assert downloads(waiting) == ["iris.csv", "penguins.csv", "points.csv"]


def test_a_link_to_a_file_asks_for_the_file():
    page = open_page(source="file", categories="4", scaling="as-is")
    assert "an address cannot hold one" in said(page)
    assert (player(page).run.config.categories, not page.exception) == (4, True)


def test_a_file_brings_its_categories_and_a_start_that_suits(waiting):
    upload(waiting, FOUR)
    run = player(waiting).run
    assert not waiting.exception
    assert not said(waiting)
    assert (run.data.names, run.config.categories, len(run.data.x)) == (("c0", "c1", "c2", "c3"), 4, 24)
    np.testing.assert_array_equal(run.data.x, data_of(run.config, read_table(FOUR)).x)
    assert run.config.start_x == tuple(sorted(run.config.start_x))
    assert address(waiting)["categories"] == "4"


def test_the_same_file_after_the_same_link_is_the_same_run(waiting):
    upload(waiting, FOUR)
    again = upload(open_page(**address(waiting)), FOUR)
    assert player(again).run.config == player(waiting).run.config
    np.testing.assert_array_equal(player(again).run.data.order, player(waiting).run.data.order)


def test_a_run_of_a_file_goes_on_when_the_page_is_drawn_again(waiting):
    upload(waiting, FOUR)
    press(waiting, "step")
    waiting.run()
    assert player(waiting).run.trial == 1


def test_another_file_with_the_same_settings_starts_anew(waiting):
    upload(waiting, b"0,0,a\n2,2,a\n1,0,b\n3,2,b\n")
    press(waiting, "step")
    upload(waiting, b"0,2,a\n2,0,a\n1,2,b\n3,0,b\n", "other.csv")
    assert (player(waiting).run.trial, player(waiting).run.data.x[0, 1] > 0) == (0, True)


def test_a_file_taken_away_is_asked_for_again(waiting):
    upload(waiting, FOUR)
    waiting.file_uploader[0].clear().run()
    assert "choose the file in the sidebar" in said(waiting)
    assert player(waiting).run.data.moments is None


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"", "Expected lines of x, y and category, got an empty table."),
        (b"\xff\x00\x99", "Expected text in UTF-8"),
        (b"x,y,category\n1,2,a\n3,<b>,b\n", "Line 3: expected for 'y' a number from -1e6 to 1e6, got '?b?'"),
        (b"1,2,a\n3,4\n", "Line 2: expected 3 cells, as many as in line 1, got 2"),
        (b"1,2,a\n3,4,a\n", "Expected 2 to 5 categories"),
    ],
    ids=range(5),
)
def test_what_is_wrong_with_a_file_is_said_in_place_and_the_page_lives(file, sentence, waiting):
    upload(waiting, file)
    assert not waiting.exception
    assert sentence in waiting.sidebar.error[0].value
    assert "The data are drawn until the file and its columns are right" in said(waiting)
    press(waiting, "step")
    assert player(waiting).run.trial == 1


BAD = [b"\xff\x00\x99", b"1,2,a\n3,4\n", b"1,2,a\n3,4,a\n"]  # no text, no table, no two categories


@pytest.fixture
def filed():
    """A page with a run of a good file under way, at settings that are not the default."""
    page = upload(open_page(source="file", lr_cov="1e-06"), FOUR)
    choose(page, "start_var", "0.5")
    for _ in range(3):
        press(page, "step")
    return page


@pytest.mark.parametrize("file", BAD, ids=range(3))
def test_a_faulty_file_after_a_good_one_is_answered_and_the_run_goes_on(file, filed):
    run = player(filed).run
    upload(filed, file)
    assert len(filed.sidebar.error) == 1
    assert "The data are still the last ones that were right" in said(filed)
    assert (player(filed).run is run, widget(filed, field("start_var")).value) == (True, "0.5")
    press(filed, "step")
    assert run.trial == 4


@pytest.mark.parametrize("file", BAD, ids=range(3))
def test_a_faulty_file_that_is_taken_away_leaves_the_good_one_and_the_next_time_nothing(file, filed):
    run = player(filed).run
    upload(filed, file).file_uploader[0].clear().run()
    assert (player(filed).run is run, said(filed)) == (True, "")
    upload(filed, FOUR).file_uploader[0].clear().run()
    assert "choose the file in the sidebar" in said(filed)


@pytest.mark.parametrize(("name", "value"), [("column_x", "y"), ("epochs", 5000)])
def test_columns_and_epochs_that_do_not_fit_a_file_end_no_run(name, value, filed):
    run = player(filed).run
    choose(filed, name, value)
    assert len(filed.sidebar.error) == 1
    assert player(filed).run is run


def test_a_link_with_more_epochs_than_the_stand_in_for_its_file_can_have_opens():
    page = open_page(source="file", epochs="50000")
    assert not page.exception
    upload(page, b"0,0,a\n5,6,b\n")
    assert player(page).run.total == 100_000


def test_a_mended_file_is_taken(waiting):
    upload(waiting, b"1,2,a\n3,4\n")
    upload(waiting, FOUR)
    assert not said(waiting)
    assert player(waiting).run.data.moments is not None


def test_a_category_of_one_point_is_told(waiting):
    upload(waiting, b"0,0,a\n2,1,a\n1,3,a\n5,5,b\n")
    assert "The covariance matrix of category 2 is singular" in said(waiting)


def test_a_preset_brings_the_drawn_experiment_back(page):
    choose(page, "source", "iris")
    next(group for group in page.button_group if group.label == "Presets").set_value("breaks").run()
    assert player(page).run.config == RunConfig()


def test_examples_can_be_uploaded_as_they_are_downloaded(waiting):
    upload(waiting, content("penguins"))
    assert player(waiting).run.data.names == ("Adelie", "Chinstrap", "Gentoo")


def test_points_are_written_once_and_gone_with_the_session():
    trials = data_of(RunConfig(points=1, epochs=1))
    gone = weakref.ref(trials)
    assert mydata.points_csv(trials) is mydata.points_csv(trials)
    st.session_state.clear()
    del trials
    gc.collect()
    assert gone() is None


def test_the_code_tab_offers_the_data_that_its_script_reads(waiting):
    upload(waiting, FOUR)
    waiting.session_state["tab"] = "Code"
    waiting.run()
    assert not waiting.exception
    assert [button.proto.label for button in waiting.main.get("download_button")] == ["Download as .py", "Download points.csv"]
    assert 'DATA = "points.csv"\nNAMES = ["c0", "c1", "c2", "c3"]' in waiting.main.code[0].value
