"""The page without a browser."""

import numpy as np
import pytest
from pages import address, field, known_ones, open_page, player, press, run_to_the_end, said, slider, widget

from covdemo.config import RunConfig, fields_of, to_query
from covdemo.presets import PRESETS
from covdemo.run import Run

LR_COV, COVARIANCE = field("lr_cov"), field("cov_xy_1")


@pytest.fixture
def page():
    return open_page()


@pytest.fixture(scope="module")
def first_screen():
    return open_page()


def test_the_first_screen_shows_the_forum_experiment_before_any_click(page):
    assert not page.exception
    assert player(page).run.config == RunConfig()
    assert player(page).run.trial == 0
    assert len(page.get("vega_lite_chart")) == 7
    assert [button.label for button in page.main.button] == ["Train", "Step", "Run to the end", "Reset"]


def test_the_empty_log_says_what_would_appear(page):
    assert any(caption.value.startswith("No failure yet. A row appears here") for caption in page.caption)


@pytest.mark.parametrize("field", [row for row in fields_of(2) if row.name != "categories"], ids=lambda field: field.name)
def test_every_setting_has_a_widget_with_its_default(field, first_screen):
    value = widget(first_screen, field).value
    assert (float(value) if field.kind is not str else value) == field.default


def test_train_shows_the_error_at_once_in_pytorchs_words(page):
    run_to_the_end(page, "train")
    (failure,) = player(page).run.history.failures
    assert f"Trial {failure.trial}, category {failure.category}: not positive definite." in said(page)
    assert failure.message in [code.value for code in page.code]
    assert page.button(key="train").label == "Train again"


def test_a_factor_keeps_its_capital_letter_in_what_was_done():
    page = open_page(parameterization="tril", policy="project", lr_cov="0.05", points="20", epochs="1")
    player(page).run.advance(40)
    page.run()
    assert "Smallest eigenvalue " in said(page)
    assert "; smallest diagonal entry of L raised by " in said(page)


def test_the_failure_is_a_row_of_the_log(page):
    run_to_the_end(page, "train")
    (failure,) = player(page).run.history.failures
    row = page.dataframe[0].value.iloc[0]
    assert (row["trial"], row["category"], row["kind"]) == (failure.trial, failure.category, failure.kind.value)


def test_the_log_can_be_filtered_by_kind():
    page = run_to_the_end(open_page(policy="skip", epochs="1"))
    next(group for group in page.button_group if group.label == "Show").set_value(["not positive definite"]).run()
    assert not page.exception
    assert set(page.dataframe[0].value["kind"]) == {"not positive definite"}


def test_step_does_one_trial(page):
    press(page, "step")
    assert player(page).run.trial == 1
    assert page.get("progress")[0].proto.text.startswith("Trial 1 of 2,000")


def test_reset_goes_back_to_the_first_screen(page):
    press(page, "train")
    press(page, "reset")
    assert player(page).run.trial == 0
    assert not page.error


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_the_settings_and_the_address(name, page):
    presets(page).set_value(name).run()
    assert player(page).run.config == PRESETS[name].config
    assert widget(page, LR_COV).value == repr(PRESETS[name].config.lr_cov)


def test_a_run_that_learns_says_so():
    page = run_to_the_end(open_page(parameterization="log-cholesky", points="60", epochs="3"))
    assert "Learned: " in said(page)


def test_the_accepted_answer_runs_to_its_end_and_says_why_it_has_not_learned():
    page = open_page(**to_query(PRESETS["the accepted answer"].config))
    player(page).run.advance(2000)
    page.run()
    assert "did not learn: 50.0% of the points are in the right category. In many trials the density" in said(page)
    # of 2,000 trials 1,810, whatever the last trial was like
    assert "Category 2 has received no gradient in 1,810 of 2,000 trials: its density is 0 in floating point." in said(page)


def test_changing_a_setting_after_some_trials_starts_anew_and_says_so(page):
    press(page, "step")
    widget(page, LR_COV).set_value("1e-5").run()
    assert player(page).run.trial == 0
    assert player(page).run.config.lr_cov == 1e-5
    assert "Settings changed after trial 1: the run starts anew at trial 0." in said(page)


def test_only_settings_that_differ_from_the_default_are_in_the_address(page):
    assert page.query_params == {}
    widget(page, LR_COV).set_value("1e-5").run()
    assert page.query_params == {"lr_cov": "1e-05"}
    widget(page, LR_COV).set_value("0.001").run()
    assert page.query_params == {}


def test_a_link_opens_the_run_that_it_was_copied_from(page):
    widget(page, LR_COV).set_value("1e-5").run()
    widget(page, COVARIANCE).set_value(0.01).run()
    assert player(open_page(**address(page))).run.config == player(page).run.config


