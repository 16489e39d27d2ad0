"""Tables for download: CSV in which no cell of text is a formula to a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = "=+-@＝＋－＠"  # the wide ones count in East Asian versions
_SKIPPED = ("\t", "\r", "\n")  # what a spreadsheet may skip at the beginning of a cell
_LATER = re.compile(r"(?<=[;\t\r\n])[^;\t\r\n]+")  # a part of a cell that may be taken for one, but for the first
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def write(rows: Iterable[Sequence[object]]) -> str:
    """Return rows of cells as CSV by RFC 4180, every text defused; numbers stay as they are."""
    text = io.StringIO()
    csv.writer(text).writerows([defuse(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue()


def defuse(cell: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with an apostrophe before it where one might.

    So is every part that a spreadsheet would take for a cell if it separated them by semicolon or tab, or saw no quotes around
    the end of a line. Different texts stay different. A text that is a plain number stays one. Source: OWASP, "CSV Injection".
    """
    before = "'" if cell.lstrip("'").startswith(_SKIPPED) or _is_formula(cell) else ""
    return before + _LATER.sub(lambda part: f"'{part[0]}" if _is_formula(part[0]) else part[0], cell)


def _is_formula(text: str) -> bool:
    bare = text.lstrip("'")
    visible = next((sign for sign in bare if sign.isprintable() and not sign.isspace()), "")
    return bool(visible) and visible in _FORMULA and not _NUMBER.fullmatch(text)
