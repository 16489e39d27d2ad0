"""The tab in which a run is played back; the browser does it alone, without asking the server."""

from dataclasses import dataclass

import streamlit as st

from covdemo import replay_chart, replay_tables
from covdemo.charts import Spec
from covdemo.curves import FIRST, Curve
from covdemo.drawings import box_of, names_of
from covdemo.replay_tables import Recording
from covdemo.ui import figures, further
from covdemo.ui.player import RunPlayer

_PREPARED = "replay"
_LATEST = "replay latest"
_CURVES = "replay curves"
_EMPTY = (
    "Nothing to play back yet. Train a run, or a few steps of one, in the Train tab: here you can then scrub through all of "
    "its records and play them back, with contours, boundary, paths and curves moving together, and go to each failure."
)
_HOW = (
    "Contours of the model solid, dashed once broken, the true ones dotted. Click on the timeline to go to a trial, on a red "
    "cross to see a failure: the last valid distributions, the matrix that broke and its eigenvalues. The table of all "
    "failures is in the Train tab."
)
# The controls stand above the figure, the slider as wide as there is room, instead of in a column beneath.
_FORM = ".st-key-replay .vega-embed form.vega-bindings"
_STYLE = f"""<style>
.st-key-replay .stVegaLiteChart.vega-embed {{ display: flex; flex-direction: column-reverse; }}
{_FORM} {{ display: flex; flex-flow: row wrap; gap: .4rem 1.5rem; align-items: center; margin: 0 0 .5rem; }}
{_FORM} .vega-bind {{ width: auto; }}
{_FORM} .vega-bind .vega-bind-name {{ min-width: 0; }}
{_FORM} .vega-bind:has([type=range], [type=text]), {_FORM} :has(> [type=range], > [type=text]) {{ flex: 1 1 100%; }}
{_FORM} input[type=range] {{ flex: 1; }}
{_FORM} input[type=text] {{ flex: 1 1 20rem; }}
</style>"""


@dataclass(frozen=True)
class _Prepared:
    """A recording with its figure."""

    recording: Recording
    spec: Spec
    datasets: figures.Tables


def tab(player: RunPlayer) -> None:
    """Draw the tab: what the run has recorded, as far as it was when it was last at rest or asked for."""
    if not player.run.trial:
        st.info(_EMPTY, icon=":material/play_circle:")
        return
    if player.playing:
        st.button("Take in the latest trials", key=_LATEST, icon=":material/update:", on_click=_forget, help="The run goes on.")
    st.html(_STYLE)
    with st.container(key="replay"):
        place = st.container()
    prepared = _prepared(player, (*FIRST, *further.choose(_CURVES, "Played back with the others.")))
    figures.draw(place, prepared.spec, prepared.datasets, replay_chart.ALT)
    st.caption(_HOW)


def _forget() -> None:
    st.session_state.pop(_PREPARED, None)


def _prepared(player: RunPlayer, rows: tuple[Curve, ...]) -> _Prepared:
    """Return the figure of the viewer's run; one that was made before, while the run goes on or has not gone on."""
    run = player.run
    earlier: _Prepared | None = st.session_state.get(_PREPARED)
    current = earlier is not None and (earlier.recording.run, earlier.recording.rows) == (run, rows)
    if earlier and current and (player.playing or len(earlier.recording.frames) == len(run.history)):
        return earlier
    with st.spinner("Preparing the replay ..."):
        st.session_state[_PREPARED] = made = _prepare(Recording.of(run, names_of(run), rows))
    return made


def _prepare(recording: Recording) -> _Prepared:
    box = box_of(recording.run)
    titles = [f"Trial {failure.trial:,}, category {failure.category}" for failure in recording.failures]
    first = replay_tables.standing(recording.frames[0], recording.run.config.epochs)
    spec = replay_chart.replay(box, recording.names, len(recording.frames), titles, first, recording.rows)
    return _Prepared(recording, spec, replay_tables.datasets(recording, box))
