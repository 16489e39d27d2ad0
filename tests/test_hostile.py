"""What strangers may put into a link or a file: each case ends in a run, with sentences where something is wrong."""

import math
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pages import APP, field, open_page, player, press, widget

from covdemo import lessons, limits
from covdemo.config import FIELDS, read, to_query
from covdemo.datafiles import read_table
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.run import Run
from covdemo.samples import SCALINGS, Columns, guess, sample
from covdemo.sources import trials_of

THOUSANDS = settings(max_examples=2_000, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
SOME = settings(max_examples=30, derandomize=True)
LONGEST = 600  # characters of a sentence

# ---- links ---------------------------------------------------------------------------------------------------------------
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
queries = st.dictionaries(names, given_texts, max_size=8)
methods = st.lists(st.sampled_from([*PARAMETERIZATIONS, "", "@", "www.e"]) | texts, max_size=9).map(",".join)
rated = st.lists(st.builds("{}@{}".format, st.sampled_from([*PARAMETERIZATIONS]), texts), max_size=9).map(",".join)
views = st.fixed_dictionaries(
    {},
    optional={
        "compare": methods | rated | given_texts | st.just("a," * 25_000),
        "lesson": st.sampled_from([*lessons.lessons()]) | given_texts,
        "tab": st.sampled_from(["Replay", "Compare", "Map", "Code", "Explain"]) | given_texts,
    },
)


def is_sentence(text):
    """Whether a viewer can be shown it as it is: one line, printable, no markup, nothing of the server's own."""
    private = re.search(rf"Traceback|File \"|site-packages|/home|/usr|{re.escape(str(APP.parent))}|0x[0-9a-f]{{6}}", text)
    marked = re.search(r"[<>\[\]!*`$&\\]|(?<![^\W_])_|_(?![^\W_])|:\S*:|www\.|://|\w@\w", text, re.IGNORECASE)
    return text.isprintable() and len(text) <= LONGEST and not marked and not private


@pytest.mark.parametrize("text", ["see www.evil.example", "a __b__", "'_x_'", ":bug:", "http://e", "<b>", "a@b.c", "/home/x"])
def test_what_is_more_than_a_sentence_is_noticed(text):
    assert not is_sentence(text)


@pytest.mark.parametrize("text", ["there is no column 'petal_length'", "Start, x: '1.5' is not 1e+308; .05 is used."])
def test_a_sentence_is_one(text):
    assert is_sentence(text)


def unfit(sentences):
    return [text for text in sentences if not is_sentence(text)]


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: row.name)
@settings(max_examples=60, derandomize=True)  # x 50 settings: 3,000
@given(text=given_texts)
def test_whatever_a_setting_is_given_its_value_is_allowed_and_sentences_say_what_is_wrong(row, text):
    config, problems = read({"categories": "5", row.url: text})
    assert read(to_query(config)) == (config, [])
    assert unfit(problem.sentence for problem in problems) == []
    assert problems or math.isfinite(float(row.get(config))) if row.kind is not str else True


@THOUSANDS
@given(queries)
def test_whatever_a_link_says_a_run_of_it_begins(query):
    config, problems = read(query)
    assert read(to_query(config)) == (config, [])
    assert unfit(problem.sentence for problem in problems) == []


def test_a_flood_of_unknown_parameters_is_answered_in_a_few_sentences():
    told = [problem.sentence for problem in read({f"a{number}": "1" for number in range(99)})[1]]
    assert (len(told), told[-1]) == (11, "Parameters: 89 more are no settings; they are ignored.")


@settings(SOME, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(queries, views)
def test_whatever_a_link_says_the_page_is_drawn_and_trains(query, view):
    asked = {**query, **view}
    page = open_page(**{name: value for name, value in asked.items() if is_encodable([name, value]) and value != []})
    assert not page.exception
    assert unfit(line for box in page.main.warning for line in box.value.removeprefix("- ").split("\n- ")) == []
    page.session_state["tab"] = "Train"
    press(page.run(), "step")
    assert (player(page).run.trial, not page.exception) == (1, True)


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
def test_whatever_is_typed_the_run_under_way_and_the_other_settings_survive(text, training):
    run = player(training).run
    asked, problems = read({**to_query(run.config), "lr_mu": text})
    widget(training, field("lr_mu")).set_value(text).run()
    told = [box.value for box in training.sidebar.error]
    assert not training.exception
    assert (unfit(told), bool(told)) == ([], bool(problems))
    assert player(training).run.config == (run.config if problems else asked)
    assert (player(training).run is run) == (bool(problems) or asked == run.config)
    press(training, "reset" if player(training).run.finished else "step")  # a huge rate ends it


# ---- files ---------------------------------------------------------------------------------------------------------------
CELLS = [
    *("1", "2.5", "-3e5", "0", "1e6", "1e7", "nan", "inf", "-inf", "1e999", "9" * 400, "1,5", "٣", "1_0"),
    *(
        "a",
        "b",
        "c",
        "",
        " ",
        "=1+1",
        "+1",
        "-a",
        "@SUM(A1)",
        "\t=1",
        "<b>x</b>",
        "**a**",
        "$a$",
        "é",
        "\u202ea",
        "\x00",
        "\ufeff",
    ),
    *('"', '""', '"a', '"a\nb"', '"a\rb"', "a" * 41, "a" * 200_000, "x", "y", "category"),
]
COLLIDING = ["x", "x (2)", "x (3)"]  # what equal names are made different by
MARKED = ["=x", "__y__", "<b>c"]
cells = st.sampled_from(CELLS) | st.floats().map(repr) | st.text(max_size=5)
marks = st.sampled_from([",", ";", "\t"])
line_ends = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\x0b", "\u2028"])
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "utf-32"])


