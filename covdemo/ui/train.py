"""The tab in which one run is trained: two panels, the curves, the failures."""

from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from covdemo import charts, curve_charts, tables
from covdemo.curves import FIRST, Curve
from covdemo.drawings import box_of, curve_tables, data_tables, model_tables, names_of
from covdemo.run import Run
from covdemo.ui import controls, downloads, figures, further, log, mydata, verdict
from covdemo.ui.player import RunPlayer

_LEGEND = (
    f"Contours at {', '.join(f'{r:g}' for r in charts.DEVIATIONS[:-1])} and {charts.DEVIATIONS[-1]:g} standard deviations. "
    "Model result: decision boundary grey, path of each mean as a trail, point of the last trial outlined. "
    "Dotted: guessing, the true value, or lr_cov, the learning rate of the covariances; the room is the largest one that the "
    "update would have survived. The pointer on a curve shows its trial on all of them."
)
_SAMPLE = "Input data: contours of the mean and covariance matrix of each category's own points, to which KL is taken."


def tab(player: RunPlayer) -> Callable[[], None]:
    """Draw the tab and return what brings its moving parts up to date."""
    run = player.run
    controls.buttons(player)
    with st.container(gap="xsmall"):
        bar = controls.progress(st.container(), run)
        with st.container():  # one element, however much there is to say, so that nothing below moves to another place
            verdict.show(player)
        live = [_panels(run), *_curves(run, FIRST)]
        st.caption(_LEGEND + (f" {_SAMPLE} {mydata.raised(run.data)}" if run.data.moments else ""))
        live += _more_curves(run)
    downloads.draw(player)
    log.show(run.history.failures, run.history.failed)

    def refresh() -> None:
        controls.progress(bar, run)
        for figure in live:
            figure.draw()

    return refresh


def _panels(run: Run) -> figures.LiveFigure:
    """Draw both panels and return the model's."""
    names, box = names_of(run), box_of(run)
    left, right = st.columns(2)
    data = data_tables(run)
    figures.draw(left, charts.data_panel(box, names), data, charts.DATA_ALT)
    spec, changing = charts.model_panel(box, names), lambda: model_tables(run, run.frame(), box)
    return figures.LiveFigure(right, spec, charts.MODEL_ALT, {"points": data["points"]}, changing)


def _more_curves(run: Run) -> list[figures.LiveFigure]:
    """Draw the choice of further curves, and those chosen."""
    chosen = further.choose("curves", "Drawn below, and live.")
    with st.container():  # one element, so that nothing below moves to another place
        return _curves(run, chosen) if chosen else []


def _curves(run: Run, rows: Sequence[Curve]) -> list[figures.LiveFigure]:
    places = st.columns(len(FIRST))  # as wide as the first ones, so that one pointer is at the same trial on all
    return [_curve(place, row, run) for place, row in zip(places, rows, strict=False)]


def _curve(place: DeltaGenerator, row: Curve, run: Run) -> figures.LiveFigure:
    names = names_of(run)
    constant = {"reference": tables.reference(row, run, names)}
    return figures.LiveFigure(place, curve_charts.curve(row, names), row.alt, constant, lambda: curve_tables(row, run))
