"""What strangers may put into a file: each case ends in a run, or in a sentence that says what is wrong."""

import csv
import io
import re
from collections import Counter
from itertools import chain, product
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pages import open_page, player, press
from sentences import is_sentence, unfit

from covdemo import limits
from covdemo.config import read
from covdemo.datafiles import read_table
from covdemo.run import Run
from covdemo.samples import SCALINGS, Columns, guess, sample
from covdemo.sources import trials_of

OFTEN = 40  # different files of each kind, at least; some 2,000 in all

NUMBER = "expected for '.*' a number from -1e6 to 1e6, got"
CELL = {  # in the place of a number
    "NaN": ["nan", "NaN", "-nan", "+NAN"],
    "infinite": ["inf", "-inf", "Infinity", "1e999", "-1e999"],
    "huge": ["1e7", "-1000001", "1e308", "9" * 400, "٣" * 9],
    "missing": ["", " ", "NA", "n/a", "null", "None", "-", "?"],
    "word": ["a", "1_0", "0x10", "½", "1 2", "1,5,5", "=1+1", "@SUM(A1)", "<b>1</b>", "\u202e1", "'1", "\x001", '"'],
}
NAMES = {  # of categories
    "plain": ["a", "b", "c", "d", "e"],
    "formulas": ["=1+1", "+a", "-b", "@SUM(A1)", "\t=2"],
    "unicode": ["é", "日本", "\u202ea", "🐧", "İ"],
    "marked": ["<b>x</b>", "**a**", "$a$", "__b__", ":bug:"],
    "in need of quotes": ['"q"', "a,b", "a;b", "x\ny", "x\r\ny"],
    "numbers": ["1", "-1", "1.5", "1e3", "nan"],
}
REFUSALS = {  # kind of fault -> what is said
    **dict.fromkeys(CELL, NUMBER),
    "no name": "expected a category of 1 to 40 characters, got 0",
    "long name": "expected a category of 1 to 40 characters, got [1-9]",
    "one category": "expected 2 to 5 categories in column '.*', got 1$",
    "six categories": "expected 2 to 5 categories in column '.*', got 6$",
    "constant": "expected numbers that differ in column",
    "ragged": "expected ([0-9]+ cells, as many as in line 1|at most 100 columns), got [0-9]+$",
    "narrow": "expected at least three columns, x, y and category, got [12]$",
    "unquoted": "line [0-9]+ is not a row of a table",
    "binary": "expected text in UTF-8, got something else",
    "no column": "there is no column '.*' among",
    "same column": "expected three different columns, got",
}
HEADERS = [[], ["x", "y", "category"], ["=x", "__y__", "<b>c"], ["x", "x", "x (3)"], ["a" * 99, "\u202e", '"']]
MARKED = ("utf-8-sig", "utf-16")  # encodings with a byte order mark
WAYS = [*product([csv.QUOTE_MINIMAL, csv.QUOTE_ALL], ["\n", "\r\n", "\n\n"], ["utf-8", *MARKED], ",;\t")]
TRAITS = ["byte order mark", "quoted", "headed", "no header", *",;\t"]
PLACEHOLDER = "0.123456789"


class File(NamedTuple):
    """A file, the columns that are asked for, and how it is written, some of ``TRAITS``."""

    content: bytes
    columns: Columns
    traits: tuple[str, ...]


@st.composite
def tables(draw, fault, kinds):
    """Tables that are good but for a fault, if it is not empty, with names of these kinds, in any of the ways to write them."""
    names = NAMES[draw(st.sampled_from(kinds))]
    x, y, size = draw(st.tuples(st.integers(-9, 9), st.integers(-9, 9), st.integers(2, 8)))
    size = 6 if fault == "six categories" else size
    rows = [[repr(x + 1.25 * number), repr(y - 0.5 * number), names[number % 5]] for number in range(size)]
    quoting, ends, encoding, mark = draw(st.sampled_from(WAYS))
    header = [*draw(st.sampled_from(HEADERS))]
    columns = spoil(draw, fault, rows, header)
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=mark, quoting=quoting, lineterminator=ends).writerows([header, *rows] if header else rows)
    text = stream.getvalue().replace(PLACEHOLDER, draw(st.sampled_from(['"a"b', '"a" "'])) if fault == "unquoted" else "")
    content = text.encode(encoding if fault != "binary" else "utf-8")
    if fault == "binary":
        place = draw(st.integers(1, len(content)))
        content = content[:place] + b"\xff" + draw(st.binary(max_size=9)) + content[place:]
    has = [encoding in MARKED, quoting == csv.QUOTE_ALL, header, not header, *(mark == each for each in ",;\t")]
    return File(content, columns, tuple(trait for trait, true in zip(TRAITS, has, strict=True) if true))


