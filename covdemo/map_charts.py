"""A stability map as a picture: one complete Vega-Lite specification, data included."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt
import numpy as np
from numpy.typing import NDArray

from covdemo import contours
from covdemo.charts import COLORS, CROSS, Spec
from covdemo.config import FIELDS, RunConfig
from covdemo.failures import KINDS
from covdemo.outcomes import Outcome
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.stability import OUTCOMES, Axis, StabilityMap

Tables = dict[str, list[dict[str, Any]]]
CELL = "cell"  # name of the selection that a click makes
ALT = (
    "How the runs of a grid of settings ended. Colour: the most frequent outcome of the seeds; shade: its share. "
    "Lines with numbers: equal KL to the truth, in nats. Cross: the present settings."
)
PALETTE = {Outcome.LEARNED: COLORS[0], Outcome.NOT_LEARNED: "#E69F00", Outcome.FAILED: "#A3195B"}
LEVELS = (0.03, 0.1, 0.3, 1.0, 3.0)  # of KL, in nats
LABELS = {field.attribute: field.label for field in FIELDS}
_CELLS, _LINES, _LEVELS, _PRESENT = "cells", "lines", "levels", "present"  # the tables of the figure
_HEIGHT, _ROW = 340, 24
_LABEL: dict[str, Any] = {"fontSize": 11, "fontWeight": "bold", "clip": True}


def stability(found: StabilityMap, present: RunConfig | None = None) -> Spec:
    """Return the heat map of a stability map, with the present settings marked where they lie on it."""
    x, y = _scale(found.x, alt.X), _scale(found.y, alt.Y)
    outcome = alt.Color(
        "outcome:N",
        scale=alt.Scale(domain=[each.label for each in PALETTE], range=list(PALETTE.values())),
        legend=alt.Legend(orient="top", title=None, symbolOpacity=1, labelLimit=0),
    )
    shade = alt.Opacity("share:Q", scale=alt.Scale(domain=[1 / len(OUTCOMES), 1], range=[0.3, 1]), legend=None)
    chosen = alt.selection_point(name=CELL, fields=["row", "column"], on="click", empty=False)
    cells = (
        alt.Chart(alt.NamedData(name=_CELLS))
        .mark_rect(stroke=None)
        .encode(x, y, *_ends(found), color=outcome, opacity=shade, tooltip=_tooltip(found))
        .add_params(chosen)
    )
    lines, of_lines = _contour_layer(found, x, y)
    mark, of_mark = _mark_layer(found, present, x, y)
    layers = [cells, *lines, *mark]
    height = _ROW * len(found.y.values) if _is_named(found.y) else _HEIGHT
    chart = alt.layer(*layers).properties(width="container", height=height)
    spec: Spec = chart.configure_view(stroke=None).configure_axis(grid=False, labelLimit=0).to_dict()
    # only now, as Altair copies and checks every row that it is given a dozen times
    _fill(spec, {_CELLS: list(_cells(found)), **of_lines, **of_mark})
    spec["config"]["legend"] = {"layout": {"top": {"anchor": "end"}}}  # long names of rows leave it no room at the start
    return spec


def _fill(spec: Spec, tables: Tables) -> None:
    """Put the rows in the place of the name wherever a specification and its layers name a table."""
    for part in (spec, *spec["layer"]):
        if "data" in part:
            part["data"] = {"values": tables[part["data"]["name"]]}


def legend(found: StabilityMap) -> str:
    """Return what the marks of the heat map mean, beside the colours."""
    levels = ", ".join(f"{level:g}" for level in LEVELS)
    lines = (
        ""
        if _is_named(found.x) or _is_named(found.y)
        else f" White lines: equal KL to the truth, at {levels} nats, as their labels say."
    )
    return f"Shade: how many seeds agree.{lines} Cross: the present settings."


def _cells(found: StabilityMap) -> Iterator[dict[str, Any]]:
    """Return a row for each cell of which something is known."""
    shares = np.stack([found.share(outcome) for outcome in OUTCOMES], axis=-1)
    horizontal, vertical = _edges(found.x), _edges(found.y)
    for row, column in np.argwhere(np.isfinite(shares[..., 0])).tolist():
        best = int(shares[row, column].argmax())
        yield {
            "row": row,
            "column": column,
            **_span("x", found.x, horizontal, column),
            **_span("y", found.y, vertical, row),
            "outcome": OUTCOMES[best].label,
            "share": float(shares[row, column, best]),
            **{each.value: f"{share:.0%}" for each, share in zip(OUTCOMES, shares[row, column], strict=True)},
            "failing trial": _first_failure(found, row, column),
            "accuracy": f"{found.accuracy[row, column].mean():.1%}",
            "KL": _mean_kl(found, row, column),
        }


def _first_failure(found: StabilityMap, row: int, column: int) -> str:
    """Return the median trial of the first failure, and its most frequent kind."""
    trials, kinds = found.failed_at[row, column], found.kind[row, column]
    failed = trials >= 0
    if not failed.any():
        return "none"
    kind = KINDS[int(np.bincount(kinds[failed]).argmax())]
    return f"{np.median(trials[failed]):,.0f} (median), {kind.value}"


def _mean_kl(found: StabilityMap, row: int, column: int) -> str:
    mean = float(found.kl[row, column].mean())
    if math.isnan(mean):
        return "not a number"
    return f"{mean:.3g} nats" if mean < math.inf else "infinite"


def _span(side: str, axis: Axis, edges: np.ndarray, place: int) -> dict[str, Any]:
    """Return where a cell begins and ends, and its value for people."""
    value = axis.values[place]
    if _is_named(axis):
        return {side: _name(axis, value), f"{side} value": _name(axis, value)}
    return {side: float(edges[place]), f"{side}2": float(edges[place + 1]), f"{side} value": f"{value:.4g}"}


def _edges(axis: Axis) -> np.ndarray:
    """Return the borders of an axis's cells, half way between the values on its scale; none for names."""
    if _is_named(axis):
        return np.empty(0)
    places = np.array([_place(axis, value) for value in axis.values])
    between = (places[1:] + places[:-1]) / 2
    step = (places[-1] - places[0]) / max(len(places) - 1, 1) or 1.0
    edges = np.concatenate([[places[0] - step / 2], between, [places[-1] + step / 2]])
    return 10.0**edges if _is_log(axis) else edges


