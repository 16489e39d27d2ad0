import re
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from covdemo import headless, pictures
from covdemo.__main__ import main
from covdemo.curves import CURVES

FIGURES = {"data", "model", "map", *(row.name for row in CURVES)}
pytestmark = pytest.mark.xdist_group("static pictures")  # whose pictures are taken for all of them


@pytest.fixture(scope="module", params=["light", "dark"])
def drawn(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    assert main(["screenshots", str(folder), "--static", "--theme", request.param, "--name", "run"]) == 0
    return request.param, folder


def test_static_pictures_are_every_chart_of_the_run_and_its_map_as_png_and_svg(drawn):
    _, folder = drawn
    assert {path.name for path in folder.iterdir()} == {f"run-{name}.{kind}" for name in FIGURES for kind in pictures.KINDS}


def test_static_pictures_stand_on_the_ground_of_their_theme(drawn):
    theme, folder = drawn
    corners = {tuple(np.asarray(Image.open(path).convert("RGB"))[-1, -1]) for path in folder.glob("*.png")}
    assert corners == {(255, 255, 255) if theme == "light" else tuple(bytes.fromhex(pictures.DARK[1:]))}


def test_static_pictures_are_the_same_again(drawn, tmp_path):
    theme, folder = drawn
    main(["screenshots", str(tmp_path), "--static", "--theme", theme, "--name", "run"])
    assert contents(folder) == contents(tmp_path)


def contents(folder):
    """Return what the files hold, without the names that Vega counts up for parts of a picture."""
    return {path.name: re.sub(rb"clip\d+|gradient_\d+", b"", path.read_bytes()) for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "expected a folder to write to, got nowhere"),
        ([".", "--lesson", "latin"], "invalid choice: 'latin'"),
        ([".", "--width", "12"], "expected a whole number from 320 to 3,840, got '12'"),
        ([".", "--theme", "pink"], "invalid choice: 'pink'"),
        ([".", "--tab", "Home"], "invalid choice: 'Home'"),
        ([".", "--static", "--tab", "Map"], "--tab cannot be asked for together with --static"),
        ([".", "--static", "--width", "1280"], "--width cannot be asked for together with --static"),
        ([".", "--docs", "--theme", "light"], "--theme cannot be asked for together with --docs"),
        ([".", "--docs", "--lr-cov", "1e-5"], "--lr-cov cannot be asked for together with --docs"),
        ([".", "--lesson", "all", "--preset", "breaks"], "--preset cannot be asked for together with --lesson"),
        ([".", "--name", "no/such/folder"], "FOLDER: the file cannot be written: No such file or directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_makes_no_sense_is_refused_in_a_sentence(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as refused:
        main(["screenshots", *arguments])
    assert (refused.value.code, sentence in capsys.readouterr().err) == (2, True)


@pytest.mark.skipif(find_spec("playwright") is None, reason="says first that playwright is missing")
def test_without_a_browser_it_says_how_to_get_one(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COVDEMO_CHROMIUM", str(tmp_path / "nowhere"))
    with pytest.raises(SystemExit) as refused, ThreadPoolExecutor(1) as apart:  # from a browser that other tests have open
        apart.submit(main, ["screenshots", str(tmp_path)]).result()
    assert (refused.value.code, "no browser starts: set COVDEMO_CHROMIUM" in capsys.readouterr().err) == (2, True)


def test_without_the_page_beside_the_package_a_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(headless, "APP", tmp_path / "app.py")
    with pytest.raises(headless.Unavailable, match=r"there is no app\.py beside the package"), headless.serve():
        pass
