"""The figure that plays a run back: one Vega-Lite specification in which a number, ``frame``, moves everything.

The browser does it all: a slider is bound to the number of the record, and Vega's timer moves it while ``play`` is on, so
nothing is asked of the server. The rows of the present moment are looked up by their place in a dataset, which costs the same
however long the run was; a filter would visit every row for each picture.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt

from covdemo import charts, curve_charts
from covdemo.charts import ALARM, CROSS, DEVIATIONS, NEUTRAL, WRITING, Box, Paint, Spec
from covdemo.curves import FIRST, Curve
from covdemo.replay_tables import FINE, REACH

PANEL, STORY, TIMELINE, STRIP = 290, 88, 24, 50  # heights
SPEEDS = (1, 2, 5, 10, 30, 60)  # records per second
TICK = 16  # milliseconds from one look at the clock to the next
LONGEST = 250  # milliseconds without a picture that are made up for; more are not
SECONDS = 5  # least duration at the speed that is chosen at first, where there is one as slow
ALT = (
    "Replay of the run. Above, the data points, the contours of the model's normal distributions, the true ones dotted, the "
    "paths of the means, the decision boundary and the point of the trial shown. Below, a timeline with a cross for each "
    "failure, and the curves, each with a marker at the trial shown. Play, speed, record and failure are chosen beneath."
)
View = alt.Chart | alt.LayerChart | alt.FacetChart
_STATE = "data('states')[frame * {categories} + datum.k]"


def speed(records: int) -> int:
    """Return the records per second at which a replay begins: the fastest that leaves time to see something."""
    return next((each for each in reversed(SPEEDS) if records >= SECONDS * each), SPEEDS[0])


def replay(
    box: Box, names: tuple[str, ...], records: int, failures: Sequence[str], first: str, rows: Sequence[Curve] = FIRST
) -> Spec:
    """Return the figure; its datasets are those of ``covdemo.replay_tables``.

    Args:
        box: what the panel shows at least.
        names: of the categories, K of them.
        records: how many there are.
        failures: name of each failure for people.
        first: what is said of the first record.
        rows: the curves.
    """
    state = _STATE.format(categories=len(names))
    paint = Paint(legend=True)
    strips = [_strip(index, row, paint, state, last=index == len(rows) - 1) for index, row in enumerate(rows)]
    above: list[View] = [_panel(paint, state), *[_story()] * bool(failures)]
    spec = charts.dress(alt.vconcat(*above, _timeline(), *strips, spacing=4))
    for part, name in zip(spec["vconcat"][len(above)]["layer"], ("present", "moments", "failures"), strict=True):
        part["name"] = name  # here, because Altair would put a number behind it, and the clicks below need the name
    spec["params"] = [*charts.scene(names, box), *_params(records - 1, failures, first)]
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec


def _params(last: int, failures: Sequence[str], first: str) -> list[dict[str, Any]]:
    """Return what moves the figure.

    What follows from a change of another signal is evaluated with it; what would close a circle waits for the next tick. A
    handler that gives the same value twice must be forced, or Vega tells nobody, even if the signal had another one between.
    """
    tick = {"type": "timer", "throttle": TICK}
    due = f"play ? beat.due % 1 + min(now() - beat.at, {LONGEST}) * speed / 1000 : 0"
    step = "data('failures')[failure].step"
    stays = f"failure >= 0 && {step} === frame"
    return [
        {
            "name": "play",
            "value": False,
            "bind": {"input": "checkbox", "name": "Play"},
            "on": [
                {"events": tick, "update": f"play && frame < {last}"},
                {"events": {"signal": "failure"}, "update": "play && failure < 0", "force": True},
                {"events": "@moments_marks:click", "update": "false"},
            ],
        },
        {"name": "speed", "value": speed(last + 1), "bind": _menu("Records per second", SPEEDS)},
        {
            "name": "failure",
            "value": -1,
            **({"bind": _menu("Go to failure", range(-1, len(failures)), ("–", *failures))} if failures else {}),
            "on": [
                {"events": tick, "update": f"{stays} ? failure : -1"},
                {"events": "@failures_marks:click", "update": "datum.number"},
            ],
        },
        {"name": "beat", "value": {"at": 0, "due": 0}, "on": [{"events": tick, "update": f"{{at: now(), due: {due}}}"}]},
        {
            "name": "frame",
            "value": 0,
            "bind": {"input": "range", "name": "Record", "min": 0, "max": last, "step": 1},
            "on": [
                {"events": {"signal": "play"}, "update": f"play && frame == {last} ? 0 : frame", "force": True},
                {"events": {"signal": "beat"}, "update": f"min({last}, frame + floor(beat.due))"},
                {"events": {"signal": "failure"}, "update": f"failure < 0 ? frame : {step}", "force": True},
                {"events": "@moments_marks:click", "update": "datum.step"},
            ],
        },
        {"name": "now", "expr": "data('frames')[frame]"},
        {"name": "told", "expr": "failure < 0 ? now.failure : failure"},
        {
            "name": "shown",
            "value": first,
            "bind": {"input": "text", "name": "Shown", "readonly": "readonly"},
            "on": [{"events": {"signal": "now"}, "update": "now.text"}],
        },
    ]


def _menu(name: str, options: Sequence[int], labels: Sequence[str] = ()) -> dict[str, Any]:
    return {"input": "select", "name": name, "options": list(options), **({"labels": list(labels)} if labels else {})}


def _panel(paint: Paint, state: str) -> View:
    axes = charts.places(str(PANEL))
    columns = {"mean_x": "x", "mean_y": "y", "l11": "l11", "l21": "l21", "l22": "l22", "state": "state"}
    contours, centres = (_looking_up(each, columns, state) for each in charts.ellipse_layers(axes, paint))
    truth = charts.ellipse_layers(axes, paint)[0].mark_line(clip=True, strokeWidth=1.2, opacity=0.8)
    truth = truth.properties(data=alt.NamedData("truth")).encode(strokeDash=alt.value([1, 3]))
    path = charts.path_layer(axes, paint).properties(data=alt.NamedData("states")).transform_filter("datum.step <= frame")
    point = charts.trial_layer(axes, paint).properties(data=alt.NamedData("frames"))
    point = point.transform_filter("datum.step === frame && isValid(datum.x)")
    return _view([charts.points_layer(axes, paint), truth, _boundary(), path, contours, centres, point], PANEL)


def _looking_up(layer: alt.Chart, columns: dict[str, str], state: str) -> alt.Chart:
    """Return a layer whose columns come from other columns of the present state, before all that it does itself."""
    found = layer.copy()
    first = [alt.CalculateTransform(calculate=f"{state}.{source}", **{"as": name}) for name, source in columns.items()]
    found.transform = [*first, *layer.transform]
    return found


def _boundary() -> alt.Chart:
    """Return the decision boundary: one mark whose shape is the path, as far as ``REACH`` from the centre of the panel."""
    size = f"pow({REACH / FINE} * min(width, {PANEL}), 2)"
    return (
        _one()
        .mark_point(
            shape=alt.ExprRef("now.boundary"),
            size=alt.ExprRef(size),
            x=alt.ExprRef("width / 2"),
            y=PANEL / 2,
            strokeWidth=1.5,
            opacity=1,
            clip=True,
        )
        .encode(color=alt.value(NEUTRAL))
    )


def _each() -> alt.Chart:
    """Return a layer with one mark for each category."""
    return charts.layer("ellipses").transform_filter(f"datum.r === {DEVIATIONS[0]}")


def _one() -> alt.Chart:
    """Return a layer with one mark."""
    return _each().transform_filter("datum.k === 0")


def _story() -> View:
    """Return what there is to say of the failure at the present moment."""
    chosen = charts.layer("failures").transform_filter("datum.number === told")
    mark = chosen.mark_text(
        **{**WRITING, "fontSize": 12}, align="left", baseline="top", x=0, y=2, lineBreak="\n", lineHeight=14
    )
    return mark.encode(text="text:N").properties(height=STORY, view=alt.ViewBackground(stroke=None))


def _timeline() -> View:
    """Return the line on which every moment can be clicked, and every failure is a mark."""
    x = curve_charts.axes_of(FIRST[0], "_0", labels=False)[0]
    moments = charts.layer("frames").mark_rect(cursor="pointer", opacity=0, y=0, y2=TIMELINE)
    failed = charts.layer("failures").mark_point(
        cursor="pointer", opacity=1, shape=CROSS, size=90, strokeWidth=3, color=ALARM, y=TIMELINE / 2
    )
    return _view([_present(x), moments.encode(x, x2="next:Q"), failed.encode(x)], TIMELINE, "Timeline")


def _strip(index: int, row: Curve, paint: Paint, state: str, last: bool) -> View:
    """Return a curve with the present moment marked on it; the last one has the axis of the trials."""
    x, y = axes = curve_charts.axes_of(row, f"_{index}", labels=last, height=str(STRIP))
    layers = curve_charts.layers_of(row, paint, axes, f"_{index}", str(STRIP))
    rows = _each() if row.per_category else _one()
    value = rows.transform_calculate(trial="now.trial", value=f"{state}.value{index}").transform_filter("isValid(datum.value)")
    marker = value.mark_point(filled=True, size=60, opacity=1, clip=True, stroke="white", strokeWidth=1, color=NEUTRAL)
    marker = marker.encode(x, y, **({"color": paint.color} if row.per_category else {}))
    return _view([*layers, _present(x), marker], STRIP, row.title)


def _present(x: alt.X) -> alt.Chart:
    """Return a line through the present moment."""
    return _one().transform_calculate(trial="now.trial").mark_rule(strokeWidth=1, color=NEUTRAL).encode(x)


def _view(layers: Sequence[alt.Chart], height: int, title: str = "") -> View:
    named = {"title": {"text": title, "fontSize": 12, "offset": 3, "frame": "group"}} if title else {}
    return alt.layer(*layers).properties(height=height, **named)
