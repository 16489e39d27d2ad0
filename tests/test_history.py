"""What a run keeps of its past."""

import pickle
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from covdemo.config import RunConfig
from covdemo.history import EARLY, RECORDS, Frame, History, condition_number
from covdemo.run import Run
from covdemo.trials import draw

CALM = RunConfig(points=20, epochs=3, lr_cov=1e-5)
SHAPES = {
    "trial": (),
    "loss": (),
    "accuracy": (),
    "means": (2, 2),
    "scale_trils": (2, 2, 2),
    "eigenvalues": (2, 2),
    "kl": (2,),
    "readout": (2, 2),
    "room": (2,),
    "gradient_norm": (2,),
    "silent": (2,),
    "silent_trials": (2,),
    "silent_share": (2,),
}


@cache
def run_of(trials):
    """Return a finished run of so many trials; a shorter one is the beginning of a longer one."""
    data = draw(CALM)
    run = Run(CALM, replace(data, order=np.resize(data.order, trials)))
    run.advance(trials)
    return run


@pytest.mark.parametrize("name", SHAPES)
def test_a_column_has_a_row_for_each_record(name):
    history = run_of(30).history
    column = history.column(name)
    assert (column.shape, column.dtype) == ((len(history), *SHAPES[name]), np.float64)


def test_every_quantity_that_is_a_number_at_every_moment_is_recorded():
    left_out = {field.name for field in fields(Frame)} - SHAPES.keys()
    # the trial and the file tell the epoch and the point; covariances are L L^T; failures have a log of their own
    assert left_out == {"epoch", "covariances", "failures", "valid", "x", "label"}


def test_a_frame_that_is_not_newer_is_left_out():
    history, frame = History(), run_of(3).frame()
    history.record(frame)
    history.record(replace(frame, trial=2))
    assert history.column("trial").tolist() == [3]


@pytest.mark.parametrize("trials", [0, 1, 2, EARLY, EARLY + 1, RECORDS, 2 * RECORDS, 3 * RECORDS + 1])
def test_records_go_from_the_start_to_the_last_trial_and_are_bounded(trials):
    recorded = run_of(trials).history.column("trial")
    assert recorded[[0, -1]].tolist() == [0, trials]
    assert len(recorded) <= RECORDS


def test_every_early_trial_is_recorded():
    recorded = run_of(3 * RECORDS).history.column("trial")
    assert recorded[: EARLY + 1].tolist() == list(range(EARLY + 1))


def test_records_are_in_order():
    assert (np.diff(run_of(2 * RECORDS).history.column("trial")) > 0).all()


@pytest.mark.parametrize(("name", "summary"), [("loss", np.mean), ("room", np.min)])
def test_a_record_speaks_for_all_trials_since_the_one_before(name, summary):
    each, some = run_of(400).history, run_of(2 * RECORDS).history  # the shorter run records every trial
    trials = some.column("trial").astype(int)
    trials = trials[trials <= 400]
    expected = [summary(each.column(name)[a + 1 : b + 1], axis=0) for a, b in pairwise(trials)]
    assert np.diff(trials).max() > 1
    assert some.column(name)[1 : len(trials)] == pytest.approx(np.array(expected), rel=1e-12)


def between_records(look):
    """Return a run two trials after a record, looked at or not after the first of the two."""
    data = draw(CALM)
    run = Run(CALM, replace(data, order=np.resize(data.order, 2 * RECORDS)))
    run.advance(EARLY + 2)
    if look:
        run.frame()
    run.advance(1)
    return run


def test_a_look_between_records_speaks_for_the_trials_since_the_last_and_changes_nothing():
    looked, plain, each = between_records(look=True), between_records(look=False), run_of(400).history
    last = int(looked.history.column("trial")[-1])
    assert (last, looked.trial) == (EARLY + 1, EARLY + 3)
    expected = each.column("room")[last + 1 : looked.trial + 1].min(axis=0)
    assert looked.frame().room == pytest.approx(expected, rel=1e-12)
    assert looked.frame().room.tolist() == plain.frame().room.tolist()


def test_room_is_measured_together_for_a_bounded_number_of_trials_and_is_the_same(monkeypatch):
    monkeypatch.setattr("covdemo.run.MEASURED", 2)
    room, expected = run_of.__wrapped__(2 * RECORDS).history.column("room"), run_of(2 * RECORDS).history.column("room")
    np.testing.assert_allclose(room, expected, rtol=1e-12)


def test_a_history_holds_no_tensors():
    assert b"torch" not in pickle.dumps(run_of(30).history)


def test_before_the_first_trial_there_is_no_loss_and_no_point():
    frame = run_of(0).frame()
    assert (np.isnan(frame.loss), frame.x, frame.label) == (True, None, None)


def test_the_condition_number_is_largest_over_smallest():
    assert condition_number(np.array([[0.5, 2.0], [-1.0, 3.0], [0.0, 1.0]])).tolist() == [4, np.inf, np.inf]


def test_the_records_until_a_trial_are_those_up_to_it():
    run = Run(RunConfig(lr_cov=1e-5))
    run.advance(20)
    assert [frame.trial for frame in run.history.until(7).frames] == list(range(8))
