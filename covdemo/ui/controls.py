"""Train, pause, step, run to the end, reset, speed, and how far the run is."""

import math
from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from covdemo.run import Run
from covdemo.ui.player import FASTEST, SPEEDS, Player, play

_ROUND = 2.0  # seconds after which the script begins anew, so that log and sidebar are up to date


def buttons(player: Player) -> None:
    """Draw the row of buttons and the speed."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    name, icon = _train_or_pause(player)
    row.button(name, icon=icon, key="train", type="primary", on_click=player.toggle)
    row.button("Step", key="step", on_click=player.step, disabled=player.run.finished, help="One trial.")
    row.button(
        "Run to the end", key="finish", on_click=player.finish, disabled=player.run.finished, help="As fast as possible."
    )
    row.button("Reset", key="reset", on_click=player.reset, help="Back to trial 0.")
    with row:
        player.speed = st.select_slider(
            "Trials per second",
            SPEEDS,
            value=player.speed,
            key="speed",
            format_func=_pace,
            help="How fast Train goes on.",
            width=320,
        )


def _train_or_pause(player: Player) -> tuple[str, str]:
    if player.playing:
        return "Pause", ":material/pause:"
    return ("Train again", ":material/replay:") if player.run.finished else ("Train", ":material/play_arrow:")


def _pace(speed: float) -> str:
    return "fastest" if speed == FASTEST else f"{speed:g}"


def progress(place: DeltaGenerator, run: Run) -> DeltaGenerator:
    """Draw the progress bar at a place, or over an earlier one, and return it."""
    frame = run.frame()
    text = (
        f"Trial {frame.trial:,} of {run.total:,} · epoch {min(frame.epoch + 1, run.config.epochs)} of {run.config.epochs} · "
        f"loss {_loss(run, frame.loss)} · accuracy {frame.accuracy:.1%} · failures {frame.failures:,}"
    )
    return place.progress(frame.trial / run.total, text=text)


def _loss(run: Run, latest: float) -> str:
    """Return the loss since the last record, else of the last record, else a dash."""
    known = [loss for loss in (*run.history.column("loss"), latest) if not math.isnan(loss)]
    return f"{known[-1]:.3g}" if known else "–"


def live(player: Player, refresh: Callable[[], None]) -> None:
    """Train and redraw until the viewer pauses or the run ends; the last thing that a script does."""
    if player.playing:
        play(player, refresh, _ROUND)
        st.rerun()
