"""One function per figure: what to draw, as a Vega-Lite specification that stays the same for a whole run.

A figure names its datasets and holds no data; ``covdemo.tables`` makes the data. A page that sends the same specification
with new tables gets its picture updated in place, where a new specification would be drawn from nothing.

The palette lives here alone: the first four colours of Okabe and Ito (2008), "Color Universal Design", and a violet far from
them for all kinds of colour vision, every one with a contrast of at least 3 on both backgrounds. Shapes tell the categories
apart a second time.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

import altair as alt
import numpy as np

from covdemo.curves import Curve
from covdemo.history import Array

Spec = dict[str, Any]

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#872DF0")
SHAPES = ("circle", "triangle-up", "square", "diamond", "cross")
GLYPHS = ("●", "▲", "■", "◆", "✚")  # the shapes in a line of text
NEUTRAL = "#808080"  # the same contrast on light and on dark
ALARM = "#E5383B"

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
PANEL_HEIGHT, SMALL_HEIGHT, CURVE_HEIGHT = 310, 214, 124
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


@cache
def data_panel(box: Box, names: tuple[str, ...]) -> Spec:
    """Return the figure of the data and the true distributions; datasets ``points`` and ``ellipses``.

    Args:
        box: what to show.
        names: of the categories, K of them.
    """
    paint = _Paint(names, legend=True)
    layers = [_points(box, paint), *_ellipses(box, paint)]
    return _finish(layers, "Input data and distribution", PANEL_HEIGHT)


@cache
def model_panel(box: Box, names: tuple[str, ...]) -> Spec:
    """Return the figure of the model; datasets ``points``, ``ellipses``, ``boundary``, ``path`` and ``trial``.

    Args:
        box: what to show.
        names: of the categories, K of them.
    """
    return _finish(_model(box, _Paint(names)), "Model result", PANEL_HEIGHT)


@cache
def small_panel(box: Box, names: tuple[str, ...]) -> Spec:
    """Return the figure of one of several models, as ``model_panel`` with a dataset ``truth``, without a title.

    One legend for all of them belongs outside: in a small panel it would hide the data.

    Args:
        box: what to show.
        names: of the categories, K of them.
    """
    paint = _Paint(names)
    return _finish([*_model(box, paint), _true_contours(box, paint)], "", SMALL_HEIGHT)


def _model(box: Box, paint: "_Paint") -> list[alt.Chart]:
    return [
        _points(box, paint),
        _boundary(box),
        _path(box, paint),
        *_ellipses(box, paint),
        _present_trial(box, paint),
    ]


@cache
def curve(row: Curve, names: tuple[str, ...]) -> Spec:
    """Return the figure of one quantity over time; datasets ``curve``, ``reference``, ``failures``, ``edge`` and ``span``.

    Args:
        row: the quantity.
        names: of the categories, K of them.
    """
    paint = _Paint(names)
    x = alt.X("trial:Q", scale=_ends("first", "last"), title=None, axis=alt.Axis(tickCount=4, format=",d"))
    y = alt.Y("value:Q", scale=_ends("low", "high", row.scale), title=None, axis=_axis(row))
    color = {"color": paint.color} if row.per_category else {}
    span = _layer("span").mark_point(opacity=0).encode(x.copy(), y.copy())
    common = alt.condition("datum.category === ''", alt.value(NEUTRAL), paint.color)
    reference = _layer("reference").mark_rule(strokeDash=[1, 3], strokeWidth=1.5).encode(y, color=common)
    line = _layer("curve").mark_line(strokeWidth=1.5, clip=True, color=NEUTRAL).encode(x, y, **color)
    failure = (
        _layer("failures")
        .mark_rule(color=ALARM, opacity=0.7, y=alt.ExprRef("datum.fatal ? 0 : height - 10"), y2=alt.ExprRef("height"))
        .encode(x)
    )
    edge = (
        _layer("edge")
        .mark_point(shape="M-1,-1L1,1M-1,1L1,-1", size=30, strokeWidth=2.5, opacity=1, y=alt.ExprRef("height - 6"))
        .encode(x, color=paint.color)
    )
    return _finish([span, reference, line, failure, edge], row.title, CURVE_HEIGHT)


class _Paint:
    """Colour and shape of each category."""

    def __init__(self, names: Sequence[str], legend: bool = False) -> None:
        count = len(names)
        key = alt.Legend(title=None, orient="top-right", symbolSize=60, symbolOpacity=1, labelOffset=4) if legend else None
        self.color = alt.Color("category:N", scale=alt.Scale(domain=names, range=COLORS[:count]), legend=key)
        self.shape = alt.Shape("category:N", scale=alt.Scale(domain=names, range=SHAPES[:count]), legend=key)


def _layer(dataset: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name=dataset))


def _places(box: Box) -> tuple[alt.X, alt.Y]:
    """Return axes of equal scale that show the box, and more where the panel is not square."""
    return alt.X("x:Q", scale=_square(box.x, box.half, "width / height"), title=None, axis=alt.Axis(tickCount=5)), alt.Y(
        "y:Q", scale=_square(box.y, box.half, "height / width"), title=None, axis=alt.Axis(tickCount=5)
    )


def _square(centre: float, half: float, aspect: str) -> alt.Scale:
    reach = f"{half!r} * max(1, {aspect})"
    return alt.Scale(domain=alt.ExprRef(f"[{centre!r} - {reach}, {centre!r} + {reach}]"), nice=False, zero=False)


def _points(box: Box, paint: _Paint) -> alt.Chart:
    mark = _layer("points").mark_point(size=16, filled=True, opacity=0.5, clip=True)
    return mark.encode(*_places(box), color=paint.color, shape=paint.shape)


def _ellipses(box: Box, paint: _Paint) -> list[alt.Chart]:
    """Return contours, drawn by Vega from mu and L, dashed where the distribution does not exist any more, and centres."""
    x, y = _places(box)
    contours = _contours(_layer("ellipses"), box, paint, strokeWidth=1.8).encode(strokeDash=_broken())
    centres = (
        _layer("ellipses")
        .transform_filter(f"datum.r == {DEVIATIONS[0]}")
        .transform_calculate(x="datum.mean_x", y="datum.mean_y")
        .mark_point(filled=True, size=70, opacity=1, clip=True, stroke="white", strokeWidth=1)
        .encode(x, y, color=paint.color, shape=paint.shape)
    )
    return [contours, centres]


def _contours(chart: alt.Chart, box: Box, paint: _Paint, **line: Any) -> alt.Chart:
    x, y = _places(box)
    return (
        chart.transform_calculate(angle="sequence(0, 6.4, .11)")
        .transform_flatten(["angle"])
        .transform_calculate(
            x="datum.mean_x + datum.r * datum.l11 * cos(datum.angle)",
            y="datum.mean_y + datum.r * (datum.l21 * cos(datum.angle) + datum.l22 * sin(datum.angle))",
        )
        .mark_line(clip=True, **line)
        .encode(x, y, color=paint.color, detail="r:N", order="angle:Q")
    )


def _true_contours(box: Box, paint: _Paint) -> alt.Chart:
    """Return one contour of each true distribution, dotted."""
    one = _layer("truth").transform_filter(f"datum.r == {SINGLE_CONTOUR}")
    return _contours(one, box, paint, strokeWidth=1.8, strokeDash=[1, 3])


def _broken() -> alt.StrokeDash:
    scale = alt.Scale(domain=["valid", "broken"], range=[[1, 0], [4, 4]])
    return alt.StrokeDash("state:N", scale=scale, legend=None)


def _boundary(box: Box) -> alt.Chart:
    mark = _layer("boundary").mark_line(clip=True, strokeWidth=1.5, color=NEUTRAL)
    return mark.encode(*_places(box), detail="piece:N", order="step:Q")


def _path(box: Box, paint: _Paint) -> alt.Chart:
    mark = _layer("path").mark_line(clip=True, strokeWidth=2.5, opacity=0.55)
    return mark.encode(*_places(box), color=paint.color, order="step:Q")


def _present_trial(box: Box, paint: _Paint) -> alt.Chart:
    mark = _layer("trial").mark_point(size=130, filled=False, strokeWidth=2.5, opacity=1, clip=True)
    return mark.encode(*_places(box), color=paint.color, shape=paint.shape)


def _ends(low: str, high: str, kind: Literal["linear", "log"] = "linear") -> alt.Scale:
    """Return a scale whose ends are two columns of ``span``; in the values, Vega would find none before the first trial."""
    domain = alt.ExprRef(f"[data('span')[0].{low}, data('span')[0].{high}]")
    return alt.Scale(type=kind, domain=domain, nice=False, zero=alt.Undefined if kind == "log" else False)


_POWER = "log(datum.value) / LN10"
_IS_POWER_OF_TEN = f"abs({_POWER} - round({_POWER})) < 1e-6"


def _axis(row: Curve) -> alt.Axis:
    """Return an axis that has labels and lines at round numbers, on a logarithmic scale at powers of ten."""
    if row.scale == "linear":
        return alt.Axis(format=row.format or "~g", **({"values": row.ticks} if row.ticks else {"tickCount": 4}))
    text = f"{_IS_POWER_OF_TEN} ? format(datum.value, abs({_POWER}) > 3.5 ? '~e' : '~g') : ''"
    return alt.Axis(labelExpr=text, gridOpacity={"condition": {"test": _IS_POWER_OF_TEN, "value": 1}, "value": 0})


def _finish(layers: Sequence[alt.Chart], title: str, height: int) -> Spec:
    """Return the specification, with what keeps updates cheap: a canvas, and no text built for each mark."""
    chart = alt.layer(*layers)
    heading = {"title": {"text": title, "limit": 0}} if title else {}
    spec: Spec = chart.properties(height=height, **heading).to_dict(validate=False)
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
