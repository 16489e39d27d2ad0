import gc
import itertools
import json
import re
import weakref
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
import vl_convert
from vision import VISION, contrast, difference

from covdemo import charts, curve_charts, map_charts, replay_chart, tables
from covdemo.charts import COLORS, GLYPHS, SHAPES, Box
from covdemo.config import RunConfig
from covdemo.curves import CURVES, FIRST
from covdemo.limits import CATEGORIES
from covdemo.run import Run
from covdemo.stability import Axis, StabilityMap

NAMES = ("Category 1", "Category 2")
SQUARE = Box(0.0, 0.0, 1.0)
LIGHT, DARK = "#ffffff", "#0e1117"
WRITING = {LIGHT: DARK, DARK: "#fafafa"}  # the page's colour of text on either


def draw(spec, datasets):
    """Return the figure as SVG, drawn by Vega itself."""
    rows = {name: pa.ipc.open_stream(stream).read_all().to_pylist() for name, stream in datasets.items()}
    return vl_convert.vegalite_to_svg({**spec, "width": 300, "datasets": rows})


def used(spec):
    return {layer["data"]["name"] for layer in spec["layer"]}


@pytest.fixture(scope="module")
def run():
    run = Run(RunConfig())
    run.advance(run.total)
    return run


def model_tables(run):
    frame = run.frame()
    return {
        "points": tables.points(run.data, NAMES),
        "ellipses": tables.ellipses(frame.means, frame.scale_trils, frame.valid, NAMES),
        "boundary": tables.boundary(run.decide, SQUARE),
        "path": tables.path(run.history, frame, NAMES),
        "trial": tables.trial(frame, NAMES),
    }


def curve_tables(row, run):
    return {
        "curve": tables.curve(row, run.history, NAMES),
        "reference": tables.reference(row, run, NAMES),
        "failures": tables.failures(run.history.failures, run.stopped),
        "edge": tables.edge(row, run.history, NAMES),
        "span": tables.span(row, run),
    }


@pytest.mark.parametrize("color", [*COLORS, charts.ALARM, charts.NEUTRAL])
@pytest.mark.parametrize("background", [LIGHT, DARK])
def test_every_colour_stands_out_from_both_backgrounds(color, background):
    assert contrast(color, background) >= 3  # WCAG 2.2, 1.4.11


WITH_TEXTS = {
    "data": charts.data_panel(SQUARE, NAMES),
    "model": charts.model_panel(SQUARE, NAMES),
    "small": charts.small_panel(SQUARE, NAMES),
    "replay": replay_chart.replay(SQUARE, NAMES, 3, ["one"], "Trial 0"),
    "map": map_charts.stability(StabilityMap.empty(RunConfig(), Axis("lr_cov", (0.1, 1.0)), Axis("lr_mu", (0.1, 1.0)), [0])),
    **{row.name: curve_charts.curve(row, NAMES) for row in CURVES},
}


def written(part):
    """Return the marks of a compiled figure that are texts."""
    below = part.values() if isinstance(part, dict) else part if isinstance(part, list) else []
    own = [part] if isinstance(part, dict) and part.get("type") == "text" and "encode" in part else []
    return own + [mark for each in below for mark in written(each)]


def color(mark, styles):
    """Return the colour of a text: its own, or that of its style; black where it is said nowhere."""
    own = mark["encode"]["update"].get("fill", {}).get("value")
    return own or next((styles[name]["fill"] for name in mark["style"] if "fill" in styles.get(name, {})), "#000000")


