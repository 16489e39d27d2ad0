"""What is kept for one viewer between two runs of the script."""

import gc
from typing import TypeVar

import streamlit as st

from covdemo import devices
from covdemo.comparison import Comparison
from covdemo.config import RunConfig
from covdemo.run import Run
from covdemo.trials import Trials
from covdemo.ui import methods
from covdemo.ui.player import MANY, AnyPlayer, ComparisonPlayer, Player, RunPlayer

_P = TypeVar("_P", RunPlayer, ComparisonPlayer)
_PLAYER, _COMPARISON = "player", "comparison"


def obey() -> None:
    """Do what the viewer clicked; the first thing that a script does, so that it is never cut before."""
    for name in (_PLAYER, _COMPARISON):
        if name in st.session_state:
            st.session_state[name].obey()


def player(config: RunConfig, data: Trials | None = None) -> RunPlayer:
    """Return the viewer's player, with a run of this configuration, and of these data where it does not say them alone."""
    if _PLAYER not in st.session_state:
        _share_server()
        st.session_state[_PLAYER] = Player(Run, config, data)
    mine: RunPlayer = st.session_state[_PLAYER]
    mine.load(config, data)
    return mine


@st.cache_resource(show_spinner=False)
def _share_server() -> None:
    """Prepare the process, once, for many viewers.

    Python looks for garbage among old objects when a quarter of them is new. Of the imported packages there are hundreds of
    thousands, which stay anyway: without them it looks sooner, and is done sooner.
    """
    devices.share_cores()
    gc.collect()
    gc.freeze()


def config() -> RunConfig | None:
    """Return the settings of the viewer's run; None before there is one."""
    mine: RunPlayer | None = st.session_state.get(_PLAYER)
    return mine.run.config if mine else None


def data() -> Trials:
    """Return the data of the viewer's run."""
    mine: RunPlayer = st.session_state[_PLAYER]
    return mine.run.data


def comparison(config: RunConfig, data: Trials) -> ComparisonPlayer:
    """Return the viewer's player of a comparison, with the methods chosen.

    Args:
        config: the settings that they share.
        data: which they are trained on.
    """
    configs = tuple(entrant.config(config) for entrant in methods.given())
    if _COMPARISON not in st.session_state:
        st.session_state[_COMPARISON] = Player(Comparison, configs, data, MANY)
    mine: ComparisonPlayer = st.session_state[_COMPARISON]
    mine.load(configs, data)
    return mine


def alone(player: _P, other: AnyPlayer) -> _P:
    """Return a player, whose tab is open, after pausing the other one: a viewer trains one thing at a time."""
    if other.playing:
        other.pause()
    return player
