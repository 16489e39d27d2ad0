"""What strangers may put into a link: each case ends in a run, with sentences where something is wrong."""

import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pages import field, open_page, player, press, widget
from sentences import is_sentence, unfit

from covdemo import entrants, lessons
from covdemo.config import FIELDS, read, to_query
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.run import Run
from covdemo.trials import draw
from covdemo.ui import tabs

THOUSANDS = settings(max_examples=2_000, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
SOME = settings(max_examples=20, derandomize=True)
TABS = ["Train", "Replay", "Compare", "Map", "Code", "Explain"]
WRONG = [
    *(
        "",
        " ",
        "nan",
        "NaN",
        "-nan",
        "inf",
        "-inf",
        "Infinity",
        "1e999",
        "-1e999",
        "1e308",
        "5e-324",
        "-0",
        "-1",
        "0x10",
        "1_0",
    ),
    *(
        "9" * 5000,
        "-" * 400,
        "٣",
        "１",
        "½",
        "∞",
        "\x00",
        "\ud800",
        "\u202e1",
        "a" * 10_000,
        "1,5",
        "1 2",
        "True",
        "None",
        "[]",
    ),
    *("<script>alert(1)</script>", "**bold**", "$x$", "`ls`", ":material/bug_report:", "{0}", "%s", "../../etc/passwd", "=1+1"),
    *(
        "__bold__",
        "_x_",
        "a__b__",
        ":bug:",
        "see www.evil.example now",
        "WWW.evil.example",
        "https://evil.example",
        "a@b.example",
    ),
    *("drawn", "iris", "file", "covariance", "cuda", "float64", "2", "3", "5", "100000"),
]
texts = st.sampled_from(WRONG) | st.text(st.characters()) | st.floats().map(repr) | st.integers().map(str)
given_texts = texts | st.lists(texts, max_size=4)
names = st.sampled_from([row.url for row in FIELDS]) | st.sampled_from(WRONG) | st.text(st.characters(), max_size=50)
wrong_queries = st.dictionaries(names, given_texts, max_size=4)


def fitting(row):
    """Return texts that this setting can have."""
    if row.choices or row.kind is str:
        return st.sampled_from(row.choices or ["", "sepal_length", "species"])
    return (st.integers(int(row.low), int(row.high)) if row.kind is int else st.floats(row.low, row.high)).map(str)


pairs = st.one_of([st.tuples(st.just(row.url), fitting(row)) for row in FIELDS])
queries = st.builds(lambda right, wrong: {**dict(right), **wrong}, st.lists(pairs, max_size=4), wrong_queries)
methods = st.lists(st.sampled_from([*PARAMETERIZATIONS, "", "@", "www.e"]) | texts, max_size=9).map(",".join)
rates = st.sampled_from(["nan", "inf", "-1", "1e308", "1e999", "0", "", "@"]) | texts
rated = st.lists(st.builds("{}@{}".format, st.sampled_from([*PARAMETERIZATIONS]), rates), max_size=9).map(",".join)
VIEW = {
    "compare": methods | rated | given_texts,
    "lesson": st.sampled_from([*lessons.lessons()]) | given_texts,
    "tab": st.sampled_from(TABS) | given_texts,
}
views = st.fixed_dictionaries({}, optional=VIEW)


@pytest.mark.parametrize("text", ["see www.evil.example", "a __b__", "'_x_'", ":bug:", "http://e", "<b>", "a@b.c", "/home/x"])
def test_what_is_more_than_a_sentence_is_noticed(text):
    assert not is_sentence(text)


@pytest.mark.parametrize("text", ["there is no column 'petal_length'", "Start, x: '1.5' is not 1e+308; .05 is used."])
def test_a_sentence_is_one(text):
    assert is_sentence(text)


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: row.name)
@settings(max_examples=60, derandomize=True)  # x 50 settings: 3,000
@given(text=given_texts)
def test_whatever_a_setting_is_given_its_value_is_allowed_and_sentences_say_what_is_wrong(row, text):
    config, problems = read({"categories": "5", row.url: text})
    assert read(to_query(config)) == (config, [])
    assert unfit(problem.sentence for problem in problems) == []
    assert problems or math.isfinite(float(row.get(config))) if row.kind is not str else True


def test_whatever_a_link_says_a_run_of_it_begins():
    begun, wrong_in = set(), Counter()

    @THOUSANDS
    @given(queries, views)
    def check(query, view):
        config, told = read(lessons.complete(query | view), others=view)
        assert read(to_query(config)) == (config, [])
        chosen, wrong = entrants.named(view)
        problems = [*told, *wrong, *lessons.named(view)[1], *tabs.named(view)[1]]
        assert unfit([*(problem.sentence for problem in problems), tabs.complaint(tabs.named(view)[0], TABS)]) == []
        wrong_in.update({problem.field for problem in problems})
        assert entrants.read(entrants.write(chosen)) == (chosen, [])
        small = replace(config, points=min(config.points, 5), epochs=min(config.epochs, 2))
        if small not in begun:  # equal settings give equal runs
            assert first_trial(small).trial == 1
        begun.add(small)

    check()
    assert len(begun) > 400
    assert {name for name in VIEW if wrong_in[name] < 40} == set()


def first_trial(config):
    run = Run(config, draw(config) if config.source == "file" else None)
    run.advance(1)
    return run


def test_a_flood_of_unknown_parameters_is_answered_in_a_few_sentences():
    told = [problem.sentence for problem in read({f"a{number}": "1" for number in range(99)})[1]]
    assert (len(told), told[-1]) == (11, "Parameters: 89 more are no settings; they are ignored.")


@settings(SOME, max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(query=wrong_queries, view=views)
def test_whatever_a_link_says_the_page_is_drawn_and_trains(query, view, logged):
    asked = {**query, **view}
    page = open_page(**{name: value for name, value in asked.items() if is_encodable([name, value]) and value != []})
    assert not page.exception
    assert unfit(line for box in page.main.warning for line in box.value.removeprefix("- ").split("\n- ")) == []
    page.session_state["tab"] = "Train"
    press(page.run(), "step")
    assert (player(page).run.trial, not page.exception) == (1, True)
    assert logged == []


def is_encodable(value):
    return "\\ud" not in ascii(value)


@pytest.fixture(scope="module")
def training():
    """A page with a run under way, at a rate that is not the default."""
    page = open_page(parameterization="log-cholesky", lr_mu="0.05")
    for _ in range(3):
        press(page, "step")
    return page


@settings(SOME, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts.filter(is_encodable))
def test_whatever_is_typed_the_run_under_way_and_the_other_settings_survive(text, training, logged):
    run = player(training).run
    asked, problems = read({**to_query(run.config), "lr_mu": text})
    widget(training, field("lr_mu")).set_value(text).run()
    told = [box.value for box in training.sidebar.error]
    assert not training.exception
    assert (unfit(told), bool(told)) == ([], bool(problems))
    assert player(training).run.config == (run.config if problems else asked)
    assert (player(training).run is run) == (bool(problems) or asked == run.config)
    press(training, "reset" if player(training).run.finished else "step")  # a huge rate ends it
    assert logged == []
