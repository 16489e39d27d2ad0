import math
import re
from functools import reduce

import numpy as np
import pyarrow as pa
import pytest

from covdemo import limits, replay_tables, tables
from covdemo.categories import add_category
from covdemo.charts import Box
from covdemo.config import RunConfig
from covdemo.curves import CURVES
from covdemo.history import LOGGED, RECORDS
from covdemo.replay_tables import FINE, REACH, VERTICES, Recording
from covdemo.run import Run

NAMES = ("Category 1", "Category 2")
SQUARE = Box(0.0, 0.0, 1.0)
LIMIT = 2_000_000  # bytes
pytestmark = pytest.mark.xdist_group("replay tables")  # whose recordings most of them look at


def read(stream):
    return pa.ipc.open_stream(stream).read_all().to_pydict()


def recorded(trials=None, **settings):
    run = Run(RunConfig(**settings))
    run.advance(run.total if trials is None else trials)
    return Recording.of(run, NAMES, CURVES)


@pytest.fixture(scope="module")
def learned():
    return recorded(parameterization="log-cholesky", epochs=1)


@pytest.fixture(scope="module")
def figure(learned):
    """All datasets of the figure that plays it back."""
    return replay_tables.datasets(learned, SQUARE)


@pytest.fixture(scope="module")
def broken():
    recording = recorded()
    assert recording.run.stopped
    return recording


@pytest.fixture(scope="module")
def skipping():
    recording = recorded(policy="skip")
    assert len(recording.failures) > 20
    return recording


def test_all_of_a_run_of_2000_trials_that_fails_often_is_far_below_the_limit(skipping):
    assert skipping.run.total == 2000
    assert sum(map(len, replay_tables.datasets(skipping, SQUARE).values())) < LIMIT / 2


def test_the_most_that_a_run_can_record_is_below_the_limit():
    settings = RunConfig(points=tables.POINTS // 5, epochs=1, policy="skip", objective="likelihood", lr_cov=1.0, lr_mu=0.2)
    run = Run(reduce(lambda grown, _: add_category(grown), range(3), settings))
    run.advance(run.total)
    recording = Recording.of(run, tuple(str(k) * limits.NAME for k in range(5)), CURVES)
    assert len(recording.frames) > 0.8 * RECORDS
    assert len(recording.failures) == LOGGED
    assert sum(map(len, replay_tables.datasets(recording, SQUARE).values())) < 0.9 * LIMIT  # the rest is for the figure


def test_there_is_a_state_for_each_record_and_category_and_a_value_for_each_curve(learned):
    rows, frames = read(replay_tables.states(learned)), learned.frames
    assert rows["step"] == [index for index in range(len(frames)) for _ in NAMES]
    assert rows["category"] == list(NAMES) * len(frames)
    np.testing.assert_allclose(rows["x"], np.concatenate([frame.means[:, 0] for frame in frames]), rtol=1e-6)
    np.testing.assert_allclose(rows["l22"], np.concatenate([frame.scale_trils[:, 1, 1] for frame in frames]), rtol=1e-6)
    assert {f"value{index}" for index in range(len(CURVES))} <= set(rows)


@pytest.mark.parametrize("index", range(len(CURVES)), ids=lambda index: CURVES[index].title)
def test_the_marker_is_on_the_curve_or_nowhere(index, figure):
    states, curve = read(figure["states"]), read(figure[f"curve_{index}"])
    categories = 2 if CURVES[index].per_category else 1
    pairs = list(zip(states["trial"], states[f"value{index}"], strict=True))[:: 2 // categories]
    drawn = [
        (trial, value) for trial, value, rough in zip(*map(curve.get, ("trial", "value", "rough")), strict=True) if not rough
    ]
    assert [pair for pair in pairs if not math.isnan(pair[1])] == drawn


def test_a_frame_has_the_point_of_its_trial_and_stands_until_the_next(learned, figure):
    rows = read(figure["frames"])
    assert math.isnan(rows["x"][0])
    np.testing.assert_allclose([rows["x"][7], rows["y"][7]], learned.frames[7].x, rtol=1e-6)
    assert rows["next"] == [*rows["trial"][1:], rows["trial"][-1]]
    assert rows["trial"][-1] == learned.run.total


def test_the_words_of_a_frame_leave_out_a_loss_that_there_is_not(learned):
    assert replay_tables.standing(learned.frames[0], 1) == "Trial 0 · epoch 1 · accuracy 50.0%"
    assert re.fullmatch(r"Trial 50 · epoch 1 · loss [\de.-]+ · accuracy [\d.]+%", replay_tables.standing(learned.frames[50], 1))


def test_the_last_record_belongs_to_the_last_epoch(figure):
    assert read(figure["frames"])["text"][-1].startswith("Trial 400 · epoch 1 · ")


def corners(path):
    return [np.array([corner.split(",") for corner in piece.split("L")], dtype=float) for piece in path.split("M")[1:]]


def test_the_boundary_of_every_moment_separates_the_answers_that_the_model_then_gave():
    run = Run(RunConfig(parameterization="log-cholesky", epochs=1))
    run.advance(200)
    decided = run.decide(run.data.x)
    frame = run.frame()
    run.advance(200)
    np.testing.assert_allclose(run.decide_at(frame, run.data.x), decided, rtol=1e-5)
    path = np.concatenate(corners(replay_tables.outline(lambda places: run.decide_at(frame, places), SQUARE)))
    places = path * (REACH / FINE, -REACH / FINE)
    around = (places[:, None] + 0.015 * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])).reshape(-1, 2)
    answers = run.decide_at(frame, around).argmax(axis=1).reshape(-1, 4)
    assert (answers.min(axis=1) < answers.max(axis=1)).all()


