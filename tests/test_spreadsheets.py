import ast
import csv
import io
import itertools
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from covdemo.spreadsheets import defuse, write

PACKAGE = Path(__file__).parent.parent / "covdemo"
FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    " =1+1",
    "\x00=1+1",
    "\u200b=1+1",
    "＝1+1",
    "-inf",
    "-",
    "=-1",
]


@pytest.mark.parametrize("cell", FORMULAS)
def test_what_looks_like_a_formula_begins_with_an_apostrophe(cell):
    assert defuse(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-1", "+49", "-.5", "-1e-05", "-3.", "0", "setosa", "a=1", "'70s", "", "nan", "1-2", "é"])
def test_plain_numbers_and_other_texts_stay_as_they_are(cell):
    assert defuse(cell) == cell


@pytest.mark.parametrize(
    ("cell", "harmless"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a\t@SUM(A1)", "a\t'@SUM(A1)"),
        ("a\n\u200b=1", "a\n'\u200b=1"),
        ("\t=1+1", "'\t'=1+1"),
        ("=1;+a;-2;b", "'=1;'+a;-2;b"),
    ],
    ids=range(5),
)
def test_what_a_spreadsheet_with_another_separator_would_take_for_a_cell_is_no_formula(cell, harmless):
    assert defuse(cell) == harmless


pieces = st.lists(st.sampled_from([*";\t\n'=-1", "a"]), max_size=6).map("".join)


@given(st.lists(st.tuples(pieces, pieces), max_size=4), st.sampled_from(";\t,"))
def test_no_reader_finds_a_formula_in_a_table_whatever_it_separates_cells_by(rows, separator):
    cells = itertools.chain.from_iterable(csv.reader(io.StringIO(write(rows), newline=""), delimiter=separator))
    assert [cell for cell in cells if cell.startswith("=")] == []


@given(st.text() | pieces, st.text() | pieces)
def test_different_texts_stay_different(one, other):
    assume(one != other)
    assert defuse(one) != defuse(other)


@given(st.text(), st.integers(0, 3))
def test_a_text_that_begins_with_apostrophes_is_told_from_a_defused_one(text, count):
    assert defuse("'" * (count + 1) + text) != defuse("'" * count + text)


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2)))
def test_every_cell_is_read_back_defused(rows):
    assert list(csv.reader(io.StringIO(write(rows), newline=""))) == [[defuse(cell) for cell in row] for row in rows]


def test_numbers_stay_numbers():
    assert write([(-1, -0.5, "x", True)]) == "-1,-0.5,x,True\r\n"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_tables_are_written_in_one_place(path):
    names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert path.name == "spreadsheets.py" or not names & {"writer", "DictWriter", "to_csv", "savetxt"}
