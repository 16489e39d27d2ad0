import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from covdemo import contours, drawings, map_charts, replay_tables, shots
from covdemo.config import RunConfig
from covdemo.lessons import lessons
from covdemo.shots import DOCUMENTATION, Shot

IMAGES = Path(__file__).parent.parent / "docs" / "images"
RENEW = "Renew the pictures: python -m covdemo screenshots docs/images --docs"


def close(one, other):
    """Whether two contents are equal, numbers to a hundredth."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    return one == pytest.approx(other, rel=1e-2) if isinstance(one, float) else one == other


@pytest.mark.parametrize("shot", DOCUMENTATION, ids=lambda shot: shot.name)
def test_a_picture_of_the_documentation_shows_what_the_page_shows_now(shot):
    written = json.loads((IMAGES / shots.CONTENT).read_text())
    assert close(written.get(shot.name), shots.content(shot)), RENEW


@pytest.mark.parametrize("shot", DOCUMENTATION, ids=lambda shot: shot.name)
def test_a_picture_of_the_documentation_is_there_and_small(shot):
    assert 10_000 < (IMAGES / f"{shot.name}.png").stat().st_size < 300_000


@pytest.mark.parametrize("shot", DOCUMENTATION, ids=lambda shot: shot.name)
def test_a_picture_of_the_documentation_stands_on_a_page(shot):
    root = IMAGES.parent.parent
    pages = [root / "README.md", *(root / "docs").glob("*.md")]
    assert any(f"images/{shot.name}.png" in page.read_text() for page in pages)


def test_other_data_are_another_content():
    assert not close(shots.content(Shot("one")), shots.content(Shot("one", RunConfig(seed=1))))


SMALL = RunConfig(points=20, epochs=1)


@pytest.fixture
def anew():
    """Forget what pictures show before a test changes it, and after."""
    shots._shown.cache_clear()
    yield shots._shown.cache_clear
    shots._shown.cache_clear()


@pytest.mark.parametrize(
    ("tab", "module", "name", "change"),
    [
        ("Compare", drawings, "model_tables", lambda found: {**found, "ellipses": found["path"]}),
        ("Compare", drawings, "model_tables", lambda found: {name: found[name] for name in found.keys() - {"boundary"}}),
        ("Map", map_charts, "_cells", lambda found: list(found)[1:]),
        ("Map", map_charts, "_mean_kl", lambda found: "1 nats"),
        ("Map", map_charts, "_first_failure", lambda found: "none"),
        ("Map", contours, "levels", lambda found: found[1:]),
        ("Map", map_charts, "_label_places", lambda found: found[1:]),
        ("Map", map_charts, "_mark_layer", lambda found: ([], {})),
        ("Map", map_charts, "_value", lambda found: 2 * found),
        ("Replay", replay_tables, "states", lambda found: stream(step=np.arange(3))),
        ("Replay", replay_tables, "parts", lambda found: stream(k=np.arange(3))),
        ("Replay", replay_tables, "outline", lambda found: "M0,0"),
        ("Replay", replay_tables, "standing", lambda found: "Trial 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_taken_from_a_chart_is_missed(tab, module, name, change, anew, monkeypatch):
    shot, made = Shot("one", SMALL, tab), getattr(module, name)
    before = shots.content(shot)
    anew()
    monkeypatch.setattr(module, name, lambda *args: change(made(*args)))
    assert not close(before, shots.content(shot))


def test_another_axis_of_a_map_is_missed(anew, monkeypatch):
    before = shots.content(Shot("one", SMALL, "Map"))
    anew()
    monkeypatch.setitem(map_charts.LABELS, "lr_cov", "Rate")
    assert not close(before, shots.content(Shot("one", SMALL, "Map")))


def test_a_summary_has_the_rows_and_the_mean_size_of_each_column_of_numbers():
    table = shots.summary(stream(x=np.array([1.0, -2.0, np.nan]), label=np.array(["a", "b", "c"])))
    assert table == {"rows": 3, "x": 1.5}


def test_a_summary_has_the_mean_size_of_the_numbers_in_a_column_of_text():
    table = shots.summary(stream(text=np.array(["M1,2L-3,1.5e2", "broken", "7 %"]), none=np.array(["a", "b", "c"])))
    assert table == {"rows": 3, "text": 32.6}


def stream(**columns):
    table, sink = pa.table(columns), pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("key", lessons())
def test_the_picture_of_a_lesson_is_of_its_settings_and_opens_it(key):
    shot = shots.of_lesson(key, "dark", 800)
    assert (shot.config, shot.name) == (lessons()[key].config, f"lesson-{key}")
    assert f"lesson={key}" in shot.query
