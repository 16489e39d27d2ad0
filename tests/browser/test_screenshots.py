"""Pictures for the documentation, by command."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.browser


def size(picture):
    """Return width and height from the header of a PNG file."""
    header = picture.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    return int.from_bytes(header[16:20]), int.from_bytes(header[20:24])


@pytest.mark.usefixtures("browser")  # skips where there is none
@pytest.mark.parametrize("width", [1280, 390])
def test_the_command_writes_a_picture_of_the_width_asked_for(tmp_path, width):
    command = [sys.executable, "-m", "covdemo", "screenshots", str(tmp_path), "--width", str(width), "--epochs", "1"]
    subprocess.run(command, check=True, capture_output=True)
    assert size(tmp_path / "page.png")[0] == width
