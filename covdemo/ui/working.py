"""How a job is started, watched and cancelled on the page, and where its result is found again."""

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, NamedTuple

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from covdemo.jobs import Job, Memory

_POLL = 0.5  # seconds between two looks at a job
_MEMORY = Memory()
_MINE = "results of the viewer's own"


class Key(NamedTuple):
    """What a result is the result of: the work, and which points of a file, whose results stay in the session; else empty."""

    work: Hashable
    points: str = ""


def result(key: Key) -> Any:
    """Return the result of the work of this key, whoever had it done; None if nobody had."""
    return _memory(key).get(key)


def _memory(key: Key) -> Memory:
    """Return the memory of all viewers, or for work on a file that of this one."""
    mine: Memory = st.session_state.setdefault(_MINE, Memory()) if key.points else _MEMORY
    return mine


def start(name: str, key: Key, work: Callable[[Callable[[float], None]], Any]) -> None:
    """Start a viewer's job of this name; an earlier one of the same name is cancelled."""
    cancel(name)
    st.session_state[_slot(name)] = (key, Job(work, _connected()))


def _connected() -> Callable[[], bool]:
    """Return what says whether the viewer's page is open, whatever its tab, and if the browser lets it sleep."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return lambda: False
    return partial(runtime.get_instance().is_active_session, context.session_id)


def cancel(name: str) -> None:
    """End the viewer's job of this name, if there is one."""
    found = st.session_state.pop(_slot(name), None)
    if found is not None:
        found[1].cancel()


def watch(name: str, key: Key) -> bool:
    """Draw how far the job of this name and key is, with a button to cancel it; return whether there is one under way."""
    found = st.session_state.get(_slot(name))
    if found is None or found[0] != key:
        cancel(name)
        return False
    job: Job[Any] = found[1]
    if job.finished:
        del st.session_state[_slot(name)]
        if job.result is not None:
            _memory(key).put(key, job.result)
        elif job.fault:
            st.error(job.fault)
        return False
    within = False

    def look() -> None:
        job.look()
        if job.finished and within:
            st.rerun()
        left = "" if job.seconds_left is None else f", {job.seconds_left:.0f} s left"
        st.progress(min(job.share, 1.0), text=f"{job.share:.0%}{left}" if job.share else "Waiting for its turn")

    st.fragment(look, run_every=_POLL)()
    within = True
    st.button("Cancel", key=f"cancel {name}", on_click=cancel, args=(name,), help="Ends the computation.")
    return True


def _slot(name: str) -> str:
    return f"job {name}"
