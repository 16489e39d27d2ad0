"""What is kept for one viewer between two runs of the script."""

import streamlit as st

from covdemo import devices
from covdemo.config import RunConfig
from covdemo.run import Run
from covdemo.ui.player import Player, RunPlayer

_PLAYER = "player"


def player(config: RunConfig) -> RunPlayer:
    """Return the viewer's player, with a run of this configuration."""
    if _PLAYER not in st.session_state:
        devices.share_cores()
        st.session_state[_PLAYER] = Player(Run, config)
    mine: RunPlayer = st.session_state[_PLAYER]
    mine.load(config)
    return mine
