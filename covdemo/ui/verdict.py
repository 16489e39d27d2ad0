"""How the run stands, in words: what failed and why, or how it ended."""

import math

import streamlit as st

from covdemo.failures import Failure
from covdemo.fields import show as number
from covdemo.outcomes import OFTEN, Outcome
from covdemo.ui import controls
from covdemo.ui.player import RunPlayer

_LONG = 50  # trials without a gradient that are worth a sentence, if they come in a row or are many of the category's own
_SILENT = "Category {} has received no gradient in {:,} of {:,} trials: its density is 0 in floating point."
_NOT_LEARNED = "Ran to the end, but did not learn: {:.1%} of the points are in the right category."


def show(player: RunPlayer) -> None:
    """Draw the notices of the last change and of the device, the last failure, silent categories and the outcome."""
    run, failures, latest = player.run, player.run.history.failures, player.run.history.latest
    controls.notice(player)
    if run.notice:
        st.warning(run.notice, icon=":material/memory:")
    if run.stopped and latest:
        _stopped(latest)
    elif failures:
        st.warning(f"Failures: {run.history.failed:,}. The first: {_sentence(failures[0])}", icon=":material/warning:")
    frame = run.frame()
    for category, trials in enumerate(frame.silent_trials.astype(int)):
        if frame.silent[category] >= _LONG or (trials >= _LONG and frame.silent_share[category] > OFTEN):
            st.warning(_SILENT.format(category + 1, trials, frame.trial), icon=":material/volume_off:")
    if run.outcome is Outcome.LEARNED:
        st.success(f"Learned: {frame.accuracy:.1%} of the points are in the right category.", icon=":material/check:")
    elif run.outcome is Outcome.NOT_LEARNED:
        st.warning(f"{_NOT_LEARNED.format(frame.accuracy)} {run.reason.value if run.reason else ''}", icon=":material/warning:")


def _stopped(failure: Failure) -> None:
    left, right = st.columns(2)
    left.error(_sentence(failure), icon=":material/error:")
    right.code(failure.message, language=None, height=110, wrap_lines=True)


def _sentence(failure: Failure) -> str:
    """Say which trial and category failed, why, by how much, and what was done."""
    eigenvalue, room = min(failure.eigenvalues), failure.room
    amounts = [f"smallest eigenvalue {number(eigenvalue)}"] if math.isfinite(eigenvalue) else []
    amounts += [f"lr_cov {number(failure.rate)} with room for {number(room)}"] if math.isfinite(room) else []
    told = "; ".join([*amounts, failure.action])
    return (
        f"**Trial {failure.trial:,}, category {failure.category}: {failure.kind.value}.** {failure.kind.explanation} "
        f"{told[:1].upper()}{told[1:]}."
    )
