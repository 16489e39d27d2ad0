"""What a picture of the page shows: settings, tab, theme and width; and the data behind its charts, in a few numbers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from covdemo import atlas, drawings, entrants, lessons, map_charts, replay_tables
from covdemo.charts import Spec
from covdemo.comparison import Comparison
from covdemo.config import RunConfig, to_query
from covdemo.replay_tables import Recording
from covdemo.run import Run
from covdemo.stability import OUTCOMES

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
TABS = ("Train", "Replay", "Compare", "Map", "Code", "Explain")
CONTENT = "content.json"
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")


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
    return {"Compare": _compared, "Map": _mapped, "Replay": _replayed}.get(tab, _trained)(config)


def _trained(config: RunConfig) -> dict[str, Any]:
    return _figures(drawings.figures(_ended(config)))


def _ended(config: RunConfig) -> Run:
    run = Run(config)
    run.advance(run.total)
    return run


def _figures(figures: Mapping[str, tuple[Spec, drawings.Tables]]) -> dict[str, Any]:
    return {name: _summaries(tables) for name, (_, tables) in figures.items()}


def _summaries(tables: drawings.Tables) -> dict[str, Any]:
    return {name: summary(table) for name, table in tables.items()}


def _replayed(config: RunConfig) -> dict[str, Any]:
    run = _ended(config)
    return _summaries(replay_tables.datasets(Recording.of(run, drawings.names_of(run)), drawings.box_of(run)))


def _compared(config: RunConfig) -> dict[str, Any]:
    comparison = Comparison(tuple(entrant.config(config) for entrant in entrants.DEFAULT))
    comparison.advance(comparison.total)
    ends = {run.config.parameterization: [run.outcome.value if run.outcome else "", run.trial] for run in comparison.runs}
    return {"ends": ends, **_figures(drawings.panels(comparison))}


def _mapped(config: RunConfig) -> dict[str, Any]:
    found = atlas.shipped()[config.parameterization]
    ends = {outcome.value: int((found.outcome == place).sum()) for place, outcome in enumerate(OUTCOMES)}
    layers = map_charts.stability(found, config)["layer"]
    axes = {side: _axis(layers[0]["encoding"][side]) for side in "xy"}
    return {"ends": ends, "axes": axes, "layers": [_layer(layer) for layer in layers]}


def _axis(encoding: Mapping[str, Any]) -> dict[str, Any]:
    scale = encoding["scale"]
    return {"title": encoding["title"], "scale": scale["type"]} | {
        end: _short(place) for end, place in zip(("first", "last"), scale["domain"], strict=True)
    }


def _layer(layer: Mapping[str, Any]) -> dict[str, Any]:
    return {"mark": layer["mark"]["type"], **_sizes(pa.Table.from_pylist(layer["data"]["values"]))}


def summary(table: bytes) -> dict[str, Any]:
    """Return the rows of a dataset, and the mean size of the numbers in each column of fractions or of text."""
    return _sizes(pa.ipc.open_stream(table).read_all())


def _sizes(table: pa.Table) -> dict[str, Any]:
    numbers = {name: _numbers(np.asarray(table[name])) for name in table.column_names}
    return {"rows": table.num_rows} | {
        name: _short(float(np.nanmean(np.abs(each)))) for name, each in numbers.items() if len(each)
    }


def _numbers(column: NDArray[Any]) -> NDArray[np.float64]:
    """Return the fractions of a column, or all numbers in its texts, without their signs."""
    if column.dtype.kind == "f":
        return column.astype(np.float64)
    texts = column if column.dtype.kind == "O" else ()
    return np.array([float(number) for text in texts for number in _NUMBER.findall(text)])


def _short(number: float) -> float:
    """Return a number with so few digits that it hardly depends on the machine."""
    return float(f"{number:.3g}")
