"""Pictures for the documentation, by command."""

import io
import math
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from covdemo import headless
from covdemo.shots import Shot

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("still browser")]

SHORT = ["--parameterization", "log-cholesky", "--points", "30", "--epochs", "1"]
SLOW = {"offline": False, "latency": 2000, "downloadThroughput": -1, "uploadThroughput": -1}  # milliseconds; -1: no limit


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


def test_a_table_whose_code_comes_late_is_in_the_picture_whole(visit):
    page = visit().page
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
    picture = headless.portray(page, Shot("failure"))
    page.get_by_test_id("stDataFrame").wait_for()
    assert len(pixels(picture)) == math.ceil(page.get_by_test_id("stMainBlockContainer").bounding_box()["height"])


def test_a_page_that_does_not_answer_is_told_in_a_sentence(browser):
    with pytest.raises(headless.Unavailable, match="no picture of the page was taken"):
        headless.photograph(browser, "http://localhost:1", Shot("page"))


@pytest.mark.usefixtures("browser")  # skips where there is none
def test_two_runs_of_the_command_write_the_same_picture_of_the_width_asked_for(tmp_path):
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    command = [sys.executable, "-m", "covdemo", "screenshots", "--theme", "dark", "--width", "390", "--tab", "Compare", *SHORT]
    runs = [subprocess.Popen([*command, str(folder)]) for folder in folders]  # at once: two that wait for each other
    assert [run.wait() for run in runs] == [0, 0]
    one, other = (pixels((folder / "page.png").read_bytes()) for folder in folders)
    assert one.shape == other.shape
    assert one.shape[1] == 390
    assert (one != other).any(axis=-1).mean() <= 1e-3
