"""The figure of a quantity over the trials of a run.

The curves of a page are figures of their own that know nothing of each other. To tell the trial under the pointer on all of
them, each listens to the pointer wherever it is and, where that is over a picture of its own size, takes over the trial:
all show the same trials on the same width, as the numbers of every vertical axis have the same room.
"""

from functools import cache
from typing import Any, Literal

import altair as alt

from covdemo.charts import ALARM, CROSS, NEUTRAL, WRITING, Axes, Paint, Spec, finish, layer, scene
from covdemo.curves import Curve

HEIGHT = 124
ZERO = 12  # height of the strip of zero below a logarithmic scale
_WIDTH: dict[str, Any] = {"minExtent": 34, "maxExtent": 34}  # pixels for the numbers of a vertical axis
_LINE = 12  # pixels from one line of text to the next
_SAME = "abs(event.target.offsetWidth - containerSize()[0]) < 3 && abs(event.target.offsetHeight - containerSize()[1]) < 8"
_PLACE = "event.offsetX - (event.target.offsetWidth - 4 - width)"  # 4 pixels are right of the axes
_TRIAL = f"data('span')[0].first + ({_PLACE}) / width * (data('span')[0].last - data('span')[0].first)"
_POINTER = {
    "name": "pointed_at",
    "value": -1,
    "on": [
        {
            "events": {"source": "window", "type": "pointermove"},
            "update": f"event.target.className === 'marks' && {_SAME} ? max(-1, {_TRIAL}) : -1",
        }
    ],
}


def curve(row: Curve, names: tuple[str, ...]) -> Spec:
    """Return the figure of one quantity over time; datasets ``curve``, ``reference``, ``failures``, ``edge`` and ``span``.

    Args:
        row: the quantity.
        names: of the categories, K of them.
    """
    return {**_curve(row), "params": [_POINTER, *scene(names)]}


@cache
def _curve(row: Curve) -> Spec:
    axes, paint = axes_of(row), Paint()
    return finish([*layers_of(row, paint, axes), *_pointed_at(row, paint, axes[0])], row.title, HEIGHT)


def axes_of(row: Curve, of: str = "", labels: bool = True, height: str = "height") -> Axes:
    """Return the axes of trials and values, with or without ``labels`` of the trials; see ``layers_of``."""
    span, trials = f"data('span{of}')[0]", alt.Axis(tickCount=4, format=",d", labels=labels)
    above = {"range": [alt.ExprRef(f"{height} - {ZERO}"), alt.ExprRef("0")]} if row.edge else {}
    return (
        alt.X("trial:Q", scale=_ends(span, "first", "last"), title=None, axis=trials),
        alt.Y("value:Q", scale=_ends(span, "low", "high", row.scale, **above), title=None, axis=_axis(row)),
    )


def layers_of(row: Curve, paint: Paint, axes: Axes, of: str = "", height: str = "height") -> list[alt.Chart]:
    """Return the layers of ``curve`` that show what was recorded.

    Args:
        row: the quantity.
        paint: of the categories.
        axes: of trials and values.
        of: added to the names of the datasets, but for ``failures``, which is for all curves of a figure.
        height: Vega's name of the figure's height.
    """
    x, y = axes
    color = {"color": paint.color} if row.per_category else {}
    ends = layer(f"span{of}").mark_point(opacity=0).encode(x.copy(), y.copy())
    common = alt.condition("datum.category === ''", alt.value(NEUTRAL), paint.color)
    reference = layer(f"reference{of}").mark_rule(strokeDash=[1, 3], strokeWidth=1.5).encode(y, color=common)
    line = layer(f"curve{of}").mark_line(strokeWidth=1.5, clip=True, color=NEUTRAL).encode(x, y, **color)
    if row.rough:
        line = line.encode(opacity=alt.condition("datum.rough", alt.value(0.4), alt.value(1)), detail="rough:N")
    bottom, above = alt.ExprRef(height), alt.ExprRef(f"datum.fatal ? 0 : {height} - 10")
    failure = layer("failures").mark_rule(color=ALARM, opacity=0.7, y=above, y2=bottom)
    low = alt.ExprRef(f"{height} - {ZERO / 2}")
    edge = layer(f"edge{of}").mark_point(shape=CROSS, size=30, strokeWidth=2.5, opacity=1, y=low)
    marks = [ends, reference, line, failure.encode(x), edge.encode(x, color=paint.color)]
    return [*marks, *_zero(f"span{of}", height)] if row.edge else marks


