"""What is kept for one viewer between two runs of the script."""

import streamlit as st

from covdemo import devices
from covdemo.config import RunConfig
from covdemo.trials import Trials
from covdemo.ui.player import Player

_PLAYER = "player"


def player(config: RunConfig, data: Trials | None = None) -> Player:
    """Return the viewer's player, with a run of this configuration, and of these data where it does not say them alone."""
    if _PLAYER not in st.session_state:
        devices.share_cores()
        st.session_state[_PLAYER] = Player(config)
    mine: Player = st.session_state[_PLAYER]
    mine.load(config, data)
    return mine


def data() -> Trials:
    """Return the data of the viewer's run."""
    mine: Player = st.session_state[_PLAYER]
    return mine.run.data
