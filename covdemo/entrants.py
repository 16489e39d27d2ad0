"""The methods that are compared: which, at which learning rates, and how they are written in an address."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from covdemo.config import BY_NAME, RunConfig
from covdemo.fields import Problem, last, nearest, quote, repeated
from covdemo.parameterizations import PARAMETERIZATIONS

MOST = 6
_LOOKED_AT = 2 * MOST  # names in a text; what is wrong with more of them is one sentence
URL = "compare"
RATE = BY_NAME["lr_cov"]
_AT = "@"
_LABEL = "Methods to compare"


@dataclass(frozen=True)
class Entrant:
    """A method that is compared with others.

    Attributes:
        key: of ``covdemo.parameterizations.PARAMETERIZATIONS``.
        lr_cov: learning rate of its covariance matrices; None for the one that all share.
    """

    key: str
    lr_cov: float | None = None

    @property
    def text(self) -> str:
        """The entrant as ``read`` reads it."""
        return self.key if self.lr_cov is None else f"{self.key}{_AT}{self.lr_cov!r}"

    def config(self, shared: RunConfig) -> RunConfig:
        """Return the settings of its run: those that all share, but for what is its own."""
        rate = shared.lr_cov if self.lr_cov is None else self.lr_cov
        return replace(shared, parameterization=self.key, lr_cov=rate)


Entrants = tuple[Entrant, ...]

DEFAULT: Entrants = tuple(map(Entrant, ("covariance", "tril-as-posted", "tril", "log-cholesky", "affine-invariant")))
"""The question, its accepted answer, the same with a correct start, a map that holds longer, the step that cannot fail."""


def write(entrants: Entrants) -> str:
    """Return the text that ``read`` reads: keys between commas, each with ``@`` and its learning rate if it has its own."""
    return ",".join(entrant.text for entrant in entrants)


def named(query: Mapping[str, object]) -> tuple[Entrants, list[Problem]]:
    """Return the entrants that an address names, the default where it names none, and all that is wrong with it."""
    text, problems = last(query.get(URL, ()), URL, _LABEL)
    found, wrong = (DEFAULT, []) if text is None else read(text)
    return found, problems + wrong


def read(text: str) -> tuple[Entrants, list[Problem]]:
    """Return the entrants that a text names, and all that is wrong with it; never raises."""
    found: dict[str, Entrant] = {}
    problems: list[Problem] = []
    words = list(filter(None, (word.strip() for word in text.split(","))))
    for word in words[:_LOOKED_AT]:
        key, _, rate = word.partition(_AT)
        if key in found:
            times = sum(other.partition(_AT)[0] == key for other in words)
            problems.append(_problem(f"{key} is {repeated(times)}", "the first is used"))
            continue
        if fault := _fault(key, found):
            problems.append(_problem(fault, "it is left out"))
            continue
        lr_cov, wrong = read_rate(rate)
        found[key] = Entrant(key, lr_cov)
        problems += [_problem(f"{key}: {wrong}", "the rate of all others is used")] if wrong else []
    if len(words) > _LOOKED_AT:
        fault = f"{len(words) - _LOOKED_AT:,} names more are given, at most {MOST} are possible"
        problems.append(_problem(fault, "they are left out"))
    return tuple(found.values()), list(dict.fromkeys(problems))


def _fault(key: str, found: Collection[str]) -> str:
    """Return what is wrong with a further key; empty for nothing."""
    if key not in PARAMETERIZATIONS:
        return f"{quote(key)} is not one of {', '.join(PARAMETERIZATIONS)}{nearest(key, PARAMETERIZATIONS)}"
    return f"{key} is one too many, at most {MOST} are possible" if len(found) == MOST else ""


def read_rate(text: str) -> tuple[float | None, str]:
    """Return the learning rate that a text stands for, None for none, and what is wrong with it, if anything."""
    if not text.strip():
        return None, ""
    value, problems = RATE.read(text)
    return (None, problems[0].fault) if problems else (float(value), "")


def _problem(fault: str, remedy: str) -> Problem:
    return Problem(URL, _LABEL, fault, remedy)
