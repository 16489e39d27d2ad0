"""What a picture of the page shows: settings, tab, theme and width; and the data behind its charts, in a few numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa

from covdemo import atlas, drawings, entrants, lessons
from covdemo.comparison import Comparison
from covdemo.config import RunConfig, to_query
from covdemo.run import Run
from covdemo.stability import OUTCOMES

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
TABS = ("Train", "Replay", "Compare", "Map", "Code", "Explain")
CONTENT = "content.json"


@dataclass(frozen=True)
class Shot:
    """One picture of the page.

    Attributes:
        name: of the file.
        config: settings of the run.
        tab: that is open.
        lesson: key of the lesson that is open; empty for none.
        theme: of the page.
        width: of the page in pixels.
    """

    name: str
    config: RunConfig = field(default_factory=RunConfig)
    tab: str = TABS[0]
    lesson: str = ""
    theme: Theme = THEMES[0]
    width: int = 1280

    @property
    def query(self) -> str:
        """What stands in the address behind its question mark; a run to be played back is trained in the first tab."""
        opened = {"tab": self.tab} if self.tab not in TABS[:2] else {}
        return urlencode(to_query(self.config) | opened | ({lessons.PARAMETER: self.lesson} if self.lesson else {}))


def of_lesson(key: str, theme: Theme = Shot.theme, width: int = Shot.width) -> Shot:
    """Return the picture of a lesson, at the end of its run."""
    return Shot(f"lesson-{key}", lessons.lessons()[key].config, lesson=key, theme=theme, width=width)


_LEARNS = RunConfig(parameterization="log-cholesky")
DOCUMENTATION = (
    Shot("page"),
    Shot("replay", _LEARNS, "Replay"),
    Shot("compare", tab="Compare"),
    Shot("map", tab="Map"),
    Shot("dark", _LEARNS, theme="dark"),
    Shot("telephone", _LEARNS, width=390),
)
"""The pictures of README and docs."""


def content(shot: Shot) -> dict[str, Any]:
    """Return the settings of a picture, and what its charts show in numbers that hardly depend on the machine."""
    return {"query": shot.query, "theme": shot.theme, "width": shot.width, "shows": _shown(shot.tab, shot.config)}


@cache
def _shown(tab: str, config: RunConfig) -> dict[str, Any]:
    return {"Compare": _compared, "Map": _mapped}.get(tab, _trained)(config)


def _trained(config: RunConfig) -> dict[str, Any]:
    run = Run(config)
    run.advance(run.total)
    return {
        name: {data: summary(table) for data, table in tables.items()} for name, (_, tables) in drawings.figures(run).items()
    }


def _compared(config: RunConfig) -> dict[str, Any]:
    comparison = Comparison(tuple(entrant.config(config) for entrant in entrants.DEFAULT))
    comparison.advance(comparison.total)
    return {run.config.parameterization: [run.outcome.value if run.outcome else "", run.trial] for run in comparison.runs}


def _mapped(config: RunConfig) -> dict[str, Any]:
    found = atlas.shipped()[config.parameterization]
    return {outcome.value: int((found.outcome == place).sum()) for place, outcome in enumerate(OUTCOMES)}


def summary(table: bytes) -> dict[str, Any]:
    """Return the rows of a dataset, and the mean size of each column of numbers."""
    read = pa.ipc.open_stream(table).read_all()
    sizes: Mapping[str, Any] = {
        name: float(f"{np.nanmean(np.abs(column)):.3g}")
        for name in read.column_names
        if len(column := np.asarray(read[name])) and column.dtype.kind == "f"
    }
    return {"rows": read.num_rows, **sizes}