def spoil(draw, fault, rows, header):
    """Put a fault into the rows of a table, and return the columns to ask for."""
    row, column = draw(st.tuples(st.integers(0, len(rows) - 1), st.integers(0, 1)))
    if fault in CELL or fault == "unquoted":
        rows[row][column] = draw(st.sampled_from(CELL.get(fault, [PLACEHOLDER])))
    elif fault in ("no name", "long name"):
        rows[row][2] = "" if fault == "no name" else "a" * draw(st.sampled_from([41, 99, 20_000]))
    elif fault == "ragged":
        rows[row] = rows[row][:2] if row and column else rows[row] + ["1"] * draw(st.sampled_from([1, 200]))
    for number, cells in enumerate(rows):
        if fault.endswith(("category", "categories")):
            cells[2] = "a" if fault == "one category" else f"kind {number}"
        elif fault == "constant":
            cells[column] = "7"
    for cells in [header, *rows]:
        if fault == "narrow":
            del cells[1 + column :]
    if fault in ("no column", "same column"):
        header.clear()
    asked = {"no column": ["none", "column 9", "<b>", "a" * 10_000], "same column": ["column 1", "column 3"]}.get(fault, [""])
    return Columns(*[draw(st.sampled_from(asked))] * (2 if fault == "same column" else 1))


cells = st.sampled_from([*chain(*CELL.values(), *NAMES.values()), '"a', "\ufeff", "sep=;"]) | st.text(max_size=5)
lines = st.lists(st.lists(cells, max_size=4).map(",".join), max_size=4).map("\n".join)
rubbish = (lines | st.text(max_size=50)).map(str.encode) | st.binary(max_size=50)
scalings = st.sampled_from(sorted(SCALINGS))


def examples(number):
    return settings(max_examples=number, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_table_with_a_fault_is_refused_in_a_sentence_that_names_it(fault):
    seen = set()

    @examples(80)  # x 16 faults: 1,280
    @given(tables(fault, sorted({*NAMES} - {"numbers"})), scalings)
    def check(file, scaling):
        found = outcome(file.content, file.columns, scaling)
        assert re.search(REFUSALS[fault], str(found))
        assert is_sentence(found)
        seen.add(file)

    check()
    assert len(seen) >= OFTEN


@pytest.mark.parametrize("names", NAMES)
def test_a_table_without_a_fault_is_trained_on_however_it_is_written(names):
    seen = set()

    @examples(70)  # x 6 kinds of names: 420
    @given(tables("", [names]), scalings)
    def check(file, scaling):
        assert outcome(file.content, file.columns, scaling).trial == 2
        seen.add(file)

    check()
    counted = Counter(chain(*(file.traits for file in seen)))
    assert len(seen) >= OFTEN
    assert {trait for trait in TRAITS if counted[trait] < OFTEN / len(NAMES)} == set()


@examples(300)
@given(rubbish, scalings)
def test_whatever_is_in_a_file_a_run_of_it_begins_or_a_sentence_says_what_is_wrong(content, scaling):
    found = outcome(content, Columns(), scaling)
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


contents = rubbish | st.sampled_from([*REFUSALS, *[""] * 9]).flatmap(lambda f: tables(f, ["plain"])).map(lambda f: f.content)


@settings(examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=contents)
def test_whatever_is_uploaded_the_page_trains_and_a_faulty_file_ends_nothing(content, filed, logged):
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
    assert logged == []


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
