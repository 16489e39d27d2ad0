"""Tables of text from outside: lines of cells separated by comma, semicolon or tab, with or without a header."""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from covdemo import limits
from covdemo.fields import parse_number, quote


@dataclass(frozen=True, eq=False)
class Table:
    """Cells of text.

    Attributes:
        columns: their names, no two equal; "column 1" and so on where there is no header.
        rows: cells, as many in each row as there are columns.
        lines: number of the line that each row ends on, from 1.
        decimal_comma: whether numbers may have one, because cells are not separated by it.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    decimal_comma: bool = False

    def cells(self, column: str) -> list[str]:
        """Return one column."""
        place = self.columns.index(column)
        return [row[place] for row in self.rows]

    def number(self, cell: str) -> float:
        """Return the number that a cell stands for; NaN where there is none."""
        return _number(cell, self.decimal_comma)


def read_table(content: str | bytes) -> Table:
    """Read a table from text, or from the content of a file in UTF-8 or UTF-16.

    Raises:
        ValueError: with the number of the line, if the text is no table of at least three columns.
    """
    text = _decode(content)
    separator = _separator(text)
    numbered = _gather(_rows(_NAMED.sub("", text), separator))
    decimal_comma = separator != ","
    columns = _header(numbered[0][1], decimal_comma)
    body = numbered[1:] if columns else numbered
    columns = columns or _names([""] * len(numbered[0][1]))
    return Table(columns, tuple(tuple(cells) for _, cells in body), tuple(line for line, _ in body), decimal_comma)


def _decode(content: str | bytes) -> str:
    if len(content) > limits.CSV_BYTES:
        raise ValueError(f"expected at most {limits.CSV_BYTES // 10**6} MB, got {len(content) / 1e6:.1f} MB")
    if isinstance(content, bytes):
        encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
        try:
            content = content.decode(encoding)
        except UnicodeDecodeError:
            raise ValueError("expected text in UTF-8, got something else; save the table as CSV UTF-8") from None
    return content.removeprefix("\ufeff")


_NAMED = re.compile(r'\A\s*"?sep=([,;\t])"? *(?=[\r\n])', re.IGNORECASE)  # how a spreadsheet may name the separator


def _separator(text: str) -> str:
    """Return what separates cells: what the first line names, or has outside quotes."""
    if named := _NAMED.match(text):
        return named[1]
    first = re.sub(r'"[^"]*"?', "", text.lstrip().partition("\n")[0])
    return next((mark for mark in "\t;," if mark in first), ",")


def _rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        reason = str(error).replace("'\t'", "a tab")
        raise ValueError(f"line {reader.line_num} is not a row of a table: {reason}") from None


def _number(cell: str, decimal_comma: bool) -> float:
    return parse_number(cell.replace(",", ".") if decimal_comma else cell)


def _header(cells: Sequence[str], decimal_comma: bool) -> tuple[str, ...]:
    """Return the names in a header; none if the line is no header, because a cell is a number or most are empty."""
    words = [cell for cell in cells if cell and not _is_number(cell, decimal_comma)]
    return _names(cells) if len(words) > 1 and len(words) == sum(map(bool, cells)) else ()


_MISSING = ("nan", "na", "n/a", "null", "none", "-", "?")  # what stands for a number that nobody knows


def _is_number(cell: str, decimal_comma: bool) -> bool:
    return cell.lower() in _MISSING or (number := _number(cell, decimal_comma)) == number


def _names(cells: Sequence[str]) -> tuple[str, ...]:
    """Return printable names of columns, no two equal."""
    names: list[str] = []
    for place, cell in enumerate(cells, start=1):
        name = "".join(filter(str.isprintable, cell))[: limits.NAME].strip() or f"column {place}"
        numbered = (f"{name[: limits.NAME - 6]} ({number})" for number in itertools.count(place))
        names.append(next(free for free in itertools.chain([name], numbered) if free not in names))
    return tuple(names)


def _gather(rows: Iterator[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Return all rows of a table, as long as it is one and not too large."""
    first = next(rows, None)
    if first is None:
        raise ValueError("expected lines of x, y and category, got an empty table")
    numbered, width = [first], _width(*first)
    most = limits.CELLS // width  # beside the first, which may be the header
    for line, cells in rows:
        if len(numbered) > most:
            raise ValueError(f"expected at most {most:,} rows of {width} columns, got more")
        if len(cells) != width:
            raise ValueError(f"line {line}: expected {width} cells, as many as in line {first[0]}, got {len(cells)}")
        numbered.append((line, cells))
    return numbered


def _width(line: int, cells: Sequence[str]) -> int:
    if len(cells) < 3:
        raise ValueError(f"line {line}: expected at least three columns, x, y and category, got {len(cells)}")
    if len(cells) > limits.COLUMNS:
        raise ValueError(f"line {line}: expected at most {limits.COLUMNS} columns, got {len(cells):,}")
    return len(cells)


def complaint(faults: Sequence[tuple[int, str]]) -> str:
    """Return the first faults, in the order of their lines, as one sentence that says how many lines more there are."""
    first = sorted(faults)[:_TOLD]
    lines_left = len({line for line, _ in faults} - {line for line, _ in first})
    more = f"; and {lines_left:,} line{'s' * (lines_left > 1)} more" if lines_left else ""
    return "; ".join(f"line {line}: {fault}" for line, fault in first) + more


_TOLD = 3  # faults that are worth reading before the file is mended


def not_a_number(column: str, cell: str) -> str:
    """Say what is expected of a coordinate."""
    return f"expected for {quote(column)} a number from -1e6 to 1e6, got {quote(cell)}"
