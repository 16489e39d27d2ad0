"""The one place on the page from where a run is taken away."""

from collections.abc import Callable
from functools import partial
from shlex import quote

import streamlit as st

from covdemo import drawings, pictures, takeaway
from covdemo.config import FIELDS, RunConfig, to_query
from covdemo.run import Run
from covdemo.sources import described
from covdemo.ui.player import RunPlayer

_EACH = "Any figure alone as PNG: the first button of the menu that it shows at its top right under the mouse."
_NO_PICTURES = f"All figures as PNG and SVG: where this page is served, {pictures.MISSING}."
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
_PICTURES = "Panels and curves as they are now, on a white ground."


def draw(player: RunPlayer) -> None:
    """Draw the menu; a file is made when it is asked for, so that a live run does not pay for it."""
    with st.popover("Take it away", icon=":material/download:", help="Files of this run as it is now."):
        for name, file, text, content in _FILES:
            _button(player, name, file, text, content)
        if pictures.available():
            _button(
                player, "Figures as PNG and SVG", "figures.zip", _PICTURES, lambda run: pictures.archive(drawings.figures(run))
            )
        else:
            st.caption(_NO_PICTURES)
        st.caption(_EACH)
        st.caption("The run as an animated picture, where covdemo is installed:")
        st.code(command(player.run.config), language="sh", wrap_lines=True)


def _button(player: RunPlayer, name: str, file: str, text: str, content: Callable[[Run], str | bytes]) -> None:
    made = partial(player.ask, content)
    st.download_button(name, made, file, key=f"take {file}", help=text, on_click="ignore", width="stretch")


def command(config: RunConfig) -> str:
    """Return the command that makes an animated picture of a run; a viewer's file is ``FILE.csv`` there."""
    file, follow = ([], []) if described(config) else (["--table=FILE.csv"], _FOLLOWING)
    query = to_query(config, also=follow)
    given = file + [f"{field.flag}={quote(query[field.url])}" for field in FIELDS if field.url in query]
    return " ".join(["python -m covdemo animate --output run.gif", *given])
