"""One function per figure: what to draw, as a Vega-Lite specification that stays the same for a whole run.

A figure names its datasets and holds no data; ``covdemo.tables`` makes the data. A page that sends the same specification
with new tables gets its picture updated in place, where a new specification would be drawn from nothing.

The palette of the categories lives here alone: the first four colours of Okabe and Ito (2008), "Color Universal Design", and a
violet far from them for all kinds of colour vision, every one with a contrast of at least 3 on both backgrounds. Shapes tell
the categories apart a second time.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import altair as alt
import numpy as np

from covdemo.history import Array

Spec = dict[str, Any]
Axes = tuple[alt.X, alt.Y]

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#872DF0")
SHAPES = ("circle", "triangle-up", "square", "diamond", "cross")
GLYPHS = ("●", "▲", "■", "◆", "✚")  # the shapes in a line of text
NEUTRAL = "#808080"  # the same contrast on light and on dark
# Of a text in a figure. No colour has a contrast of 4.5 on light and on dark: it has that of titles, which the theme chooses.
# Vega gives that to what has this style and no colour, and Vega-Lite gives none to what is neither filled nor has a stroke.
WRITING: dict[str, Any] = {"style": "group-title", "filled": False, "stroke": None, "fontWeight": "normal", "fontSize": 11}
ALARM = "#E5383B"
CROSS = "M-1,-1L1,1M-1,1L1,-1"

_SMALL = 0.2  # largest coordinate of places that get lost in [-1, 1] x [-1, 1]
DEVIATIONS = (1.0, 2.0, 3.0)  # standard deviations at which a normal distribution's contours are drawn
DATA_ALT = "The data points and the contours of the true normal distributions, one colour and shape for each category."
MODEL_ALT = (
    "The data points, the contours of the model's normal distributions, the paths of their means, the decision boundary "
    "and the point of the present trial."
)
SMALL_ALT = (
    "The data points, the contours of the model's normal distributions and, dotted, of the true ones, the paths of the means, "
    "the decision boundary and the point of the present trial. The table below the panels has the numbers."
)
PANEL_HEIGHT, SMALL_HEIGHT = 310, 214
SINGLE_CONTOUR = DEVIATIONS[1]  # of a distribution that is only there to compare with


class Box(NamedTuple):
    """The square that a panel shows at least: centre ``x``, ``y`` and ``half`` its width."""

    x: float
    y: float
    half: float

    @classmethod
    def around(cls, places: Array) -> "Box":
        """Return [-1, 1] x [-1, 1] if all ``places`` ``[N, 2]`` are in it and do not get lost there, else a square for them."""
        size = float(np.abs(places).max())
        if size == 0 or _SMALL < size <= 1:
            return cls(0.0, 0.0, 1.0)
        low, high = places.min(axis=0), places.max(axis=0)
        half = round_up(1.1 * max(*(high - low) / 2, 1e-6 * size))
        x, y = np.round((low + high) / 2 / half, 1) * half
        return cls(float(x), float(y), half)


def round_up(size: float) -> float:
    """Return the next number of 1, 1.2, 1.5, 2, 3, 4, 5, 6, 8, 10, 12 ... that is not smaller than a positive one."""
    unit = 10.0 ** math.floor(math.log10(size))
    return next(step * unit for step in (1, 1.2, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * unit >= size)


def scene(names: Sequence[str], box: Box | None = None) -> list[Spec]:
    """Return the parameters that ``Paint`` and ``places`` ask for: names of the categories, and the box.

    All else of a figure is kept for all viewers; these are a viewer's own, and are gone with the figure.
    """
    return [{"name": _NAMES, "value": list(names)}, *([{"name": _BOX, "value": box._asdict()}] if box else [])]


_NAMES, _BOX = "names", "box"


def data_panel(box: Box, names: tuple[str, ...]) -> Spec:
    """Return the figure of the data and the true distributions; datasets ``points`` and ``ellipses``.

    Args:
        box: what to show.
        names: of the categories, K of them.
    """
    return {**_data_panel(), "params": scene(names, box)}


@cache
def _data_panel() -> Spec:
    axes, paint = places(), Paint(legend=True)
    layers = [points_layer(axes, paint), *ellipse_layers(axes, paint)]
    return finish(layers, "Input data and distribution", PANEL_HEIGHT)


def model_panel(box: Box, names: tuple[str, ...]) -> Spec:
    """Return the figure of the model; datasets ``points``, ``ellipses``, ``boundary``, ``path`` and ``trial``.

    Args:
        box: what to show.
        names: of the categories, K of them.
    """
    return {**_model_panel(), "params": scene(names, box)}


@cache
def _model_panel() -> Spec:
    return finish(_model(places(), Paint()), "Model result", PANEL_HEIGHT)


def small_panel(box: Box, names: tuple[str, ...]) -> Spec:
    """Return the figure of one of several models, as ``model_panel`` with a dataset ``truth``, without a title.

    One legend for all of them belongs outside: in a small panel it would hide the data.

    Args:
        box: what to show.
        names: of the categories, K of them.
    """
    return {**_small_panel(), "params": scene(names, box)}


@cache
def _small_panel() -> Spec:
    axes, paint = places(), Paint()
    return finish([*_model(axes, paint), true_contours(axes, paint, SINGLE_CONTOUR)], "", SMALL_HEIGHT)


def _model(axes: Axes, paint: "Paint") -> list[alt.Chart]:
    return [
        points_layer(axes, paint),
        _boundary(axes),
        path_layer(axes, paint),
        *ellipse_layers(axes, paint),
        trial_layer(axes, paint),
    ]


class Paint:
    """Colour and shape of each category, told in a legend or not; a figure with it has the names as a parameter."""

    def __init__(self, legend: bool = False) -> None:
        names = alt.ExprRef(_NAMES)
        key = alt.Legend(title=None, orient="top-right", symbolSize=60, symbolOpacity=1, labelOffset=4) if legend else None
        self.color = alt.Color("category:N", scale=alt.Scale(domain=names, range=COLORS), legend=key)
        self.shape = alt.Shape("category:N", scale=alt.Scale(domain=names, range=SHAPES), legend=key)


def layer(dataset: str) -> alt.Chart:
    """Return a layer that shows a dataset, with nothing said yet of how."""
    return alt.Chart(alt.NamedData(name=dataset))


def places(height: str = "height") -> Axes:
    """Return axes of equal scale that show the figure's box, and more where the panel is not square.

    A figure with them has the box as a parameter; ``height`` is Vega's name of the panel's height.
    """
    x, y = _square("x", f"width / {height}"), _square("y", f"{height} / width")
    axis = alt.Axis(tickCount=5)
    return alt.X("x:Q", scale=x, title=None, axis=axis), alt.Y("y:Q", scale=y, title=None, axis=axis)


def _square(centre: str, aspect: str) -> alt.Scale:
    middle, reach = f"{_BOX}.{centre}", f"{_BOX}.half * max(1, {aspect})"
    return alt.Scale(domain=alt.ExprRef(f"[{middle} - {reach}, {middle} + {reach}]"), nice=False, zero=False)


def points_layer(axes: Axes, paint: Paint) -> alt.Chart:
    """Return the data points."""
    mark = layer("points").mark_point(size=16, filled=True, opacity=0.5, clip=True)
    return mark.encode(*axes, color=paint.color, shape=paint.shape)


def ellipse_layers(axes: Axes, paint: Paint) -> list[alt.Chart]:
    """Return contours, drawn by Vega from mu and L, dashed where the distribution does not exist any more, and centres."""
    contours = _contours(layer("ellipses"), axes, paint, strokeWidth=1.8).encode(strokeDash=_broken())
    centres = (
        layer("ellipses")
        .transform_filter(f"datum.r == {DEVIATIONS[0]}")
        .transform_calculate(x="datum.mean_x", y="datum.mean_y")
        .mark_point(filled=True, size=70, opacity=1, clip=True, stroke="white", strokeWidth=1)
        .encode(*axes, color=paint.color, shape=paint.shape)
    )
    return [contours, centres]


def _contours(chart: alt.Chart, axes: Axes, paint: Paint, **line: Any) -> alt.Chart:
    return (
        chart.transform_calculate(angle="sequence(0, 6.4, .11)")
        .transform_flatten(["angle"])
        .transform_calculate(
            x="datum.mean_x + datum.r * datum.l11 * cos(datum.angle)",
            y="datum.mean_y + datum.r * (datum.l21 * cos(datum.angle) + datum.l22 * sin(datum.angle))",
        )
        .mark_line(clip=True, **line)
        .encode(*axes, color=paint.color, detail="r:N", order="angle:Q")
    )


def true_contours(axes: Axes, paint: Paint, deviations: float) -> alt.Chart:
    """Return one contour of each true distribution, dotted, from the dataset ``truth``."""
    one = layer("truth").transform_filter(f"datum.r == {deviations}")
    return _contours(one, axes, paint, strokeWidth=1.8, strokeDash=[1, 3])


def _broken() -> alt.StrokeDash:
    scale = alt.Scale(domain=["valid", "broken"], range=[[1, 0], [4, 4]])
    return alt.StrokeDash("state:N", scale=scale, legend=None)


def _boundary(axes: Axes) -> alt.Chart:
    mark = layer("boundary").mark_line(clip=True, strokeWidth=1.5, color=NEUTRAL)
    return mark.encode(*axes, detail="piece:N", order="step:Q")


def path_layer(axes: Axes, paint: Paint) -> alt.Chart:
    """Return the path of each mean."""
    mark = layer("path").mark_line(clip=True, strokeWidth=2.5, opacity=0.55)
    return mark.encode(*axes, color=paint.color, order="step:Q")


def trial_layer(axes: Axes, paint: Paint) -> alt.Chart:
    """Return the point of the last trial."""
    mark = layer("trial").mark_point(size=130, filled=False, strokeWidth=2.5, opacity=1, clip=True)
    return mark.encode(*axes, color=paint.color, shape=paint.shape)


def finish(layers: Sequence[alt.Chart], title: str, height: int) -> Spec:
    """Return the specification of layers, with a title unless that is empty."""
    heading = {"title": {"text": title, "limit": 0}} if title else {}
    return dress(alt.layer(*layers).properties(height=height, **heading))


def dress(chart: alt.TopLevelMixin) -> Spec:
    """Return the specification, with what keeps updates cheap: a canvas, and no text built for each mark."""
    spec: Spec = chart.to_dict(validate=False)
    spec["padding"] = {"left": 0, "right": 4, "top": 4, "bottom": 0}
    spec["usermeta"] = {"embedOptions": {"renderer": "canvas"}}
    spec["config"] = {
        "aria": False,
        "mark": {"tooltip": None, "aria": False},
        "title": {"fontSize": 14, "offset": 6, "anchor": "start"},
        "axis": {"labelPadding": 4, "labelFontSize": 11},
        "legend": {"labelFontSize": 12, "padding": 4, "rowPadding": 2},
    }
    return spec
