"""Pictures for the documentation, by command."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from covdemo import headless
from covdemo.config import RunConfig
from covdemo.shots import Shot

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("still browser")]

SHORT = RunConfig(parameterization="log-cholesky", points=30, epochs=1)
SHOTS = [
    Shot("failure", theme="dark"),
    Shot("comparison", SHORT, "Compare", width=390),
]


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_the_same_picture_is_taken_again(shot, browser, server):
    one, other = (pixels(headless.photograph(browser, server.url, shot)) for _ in range(2))
    assert one.shape == other.shape
    assert one.shape[1] == shot.width
    assert (one != other).any(axis=-1).mean() <= 1e-3


@pytest.mark.usefixtures("browser")  # skips where there is none
def test_the_command_starts_the_page_and_writes_a_picture_of_the_width_asked_for(tmp_path):
    command = [sys.executable, "-m", "covdemo", "screenshots", str(tmp_path), "--width", "390", "--lesson", "the-question"]
    subprocess.run(command, check=True, capture_output=True)
    assert pixels((tmp_path / "lesson-the-question.png").read_bytes()).shape[1] == 390
