"""The Compare tab without a browser."""

import numpy as np
import pytest
from pages import address, open_page, run_to_the_end
from pages import player as single

from covdemo.config import RunConfig
from covdemo.entrants import DEFAULT, MOST
from covdemo.outcomes import Outcome, Reason
from covdemo.parameterizations import PARAMETERIZATIONS

SHORT = {"points": "20", "epochs": "2"}


def open_comparison(**query):
    return open_page(tab="Compare", **query)


def open_tab(page, name):
    page.session_state["tab"] = name
    return page.run()


def press(page, name):
    return page.button(key=f"compare {name}").click().run()


def player(page):
    return page.session_state["comparison"]


def choose(page, *keys):
    return page.multiselect(key="methods").set_value(list(keys)).run()


def rate(page, key):
    return page.text_input(key=f"own rate {key}")


def progress(page):
    return page.get("progress")[0].proto.text


def column(page, name):
    return list(page.table[0].value[name])


def upload(page, file):
    page.file_uploader[0].set_value(("mine.csv", file, "text/csv")).run()
    return page


def table_of(categories):
    """Return a CSV file with as many categories, ten points each, around places of a circle."""
    dice = np.random.default_rng(0)
    angles = 2 * np.pi * np.arange(categories) / categories
    places = [(np.cos(a), np.sin(a)) + 0.1 * dice.standard_normal((10, 2)) for a in angles]
    lines = [f"{x:.4f},{y:.4f},kind {k} & more" for k, some in enumerate(places) for x, y in some]
    return "\n".join(["x,y,category", *lines]).encode()


def legend(page):
    return page.get("html")[0].proto.body


@pytest.fixture
def page():
    return open_comparison(**SHORT)


def test_the_default_comparison_is_drawn_before_any_click(page):
    assert not page.exception
    assert [config.parameterization for config in player(page).run.config] == [entrant.key for entrant in DEFAULT]
    assert len(page.get("vega_lite_chart")) == len(DEFAULT)
    assert progress(page) == "Trial 0 of 80 · epoch 1 of 2 · 5 of 5 under way · 0 failed"
    assert column(page, "Outcome") == ["not started"] * 5


def test_every_panel_has_a_text_alternative_that_names_its_method(page):
    alternatives = [chart.proto.alt for chart in page.get("vega_lite_chart")]
    labels = [PARAMETERIZATIONS[entrant.key].label for entrant in DEFAULT]
    assert all(text.startswith(f"{label}. ") for text, label in zip(alternatives, labels, strict=True))


def test_a_comparison_run_to_its_end_says_how_each_method_ended(page):
    run_to_the_end(page, "compare finish", "comparison")
    runs = player(page).run.runs
    assert progress(page).endswith("all at their end · 1 failed")
    assert column(page, "Outcome")[:2] == ["failed: not positive definite", "ran, but did not learn"]
    assert column(page, "Failing trial") == [str(runs[0].trial), "–", "–", "–", "–"]
    headings = " ".join(text.value for text in page.markdown)
    assert f"failed at trial {runs[0].trial}" in headings
    assert headings.count("] learned") == sum(run.outcome is Outcome.LEARNED for run in runs)
    assert any(f"tril(raw), as posted: {Reason.UNDERFLOW.value}" in caption.value for caption in page.caption)


def test_step_does_one_trial_with_each_method(page):
    press(page, "step")
    assert [run.trial for run in player(page).run.runs] == [1] * 5
    assert column(page, "Outcome") == ["under way"] * 5


def test_reset_goes_back_to_the_start(page):
    press(page, "step")
    press(page, "reset")
    assert player(page).run.trial == 0


def test_all_methods_have_the_settings_and_data_of_the_sidebar(page):
    configs = player(page).run.config
    assert configs == tuple(entrant.config(RunConfig(points=20, epochs=2)) for entrant in DEFAULT)
    assert all(run.data is single(page).run.data for run in player(page).run.runs)


def test_a_setting_changed_starts_the_comparison_anew_and_says_so(page):
    press(page, "step")
    page.text_input(key="setting lr_cov").set_value("1e-5").run()
    assert {config.lr_cov for config in player(page).run.config} == {1e-5}
    assert player(page).run.trial == 0
    assert page.info[0].value == "Settings changed after trial 1: the comparison starts anew at trial 0."


def test_the_parameterization_of_the_single_run_does_not_matter_to_the_comparison(page):
    press(page, "step")
    page.selectbox(key="setting parameterization").set_value("tril").run()
    assert player(page).run.trial == 1


def test_other_methods_start_it_anew_and_go_into_the_address(page):
    press(page, "step")
    choose(page, "spherical", "diagonal")
    assert player(page).run.trial == 0
    assert len(page.get("vega_lite_chart")) == 2
    assert address(page)["compare"] == "spherical,diagonal"
    choose(page, *(entrant.key for entrant in DEFAULT))
    assert "compare" not in address(page)


def test_a_link_opens_the_comparison_that_it_was_copied_from(page):
    choose(page, "log-cholesky", "tril")
    rate(page, "tril").set_value("0.01").run()
    link = address(page)
    assert link == {**SHORT, "tab": "Compare", "compare": "log-cholesky,tril@0.01"}
    assert player(open_page(**link)).run.config == player(page).run.config


def test_a_method_may_have_a_rate_of_its_own(page):
    rate(page, "tril").set_value("0.01").run()
    assert [config.lr_cov for config in player(page).run.config] == [0.001, 0.001, 0.01, 0.001, 0.001]
    assert column(page, "lr_cov") == [".001", ".001", ".01", ".001", ".001"]


