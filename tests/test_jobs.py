"""Work beside the page is told, ended and done in turns."""

import threading
import time
from functools import partial

import numpy as np
import pytest
import torch

from covdemo import jobs
from covdemo.jobs import Job, Memory

SOON = 10  # seconds, for machines that have other things to do


class Work:
    """Goes on until it is released."""

    def __init__(self, steps=1000):
        self.go, self.started, self.steps = threading.Event(), threading.Event(), steps

    def __call__(self, tell):
        for step in range(self.steps):
            tell(step / self.steps)
            self.started.set()
            if self.go.wait(0.01):
                return "result"
        return "the end"


def test_the_result_is_kept():
    job = Job(lambda tell: 42)
    assert job.wait(SOON)
    assert (job.result, job.fault) == (42, "")


def test_a_fault_is_a_sentence():
    def refuse(tell):
        raise ValueError("expected more, got less")

    job = Job(refuse)
    assert job.wait(SOON)
    assert (job.result, job.fault) == (None, "expected more, got less")


def ended(work):
    """Return a job at its end, and what the log got."""
    logged = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda told: logged.append(told.exc_value))
        job = Job(work)
        assert job.wait(SOON)
    return job, logged


@pytest.mark.parametrize("work", [lambda tell: np.empty(10**15), lambda tell: torch.empty(10**15)], ids=["NumPy", "torch"])
def test_too_little_memory_is_a_sentence_and_no_traceback(work):
    job, logged = ended(work)
    assert (job.result, job.fault, logged) == (None, jobs.NO_MEMORY, [])


@pytest.mark.parametrize("error", [LookupError("of the programmer's"), RuntimeError("of torch's")], ids=repr)
def test_an_error_that_was_not_foreseen_is_a_sentence_and_a_traceback_in_the_log(error):
    def fail(tell):
        raise error

    job, logged = ended(fail)
    assert (job.result, job.fault, logged) == (None, jobs.UNFORESEEN, [error])


def test_it_is_told_how_much_is_done_and_how_long_the_rest_takes():
    now = iter(range(1000))
    told = threading.Event()

    def work(tell):
        tell(0.25)
        told.set()

    job = Job(work, clock=lambda: next(now) / 100)
    assert told.wait(SOON)
    assert job.wait(SOON)
    assert job.share == 0.25
    assert job.seconds_left > 0


def test_nothing_is_known_of_the_time_before_the_first_share():
    assert Job(lambda tell: None).seconds_left is None


def test_cancelling_ends_the_work():
    work = Work()
    job = Job(work)
    assert work.started.wait(SOON)
    job.cancel()
    assert job.wait(SOON)
    assert job.result is None


def test_work_that_nobody_looks_at_ends_by_itself_and_says_why(monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE", 0.05)
    job = Job(Work())
    assert job.wait(SOON)
    assert (job.result, "nobody had been here" in job.fault) == (None, True)


def test_work_goes_on_while_somebody_is_there_who_does_not_look(monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE", 0.05)
    work, there = Work(), threading.Event()
    there.set()
    job = Job(work, there.is_set)
    assert not job.wait(0.5)
    there.clear()
    assert job.wait(SOON)
    assert job.result is None


def test_work_that_is_looked_at_goes_on(monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE", 0.5)
    work = Work()
    job = Job(work)
    for _ in range(20):
        job.look()
        time.sleep(0.05)
    work.go.set()
    assert job.wait(SOON)
    assert job.result == "result"


def test_one_work_is_done_at_a_time_and_others_have_their_turn(monkeypatch):
    monkeypatch.setattr(jobs, "SLICE", 0.0)
    inside, order, go = [], [], threading.Event()

    def work(name, tell):
        assert go.wait(SOON)
        for step in range(5):
            inside.append(name)
            time.sleep(0.005)
            order.append(tuple(inside))
            inside.remove(name)
            tell(step / 5)

    three = []
    for name in "abc":
        three.append(Job(partial(work, name)))
        while len(jobs._TURNS._queue) < len(three):
            time.sleep(0.001)
    go.set()
    assert [job.wait(SOON) for job in three] == [True] * 3
    assert order == [("a",), ("b",), ("c",)] * 5


def test_what_waits_for_its_turn_can_be_cancelled():
    first, second = Work(), Work()
    one = Job(first)
    assert first.started.wait(SOON)
    two = Job(second)
    two.cancel()
    assert two.wait(SOON)
    assert not second.started.is_set()
    first.go.set()
    assert one.wait(SOON)


def test_the_latest_results_are_remembered(monkeypatch):
    monkeypatch.setattr(jobs, "KEPT", 2)
    memory = Memory()
    for key in "abc":
        memory.put(key, key.upper())
    assert [memory.get(key) for key in "abc"] == [None, "B", "C"]


@pytest.fixture(autouse=True)
def nothing_left():
    """Every test leaves the turn to the next."""
    yield
    last = object()
    jobs._TURNS.take(last)
    jobs._TURNS.leave(last)
