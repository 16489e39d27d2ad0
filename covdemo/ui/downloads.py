"""The menus on the page from which a run, a comparison and a map are taken away."""

from collections.abc import Callable
from functools import partial
from shlex import quote

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from covdemo import drawings, pictures, takeaway
from covdemo.config import FIELDS, RunConfig, to_query
from covdemo.run import Run
from covdemo.sources import described
from covdemo.stability import StabilityMap
from covdemo.ui.player import ComparisonPlayer, RunPlayer

_EACH = "Any figure alone as PNG: the first button of the menu that it shows at its top right under the mouse."
_MODEL = "Loads into the class Model of the script in the tab Code, and into covdemo.DistrLearner."
_HISTORY = (
    "A line for each record. Where valid is 0, the eigenvalues are of the broken matrix, means and variances still valid ones."
)
_FILES: tuple[tuple[str, str, str, Callable[[Run], str | bytes]], ...] = (
    ("Run as JSON", "run.json", "Settings, outcome, failures, and versions of what computed them.", takeaway.run_json),
    ("History as CSV", "history.csv", _HISTORY, lambda run: takeaway.history_csv(run.history)),
    ("Failures as CSV", "failures.csv", "A line for each failure.", lambda run: takeaway.log_csv(run.history.failures)),
    ("Model as state_dict", "model.pt", _MODEL, takeaway.model_file),
)
_FOLLOWING = [field.url for field in FIELDS if field.attribute.startswith("start_")]  # from the table, where it is not given
_PICTURES = "As it is now, on a white ground."


def draw(player: RunPlayer) -> None:
    """Draw the menu of a run; a file is made when it is asked for, so that a live run does not pay for it."""
    with _menu("Files of this run as it is now."):
        for name, file, text, content in _FILES:
            _button(partial(player.ask, content), name, file, text)
        _pictures(
            lambda: player.ask(lambda run: pictures.archive(drawings.figures(run))), "Figures as PNG and SVG", "figures.zip"
        )
        st.caption(_EACH)
        st.caption("The run as an animated picture, where covdemo is installed:")
        st.code(command(player.run.config), language="sh", wrap_lines=True)


def draw_comparison(player: ComparisonPlayer) -> None:
    """Draw the menu of a comparison."""
    with _menu("Files of this comparison as it is now."):
        _pictures(
            lambda: player.ask(lambda all_: pictures.archive(drawings.panels(all_))), "Panels as PNG and SVG", "panels.zip"
        )
        _button(
            partial(player.ask, takeaway.comparison_csv),
            "Table as CSV",
            "methods.csv",
            "A line for each method, with all digits.",
        )


def draw_map(found: StabilityMap, config: RunConfig) -> None:
    """Draw the menu of a map, on which the settings are marked."""
    with _menu("This map as a file."):
        for kind in pictures.KINDS:
            _pictures(partial(drawings.map_picture, found, kind, config), f"Map as {kind.upper()}", f"map.{kind}")


def _menu(text: str) -> DeltaGenerator:
    return st.popover("Take it away", icon=":material/download:", help=text)


def _pictures(made: Callable[[], bytes], name: str, file: str) -> None:
    """Draw the button of a file of pictures, or say what they need."""
    if pictures.available():
        _button(made, name, file, _PICTURES)
    else:
        st.caption(f"{name}: where this page is served, {pictures.MISSING}.")


def _button(made: Callable[[], str | bytes], name: str, file: str, text: str) -> None:
    st.download_button(name, made, file, key=f"take {file}", help=text, on_click="ignore", width="stretch")


def command(config: RunConfig) -> str:
    """Return the command that makes an animated picture of a run; a viewer's file is ``FILE.csv`` there."""
    file, follow = ([], []) if described(config) else (["--table=FILE.csv"], _FOLLOWING)
    query = to_query(config, also=follow)
    given = file + [f"{field.flag}={quote(query[field.url])}" for field in FIELDS if field.url in query]
    return " ".join(["python -m covdemo animate --output run.gif", *given])