@pytest.mark.parametrize("ground", [LIGHT, DARK])
@pytest.mark.parametrize("figure", WITH_TEXTS)
def test_every_text_can_be_read_on_both_backgrounds(figure, ground):
    spec = WITH_TEXTS[figure]
    config = {**spec["config"], "title": {"color": WRITING[ground]}}  # as the page does
    compiled = vl_convert.vegalite_to_vega({**spec, "config": config})
    colors = [color(mark, compiled["config"]["style"]) for mark in written(compiled)]
    assert bool(colors) == (figure not in ("data", "model", "small", "map"))
    assert [each for each in colors if contrast(each, ground) < 4.5] == []  # WCAG 2.2, 1.4.3


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(COLORS, 2)))
def test_two_categories_differ_in_colour_for_every_kind_of_vision(vision, one, other):
    assert difference(one, other, vision) > 15  # differences above 2.3 can be noticed side by side


def test_there_is_a_colour_and_a_shape_of_its_own_for_each_category():
    assert len(set(COLORS)) == len(set(SHAPES)) == len(set(GLYPHS)) == CATEGORIES.high


FIGURES = [
    *(partial(panel, SQUARE) for panel in (charts.data_panel, charts.model_panel, charts.small_panel)),
    partial(curve_charts.curve, CURVES[0]),
]


@pytest.mark.parametrize("figure", FIGURES, ids=range(4))
def test_a_figure_is_made_once_and_only_its_names_and_its_box_are_a_viewers_own(figure):
    one, other = figure(NAMES), figure(("a", "b", "c"))
    assert one == figure(NAMES)
    assert {name for name in one if one[name] is not other[name]} == {"params"}


class Name(str):
    """A name that can be seen to be gone."""


@pytest.mark.parametrize("figure", FIGURES, ids=range(4))
def test_names_are_gone_with_their_figure(figure):
    name = Name("secret")
    gone = weakref.ref(name)
    assert '"secret"' in json.dumps(figure((name, "other")))
    del name
    gc.collect()
    assert gone() is None


def test_the_model_panel_uses_the_tables_made_for_it_and_vega_draws_it(run):
    spec, datasets = charts.model_panel(SQUARE, NAMES), model_tables(run)
    assert used(spec) == set(datasets)
    svg = draw(spec, datasets)
    assert "NaN" not in svg
    assert svg.count(COLORS[1]) > 200


def test_a_small_panel_has_the_true_contours_besides_dotted_and_once_each(run):
    truth = tables.ellipses(run.truth.means, run.truth.scale_trils, np.ones(2, dtype=bool), NAMES)
    datasets = {**model_tables(run), "truth": truth}
    assert used(charts.small_panel(SQUARE, NAMES)) == set(datasets)
    svg = draw(charts.small_panel(SQUARE, NAMES), datasets)
    assert "NaN" not in svg
    assert svg.count('stroke-dasharray="1,3"') == 2


def test_the_data_panel_draws_every_point_and_a_legend(run):
    datasets = {name: model_tables(run)[name] for name in ("points", "ellipses")}
    assert used(charts.data_panel(SQUARE, NAMES)) == set(datasets)
    svg = draw(charts.data_panel(SQUARE, NAMES), datasets)
    assert all(name in svg for name in NAMES)


@pytest.mark.parametrize("row", CURVES, ids=lambda row: row.title)
@pytest.mark.parametrize("trials", [0, 1, 12])
def test_every_curve_is_drawn_from_the_first_frame_to_the_failure(row, trials):
    run = Run(RunConfig())
    run.advance(trials)
    spec, datasets = curve_charts.curve(row, NAMES), curve_tables(row, run)
    assert used(spec) == set(datasets)
    assert "NaN" not in draw(spec, datasets)


def pointing_at(trial, spec):
    """Return the figure as if the pointer were at a trial."""
    params = [{**each, "value": trial} if each["name"] == "pointed_at" else each for each in spec["params"]]
    return {**spec, "params": params}


