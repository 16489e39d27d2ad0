import dataclasses
import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from covdemo import limits
from covdemo.config import FIELDS, RunConfig, fields_of, read, read_arguments, to_query
from covdemo.devices import refusal
from covdemo.fields import Field

BY_NAME = {row.name: row for row in FIELDS}
URLS = [row.url for row in FIELDS]


def sentences(**query):
    return [problem.sentence for problem in read(query)[1]]


def values(row: Field):
    if row.kind is str and not row.choices:
        return st.just(row.default)
    if row.kind is str:
        return st.sampled_from([choice for choice in row.choices if not row.refusal(choice)])
    if row.kind is int:
        return st.integers(int(row.low), int(row.high))
    return st.floats(row.low, row.high, exclude_max=row.range.open)


@st.composite
def configs(draw):
    """Valid configurations of 2 to 5 categories."""
    categories = draw(st.integers(2, 5))
    changes = {"epochs": draw(st.integers(1, limits.TRIALS // (5_000 * categories)))}
    rows = [row for row in fields_of(categories) if row.attribute not in ("source", "categories", "epochs", "cov_xy")]
    for row in rows:
        value = draw(values(row))
        changes[row.attribute] = value if row.category is None else (*changes.get(row.attribute, ()), value)
    correlations = draw(st.lists(st.floats(-0.999, 0.999), min_size=categories, max_size=categories))
    bounds = map(limits.covariance_bound, changes["var_x"], changes["var_y"])
    changes["cov_xy"] = tuple(r * bound for r, bound in zip(correlations, bounds, strict=True))
    return RunConfig(**changes)


texts = st.one_of(
    st.text(),
    st.text(st.characters()),  # lone surrogates included
    st.floats().map(repr),
    st.integers().map(str),
    st.sampled_from(["", " ", "inf", "-inf", "nan", "1e999", "-1e-999", "0x10", "1_0", "9" * 5000, "٣", "1e308", "\x00"]),
)


def test_the_defaults_are_the_experiment_of_the_forum_question():
    assert dataclasses.asdict(RunConfig()) == {
        "mean_x": (-0.5, -0.25),
        "mean_y": (0.25, -0.6),
        "var_x": (0.0185, 0.0125),
        "var_y": (0.065, 0.005),
        "cov_xy": (-0.005, 0.005),
        "start_x": (-0.25, -0.15),
        "start_y": (0.05, -0.25),
        "start_var": 0.02,
        "source": "drawn",
        "column_x": "",
        "column_y": "",
        "column_category": "",
        "scaling": "standardised",
        "points": 200,
        "seed": 0,
        "epochs": 5,
        "parameterization": "covariance",
        "objective": "cross-entropy",
        "likelihood_share": 0.5,
        "optimizer": "sgd",
        "policy": "stop",
        "lr_mu": 0.002,
        "lr_cov": 1e-3,
        "lr_nn": 0.1,
        "momentum": 0.3,
        "device": "cpu",
        "dtype": "float32",
    }


def test_the_defaults_are_2000_trials_of_two_categories():
    assert (RunConfig().categories, RunConfig().trials) == (2, 2000)


def test_true_distributions_are_arrays_by_category():
    config = RunConfig()
    np.testing.assert_array_equal(config.true_means, [[-0.5, 0.25], [-0.25, -0.6]])
    np.testing.assert_array_equal(
        config.true_covariances, [[[0.0185, -0.005], [-0.005, 0.065]], [[0.0125, 0.005], [0.005, 0.005]]]
    )


def test_the_model_starts_from_round_distributions():
    config = RunConfig()
    np.testing.assert_array_equal(config.start_means, [[-0.25, 0.05], [-0.15, -0.25]])
    np.testing.assert_array_equal(config.start_covariances, [[[0.02, 0], [0, 0.02]]] * 2)


def test_lists_and_numpy_numbers_make_an_equal_config_with_an_equal_hash():
    config = RunConfig(mean_x=[np.float64(-0.5), -0.25], points=np.int64(200), lr_nn=np.float64(0.1))
    assert (config, hash(config), repr(config)) == (RunConfig(), hash(RunConfig()), repr(RunConfig()))


@pytest.mark.parametrize("changes", [{"lr_nn": -0.0}, {"mean_x": (-0.0, 1.0)}], ids=["number", "tuple"])
def test_equal_configs_have_equal_texts_though_zero_has_two_signs(changes):
    assert "-0.0" not in repr(dataclasses.replace(RunConfig(cov_xy=(0.0, 0.0)), **changes))


@pytest.mark.parametrize("changes", [{"mean_x": (0.0,)}, {"var_y": (1.0, 1.0, 1.0)}], ids=["too few", "too many"])
def test_categories_that_disagree_are_refused(changes):
    with pytest.raises(ValueError, match="same number of categories"):
        RunConfig(**changes)


@pytest.mark.parametrize("attribute", ["name", "url", "flag"])
def test_no_two_settings_share_a_name(attribute):
    names = [getattr(row, attribute) for row in FIELDS]
    assert len(set(names)) == len(names)


def test_every_attribute_of_the_config_has_a_setting():
    attributes = {row.attribute for row in FIELDS}
    assert attributes == {row.name for row in dataclasses.fields(RunConfig)} | {"categories"}


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: row.name)
def test_help_is_one_sentence(row):
    assert re.fullmatch(r"[A-Z][^.]*\.", row.help)


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: row.name)
def test_the_default_is_a_value_that_the_setting_allows(row):
    assert row.read(str(row.default)) == (row.default, [])


def test_nothing_given_is_the_default_config():
    assert read({}) == (RunConfig(), [])


@given(configs())
@example(RunConfig())
@example(RunConfig(lr_mu=0, lr_cov=1e308, lr_nn=5e-324, momentum=-0.0))
def test_a_query_is_read_back_to_the_same_config(config):
    assert read(to_query(config)) == (config, [])


@given(configs())
def test_command_line_arguments_are_read_back_to_the_same_config(config):
    assert read_arguments({row.name: row.text(config) for row in fields_of(config.categories)}) == config


def test_the_query_of_the_default_is_empty():
    assert to_query(RunConfig()) == {}


def test_the_query_holds_what_differs_from_the_default():
    assert to_query(RunConfig(lr_cov=1e-5, mean_x=(-0.5, 0.1))) == {"lr_cov": "1e-05", "x2": "0.1"}


def test_a_default_is_given_in_the_address_where_it_is_asked_for():
    assert to_query(RunConfig(lr_cov=1e-5), also={"momentum", "c3"}) == {"lr_cov": "1e-05", "momentum": "0.3"}


def test_a_third_category_has_defaults_of_its_own():
    config, problems = read({"categories": "3", "x3": "0.7"})
    assert (config.categories, config.mean_x[2], problems) == (3, 0.7, [])


@pytest.mark.parametrize("categories", ["2", "3", "4", "5"])
def test_every_number_of_categories_is_valid_as_it_stands(categories):
    config, problems = read({"categories": categories})
    assert (config.categories, problems) == (int(categories), [])


@given(st.dictionaries(st.sampled_from(URLS) | st.text(), texts | st.lists(texts)))
def test_reading_never_raises_and_its_result_is_valid(query):
    config, _ = read(query)
    assert read(to_query(config)) == (config, [])


@given(st.sampled_from(URLS), texts)
def test_what_is_not_used_as_given_is_told(url, text):
    config, problems = read({url: text})
    row = next(row for row in FIELDS if row.url == url)
    used = row.kind is str and text == row.get(config)
    used = used or (row.kind is not str and float_or_none(text) == row.get(config))
    assert problems or used


def float_or_none(text):
    try:
        return float(text)
    except ValueError:
        return None


@given(st.sampled_from(URLS) | st.text(), texts)
def test_a_sentence_can_be_shown_and_holds_no_markup_from_outside(url, text):
    for problem in read({url: text})[1]:
        problem.sentence.encode()
        assert not re.search(r"[<>\[\]!*`$&\\\n]", problem.sentence)


@pytest.mark.parametrize(
    ("url", "text", "value"),
    [
        ("lr_cov", "abc", 1e-3),
        ("lr_cov", "", 1e-3),
        ("lr_cov", "nan", 1e-3),
        ("lr_cov", "inf", 1e-3),
        ("lr_cov", "-1", 1e-3),
        ("lr_cov", "1.5e308", 1e308),
        ("momentum", "1", 0.999),
        ("momentum", "-.5", 0.0),
        ("points", "0", 1),
        ("points", "1e9", 5000),
        ("points", "2.6", 3),
        ("x1", "-2e6", -1e6),
        ("vx1", "0", 0.0185),
        ("vx1", "1e-300", 2.0**-126),
        ("categories", "7", 5),
        ("parameterization", "log-cholesk", "covariance"),
        ("dtype", "Float64", "float32"),
    ],
)
def test_the_nearest_value_or_the_default_is_used_instead(url, text, value):
    config, problems = read({url: text})
    row = next(row for row in FIELDS if row.url == url)
    assert row.get(config) == value
    assert row.name in [problem.field for problem in problems]


@pytest.mark.parametrize("text", ["200", "200.0", "2e2", " 200 "])
def test_a_whole_number_may_be_written_in_any_way(text):
    assert read({"points": text}) == (RunConfig(), [])


def test_a_number_problem_says_what_is_wrong_right_and_used():
    expected = "Learning rate, covariances: 'abc' is not a number from 0 to 1e+308; .001 is used."
    assert sentences(lr_cov="abc") == [expected]


def test_a_covariance_too_large_is_told_with_its_bound_and_clipped():
    config, problems = read({"c1": "-0.05"})
    assert "|cov| must stay below sqrt(var_x var_y) = .0347" in problems[0].sentence
    assert config.cov_xy[0] == pytest.approx(-0.999 * (0.0185 * 0.065) ** 0.5)


def test_a_variance_too_small_for_the_covariance_clips_the_covariance():
    config, problems = read({"vx1": "1e-6"})
    assert (config.var_x[0], [problem.field for problem in problems]) == (1e-6, ["cov_xy_1"])


def test_too_many_trials_are_told_and_epochs_are_dropped():
    config, problems = read({"points": "5000", "epochs": "50"})
    assert (config.epochs, config.trials, problems[0].field) == (10, 100_000, "epochs")


def test_an_unknown_choice_names_the_nearest():
    assert "the nearest is log-cholesky; covariance is used" in sentences(parameterization="log-cholesk")[0]


def test_an_unknown_parameter_names_the_nearest_and_is_ignored():
    assert sentences(lrcov="1") == ["'lrcov': there is no setting of this name, the nearest is lr_cov; it is ignored."]


def test_parameters_of_others_are_passed_over():
    assert read({"tab": "compare"}, others={"tab"}) == (RunConfig(), [])


def test_of_several_values_the_last_counts():
    config, problems = read({"points": ["10", "20"]})
    assert (config.points, len(problems)) == (20, 1)


def test_a_value_for_a_category_that_is_not_there_is_ignored():
    assert sentences(x3="0.1") == ["Mean, x of category 3: there are only 2 categories; it is ignored."]


@pytest.mark.skipif(not refusal("cuda"), reason="this machine has a CUDA device")
def test_cuda_without_cuda_falls_back_to_the_cpu():
    config, problems = read({"device": "cuda"})
    assert config.device == "cpu"
    assert problems[0].sentence == "Device: cuda cannot be used here, PyTorch finds no CUDA device; cpu is used."


def test_command_line_problems_come_together_and_name_their_flags():
    with pytest.raises(ValueError, match=r"(?s)--lr-cov: 'x' is not .*--mean-x-1: 'y' is not|--mean-x-1.*--lr-cov"):
        read_arguments({"lr_cov": "x", "mean_x_1": "y"})
