"""The part of the sidebar about data from tables: file, preview, columns, credit, and the sample's own distributions."""

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from covdemo import limits
from covdemo.config import RunConfig
from covdemo.datafiles import Table
from covdemo.fields import Field
from covdemo.fields import show as number
from covdemo.samples import FLOOR, Columns, guess
from covdemo.sources import SOURCES, content
from covdemo.trials import Trials, to_csv
from covdemo.ui import files, widgets

_PREVIEW = 5  # rows
_WRITTEN = "points as CSV"
_FORMAT = (
    "Lines of x, y and category, 2 to 5 categories; cells separated by comma, semicolon or tab, the first line may name "
    f"them. At most {limits.CSV_BYTES // 10**6} MB. The file stays on this page: an address cannot hold it."
)
_SAMPLE = "Mean and covariance matrix of each category in the data, divided by N: what maximum likelihood would find."
_RAISED = (
    "The covariance matrix of {names} is singular, because it has too few points or because they lie on a line: in every "
    f"direction it gets at least {math.sqrt(FLOOR):.1%} of the standard deviation of all points."
)


def draw(config: RunConfig, fault: str) -> None:
    """Draw what belongs to the source: the uploader and what is wrong with its file, or the credit; samples and first rows."""
    source = SOURCES[config.source]
    if source.file:
        st.caption(source.credit)
    elif source.uploaded:
        st.file_uploader(
            "CSV file", type=["csv", "tsv", "txt"], key=files.UPLOADER, on_change=files.take, help="Lines of x, y and category."
        )
        if fault:
            st.error(f"{fault[:1].upper()}{fault[1:]}.")
        st.caption(_FORMAT)
    if not source.drawn:
        _samples([config.source] if source.file else [key for key, row in SOURCES.items() if row.file])
    table = files.table(config)
    if table is not None:
        _preview(table)


def _samples(keys: Sequence[str]) -> None:
    """Draw a button for each example's file."""
    with st.container(horizontal=True):
        for name, key in ((SOURCES[key].file, key) for key in keys):
            label, icon = f"Download {name}", ":material/download:"
            st.download_button(
                name, content(key), name, "text/csv", key=label, icon=icon, type="tertiary", help=f"{label}.", on_click="ignore"
            )


def _preview(table: Table) -> None:
    rows = table.rows[:_PREVIEW]
    st.caption(f"The first {len(rows)} of {len(table.rows):,} rows:")
    cells = {name: [row[place] for row in rows] for place, name in enumerate(table.columns)}
    st.dataframe(cells, hide_index=True, key="preview", alt="The first rows of the table.")


def column(field: Field, config: RunConfig, table: Table) -> None:
    """Draw the choice of a column; the one that would be used anyway stands for "", so that it needs no place in an address."""
    place = ("column_x", "column_y", "column_category").index(field.name)
    usual = _usual(config, table)[place]
    key = widgets.key(field)
    kept = st.session_state.setdefault(key, field.get(config))
    if kept == usual:
        st.session_state[key] = kept = ""
    options = ["" if name == usual else name for name in table.columns]
    unknown = [] if kept in options else [kept]
    st.selectbox(
        field.label,
        [*options, *unknown],
        key=key,
        format_func=lambda name: name or usual,
        help=field.help,
        on_change=files.follow,
    )


def _usual(config: RunConfig, table: Table) -> Columns:
    return Columns(*(suits or guessed for suits, guessed in zip(SOURCES[config.source].columns, guess(table), strict=True)))


def moments(trials: Trials) -> None:
    """Draw the sample's own distributions in numbers."""
    known = trials.moments
    if known is None:
        return
    st.caption(_SAMPLE)
    spread = known.covariances
    columns = [np.bincount(trials.label), *known.means.T, spread[:, 0, 0], spread[:, 1, 1], spread[:, 0, 1]]
    titles = ("points", "mean, x", "mean, y", "variance, x", "variance, y", "covariance")
    cells = {
        f"{k}: {name}": [number(float(value)) for value in column]
        for k, (name, *column) in enumerate(zip(trials.names, *columns, strict=True), start=1)
    }
    st.dataframe({"": titles, **cells}, hide_index=True, key="moments", alt="Mean and covariance of each category.")
    if known.raised:
        st.info(raised(trials))


def raised(trials: Trials) -> str:
    """Say which categories have a singular covariance matrix; empty if none has."""
    which = trials.moments.raised if trials.moments else ()
    return _RAISED.format(names=", ".join(f"category {k + 1}" for k in which)) if which else ""


def download(trials: Trials) -> None:
    """Draw a button for the points of the run, as they are trained on."""
    st.download_button(
        "points.csv",
        points_csv(trials),
        "points.csv",
        "text/csv",
        key="download points",
        type="tertiary",
        on_click="ignore",
        icon=":material/download:",
        help="Download the points as the model sees them: lines of x, y and category.",
    )


def points_csv(trials: Trials) -> str:
    """Return the points as CSV, kept for the session; the page is drawn again and again while it trains."""
    written, text = st.session_state.get(_WRITTEN, (None, ""))
    if written is not trials:
        text = to_csv(trials)
        st.session_state[_WRITTEN] = (trials, text)
    return text