def _zero(span: str, height: str) -> list[alt.Chart]:
    """Return what marks the edge: below a logarithmic scale, on which there is none, a strip of zero and less."""
    line = layer(span).mark_rule(y=alt.ExprRef(f"{height} - {ZERO}")).encode(x=alt.value(0), x2=alt.value("width"))
    text = layer(span).mark_text(text="\u2264 0", x=-4, y=alt.ExprRef(f"{height} - {ZERO / 2}"), align="right", **WRITING)
    return [line.encode(color=alt.value(ALARM)), text]


def _pointed_at(row: Curve, paint: Paint, x: alt.X) -> list[alt.Chart]:
    """Return a rule at the trial pointed at, the trial in words, and what each category had at the last record before."""
    here = layer("span").transform_filter("pointed_at >= 0").transform_calculate(trial="pointed_at")
    found = layer("curve").transform_filter("datum.trial <= pointed_at && !datum.rough")
    found = found.transform_joinaggregate(latest="max(trial)")
    found = found.transform_filter("datum.trial === datum.latest").transform_calculate(trial="pointed_at", text=_text(row))
    found = found.transform_window(line="row_number()", sort=[alt.SortField("category")])
    below = alt.ExprRef(f"{_LINE} * (datum.line + .5)")
    signs = found.mark_point(filled=True, size=36, opacity=1, y=below, xOffset=alt.ExprRef(_beside(8)))
    return [
        here.mark_rule(color=NEUTRAL).encode(x),
        here.mark_text(y=_LINE / 2, **_text_beside(5)).encode(x, text=alt.Text("trial:Q", format=",.0f")),
        found.mark_text(y=below, **_text_beside(15 if row.per_category else 5)).encode(x, text="text:N"),
        *[signs.encode(x, color=paint.color, shape=paint.shape)] * row.per_category,
    ]


def _text_beside(pixels: int) -> dict[str, Any]:
    """Return where a text is to be so far from the trial pointed at: on the side that has more room."""
    return {**WRITING, "dx": alt.ExprRef(_beside(pixels)), "align": alt.ExprRef(f"{_beside(1)} > 0 ? 'left' : 'right'")}


def _beside(pixels: int) -> str:
    return f"(pointed_at < data('span')[0].last / 2 ? {pixels} : -{pixels})"


def _text(row: Curve) -> str:
    """Return a value in words, as Vega's expression."""
    small = "abs(datum.value) < 1e-3 && datum.value != 0"
    return f"format(datum.value, {small} ? '.2e' : '{row.format or '.3~g'}')"


def _ends(span: str, low: str, high: str, kind: Literal["linear", "log"] = "linear", **more: Any) -> alt.Scale:
    """Return a scale whose ends are two columns of ``span``; in the values, Vega would find none before the first trial."""
    domain = alt.ExprRef(f"[{span}.{low}, {span}.{high}]")
    return alt.Scale(type=kind, domain=domain, nice=False, zero=alt.Undefined if kind == "log" else False, **more)


_POWER = "log(datum.value) / LN10"
_IS_POWER_OF_TEN = f"abs({_POWER} - round({_POWER})) < 1e-6"


def _axis(row: Curve) -> alt.Axis:
    """Return an axis that has labels and lines at round numbers, on a logarithmic scale at powers of ten."""
    if row.scale == "linear":
        values = {"values": row.ticks} if row.ticks else {"tickCount": 4}
        return alt.Axis(format=row.format or "~g", **values, **_WIDTH)
    text = f"{_IS_POWER_OF_TEN} ? format(datum.value, abs({_POWER}) > 3.5 ? '~e' : '~g') : ''"
    baseline: Literal["bottom", "middle"] = "bottom" if row.edge else "middle"  # off the words beside the strip of zero
    opacity = {"condition": {"test": _IS_POWER_OF_TEN, "value": 1}, "value": 0}
    return alt.Axis(labelExpr=text, gridOpacity=opacity, labelBaseline=baseline, **_WIDTH)
