import ast
import csv
import io
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
    "\t=1+1",
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


@given(st.text(), st.text())
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
