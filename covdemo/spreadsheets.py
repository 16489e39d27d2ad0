"""Tables for download: CSV in which no cell of text is a formula to a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = "=+-@＝＋－＠"  # the wide ones count in East Asian versions
_SKIPPED = "\t\r\n"  # what a spreadsheet may skip at the beginning of a cell
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def write(rows: Iterable[Sequence[object]]) -> str:
    """Return rows of cells as CSV by RFC 4180, every text defused; numbers stay as they are."""
    text = io.StringIO()
    csv.writer(text).writerows([defuse(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue()


def defuse(cell: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with an apostrophe before it where one might.

    Different texts stay different. A text that is a plain number stays one. Source: OWASP, "CSV Injection".
    """
    bare = cell.lstrip("'")
    visible = next((sign for sign in bare if sign.isprintable() and not sign.isspace()), "")
    suspect = bare.startswith(tuple(_SKIPPED)) or (visible and visible in _FORMULA)
    return f"'{cell}" if suspect and not _NUMBER.fullmatch(cell) else cell
