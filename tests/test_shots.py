import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from covdemo import shots
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


def test_a_summary_has_the_rows_and_the_mean_size_of_each_column_of_numbers():
    table = shots.summary(stream(x=np.array([1.0, -2.0, np.nan]), label=np.array(["a", "b", "c"])))
    assert table == {"rows": 3, "x": 1.5}


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
