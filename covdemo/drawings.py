"""The figures of a run, each with its tables: what the page shows, and what pictures are made of."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from covdemo import charts, curve_charts, map_charts, pictures, tables
from covdemo.charts import Box, Spec
from covdemo.comparison import Comparison
from covdemo.config import RunConfig
from covdemo.curves import CURVES, Curve
from covdemo.history import Frame, History
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.run import Run
from covdemo.stability import StabilityMap

Tables = Mapping[str, bytes]
_MAP_WIDTH = 640


def names_of(run: Run) -> tuple[str, ...]:
    """Return the names of the categories."""
    return run.data.names or tuple(f"Category {k + 1}" for k in range(run.config.categories))


def box_of(run: Run) -> Box:
    """Return a box that shows the true distributions up to 2.5 standard deviations, all data not drawn, and the start."""
    means, spread = run.truth.means, 2.5 * np.sqrt(run.truth.covariances.diagonal(axis1=1, axis2=2))
    ends = [run.data.x.min(axis=0), run.data.x.max(axis=0)] if run.data.moments else []
    return Box.around(np.concatenate([means - spread, means + spread, run.config.start_means, *(e[None] for e in ends)]))


def data_tables(run: Run) -> Tables:
    """Return what the panel of the data shows."""
    return {"points": tables.points(run.data, names_of(run)), "ellipses": true_ellipses(run)}


def true_ellipses(run: Run) -> bytes:
    """Return the contours of the true distributions."""
    names = names_of(run)
    return tables.ellipses(run.truth.means, run.truth.scale_trils, np.ones(len(names), dtype=bool), names)


def model_tables(run: Run, frame: Frame, box: Box, history: History | None = None) -> Tables:
    """Return what a panel shows of the model, beside the points.

    Args:
        run: the run.
        frame: the moment to show; the present one, or a record.
        box: what the panel shows.
        history: up to that moment, where it is not the present one.
    """
    names, decide = names_of(run), run.decide if frame.trial == run.trial else partial(run.decide_at, frame)
    return {
        "ellipses": tables.ellipses(frame.means, frame.scale_trils, frame.valid, names),
        "boundary": tables.boundary(decide, box, frame),
        "path": tables.path(history or run.history, frame, names),
        "trial": tables.trial(frame, names),
    }


def curve_tables(row: Curve, run: Run) -> Tables:
    """Return what the figure of a quantity shows beside what it is compared with."""
    names, history = names_of(run), run.history
    return {
        "curve": tables.curve(row, history, names),
        "span": tables.span(row, run),
        "failures": tables.failures(history.failures, stopped=run.stopped),
        "edge": tables.edge(row, history, names),
    }


def panels(comparison: Comparison) -> dict[str, tuple[Spec, Tables]]:
    """Return the panel of each method of a comparison as it is now: key of the method -> specification and datasets."""
    return {run.config.parameterization: _panel(run) for run in comparison.runs}


def _panel(run: Run) -> tuple[Spec, Tables]:
    names, box = names_of(run), box_of(run)
    title = PARAMETERIZATIONS[run.config.parameterization].label
    constant = {"points": tables.points(run.data, names), "truth": true_ellipses(run)}
    return {**charts.small_panel(box, names), "title": title}, {**constant, **model_tables(run, run.frame(), box)}


def map_picture(found: StabilityMap, kind: pictures.Kind, present: RunConfig | None = None) -> bytes:
    """Return the heat map of a stability map as a picture, with the present settings marked where they lie on it."""
    return pictures.draw(map_charts.stability(found, present) | {"width": _MAP_WIDTH}, kind)


def figures(run: Run) -> dict[str, tuple[Spec, Tables]]:
    """Return all figures of a run as it is now: name of a file -> specification and datasets."""
    names, box = names_of(run), box_of(run)
    data = data_tables(run)
    model = {**model_tables(run, run.frame(), box), "points": data["points"]}
    curves = {
        row.name: (curve_charts.curve(row, names), {**curve_tables(row, run), "reference": tables.reference(row, run, names)})
        for row in CURVES
    }
    return {"data": (charts.data_panel(box, names), data), "model": (charts.model_panel(box, names), model)} | curves
