"""The failure log: a table, a filter by kind, a download."""

from collections.abc import Sequence

import streamlit as st

from covdemo import spreadsheets
from covdemo.failures import Failure

_EMPTY = (
    "No failure yet. A row appears here for every update after which PyTorch would refuse a distribution: trial, epoch, "
    "category, kind, PyTorch's message, the matrix, its eigenvalues and what was done."
)


def show(failures: Sequence[Failure], total: int) -> None:
    """Draw the log, which holds the first of ``total`` failures."""
    st.markdown("##### Failures")
    if total > len(failures):
        st.caption(f"The first {len(failures):,} of {total:,}.")
    if not failures:
        st.caption(_EMPTY)
        return
    kinds = sorted({failure.kind.value for failure in failures})
    pick, download = st.columns([3, 1], vertical_alignment="bottom")
    chosen = pick.pills("Show", kinds, selection_mode="multi", key="log kinds", help="Kinds of failure; none chosen shows all.")
    shown = [failure for failure in failures if not chosen or failure.kind.value in chosen]
    table, file = ([row(failure, digits) for failure in shown] for digits in (4, 17))
    st.dataframe(table, hide_index=True, key="log table", alt="The failure log, one row per failure.")
    download.download_button("Download the log as CSV", as_csv(file), "failures.csv", "text/csv", on_click="ignore")


def row(failure: Failure, digits: int) -> dict[str, object]:
    """Return a failure as a row of the table, its matrix and eigenvalues as text with so many digits."""
    return {
        "trial": failure.trial,
        "epoch": failure.epoch + 1,
        "category": failure.category,
        "kind": failure.kind.value,
        "lr_cov": failure.rate,
        "room": failure.room,
        "eigenvalues": _numbers(failure.eigenvalues, digits),
        "matrix": "; ".join(_numbers(line, digits) for line in failure.matrix),
        "done": failure.action,
        "PyTorch's message": failure.message,
    }


def _numbers(values: Sequence[float], digits: int) -> str:
    return ", ".join(f"{value:.{digits}g}" for value in values)


def as_csv(rows: Sequence[dict[str, object]]) -> str:
    """Return rows as CSV with a header."""
    return spreadsheets.write([list(rows[0]) if rows else [], *(list(line.values()) for line in rows)])
