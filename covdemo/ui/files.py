"""The viewer's file, kept for the session, and what follows from the choice of the data."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from covdemo import limits
from covdemo.config import BY_NAME, FIELDS, RunConfig, read, to_query
from covdemo.constraints import COLUMNS
from covdemo.datafiles import Table, read_table
from covdemo.samples import Sample, start
from covdemo.sources import SOURCES, data_of, example, sample_of
from covdemo.trials import Trials
from covdemo.ui import session, widgets

UPLOADER = "upload"
_FILE, _DRAWN, _DATA = "file of the viewer", "drawn before", "data of the file"
_RIGHT = "last that was right"  # a table, and the settings that fitted it
_ASKS = (
    "The data of this run are in a CSV file, and an address cannot hold one: choose the file in the sidebar, under Data. "
    "Until then the data are drawn."
)
_WAITS = "The data are drawn until the file and its columns are right: see the sidebar, under Data."
_STAYS = "The data are still the last ones that were right: see the sidebar, under Data."

# settings that follow the data: how many categories there are, what they are, and where the model starts
_FOLLOWING = [field for field in FIELDS if field.category or field.name in ("categories", "start_var")]
_EPOCHS = BY_NAME["epochs"]


class File(NamedTuple):
    """The viewer's file.

    Attributes:
        table: of the last file that was one; None before.
        fault: why a later one is none; empty if there is none such.
    """

    table: Table | None
    fault: str = ""


class Data(NamedTuple):
    """The data of a run.

    Attributes:
        config: the settings; with columns and epochs of the last data that were right where those asked for are not.
        trials: None where the configuration alone says what they are.
        fault: what is wrong with the file; empty if nothing is, or there is none.
        notice: what a viewer should know whose sidebar is folded away; empty if nothing.
    """

    config: RunConfig
    trials: Trials | None = None
    fault: str = ""
    notice: str = ""


def table(config: RunConfig) -> Table | None:
    """Return the table that the data come from; None where they are drawn or there is no file."""
    source = SOURCES[config.source]
    if source.file:
        return example(config.source)
    return _file().table if source.uploaded else None


def data(config: RunConfig) -> Data:
    """Return the data of a run; the last ones where its file does not fit, drawn ones where there are none.

    The same objects for equal questions.
    """
    if not SOURCES[config.source].uploaded:
        return Data(config)
    known, file, found = st.session_state.get(_DATA, (None, None, None))
    if known != config or file is not _file():
        found = _read_data(config)
        st.session_state[_DATA] = (config, _file(), found)
    return found


def _read_data(config: RunConfig) -> Data:
    file = _file()
    if file.table is None:
        return Data(config, _drawn(config), file.fault, _WAITS if file.fault else _ASKS)
    try:
        trials = data_of(config, file.table)
    except ValueError as error:
        return _last_data(config, str(error))
    st.session_state[_RIGHT] = (file.table, config)
    return Data(config, trials, file.fault, _STAYS if file.fault else "")


def _last_data(config: RunConfig, fault: str) -> Data:
    """Return the data of the last table, columns and epochs that were right, in an order of their own seed."""
    table, right = st.session_state.get(_RIGHT, (None, config))
    if table is None:
        return Data(config, _drawn(config), fault, _WAITS)
    epochs = config.epochs if config.epochs * len(table.rows) <= limits.TRIALS else right.epochs
    config = replace(config, epochs=epochs, **{name: getattr(right, name) for name in COLUMNS})
    return Data(config, data_of(config, table), fault, _STAYS)


def _drawn(config: RunConfig) -> Trials:
    """Return data that stand in for those of a file, which may have fewer points and be shown more often."""
    return data_of(replace(config, epochs=min(config.epochs, limits.TRIALS // (config.points * config.categories))))


def _file() -> File:
    kept: File = st.session_state.setdefault(_FILE, File(None))
    return kept


def take() -> None:
    """Read the file that was just chosen, or forget the one that was taken away; a faulty one leaves all as it was."""
    chosen, before, right = st.session_state[UPLOADER], _file(), st.session_state.get(_RIGHT, (None,))[0]
    st.session_state[_FILE] = after = _taken_away(before, right) if chosen is None else _read_file(chosen.getvalue(), before)
    if after.table is not before.table and after.table is not right:
        follow()


def _taken_away(file: File, right: Table | None) -> File:
    """Return what is left without the file that was chosen last: the one before where it was faulty, else nothing."""
    if file.fault or file.table is not right:
        return File(right)
    st.session_state.pop(_RIGHT, None)
    return File(None)


def _read_file(content: bytes, before: File) -> File:
    try:
        return File(read_table(content))
    except ValueError as error:
        return before._replace(fault=str(error))


def change_source() -> None:
    """Let the settings follow another source; those of drawn data are kept for when they are drawn again."""
    before = session.config() or RunConfig()
    if SOURCES[before.source].drawn:
        st.session_state[_DRAWN] = {
            field.url: field.text(before) for field in _FOLLOWING if (field.category or 0) <= before.categories
        }
    follow()


def follow() -> None:
    """Let the settings that depend on the data follow a change of source, file, columns or scale, unless that is wrong."""
    before = session.config() or RunConfig()
    config, problems = read(_without_following(widgets.given()))
    if config.source == before.source and any(problem.field in COLUMNS for problem in problems):
        return
    if SOURCES[config.source].drawn:
        config, _ = read(to_query(config) | st.session_state.get(_DRAWN, {}))
    mine = table(config) if SOURCES[config.source].uploaded else None
    try:
        _fill(_suiting(config, sample_of(config, mine)) if mine else config)
    except ValueError:
        if not SOURCES[before.source].uploaded:
            _fill(config)


def _without_following(query: Mapping[str, str]) -> dict[str, str]:
    following = {field.url for field in _FOLLOWING}
    return {name: text for name, text in query.items() if name not in following}


def _fill(config: RunConfig) -> None:
    """Fill the widgets that follow the data; the others keep even what is wrong with them."""
    widgets.fill(config, [*_FOLLOWING, _EPOCHS])


def fit(data: Data) -> bool:
    """Bring the widgets in line with data that have another number of categories; return whether that was necessary."""
    trials = data.trials
    if trials is None or trials.moments is None or trials.categories == data.config.categories:
        return False
    _fill(_suiting(data.config, Sample(trials.x, trials.label, trials.names)))
    return True


def _suiting(config: RunConfig, points: Sample) -> RunConfig:
    """Return the configuration with categories, start and epochs that suit the points of a file."""
    config, _ = read(_without_following(to_query(config)) | {"categories": str(len(points.names))})
    return replace(config, **start(points), epochs=max(1, min(config.epochs, limits.TRIALS // len(points.x))))
