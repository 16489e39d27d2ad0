import json
import re

import pyarrow as pa
import pytest
import vl_convert

from covdemo import replay_chart, replay_tables
from covdemo.charts import ALARM, Box
from covdemo.config import RunConfig
from covdemo.curves import CURVES, FIRST
from covdemo.replay_tables import Recording
from covdemo.run import Run

NAMES = ("Category 1", "Category 2")
SQUARE = Box(0.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def broken():
    run = Run(RunConfig())
    run.advance(run.total)
    return Recording.of(run, NAMES, CURVES)


def draw(recording, frame):
    """Return the figure at a record as SVG, drawn by Vega itself."""
    datasets = replay_tables.datasets(recording, SQUARE)
    rows = {name: pa.ipc.open_stream(stream).read_all().to_pylist() for name, stream in datasets.items()}
    spec = replay_chart.replay(SQUARE, NAMES, len(recording.frames), ["Trial 12"], "Trial 0", recording.rows)
    params = [{**each, "value": frame} if each["name"] == "frame" else each for each in spec["params"]]
    views = [{**view, "width": 500} for view in spec["vconcat"]]
    return vl_convert.vegalite_to_svg({**spec, "params": params, "vconcat": views, "datasets": rows})


def test_every_dataset_that_the_figure_names_is_made(broken):
    named = {
        part.split('"')[1]
        for part in json.dumps(replay_chart.replay(SQUARE, NAMES, 3, ["one"], "Trial 0", CURVES)).split('{"name": ')[1:]
    }
    assert set(replay_tables.datasets(broken, SQUARE)) <= named


@pytest.mark.parametrize("failures", [[], ["one"]])
def test_the_marks_that_clicks_are_for_have_their_names(failures):
    vega = json.dumps(vl_convert.vegalite_to_vega(replay_chart.replay(SQUARE, NAMES, 3, failures, "Trial 0")))
    clicked = set(re.findall(r"@(\w+):click", vega))
    assert clicked == {"moments_marks", "failures_marks"} & set(re.findall(r'"name": "(\w+)"', vega))


def test_the_figure_shows_every_curve_and_the_timeline(broken):
    picture = draw(broken, 0)
    assert [title for title in ("Timeline", *(row.title for row in CURVES)) if f">{title}<" not in picture] == []


def test_the_matrix_that_broke_is_told_at_the_failure_and_only_there(broken):
    last = len(broken.frames) - 1
    assert "The matrix that broke" in draw(broken, last)
    assert "The matrix that broke" not in draw(broken, last - 1)


def test_a_failure_is_a_mark_on_the_timeline(broken):
    assert ALARM in draw(broken, 0)


def test_contours_are_dashed_only_where_the_distribution_is_broken(broken):
    last = len(broken.frames) - 1
    assert draw(broken, last).count('stroke-dasharray="4,4"') == 3
    assert draw(broken, last - 1).count('stroke-dasharray="4,4"') == 0


def test_another_record_is_another_picture(broken):
    assert len({draw(broken, frame) for frame in (0, 3, 6)}) == 3


def test_without_failures_there_is_neither_a_menu_nor_a_story():
    spec = replay_chart.replay(SQUARE, NAMES, 9, [], "Trial 0")
    assert [each["name"] for each in spec["params"] if "bind" in each] == ["play", "speed", "frame", "shown"]
    assert len(spec["vconcat"]) == 2 + len(FIRST)


@pytest.mark.parametrize(("records", "first"), [(450, 60), (60, 10), (13, 2), (1, 1)])
def test_a_short_run_is_played_slowly(records, first):
    assert replay_chart.speed(records) == first
