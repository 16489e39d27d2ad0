import math

import pytest

from covdemo.comparison import Result
from covdemo.config import RunConfig
from covdemo.outcomes import Outcome, Reason
from covdemo.ui.standings import row

START = Result(None, None, 0, 0, None, "", 0.5, 1.5, 0.25, 0.0)
BROKEN = START._replace(outcome=Outcome.FAILED, trials=12, failures=1, failed_at=12, kind="not positive definite")


@pytest.mark.parametrize(
    ("result", "outcome", "failing"),
    [
        (START, "not started", "–"),
        (START._replace(trials=5), "under way", "–"),
        (START._replace(trials=2000, failures=9, failed_at=1234), "under way", "1,234"),
        (BROKEN, "failed: not positive definite", "12"),
        (START._replace(outcome=Outcome.LEARNED), "learned", "–"),
        (START._replace(outcome=Outcome.NOT_LEARNED, reason=Reason.DIVERGED), "ran, but did not learn", "–"),
    ],
)
def test_a_row_says_how_a_method_stands_and_where_it_failed_first(result, outcome, failing):
    line = row(RunConfig(), result)
    assert (line["Outcome"], line["Failing trial"]) == (outcome, failing)


def test_a_row_names_the_method_and_its_rate():
    line = row(RunConfig(parameterization="tril", lr_cov=0.01), START)
    assert (line["Method"], line["lr_cov"]) == ("tril(raw), correct start", ".01")


def test_numbers_are_short_and_have_their_unit():
    line = row(RunConfig(), START._replace(accuracy=0.98765, kl=1.23456, wasserstein=1e9, seconds=12.345))
    shown = (line["Accuracy"], line["KL"], line["2-Wasserstein"], line["Time"])
    assert shown == ("98.8%", "1.23", "1e+09", "12.35\N{NO-BREAK SPACE}s")


@pytest.mark.parametrize(("value", "text"), [(math.nan, "–"), (math.inf, "inf"), (0.0, "0")])
def test_where_there_is_no_number_a_row_has_a_dash(value, text):
    assert row(RunConfig(), START._replace(kl=value))["KL"] == text
