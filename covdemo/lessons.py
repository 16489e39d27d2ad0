"""The guided lessons: each a text, the settings of a run, and one thing to look at. Their numbers are checked by tests."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import parse_qsl

from covdemo.config import RunConfig, read
from covdemo.fields import Problem, last, nearest, quote

PARAMETER = "lesson"  # of the address
_LABEL = "Lesson"
_FILE = re.compile(r"\d+-(?P<key>[a-z-]+)\.md")
_HEAD = {"title", "settings", "look at"}


@dataclass(frozen=True)
class Lesson:
    """A step of the guided tour.

    Attributes:
        key: name in addresses.
        title: name for people.
        query: the settings that it is about, as address parameters.
        look_at: the one thing to look at, a sentence in Markdown.
        text: a paragraph in Markdown.
    """

    key: str
    title: str
    query: Mapping[str, str]
    look_at: str
    text: str

    @property
    def config(self) -> RunConfig:
        """The settings of its run."""
        return read(self.query)[0]


def parse(key: str, content: str) -> Lesson:
    """Read a lesson: lines ``title: ...``, ``settings: ...`` (an address without its ``?``) and ``look at: ...``; then a text.

    Raises:
        ValueError: if one of these lines is missing, unknown or there twice, there is no text, or the settings have problems.
    """
    head, _, text = content.partition("\n\n")
    lines = [[part.strip() for part in line.partition(":")[::2]] for line in head.splitlines()]
    values = dict(lines)
    if sorted(name for name, _ in lines) != sorted(_HEAD) or not text.strip():
        raise ValueError(f"expected lines for {', '.join(sorted(_HEAD))} and then a text in lesson {key}; got {head!r}")
    query = dict(parse_qsl(values["settings"], strict_parsing=bool(values["settings"])))
    if problems := read(query)[1]:
        raise ValueError(f"expected settings without problems in lesson {key}; got " + " ".join(p.sentence for p in problems))
    return Lesson(key, values["title"], query, values["look at"], " ".join(text.split()))


@cache
def lessons() -> Mapping[str, Lesson]:
    """Return the lessons in their order, key -> lesson."""
    folder = sorted((files("covdemo.ui") / "lessons").iterdir(), key=lambda file: file.name)
    found = [(match["key"], file) for file in folder if (match := _FILE.fullmatch(file.name))]
    return {key: parse(key, file.read_text(encoding="utf-8")) for key, file in found}


def named(query: Mapping[str, object]) -> tuple[Lesson | None, list[Problem]]:
    """Return the lesson that an address names, if there is one, and what is wrong with the name; of several the last counts."""
    name, problems = last(query.get(PARAMETER, ()), PARAMETER, _LABEL)
    if name is None:
        return None, []
    found = lessons().get(name)
    if found is None:
        fault = f"there is no lesson {quote(name)}{nearest(name, lessons())}"
        problems.append(Problem(PARAMETER, _LABEL, fault, "none is opened"))
    return found, problems


def complete(query: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters of an address with those that its lesson adds; what the address sets itself counts."""
    lesson, _ = named(query)
    return {**(lesson.query if lesson else {}), **query}
