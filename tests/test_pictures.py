import io
import subprocess
import sys
import zipfile

import pytest
from PIL import Image

from covdemo import charts, drawings, pictures, tables
from covdemo.comparison import Comparison
from covdemo.config import RunConfig
from covdemo.curves import CURVES
from covdemo.run import Run


@pytest.fixture(scope="module")
def figures():
    run = Run(RunConfig())
    run.advance(run.total)
    return drawings.figures(run)


@pytest.fixture(scope="module")
def archive(figures):
    return zipfile.ZipFile(io.BytesIO(pictures.archive(figures)))


def test_there_is_a_picture_of_each_kind_for_every_panel_and_curve(archive):
    names = ["data", "model", *(row.name for row in CURVES)]
    assert archive.namelist() == [f"{name}.{kind}" for name in names for kind in pictures.KINDS]


@pytest.mark.parametrize("name", ["data", "model", *(row.name for row in CURVES)])
def test_a_png_is_large_enough_to_print_and_not_empty(archive, name):
    image = Image.open(io.BytesIO(archive.read(f"{name}.png"))).convert("RGB")
    assert min(image.size) > 200
    assert len(image.getcolors(image.width * image.height)) > 20


@pytest.mark.parametrize("name", ["data", "model", *(row.name for row in CURVES)])
def test_an_svg_has_marks_of_the_first_category_or_of_all_and_no_broken_number(archive, name):
    text = archive.read(f"{name}.svg").decode()
    assert text.startswith("<svg")
    assert charts.COLORS[0] in text or charts.NEUTRAL in text
    assert "NaN" not in text


def test_the_figures_use_the_tables_made_for_them(figures):
    comparison = Comparison((RunConfig(), RunConfig(parameterization="tril")))
    figures = figures | drawings.panels(comparison)
    missing = {name: used(spec) - set(datasets) for name, (spec, datasets) in figures.items()}
    assert not any(missing.values()), missing


def used(spec):
    return {layer["data"]["name"] for layer in spec["layer"]}


def test_without_vl_convert_there_is_a_sentence_and_no_other_module_is_missing():
    code = "import sys; sys.modules['vl_convert'] = None; from covdemo import pictures; pictures.draw({}, 'png')"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.stderr.rstrip().endswith("ValueError: vl-convert is missing: pip install 'covdemo[pictures]'")


def test_the_name_of_the_extra_is_the_one_that_the_sentence_gives():
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    assert "covdemo[pictures]" in pictures.MISSING
    assert project["optional-dependencies"]["pictures"][0].startswith("vl-convert-python")


def test_a_panel_at_a_record_shows_the_boundary_of_that_record():
    run = Run(RunConfig(parameterization="log-cholesky"))
    box = drawings.box_of(run)
    run.advance(100)
    then, kept = run.frame(), tables.boundary(run.decide, box)
    run.advance(400)
    assert drawings.model_tables(run, then, box)["boundary"] == kept
    assert drawings.model_tables(run, run.frame(), box)["boundary"] != kept
