"""The viewer's file, kept for the session, and what follows from the choice of the data."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from covdemo import limits
from covdemo.config import FIELDS, RunConfig, read, to_query
from covdemo.datafiles import Table, read_table
from covdemo.samples import start
from covdemo.sources import SOURCES, data_of, example, sample_of
from covdemo.trials import Trials
from covdemo.ui import widgets

UPLOADER = "upload"
_FILE, _DRAWN, _DATA = "file of the viewer", "drawn before", "data of the file"
_ASKS = (
    "The data of this run are in a CSV file, and an address cannot hold one: choose the file in the sidebar, under Data. "
    "Until then the data are drawn."
)
_WAITS = "The data are drawn until the file and its columns are right: see the sidebar, under Data."

# settings that follow the data: how many categories there are, what they are, and where the model starts
_FOLLOWING = [field for field in FIELDS if field.category or field.name in ("categories", "start_var")]
_EPOCHS = next(field for field in FIELDS if field.name == "epochs")


class File(NamedTuple):
    """A file as it was taken: its table, or else what is wrong with it."""

    table: Table | None
    fault: str = ""


class Data(NamedTuple):
    """The data of a run.

    Attributes:
        trials: None where the configuration alone says what they are.
        fault: what is wrong with the file; empty if nothing is, or there is none.
        notice: what a viewer should know whose sidebar is folded away; empty if nothing.
    """

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
    """Return the data of a run; drawn ones where its file is missing or does not fit. The same objects for equal questions."""
    if not SOURCES[config.source].uploaded:
        return Data()
    known, file, found = st.session_state.get(_DATA, (None, None, Data()))
    if known != config or file is not _file():
        found = _read_data(config)
        st.session_state[_DATA] = (config, _file(), found)
    return found


def _read_data(config: RunConfig) -> Data:
    file = _file()
    if file.table is None:
        return Data(data_of(config), file.fault, _WAITS if file.fault else _ASKS)
    try:
        return Data(data_of(config, file.table))
    except ValueError as error:
        return Data(data_of(config), str(error), _WAITS)


def _file() -> File:
    kept: File = st.session_state.setdefault(_FILE, File(None))
    return kept


def take() -> None:
    """Read the file that was just chosen, or forget the one that was taken away."""
    chosen = st.session_state[UPLOADER]
    st.session_state[_FILE] = File(None) if chosen is None else _read_file(chosen.getvalue())
    follow()


def _read_file(content: bytes) -> File:
    try:
        return File(read_table(content))
    except ValueError as error:
        return File(None, str(error))


def change_source() -> None:
    """Let the settings follow another source; those of drawn data are kept for when they are drawn again."""
    before: RunConfig = st.session_state["player"].run.config
    if SOURCES[before.source].drawn:
        st.session_state[_DRAWN] = {
            field.url: field.text(before) for field in _FOLLOWING if (field.category or 0) <= before.categories
        }
    follow()


def follow() -> None:
    """Let the settings that depend on the data follow a change of source, file, columns or scale."""
    config, _ = read(_without_following(widgets.given()))
    if SOURCES[config.source].drawn:
        config, _ = read(to_query(config) | st.session_state.get(_DRAWN, {}))
    _fill(_fitted(config))


def _without_following(query: Mapping[str, str]) -> dict[str, str]:
    following = {field.url for field in _FOLLOWING}
    return {name: text for name, text in query.items() if name not in following}


def _fill(config: RunConfig) -> None:
    """Fill the widgets that follow the data; the others keep even what is wrong with them."""
    widgets.fill(config, [*_FOLLOWING, _EPOCHS])


def fit(config: RunConfig, trials: Trials | None) -> bool:
    """Bring the widgets in line with data that have another number of categories; return whether that was necessary."""
    wrong = trials is not None and trials.moments is not None and trials.categories != config.categories
    if wrong:
        _fill(_fitted(config))
    return wrong


def _fitted(config: RunConfig) -> RunConfig:
    """Return the configuration with categories, start and epochs that suit the viewer's file, if there is one that fits."""
    mine = table(config) if SOURCES[config.source].uploaded else None
    if mine is None:
        return config
    try:
        points = sample_of(config, mine)
    except ValueError:
        return config
    config, _ = read(_without_following(to_query(config)) | {"categories": str(len(points.names))})
    return replace(config, **start(points), epochs=max(1, min(config.epochs, limits.TRIALS // len(points.x))))