def test_an_impossible_covariance_is_answered_in_place_and_loses_nothing(page):
    widget(page, LR_COV).set_value("1e-5").run()
    widget(page, COVARIANCE).set_value(0.01).run()
    widget(page, COVARIANCE).set_value(0.5).run()
    assert page.sidebar.error[0].value.endswith("|cov| must stay below sqrt(var_x var_y) = .0347; .01 is used.")
    assert player(page).run.config.cov_xy[0] == 0.01
    assert widget(page, COVARIANCE).value == 0.5
    assert player(page).run.config.lr_cov == 1e-5
    assert len(page.get("vega_lite_chart")) == 7


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "-1", "1e999", "<b>", "0x10", "None"])
def test_a_rate_that_is_none_is_answered_in_place_and_the_run_goes_on_at_the_last_one(text, page):
    widget(page, LR_COV).set_value("0.05").run()
    press(page, "step")
    widget(page, LR_COV).set_value(text).run()
    assert not page.exception
    assert [box.value.endswith("; .05 is used.") for box in page.sidebar.error] == [True]
    assert (player(page).run.trial, player(page).run.config.lr_cov) == (1, 0.05)
    assert slider(page, LR_COV).value == 0.05


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"parameterization": "log-colesky"}, "the nearest is log-cholesky; covariance is used"),
        ({"lr_cov": "nan"}, "'nan' is not a number"),
        ({"c1": ".5"}, "|cov| must stay below sqrt(var_x var_y) = .0347"),
        ({"device": "cuda"}, "PyTorch finds no CUDA device; cpu is used"),
        ({"colour": "<script>"}, "'colour': there is no setting of this name"),
        ({"points": "1e9"}, "Points per category"),
        ({"seed": ["1", "2"]}, "Seed: given 2 times instead of once; the last is used"),
        ({"compare": ["tril", "spherical"]}, "Methods to compare: given 2 times instead of once; the last is used"),
        ({"lesson": ["momentum", "log-cholesky"]}, "Lesson: given 2 times instead of once; the last is used"),
        ({"tab": ["Map", "Train"]}, "Tab: given 2 times instead of once; the last is used"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_what_is_wrong_with_a_link_is_said_and_the_page_lives(query, sentence, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    page = open_page(**query)
    assert not page.exception
    assert sentence in " ".join(box.value for box in page.main.warning)
    assert len(page.get("vega_lite_chart")) == 7


def test_what_was_wrong_with_a_link_is_forgotten_once_a_setting_is_changed():
    page = open_page(colour="red")
    widget(page, LR_COV).set_value("1e-5").run()
    assert not page.warning


def test_a_known_distribution_changes_the_true_distributions_alone(page):
    widget(page, LR_COV).set_value("1e-5").run()
    known_ones(page).set_value("thin").run()
    config = player(page).run.config
    assert (config.var_x, config.cov_xy, config.lr_cov) == ((0.05, 0.05), (0.049, -0.049), 1e-5)


def test_the_slider_and_the_number_beside_it_are_one_setting(page):
    slider(page, LR_COV).set_value(1e-5).run()
    assert (widget(page, LR_COV).value, player(page).run.config.lr_cov) == ("1e-05", 1e-5)
    widget(page, LR_COV).set_value("3.3e-2").run()
    assert slider(page, LR_COV).value == 0.05


def presets(page):
    return next(group for group in page.button_group if group.label == "Presets")


def type_a_rate(page):
    return widget(page, LR_COV).set_value("1e-5")


def slide_to_a_rate(page):
    return slider(page, LR_COV).set_value(1e-5)


def choose_a_preset(page):
    return presets(page).set_value("slower rate")


@pytest.mark.parametrize("change", [type_a_rate, slide_to_a_rate, choose_a_preset])
def test_a_button_pressed_before_a_change_is_drawn_does_not_undo_it(change, page):
    step = page.button(key="step")
    for each in (presets(page), known_ones(page), slider(page, LR_COV), widget(page, LR_COV)):
        each.set_value(each.value)  # so that the click below tells what was there before
    change(page).run()
    step.click().run()
    assert (player(page).run.trial, player(page).run.config.lr_cov) == (1, 1e-5)
    assert (widget(page, LR_COV).value, slider(page, LR_COV).value) in {("1e-5", 1e-5), ("1e-05", 1e-5)}


def test_a_number_stays_as_it_was_typed_where_a_preset_has_the_same(page):
    widget(page, field("momentum")).set_value(0.5).run()
    widget(page, LR_COV).set_value("1e-5").run()
    presets(page).set_value("slower rate").run()
    assert (widget(page, LR_COV).value, player(page).run.config) == ("1e-5", PRESETS["slower rate"].config)


def test_a_run_in_rounds_ends_exactly_as_a_run_in_one_go():
    page = run_to_the_end(open_page(parameterization="log-cholesky", points="20", epochs="2"))
    straight = Run(player(page).run.config)
    straight.advance(straight.total)
    np.testing.assert_array_equal(player(page).run.frame().means, straight.frame().means)


def test_the_explain_tab_is_drawn_when_it_is_opened(page):
    page.session_state["tab"] = "Explain"
    page.run()
    assert not page.exception
    assert not page.get("vega_lite_chart")
    assert len(page.expander) > 5