def _place(axis: Axis, value: Any) -> float:
    return math.log10(value) if _is_log(axis) else float(value)


def _value(axis: Axis, place: float) -> float:
    return float(10.0**place) if _is_log(axis) else float(place)


def _is_named(axis: Axis) -> bool:
    return isinstance(axis.values[0], str)


def _is_log(axis: Axis) -> bool:
    return not _is_named(axis) and min(map(float, axis.values)) > 0 and axis.name != "momentum"


def _name(axis: Axis, value: object) -> str:
    return PARAMETERIZATIONS[str(value)].label if _is_named(axis) else f"{value:.4g}"


def _scale(axis: Axis, channel: Any) -> Any:
    side, title = ("x" if channel is alt.X else "y"), LABELS[axis.name]
    if _is_named(axis):
        return channel(f"{side}:N", sort=None, title=None, axis=alt.Axis(labelOverlap=False, labelBaseline="middle"))
    edges = _edges(axis)
    scale = alt.Scale(type="log" if _is_log(axis) else "linear", domain=[float(edges[0]), float(edges[-1])], nice=False)
    labels = alt.Axis(format="~g" if not _is_log(axis) else "~e", tickCount=6)
    return channel(f"{side}:Q", scale=scale, title=title, axis=labels)


def _ends(found: StabilityMap) -> list[Any]:
    ends = [alt.X2("x2")] if not _is_named(found.x) else []
    return [*ends, alt.Y2("y2")] if not _is_named(found.y) else ends


def _tooltip(found: StabilityMap) -> list[alt.Tooltip]:
    named = [alt.Tooltip("x value:N", title=LABELS[found.x.name]), alt.Tooltip("y value:N", title=LABELS[found.y.name])]
    shares = [alt.Tooltip(f"{outcome.value}:N", title=outcome.label) for outcome in OUTCOMES]
    rest = [alt.Tooltip("failing trial:N", title="first failure"), alt.Tooltip("accuracy:N"), alt.Tooltip("KL:N")]
    return [*named, *shares, *rest]


