"""The failure log: a table, a filter by kind, a download."""

from collections.abc import Sequence

import streamlit as st

from covdemo import takeaway
from covdemo.failures import Failure

_EMPTY = (
    "No failure yet. A row appears here for every distribution that PyTorch would refuse after an update: trial, epoch, "
    "category, kind, PyTorch's message, the matrix, its eigenvalues and what was done."
)
_DOWNLOAD = "A line for each failure that is shown, with all digits."


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
    table = [dict(zip(takeaway.LOG_COLUMNS, takeaway.log_row(failure, digits=4), strict=True)) for failure in shown]
    st.dataframe(table, hide_index=True, key="log table", alt="The failure log, one row per failure.")
    content = takeaway.log_csv(shown)
    download.download_button("Download the log as CSV", content, "failures.csv", "text/csv", on_click="ignore", help=_DOWNLOAD)
