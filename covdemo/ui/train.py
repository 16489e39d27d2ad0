"""The tab in which one run is trained: two panels, the curves, the failures."""

from collections.abc import Callable

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from covdemo import charts, tables
from covdemo.curves import CURVES, Curve
from covdemo.history import Frame
from covdemo.run import Run
from covdemo.ui import controls, figures, log, mydata, verdict
from covdemo.ui.player import RunPlayer

_LEGEND = (
    f"Contours at {', '.join(f'{r:g}' for r in charts.DEVIATIONS[:-1])} and {charts.DEVIATIONS[-1]:g} standard deviations. "
    "Model result: decision boundary grey, path of each mean as a trail, point of the last trial outlined. "
    "Dotted: guessing, the true value, or lr_cov."
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
        live = [_panels(run), *_curves(run)]
        st.caption(_LEGEND + (f" {_SAMPLE} {mydata.raised(run.data)}" if run.data.moments else ""))
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
    points = {"points": tables.points(run.data, names)}
    figures.draw(left, charts.data_panel(box, names), {**points, "ellipses": true_ellipses(run)}, charts.DATA_ALT)
    spec, changing = charts.model_panel(box, names), lambda: model_tables(run, run.frame(), box)
    return figures.LiveFigure(right, spec, charts.MODEL_ALT, points, changing)


def true_ellipses(run: Run) -> bytes:
    """Return the contours of the true distributions."""
    names = names_of(run)
    return tables.ellipses(run.truth.means, run.truth.scale_trils, np.ones(len(names), dtype=bool), names)


def model_tables(run: Run, frame: Frame, box: charts.Box) -> figures.Tables:
    """Return what a panel shows of the model at the present moment."""
    names = names_of(run)
    return {
        "ellipses": tables.ellipses(frame.means, frame.scale_trils, frame.valid, names),
        "boundary": tables.boundary(run.decide, box),
        "path": tables.path(run.history, frame, names),
        "trial": tables.trial(frame, names),
    }


def _curves(run: Run) -> list[figures.LiveFigure]:
    return [_curve(place, row, run) for place, row in zip(st.columns(len(CURVES)), CURVES, strict=True)]


def _curve(place: DeltaGenerator, row: Curve, run: Run) -> figures.LiveFigure:
    names, history = names_of(run), run.history
    return figures.LiveFigure(
        place,
        charts.curve(row, names),
        row.alt,
        {"reference": tables.reference(row, run, names)},
        lambda: {
            "curve": tables.curve(row, history, names),
            "span": tables.span(row, run),
            "failures": tables.failures(history.failures, stopped=run.stopped),
            "edge": tables.edge(row, history, names),
        },
    )


def names_of(run: Run) -> tuple[str, ...]:
    """Return the names of the categories."""
    return run.data.names or tuple(f"Category {k + 1}" for k in range(run.config.categories))


def box_of(run: Run) -> charts.Box:
    """Return a box that shows the true distributions up to 2.5 standard deviations, all data not drawn, and the start."""
    means, spread = run.truth.means, 2.5 * np.sqrt(run.truth.covariances.diagonal(axis1=1, axis2=2))
    ends = [run.data.x.min(axis=0), run.data.x.max(axis=0)] if run.data.moments else []
    return charts.Box.around(np.concatenate([means - spread, means + spread, run.config.start_means, *(e[None] for e in ends)]))