@pytest.mark.parametrize("row", [row for row in FIRST if row.name != "room"], ids=lambda row: row.title)  # which has infinities
def test_a_curve_tells_the_trial_pointed_at_and_the_values_recorded_there(row):
    run = Run(RunConfig(parameterization="log-cholesky"))
    run.advance(40)
    spec, datasets = curve_charts.curve(row, NAMES), curve_tables(row, run)
    assert texts(draw(pointing_at(-1, spec), datasets)) & {"33", "33.0"} == set()
    told = texts(draw(pointing_at(33, spec), datasets))
    values = np.atleast_1d(row.values(run.history)[33])
    assert {"33", *(number(row, value) for value in values)} <= told


def texts(svg):
    return set(re.findall(r">([^<>]+)</text>", svg))


def number(row, value):
    """Return three digits, as d3 writes them."""
    if row.format.endswith("%"):
        return f"{round(100 * value)}%"
    digits = f"{value:.2e}" if abs(value) < 1e-3 else np.format_float_positional(float(f"{value:.3g}"), trim="-")
    return re.sub(r"e-0", "e-", digits).replace("-", "\u2212")


def test_the_edge_at_zero_is_a_strip_of_its_own_below_a_logarithmic_scale():
    run = Run(RunConfig())
    run.advance(run.total)
    row = next(row for row in CURVES if row.name == "eigenvalue")
    told = texts(draw(curve_charts.curve(row, NAMES), curve_tables(row, run)))
    assert "\u2264 0" in told


def test_an_ellipse_drawn_by_vega_is_the_contour_of_the_distribution():
    mean, factor = np.array([[0.2, -0.1]]), np.array([[[0.3, 0.0], [-0.2, 0.1]]])
    stream = tables.ellipses(mean, factor, np.array([True]), NAMES)
    row = {name: values[2] for name, values in pa.ipc.open_stream(stream).read_all().to_pydict().items()}
    angle = np.linspace(0, 2 * np.pi, 7)
    contours = next(layer for layer in charts.data_panel(SQUARE, NAMES)["layer"] if layer["mark"]["type"] == "line")
    formulas = {step["as"]: step["calculate"] for step in contours["transform"] if "calculate" in step}
    places = [evaluate(formulas[axis], row, angle) for axis in "xy"]
    expected = mean[0] + 3 * np.stack([np.cos(angle), np.sin(angle)], axis=-1) @ factor[0].T
    np.testing.assert_allclose(np.stack(places, axis=-1), expected, rtol=1e-6)


def evaluate(formula, row, angle):
    datum = type("Datum", (), {**row, "angle": angle})
    return eval(formula, {"datum": datum, "cos": np.cos, "sin": np.sin})


def test_the_forum_experiment_is_shown_on_the_axes_of_the_question():
    assert Box.around(np.array([[-0.9, 0.1], [0.3, 1.0]])) == SQUARE


@pytest.mark.parametrize("scale", [1e-30, 0.3, 7.0, 1e6])
@pytest.mark.parametrize("shift", [0.0, 3.0, -1e6])
def test_a_box_holds_all_places_and_wastes_no_more_than_half_its_width(scale, shift):
    places = shift + scale * np.random.default_rng(0).uniform(-1, 1, (50, 2))
    box = Box.around(places)
    assert (np.abs(places - [box.x, box.y]) <= box.half).all()
    assert box.half <= max(1, 1.2 * scale * 2, 1e-5 * abs(shift))


@pytest.mark.parametrize(("size", "rounded"), [(0.693, 0.8), (1.0, 1), (1.1, 1.2), (99, 100), (3e-9, 3e-9)])
def test_sizes_are_rounded_up_to_round_numbers(size, rounded):
    assert charts.round_up(size) == pytest.approx(rounded)


def test_places_that_would_get_lost_in_the_usual_square_get_a_smaller_one():
    box = Box.around(np.array([[0.001, -0.002], [0.003, 0.001]]))
    assert box.half < 0.01
    assert abs(box.x - 0.002) < box.half


def test_places_that_are_all_in_the_middle_get_the_usual_square():
    assert Box.around(np.zeros((2, 2))) == SQUARE
