import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covdemo import limits
from covdemo.datafiles import Table, complaint, read_table

HEADED = ("width", "height", "kind")
BARE = ("column 1", "column 2", "column 3")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("1.5,2,a\n3,4,b\n", BARE),
        ("width,height,kind\n1.5,2,a\n3,4,b", HEADED),
        ("1.5;2;a\n3;4;b\n", BARE),
        ("1,5;2;a\n3;4;b\n", BARE),
        ("1.5\t2\ta\n3\t4\tb\n", BARE),
        ('"1.5","2","a"\r\n"3","4","b"\r\n', BARE),
        ("\n1.5, 2, a\n\n ,,\n3, 4, b\n\n", BARE),
        (b"\xef\xbb\xbfwidth,height,kind\n1.5,2,a\n3,4,b\n", HEADED),
        ("1.5,2,a\n3,4,b\n".encode("utf-16"), BARE),
        ("\ufeff1.5,2,a\n3,4,b\n", BARE),
        ("1.5,2,a\r3,4,b\r", BARE),
    ],
    ids=range(11),
)
def test_a_table_may_be_written_in_many_ways(text, columns):
    table = read_table(text)
    numbers = [[table.number(cell) for cell in row[:2]] for row in table.rows]
    assert (table.columns, numbers, table.cells(columns[2])) == (columns, [[1.5, 2], [3, 4]], ["a", "b"])


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=; "])
def test_a_first_line_may_name_the_separator_as_that_of_a_spreadsheet_does(first):
    table = read_table(f"{first}\r\nwidth, of all;height;kind\r\n1,5;2;a\r\n")
    assert (table.columns, table.rows, table.lines) == (("width, of all", "height", "kind"), (("1,5", "2", "a"),), (3,))


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_mark_within_quotes_separates_nothing(mark):
    header = ("width{mark} cm", 'a "b{mark}"', "kind")
    quoted = ",".join('"' + name.format(mark=mark).replace('"', '""') + '"' for name in header)
    assert read_table(f"{quoted}\n1,2,a\n").rows == (("1", "2", "a"),)


def test_rows_know_their_lines():
    assert read_table("x,y,category\n1,2,a\n\n3,4,b\n").lines == (2, 4)


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("x,x,x", ("x", "x (2)", "x (3)")),
        (",x,y,kind", ("column 1", "x", "y", "kind")),
        ("a\x00b,\u202ec,d", ("ab", "c", "d")),
        ("a" * 50 + "," + "a" * 50 + ",b", ("a" * 40, "a" * 34 + " (2)", "b")),
        ("u,u (3),u,v", ("u", "u (3)", "u (4)", "v")),
        ("u,u,u (2)", ("u", "u (2)", "u (2) (3)")),
        ("column 3,x,", ("column 3", "x", "column 3 (3)")),
    ],
    ids=["equal", "without a name", "not printable", "long", "taken", "taken before", "like one without a name"],
)
def test_every_column_gets_a_name_of_its_own(header, columns):
    assert read_table(f"{header}\n" + ",".join("1" * len(columns))).columns == columns


@pytest.mark.parametrize("line", ["a,2,3", "nan,b,c", ",,c", "NA,NA,Adelie", "n/a,NULL,None", "-,?,b"])
def test_a_line_with_a_number_or_with_little_else_is_no_header(line):
    assert read_table(f"{line}\n1,2,3\n").columns == BARE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "got an empty table"),
        (" \n,,\n", "got an empty table"),
        ("1,2\n3,4\n", "line 1: expected at least three columns, x, y and category, got 2"),
        ("x y category\n", "line 1: expected at least three columns, x, y and category, got 1"),
        ("1,2,a\n3,4\n", "line 2: expected 3 cells, as many as in line 1, got 2"),
        ("x,y,category\n1,2,a\n\n3,4,b,5\n", "line 4: expected 3 cells, as many as in line 1, got 4"),
        ('1,2,a\n3,4,"b\n', "line 2 is not a row of a table"),
        ('1\t2\t"a"b', "line 1 is not a row of a table: a tab expected after"),
        ("1,2," + "b" * 200_000, "line 1 is not a row of a table"),
        (b"\x80\x81\xfe", "expected text in UTF-8, got something else; save the table as CSV UTF-8"),
        (b"\xff\xfe\x00", "expected text in UTF-8"),
        (b"0" * 50_000_000, "expected at most 5 MB, got 50.0 MB"),
    ],
    ids=range(12),
)
def test_what_is_no_table_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        read_table(text)


def written(rows, delimiter):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue()


numbers = st.floats(limits.MEAN.low, limits.MEAN.high)
words = st.text(st.characters(categories=("L",)), min_size=1, max_size=limits.NAME)


@given(st.lists(st.tuples(numbers, numbers, words), min_size=1, max_size=20), st.sampled_from(",;\t"))
def test_a_table_that_was_written_is_read_back(rows, delimiter):
    table = read_table(written(rows, delimiter))
    assert [(*map(table.number, row[:2]), row[2]) for row in table.rows] == rows


@pytest.mark.parametrize(("cell", "comma", "number"), [("1,5", True, 1.5), ("1.5", True, 1.5), ("1e3", False, 1000)])
def test_a_number_may_have_a_decimal_comma_where_cells_are_not_separated_by_it(cell, comma, number):
    assert Table((), (), (), comma).number(cell) == number


@pytest.mark.parametrize("cell", ["", "a", "1,5", "1.000,5", "1_000"])
def test_a_cell_without_a_number_is_nan(cell):
    assert math.isnan(Table((), (), ()).number(cell))


cells = st.sampled_from([",", ";", "\t", "\n", "\r", '"', "1", "-.5", "a", "nan", "\x00", "=", "\ufeff", "é"])


@given(st.binary() | st.text() | st.text(st.characters()) | st.lists(cells, max_size=40).map("".join))
def test_whatever_is_read_ends_in_a_rectangle_or_a_sentence(content):
    found = outcome(content)
    assert isinstance(found, str) or {len(row) for row in found.rows} <= {len(found.columns)}


def outcome(content):
    try:
        return read_table(content)
    except ValueError as error:
        return str(error)


def test_a_complaint_names_the_first_lines_and_counts_the_others():
    faults = [(line, f"fault {line}") for line in (9, 3, 7, 7, 12, 15)]
    assert complaint(faults) == "line 3: fault 3; line 7: fault 7; line 7: fault 7; and 3 lines more"
    assert complaint([(line, "x") for line in range(4)]).endswith("; and 1 line more")
