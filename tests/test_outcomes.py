"""How a run is judged."""

import pytest

from covdemo.outcomes import Ending, Outcome, Reason, judge

GOOD = Ending(stopped=False, accuracy=0.99, true_accuracy=0.99, chance=0.5, underflow=0, extent=1, signal=0.1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (Outcome.LEARNED, None)),
        ({"accuracy": 0.97}, (Outcome.LEARNED, None)),
        ({"accuracy": 0.9699}, (Outcome.NOT_LEARNED, Reason.UNFINISHED)),
        ({"accuracy": 0.74, "true_accuracy": 0.76}, (Outcome.LEARNED, None)),
        ({"accuracy": 0.73, "true_accuracy": 0.76}, (Outcome.NOT_LEARNED, Reason.UNFINISHED)),
        ({"accuracy": 0.5, "true_accuracy": 0.5}, (Outcome.NOT_LEARNED, Reason.INSEPARABLE)),
        ({"accuracy": 0.54, "true_accuracy": 0.56}, (Outcome.NOT_LEARNED, Reason.UNFINISHED)),
        ({"accuracy": 0.55, "true_accuracy": 0.56}, (Outcome.LEARNED, None)),
        ({"accuracy": 0.27, "true_accuracy": 0.29, "chance": 0.2}, (Outcome.NOT_LEARNED, Reason.UNFINISHED)),
        ({"accuracy": 0.98, "chance": 0.98}, (Outcome.NOT_LEARNED, Reason.UNFINISHED)),
        ({"stopped": True}, (Outcome.FAILED, None)),
        ({"accuracy": 0.5, "underflow": 0.51}, (Outcome.NOT_LEARNED, Reason.UNDERFLOW)),
        ({"accuracy": 0.5, "silence": 0.26}, (Outcome.NOT_LEARNED, Reason.UNDERFLOW)),
        ({"accuracy": 0.5, "silence": 0.25}, (Outcome.NOT_LEARNED, Reason.UNFINISHED)),
        ({"silence": 0.26}, (Outcome.LEARNED, None)),
        ({"accuracy": 0.5, "extent": 1e3}, (Outcome.NOT_LEARNED, Reason.DIVERGED)),
        ({"accuracy": 0.5, "extent": float("nan")}, (Outcome.NOT_LEARNED, Reason.DIVERGED)),
        ({"accuracy": 0.5, "signal": 1e-4}, (Outcome.NOT_LEARNED, Reason.SATURATED)),
    ],
)
def test_a_run_is_judged_by_what_is_measured_of_its_end(changes, expected):
    assert judge(GOOD._replace(**changes)) == expected


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_a_name_for_people(outcome):
    assert outcome.label
