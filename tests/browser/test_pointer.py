"""The pointer on one curve, in a real browser: its trial is told on all of them."""

import io
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image, ImageChops
from test_page import press, say

from covdemo import headless
from covdemo.curve_charts import HEIGHT
from covdemo.curves import CURVES, FIRST

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("still browser")]

PANELS = 2


def curves(viewer):
    return [canvas.element_handle() for canvas in viewer.page.locator("canvas.marks").all()[PANELS:]]


def pictures(viewer):
    """Return what the curves' canvases hold, whatever is before them."""
    urls = [canvas.evaluate("(canvas) => canvas.toDataURL()") for canvas in curves(viewer)]
    return [Image.open(io.BytesIO(b64decode(url.partition(",")[2]))).convert("RGB") for url in urls]


def rules(before, after):
    """Return the column where a line from top to bottom has come into each picture, -1 for none."""
    changes = [np.asarray(ImageChops.difference(*pair), dtype=int).sum(axis=-1) for pair in zip(before, after, strict=True)]
    lengths = [(change > 60).sum(axis=0) for change in changes]
    return [int(length.argmax()) if length.max() > HEIGHT / 2 else -1 for length in lengths]


@pytest.mark.parametrize("width", [1280, 390])
def test_the_trial_under_the_pointer_is_shown_on_all_curves_and_nowhere_when_it_has_gone(visit, width):
    viewer = visit("?parameterization=log-cholesky&epochs=1", width=width, height=1900 if width == 390 else 1000)
    press(viewer, "Run to the end")
    say(viewer, "Trial 400 of 400")
    viewer.page.get_by_text("Gradient norm", exact=True).click()
    viewer.page.locator("canvas.marks").nth(PANELS + len(FIRST)).wait_for()
    headless.settle(viewer.page)
    viewer.page.mouse.move(0, 0)
    before = pictures(viewer)
    assert len(before) == len(FIRST) + 1 < len(CURVES)
    box = curves(viewer)[1].bounding_box()
    viewer.page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 40)
    viewer.page.wait_for_timeout(200)
    assert rules(before, pictures(viewer)) == pytest.approx([0.4 * box["width"]] * len(before), abs=4)
    viewer.page.mouse.move(0, 0)
    viewer.page.wait_for_timeout(200)
    assert rules(before, pictures(viewer)) == [-1] * len(before)
