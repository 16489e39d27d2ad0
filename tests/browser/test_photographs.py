"""Pictures for the documentation, by command."""

import io
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from covdemo import headless
from covdemo.cli import main
from covdemo.config import RunConfig
from covdemo.shots import Shot

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("still browser")]

SHORT = ["--parameterization", "log-cholesky", "--points", "30", "--epochs", "1"]
SLOW = {"offline": False, "latency": 2000, "downloadThroughput": -1, "uploadThroughput": -1}  # milliseconds; -1: no limit


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


def test_a_table_whose_code_comes_late_is_in_the_picture_whole(browser, server):
    with headless.view(browser, server.url) as viewer:  # in a window that has never loaded it
        page = viewer.page
        page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
        picture = headless.portray(page, Shot("failure"))
        page.get_by_test_id("stDataFrame").wait_for()
        assert len(pixels(picture)) == math.ceil(page.get_by_test_id("stMainBlockContainer").bounding_box()["height"])


def test_a_page_that_does_not_answer_is_told_in_a_sentence(browser):
    with pytest.raises(headless.Unavailable, match="no picture of the page was taken"):
        headless.photograph(browser, "http://localhost:1", Shot("page"))


def test_the_command_writes_the_same_picture_again_of_the_width_asked_for(browser, server, tmp_path):
    command = ["screenshots", "--theme", "dark", "--width", "390", "--tab", "Compare", *SHORT, str(tmp_path)]
    with ThreadPoolExecutor(1) as apart:  # from the browser that is open here
        assert apart.submit(main, command).result() == 0
    shot = Shot("page", RunConfig(parameterization="log-cholesky", points=30, epochs=1), "Compare", theme="dark", width=390)
    one, other = pixels((tmp_path / "page.png").read_bytes()), pixels(headless.photograph(browser, server.url, shot))
    assert one.shape == other.shape
    assert one.shape[1] == 390
    assert (one != other).any(axis=-1).mean() <= 1e-3
