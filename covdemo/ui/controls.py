"""Train, pause, step, run to the end, reset, speed, and how far the run is."""

import math
from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from covdemo import devices
from covdemo.run import Run
from covdemo.ui.player import FASTEST, SPEEDS, AnyPlayer, play

_TICK = 0.25  # seconds between two requests of the browser for the next round
_SHORT, ROUND = 0.2, 2.0  # seconds of a round after something may have changed on the page, and of the others
TICKED = "ticked"  # in the session, where the browser has asked for the round


def buttons(player: AnyPlayer, keys: str = "") -> DeltaGenerator:
    """Draw the row of buttons and the speed, and return it.

    Args:
        player: what they control.
        keys: beginning of the widgets' keys.
    """
    row = st.container(horizontal=True, vertical_alignment="center")
    name, icon, action = _train_or_pause(player)
    done, click = player.run.finished, player.click
    why = "Point by point, live."
    row.button(name, icon=icon, key=f"{keys}train", type="primary", on_click=click, args=(action,), help=why)
    row.button("Step", key=f"{keys}step", on_click=click, args=(player.step,), disabled=done, help="One trial.")
    why = "As fast as possible."
    row.button("Run to the end", key=f"{keys}finish", on_click=click, args=(player.finish,), disabled=done, help=why)
    row.button("Reset", key=f"{keys}reset", on_click=click, args=(player.reset,), help="Back to trial 0.")
    player.speed = row.select_slider(
        "Trials per second",
        SPEEDS,
        player.speed,
        format_func=_pace,
        key=f"{keys}speed",
        label_visibility="collapsed",
        help="How fast to train.",
        width=320,
    )
    return row


def _train_or_pause(player: AnyPlayer) -> tuple[str, str, Callable[[], None]]:
    if player.playing:
        return "Pause", ":material/pause:", player.pause
    again = player.run.finished
    return ("Train again", ":material/replay:", player.train) if again else ("Train", ":material/play_arrow:", player.train)


def _pace(speed: float) -> str:
    return "as fast as possible" if speed == FASTEST else f"{speed:g} trials/s"


def notice(player: AnyPlayer) -> None:
    """Say what the viewer should know about the last change, if anything."""
    if player.notice:
        st.info(player.notice, icon=":material/restart_alt:")


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


def live(player: AnyPlayer, refresh: Callable[[], None]) -> None:
    """Train and redraw for a while; the last thing that a script does.

    The script then ends, which is when the browser takes away what is no longer drawn, and begins anew at the browser's next
    request. A loop that never ends, or an ``st.rerun`` after each round, would leave ghosts of old elements on the page; and a
    browser that is closed asks for nothing. One that lags behind may ask a little longer than anything plays, which is
    why the fragment is there even then.
    """
    drawn = False

    def next_round() -> None:
        if drawn and player.playing:  # not while the script itself comes by
            st.session_state[TICKED] = True
            st.rerun()

    st.fragment(next_round, run_every=_TICK if player.playing else None)()
    drawn = True
    devices.warm_up()  # now that the first screen has been sent
    if not player.playing:
        return
    play(player, refresh, ROUND if st.session_state.pop(TICKED, False) else _SHORT)
    if not player.playing:
        st.rerun()
