"""Tables of figures in the pages of ``docs``, between two comments that name the command they come from."""

from collections.abc import Sequence
from pathlib import Path

import checkout

DOCS = checkout.ROOT / "docs"


def table(*rows: Sequence[str]) -> str:
    """Return a table, of which the first row is the head."""
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, f"|{'---|' * len(rows[0])}", *body])


def part(page: Path, name: str) -> str:
    """Return what stands between the two comments of a name.

    Raises:
        ValueError: if they are not there.
    """
    return _split(page, name)[1]


def put(page: Path, name: str, content: str) -> None:
    """Write ``content`` between the two comments of a name.

    Raises:
        ValueError: if they are not there.
    """
    before, _, after = _split(page, name)
    page.write_text(f"{before}{content}{after}")


def _split(page: Path, name: str) -> tuple[str, str, str]:
    first, last = f"<!-- {name} -->\n\n", f"\n\n<!-- end of {name} -->"
    before, begun, rest = page.read_text().partition(first)
    content, ended, after = rest.partition(last)
    if not (begun and ended):
        raise ValueError(f"expected {first.strip()} and {last.strip()} in {page.name}")
    return before + begun, content, ended + after
