"""One setting as a row: its name in the URL and on the command line, what it may be, and how its text is read.

Reading is lenient and never raises: what cannot be used is replaced and told as a ``Problem``.
"""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from covdemo import limits
from covdemo.limits import Range

Value = float | int | str
_ANY = Range(-math.inf, math.inf)
_MARKS = re.compile(r"[^\w .,;+\-]|(?<![^\W_])_|_(?![^\W_])|(?<=www)\.", re.IGNORECASE)


class Row(Protocol):
    """A registry row as a drop-down sees it."""

    @property
    def label(self) -> str:
        """Name for people."""

    @property
    def summary(self) -> str:
        """One sentence."""


class Problem(NamedTuple):
    """Something in the settings that could not be used as it was given.

    Attributes:
        field: name of the setting; of the unknown parameter as it was given.
        label: name for people.
        fault: what is wrong and what would be right.
        remedy: what is used instead.
    """

    field: str
    label: str
    fault: str
    remedy: str

    @property
    def sentence(self) -> str:
        """What is wrong, what would be right and what is used instead; free of Markdown and HTML from outside."""
        return f"{self.label}: {self.fault}; {self.remedy}."


class Reading(NamedTuple):
    """A usable value, and a fault where it is not what was given."""

    value: Value
    fault: str = ""


@dataclass(frozen=True)
class Field:
    """One setting of a run.

    Attributes:
        name: of the setting; ``attribute`` with the number of the category where it has one.
        url: name of the URL parameter.
        label: name for people.
        help: one sentence.
        group: section of the sidebar.
        kind: ``float``, ``int`` or ``str``.
        default: used where nothing, or nothing usable, is given.
        attribute: of ``RunConfig``.
        category: number of the category, from 1; None for settings of the whole run.
        range: of a number.
        log: whether a logarithmic scale suits it.
        registry: key -> row of the choices, for ``str``.
        refusal: ``choice -> reason`` why this machine cannot do it; empty where it can.
    """

    name: str
    url: str
    label: str
    help: str
    group: str
    kind: type[float] | type[int] | type[str]
    default: Value
    attribute: str
    category: int | None = None
    range: Range = _ANY
    log: bool = False
    registry: Mapping[str, Row] = field(default_factory=dict, hash=False)
    refusal: Callable[[str], str] = lambda choice: ""

    @property
    def flag(self) -> str:
        """Option of the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def low(self) -> float:
        """Smallest number allowed."""
        return self.range.low

    @property
    def high(self) -> float:
        """Largest number allowed; itself forbidden where ``range.open``."""
        return self.range.high

    @property
    def choices(self) -> tuple[str, ...]:
        """Keys to choose from; empty for numbers and names."""
        return tuple(self.registry)

    def holds(self, value: Any) -> bool:
        """Whether a ``RunConfig`` may have this value, on whatever machine."""
        if self.registry:
            return value in self.registry
        return self.kind is str or self.range.holds(value)

    def get(self, config: object) -> Any:
        """Return the value in a ``RunConfig``; the default for a category that it does not have."""
        value = getattr(config, self.attribute)
        if self.category is None:
            return value
        return value[self.category - 1] if self.category <= len(value) else self.default

    def text(self, config: object) -> str:
        """Return the value in a ``RunConfig`` as the shortest text that is read back to it exactly."""
        return str(self.get(config))

    def read(self, given: object) -> tuple[Value, list[Problem]]:
        """Return the value that a text stands for, and what is wrong with it; of several texts the last counts."""
        text, problems = last(given, self.name, self.label)
        value, fault = self._read(str(self.default) if text is None else text)
        if fault:
            problems.append(self.problem(fault, self.used(value)))
        return value, problems

    def problem(self, fault: str, remedy: str) -> Problem:
        """Return a problem with this setting."""
        return Problem(self.name, self.label, fault, remedy)

    def used(self, value: Value) -> str:
        """Say which value is used instead of one that cannot be."""
        return f"{quote(str(value)) if self.kind is str and not self.registry else show(value)} is used"

    def _read(self, text: str) -> Reading:
        if self.registry:
            return self._read_choice(text)
        return self._read_text(text) if self.kind is str else self._read_number(text)

    def _read_text(self, text: str) -> Reading:
        printable = "".join(filter(str.isprintable, text))[: limits.NAME].strip()
        return Reading(printable, "" if printable == text else f"{quote(text)} is not {self.expected}")

    def _read_choice(self, text: str) -> Reading:
        if text not in self.registry:
            fault = f"{quote(text)} is not {self.expected}{nearest(text, self.choices)}"
            return Reading(self.default, fault)
        reason = self.refusal(text)
        return Reading(self.default, f"{text} cannot be used here, {reason}") if reason else Reading(text)

    def _read_number(self, text: str) -> Reading:
        number = parse_number(text)
        fault = f"{quote(text)} is not {self.expected}"
        if not math.isfinite(number):
            return Reading(self.default, fault)
        if not self.range.holds(number):
            return Reading(self._replacement(number), fault)
        if self.kind is int:
            return Reading(round(number), "" if number == round(number) else fault)
        return Reading(number)

    def _replacement(self, number: float) -> Value:
        if self.log and number <= 0:  # nothing is near to it on a logarithmic scale
            return self.default
        number = self.range.clip(number)
        return round(number) if self.kind is int else float(number)

    @property
    def expected(self) -> str:
        """What the value should be, in words."""
        if self.registry:
            return f"one of {', '.join(self.choices)}"
        if self.kind is str:
            return f"a name of up to {limits.NAME} characters"
        noun = "a whole number" if self.kind is int else "a number"
        low = show(self.low) + (f", {self.range.lowest}," if self.range.lowest else "")
        ends = f"at least {low} and below" if self.range.open else f"from {low} to"
        return f"{noun} {ends} {show(self.high)}"


def last(given: object, name: str, label: str) -> tuple[str | None, list[Problem]]:
    """Return the last of the texts that an address gives a parameter, None for none, and a problem where there are several.

    Args:
        given: a text, or a list of texts.
        name: of the parameter.
        label: name for people.
    """
    texts = given if isinstance(given, list | tuple) else [given]
    problems = [Problem(name, label, repeated(len(texts)), "the last is used")] if len(texts) > 1 else []
    return (str(texts[-1]) if texts else None), problems


def repeated(times: int) -> str:
    """Say that something is given too often."""
    return f"given {times:,} times instead of once"


def parse_number(text: str) -> float:
    """Return the number a text stands for; NaN where there is none. Python's ``1_000`` is none."""
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


def show(value: Value) -> str:
    """Write a value for people: three digits, no leading zero, as in .0347."""
    if isinstance(value, str):
        return value
    if abs(value) < 1e6 and value == int(value):
        return f"{int(value):,}"
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.3g}")


def quote(text: str) -> str:
    """Return the start of a text from outside, without the characters that Markdown and HTML give a meaning.

    An underscore stays within a word, and a point anywhere but in what the page would make a link of.
    """
    return f"'{_MARKS.sub('?', text[:40] + ('...' if len(text) > 40 else ''))}'"


def nearest(text: str, known: Iterable[str]) -> str:
    """Return ", the nearest is ..." for what was probably meant; empty where nothing is near."""
    close = difflib.get_close_matches(text[:40], known, n=1)
    return f", the nearest is {close[0]}" if close else ""