def test_a_boundary_has_a_bounded_number_of_corners():
    wave = replay_tables.outline(lambda p: np.stack([np.sin(9 * p[:, 0]) * np.sin(9 * p[:, 1]), np.zeros(len(p))], -1), SQUARE)
    pieces = corners(wave)
    assert len(pieces) > 10
    assert sum(map(len, pieces)) <= VERTICES + 2 * len(pieces)


def test_where_nothing_is_decided_there_is_an_empty_path():
    assert replay_tables.outline(lambda places: np.zeros((len(places), 2)), SQUARE) == "M0,0"


def test_the_failure_that_ended_the_run_is_shown_at_the_last_record_with_the_last_valid_ellipse(broken):
    failure, frames, states = broken.failures[0], broken.frames, read(replay_tables.states(broken))
    assert broken.shown_at(failure) == len(frames) - 1
    assert states["state"][-2:].count("broken") == 1
    np.testing.assert_allclose(frames[-1].scale_trils, frames[-2].scale_trils)
    assert read(replay_tables.failures(broken))["fatal"] == [True]


def test_other_failures_are_shown_at_the_last_record_before_them(skipping):
    trials = [frame.trial for frame in skipping.frames]
    steps = [skipping.shown_at(failure) for failure in skipping.failures]
    before = [max(index for index, trial in enumerate(trials) if trial < failure.trial) for failure in skipping.failures]
    assert steps == before
    assert not any(read(replay_tables.failures(skipping))["fatal"])


def test_a_record_knows_the_first_of_its_failures(skipping):
    steps = read(replay_tables.failures(skipping))["step"]
    told = read(replay_tables.frames(skipping, SQUARE))["failure"]
    assert told == [steps.index(step) if step in steps else -1 for step in range(len(skipping.frames))]


def test_the_story_of_a_failure_has_the_matrix_that_broke_and_its_eigenvalues(broken):
    story = replay_tables.story(broken, broken.failures[0])
    eigenvalues = [float(text) for text in re.search(r"eigenvalues: (\S+), (\S+);", story).groups()]
    matrix = [[float(entry) for entry in line.split()] for line in story.splitlines()[2:4]]
    np.testing.assert_allclose(eigenvalues, np.linalg.eigvalsh(broken.failures[0].matrix), rtol=0.01)
    np.testing.assert_allclose(matrix, broken.failures[0].matrix, rtol=0.01)
    assert story.endswith(f"after trial {broken.failures[0].trial - 1}")


def test_a_recording_does_not_change_when_the_run_goes_on():
    run = Run(RunConfig(policy="skip"))
    run.advance(30)
    recording = Recording.of(run, NAMES)
    before = (len(recording.frames), recording.failures)
    run.advance(30)
    assert (len(recording.frames), recording.failures) == before
    assert len(read(replay_tables.states(recording))["x"]) == 2 * before[0]
