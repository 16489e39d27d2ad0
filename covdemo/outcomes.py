"""How a run ended: the possible outcomes and the one function that decides, for pages, maps, command line and benchmarks."""

import enum
from typing import NamedTuple

LEARNED_ACCURACY = 0.97
NEAR_TRUTH = 0.02
GAIN = 0.1
MOSTLY = 0.5
OFTEN = 0.25
FAR = 100.0
FAINT = 1e-3


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


class Reason(enum.Enum):
    """Why a run that came to its end has not learned; the value is a sentence for people."""

    INSEPARABLE = "The true distributions themselves do hardly better than guessing: there is next to nothing to learn."
    UNDERFLOW = "In many trials the density of a category's own point was 0 in floating point, so no gradient reached it."
    DIVERGED = "A distribution has left the data: it is over 100 times as far away or as wide as they are."
    SATURATED = "The loss is flat here: hardly any gradient is left, though the answers are wrong."
    UNFINISHED = "There is gradient left: it has not come far enough in the trials it had."


class Ending(NamedTuple):
    """What is measured of a run's last parameters, and of its silence on the way.

    Attributes:
        stopped: whether a failure ended the run.
        accuracy: share of all points that the model puts into the right category.
        true_accuracy: the same for the true distributions.
        chance: the same for naming the largest category always.
        underflow: share of its own points at which a category's density is 0, the largest over the categories.
        extent: how far a mean lies from the data's centre or how wide a distribution is, in units of the data's size.
        signal: mean size of the loss's derivatives with respect to the log-densities and the weights.
        silence: share of its own points at which a category got no gradient because its density was 0, over the whole run, the
            largest over the categories; 0 where nobody counted, as in a batch, which keeps no reasons.
    """

    stopped: bool
    accuracy: float
    true_accuracy: float
    chance: float
    underflow: float
    extent: float
    signal: float
    silence: float = 0.0


def judge(ending: Ending) -> tuple[Outcome, Reason | None]:
    """Decide how a run ended, and why if it has not learned.

    It has learned if it came to its end with an accuracy of .97, or, where the true distributions themselves reach less than
    .99 on the same points, within .02 of that; and if it leaves at most nine tenths of the errors that guessing makes.
    """
    if ending.stopped:
        return Outcome.FAILED, None
    enough = ending.accuracy >= min(LEARNED_ACCURACY, ending.true_accuracy - NEAR_TRUTH)
    if enough and _beats(ending.chance, ending.accuracy):
        return Outcome.LEARNED, None
    return Outcome.NOT_LEARNED, _reason(ending)


def _beats(chance: float, accuracy: float) -> bool:
    return accuracy >= chance + GAIN * (1 - chance)


def _reason(ending: Ending) -> Reason:
    if not _beats(ending.chance, ending.true_accuracy):
        return Reason.INSEPARABLE
    if not ending.extent < FAR:
        return Reason.DIVERGED
    if ending.underflow > MOSTLY or ending.silence > OFTEN:
        return Reason.UNDERFLOW
    return Reason.SATURATED if ending.signal < FAINT else Reason.UNFINISHED
