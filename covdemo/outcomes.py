"""How a run ended: one enumeration and the one function that decides."""

import enum

LEARNED_ACCURACY = 0.97
NEAR_TRUTH = 0.02


class Outcome(enum.Enum):
    """How a run ended."""

    FAILED = "failed"
    NOT_LEARNED = "not-learned"
    LEARNED = "learned"

    @property
    def label(self) -> str:
        """Name for people."""
        return _LABELS[self]


_LABELS = {
    Outcome.FAILED: "failed",
    Outcome.NOT_LEARNED: "ran, but did not learn",
    Outcome.LEARNED: "learned",
}


def judge(stopped: bool, accuracy: float, true_accuracy: float) -> Outcome:
    """Decide how a run ended.

    It has learned if it came to its end with an accuracy of .97, or, where the categories overlap too much for that, within
    .02 of what the true distributions themselves reach on the same points.

    Args:
        stopped: whether a failure ended the run.
        accuracy: share of all points that the model puts into the right category at the end.
        true_accuracy: the same for the true distributions.
    """
    if stopped:
        return Outcome.FAILED
    learned = accuracy >= min(LEARNED_ACCURACY, true_accuracy - NEAR_TRUTH)
    return Outcome.LEARNED if learned else Outcome.NOT_LEARNED
