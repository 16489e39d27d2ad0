import io

import pytest
from PIL import Image

from covdemo import animation, cli
from covdemo.config import RunConfig
from covdemo.run import Run


@pytest.fixture(scope="module")
def broken():
    run = Run(RunConfig())
    run.advance(run.total)
    return run


def film(run, ending, count=6, width=300):
    told = []
    content = animation.animate(run, count, 1.0, ending, width, told.append)
    return Image.open(io.BytesIO(content)), told


@pytest.mark.parametrize("ending", animation.FORMATS)
def test_a_run_is_an_animated_picture_of_the_width_asked_for(broken, ending):
    image, told = film(broken, ending)
    assert (image.format, image.n_frames, image.width) == (animation.FORMATS[ending], 6, 300)
    assert told == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert image.info["loop"] == 0


def test_the_ground_of_a_gif_is_white_and_the_same_in_all_pictures(broken):
    image, _ = film(broken, ".gif")
    grounds = []
    for number in range(image.n_frames):
        image.seek(number)
        grounds.append(image.convert("RGB").getpixel((image.width - 2, 2)))
    assert grounds == [(255, 255, 255)] * 6


def test_the_last_picture_stays(broken):
    image, _ = film(broken, ".gif")
    durations = []
    for number in range(image.n_frames):
        image.seek(number)
        durations.append(image.info["duration"])
    assert durations[-1] == 2000 > 5 * durations[0]


def test_a_run_that_broke_says_so_in_the_last_picture(broken):
    first, *_, last = broken.history.frames
    assert animation.title(broken, first) == "Trial 0 of 2,000 · accuracy 50.0%"
    assert "broke, eigenvalue -" in animation.title(broken, last)


@pytest.mark.parametrize(("records", "count", "expected"), [(13, 5, [0, 3, 6, 9, 12]), (3, 80, [0, 1, 2]), (1, 2, [0])])
def test_records_are_evenly_spread_with_the_first_and_the_last(records, count, expected):
    assert animation.chosen(list(range(records)), count) == expected


def test_the_command_writes_the_file_and_tells_its_progress(tmp_path, capsys):
    path = tmp_path / "run.webp"
    assert cli.main(["animate", "--output", str(path), "--frames", "3", "--width", "200", "--points", "5"]) == 0
    printed = capsys.readouterr()
    assert (printed.out, "100% done" in printed.err) == ("", True)
    assert Image.open(io.BytesIO(path.read_bytes())).n_frames == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--output", "run.mp4"], "expected a name that ends in .gif or .webp, got run.mp4"),
        (["--frames", "1"], "expected a whole number from 2 to 200, got '1'"),
        (["--frames", "x"], "expected a whole number from 2 to 200, got 'x'"),
        (["--width", "99999"], "expected a whole number from 200 to 1,200, got '99999'"),
        (["--seconds", "nan"], "expected a number from 0.1 to 60, got 'nan'"),
        (["--output", "no/such/folder/run.gif"], "--output: the file cannot be written"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence_before_the_run(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["animate", *arguments])
    printed = capsys.readouterr().err
    assert (stop.value.code, sentence in printed, "done" in printed) == (2, True, False)