@pytest.mark.parametrize("text", ["fast", "-1", "nan", "1e999"])
def test_a_rate_that_is_none_is_answered_in_place(text, page):
    rate(page, "tril").set_value(text).run()
    assert not page.exception
    assert page.error[0].value.startswith("lr_cov of tril(raw), correct start: ")
    assert page.error[0].value.endswith("; .001 is used.")
    assert {config.lr_cov for config in player(page).run.config} == {0.001}


def test_a_faulty_rate_of_its_own_leaves_the_last_one_and_the_comparison_goes_on(page):
    rate(page, "tril").set_value("0.01").run()
    press(page, "step")
    rate(page, "tril").set_value("fast").run()
    assert page.error[0].value.endswith("; .01 is used.")
    assert (player(page).run.trial, player(page).run.config[2].lr_cov) == (1, 0.01)


def test_without_a_method_the_page_says_what_to_do(page):
    choose(page)
    assert not page.exception
    assert page.info[0].value.startswith("No method is chosen.")
    assert not page.get("vega_lite_chart")


def test_there_may_be_as_many_methods_as_are_promised():
    keys = list(PARAMETERIZATIONS)[:MOST]
    page = open_comparison(**SHORT, compare=",".join(keys))
    assert len(page.get("vega_lite_chart")) == MOST


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"compare": "tril,log-colesky"}, "the nearest is log-cholesky; it is left out."),
        ({"compare": ",".join(list(PARAMETERIZATIONS)[:7])}, "is one too many, at most 6 are possible"),
        ({"tab": "Compere"}, "'Compere' is not a tab of this page, the nearest is Compare; Train is opened."),
    ],
)
def test_what_is_wrong_with_a_link_is_said(query, sentence):
    page = open_page(**SHORT, **query)
    assert not page.exception
    assert sentence in " ".join(box.value for box in page.warning)


def test_what_was_wrong_with_a_link_is_forgotten_once_other_methods_are_chosen():
    page = choose(open_comparison(**SHORT, compare="tril,tril"), "tril", "diagonal")
    assert not page.warning


def test_choice_and_progress_outlast_a_look_at_another_tab(page):
    choose(page, "spherical", "tril")
    rate(page, "tril").set_value("0.01").run()
    press(page, "step")
    for name in ("Train", "Explain", "Code", "Compare"):
        open_tab(page, name)
    assert player(page).run.trial == 1
    assert address(page)["compare"] == "spherical,tril@0.01"
    assert page.multiselect(key="methods").value == ["spherical", "tril"]


def test_opening_the_other_training_tab_pauses_what_trains(page):
    press(page, "train")
    assert player(page).playing
    open_tab(page, "Explain")
    assert player(page).playing
    open_tab(page, "Train")
    assert not player(page).playing


def test_opening_the_comparison_pauses_the_single_run():
    page = open_page(parameterization="log-cholesky", epochs="100")
    page.button(key="train").click().run()
    assert single(page).playing
    open_tab(page, "Compare")
    assert not single(page).playing


def test_a_viewer_who_never_compares_pays_for_no_runs():
    assert "runs" not in vars(player(open_page()).run)


@pytest.mark.parametrize("categories", [2, 5])
def test_the_methods_are_compared_on_the_viewers_own_data(categories):
    page = upload(open_comparison(source="file", epochs="2"), table_of(categories))
    run_to_the_end(page, "compare finish", "comparison")
    assert not page.exception
    runs = player(page).run.runs
    assert {len(run.data.x) for run in runs} == {10 * categories}
    assert all(run.data is single(page).run.data for run in runs)
    assert {run.truth.means.shape for run in runs} == {(categories, 2)}
    np.testing.assert_allclose(runs[0].truth.means[0], runs[0].data.x[runs[0].data.label == 0].mean(axis=0), rtol=1e-5)
    assert f"Trial {20 * categories} of {20 * categories}" in progress(page)
    assert any("mean and covariance matrix of each category's own points" in caption.value for caption in page.caption)


def test_another_file_starts_the_comparison_anew():
    page = upload(open_comparison(source="file"), table_of(2))
    press(page, "step")
    upload(page, table_of(3))
    assert (player(page).run.trial, player(page).run.runs[0].truth.means.shape) == (0, (3, 2))
    assert "the comparison starts anew at trial 0" in page.info[0].value


def test_the_legend_names_every_category_and_nothing_in_a_name_is_taken_for_html():
    assert legend(open_comparison(**SHORT)).count("Category") == 2
    body = legend(upload(open_comparison(source="file"), table_of(5).replace(b"kind 0", b"<b>")))
    assert body.count("& more") == 0
    assert body.count("&amp; more") == 5
    assert "&lt;b&gt;" in body


@pytest.mark.parametrize(("key", "points"), [("iris", 150), ("penguins", 342)])
def test_an_example_is_compared_as_well(key, points):
    page = press(open_comparison(source=key), "step")
    assert not page.exception
    assert progress(page).startswith(f"Trial 1 of {5 * points:,} ")


@pytest.mark.parametrize("categories", [3, 5])
def test_drawn_data_may_have_more_categories(categories):
    page = open_comparison(**SHORT, categories=str(categories), compare="log-cholesky,affine-invariant")
    run_to_the_end(page, "compare finish", "comparison")
    assert not page.exception
    assert progress(page).startswith(f"Trial {40 * categories} of {40 * categories} ")
    assert legend(page).count("Category") == categories
    assert all(np.isfinite(run.frame().kl).all() for run in player(page).run.runs)


def test_a_comparison_goes_on_while_its_viewer_looks_at_the_map():
    page = press(open_comparison(**SHORT), "train")
    open_tab(page, "Map")
    assert not page.exception
    assert player(page).playing