@st.composite
def files(draw):
    """Files that are nearly tables."""
    width = draw(st.integers(1, 5))
    ragged = draw(st.booleans())
    widths = st.integers(0, 6) if ragged else st.just(width)
    column = draw(st.sampled_from([cells, st.just("7"), st.sampled_from("ab"), st.integers(-9, 9).map(str)]))
    rows = draw(st.lists(widths.flatmap(lambda n: st.lists(column, min_size=n, max_size=n)), max_size=8))
    colliding = st.lists(st.sampled_from(COLLIDING), min_size=width, max_size=width)
    header = draw(st.sampled_from([[], ["x", "y", "category"], MARKED]) | colliding)
    text = draw(line_ends).join(map(draw(marks).join, [header, *rows]))
    return text.encode(draw(encodings), errors="replace")


rows_of_three = st.lists(
    st.tuples(st.floats(-9, 9), st.floats(-9, 9), st.sampled_from(["a", "=b", "-1"])), min_size=2, max_size=20
)
good = st.builds(
    lambda header, rows: "\n".join(",".join(map(str, row)) for row in [*header, *rows]).encode(),
    st.lists(st.tuples(*[st.sampled_from(COLLIDING)] * 3), max_size=1),
    rows_of_three,
)
contents = files() | good | st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode())
choices = st.builds(Columns, *[st.sampled_from(["", "", "x", "column 1", "=x", "<b>"])] * 3)


@THOUSANDS
@given(contents, choices, st.sampled_from(sorted(SCALINGS)))
def test_whatever_is_in_a_file_a_run_of_it_begins_or_a_sentence_says_what_is_wrong(content, columns, scaling):
    found = outcome(content, columns, scaling)
    assert is_sentence(found) if isinstance(found, str) else found.trial > 0


def outcome(content, columns, scaling):
    """Return a run of the points of a file after a few trials, or what is wrong with the file."""
    try:
        table = read_table(content)
    except ValueError as error:
        return str(error)
    assert {*guess(table)} <= {*table.columns}
    assert len({*table.columns}) == len(table.columns)
    try:
        count = len(sample(table, columns, scaling).names)
    except ValueError as error:
        return str(error)
    named = dict(zip(("column_x", "column_y", "column_category"), columns, strict=True))
    config, _ = read({"source": "file", "categories": str(count), "epochs": "1", "scaling": scaling, **named})
    run = Run(config, trials_of(config, table))
    run.advance(2)
    return run


@pytest.fixture(scope="module")
def filed():
    """A page with a run of a good file under way, at a start that is not the default."""
    page = open_page(source="file", parameterization="log-cholesky", epochs="99")
    page.file_uploader[0].set_value(("good.csv", b"0,0,a\n2,1,a\n5,6,b\n7,6,b", "text/csv")).run()
    press(page, "step")
    return page


@settings(SOME, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=contents)
def test_whatever_is_uploaded_the_page_trains_and_a_faulty_file_ends_nothing(content, filed):
    run, found = player(filed).run, outcome(content, Columns(), "standardised")
    filed.file_uploader[0].set_value(("mine.csv", content, "text/csv")).run()
    told = [box.value for box in filed.sidebar.error]
    assert not filed.exception
    assert (unfit(told), bool(told)) == ([], isinstance(found, str))
    assert player(filed).run is run or not isinstance(found, str)
    assert player(filed).run.data.moments is not None
    done = player(filed).run.trial
    press(filed, "step")
    assert (player(filed).run.trial, player(filed).run.config.parameterization) == (done + 1, "log-cholesky")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"1,2,a\n" * (50_000_000 // 6), "expected at most 5 MB, got 50.0 MB"),
        (b"1,2,a\n" * (limits.TRIALS + 2), "expected at most 100,000 rows of 3 columns, got more"),
        (b"1,2," + b"a," * 97 + b"\n" + (b"1" + b"," * 99 + b"\n") * 48_000, "expected at most 3,000 rows of 100 columns, got"),
        (b"," * (limits.CSV_BYTES - 9) + b"1\n1,2,a", "expected at most 100 columns, got 4,999,992"),
        (b"a," * 2_000_000 + b"\n1,2,a", "expected at most 100 columns, got 2,000,001"),
        (b'"' + b"a" * 4_000_000, "line 1 is not a row of a table"),
        (b"\x00" * limits.CSV_BYTES, "line 1 is not a row of a table"),
    ],
    ids=["50 MB", "rows", "cells", "separators", "columns", "one cell", "zeros"],
)
def test_files_made_to_keep_the_server_busy_are_refused(content, sentence):
    with pytest.raises(ValueError, match=sentence) as refusal:
        read_table(content)
    assert is_sentence(str(refusal.value))