def _contour_layer(found: StabilityMap, x: Any, y: Any) -> tuple[list[alt.Chart], Tables]:
    """Return lines of equal mean KL with their levels, where both axes are numbers and have room for lines."""
    if _is_named(found.x) or _is_named(found.y) or min(found.outcome.shape[:2]) < 2:
        return [], {}
    across, up = (np.array([_place(axis, value) for value in axis.values]) for axis in (found.x, found.y))
    with np.errstate(divide="ignore", invalid="ignore"):
        height = np.log10(np.maximum(found.kl.astype(np.float64).mean(-1), 1e-9))
    lines = contours.levels(across, up, height, [math.log10(level) for level in LEVELS])
    if not lines:
        return [], {}

    def row(level: int, place: NDArray[np.float64]) -> dict[str, Any]:
        return {"x": _value(found.x, place[0]), "y": _value(found.y, place[1]), "KL": f"{LEVELS[level]:g}"}

    vertices = [row(level, place) | {"line": number} for number, (level, line) in enumerate(lines) for place in line]
    tables = {
        _LINES: [each | {"order": order} for order, each in enumerate(vertices)],
        _LEVELS: [row(level, place) for level, place in _label_places(lines, across, up)],
    }
    drawn, labels = (alt.Chart(alt.NamedData(name=name)) for name in tables)
    text = alt.Text("KL:N")
    return [
        drawn.mark_line(color="white", strokeWidth=1.2, clip=True).encode(x, y, detail="line:N", order="order:Q"),
        labels.mark_text(stroke="white", strokeWidth=4, strokeJoin="round", **_LABEL).encode(x, y, text),
        labels.mark_text(color="black", **_LABEL).encode(x, y, text),
    ], tables


def _label_places(
    lines: Sequence[tuple[int, NDArray[np.float64]]], across: NDArray[np.float64], up: NDArray[np.float64]
) -> list[tuple[int, NDArray[np.float64]]]:
    """Return a place for the label of each level: on its longest line, as far as can be from other labels and the borders."""
    low, size = np.array([across[0], up[0]]), np.array([np.ptp(across), np.ptp(up)])
    taken = np.empty((0, 2))
    places = []
    for level in sorted({level for level, _ in lines}):
        line = max((line for each, line in lines if each == level), key=lambda line: _length((line - low) / size))
        at = (line - low) / size
        room = np.min([at, 1 - at], axis=(0, 2))
        if len(taken):
            room = np.minimum(room, np.linalg.norm(at[:, None] - taken, axis=-1).min(axis=1))
        best = int(room.argmax())
        taken = np.vstack([taken, at[best]])
        places.append((level, line[best]))
    return places


def _length(line: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def _mark_layer(found: StabilityMap, present: RunConfig | None, x: Any, y: Any) -> tuple[list[alt.Chart], Tables]:
    """Return a cross at the present settings, where they lie on the map."""
    if present is None:
        return [], {}
    place = {"x": _coordinate(found.x, present), "y": _coordinate(found.y, present)}
    if not (_on(found.x, present) and _on(found.y, present)):
        return [], {}
    marks = alt.Chart(alt.NamedData(name=_PRESENT))
    halo = marks.mark_point(shape=CROSS, size=90, strokeWidth=5, stroke="white", opacity=1, clip=True).encode(x, y)
    cross = marks.mark_point(shape=CROSS, size=90, strokeWidth=2, stroke="black", opacity=1, clip=True).encode(x, y)
    return [halo, cross], {_PRESENT: [place]}


def _coordinate(axis: Axis, config: RunConfig) -> Any:
    value = getattr(config, axis.name)
    return _name(axis, value) if _is_named(axis) else value


def _on(axis: Axis, config: RunConfig) -> bool:
    value = getattr(config, axis.name)
    if _is_named(axis):
        return value in axis.values
    edges = _edges(axis)
    return bool(edges[0] <= value <= edges[-1])
