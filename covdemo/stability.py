"""Which settings work: runs over a grid of any two of them, each with several data seeds, and how they ended."""

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from covdemo import limits, map_files
from covdemo.batch import Results, run_batch
from covdemo.config import BY_NAME, RunConfig
from covdemo.map_files import MEASURES
from covdemo.outcomes import Outcome
from covdemo.trials import Trials

OUTCOMES = tuple(Outcome)
UNKNOWN = -1  # in place of an outcome: not computed yet
CHUNK = 4_096  # runs that are done side by side: enough to be fast, few enough to leave room for others
AXES = ("lr_cov", "lr_mu", "lr_nn", "momentum", "parameterization")

Places = NDArray[np.int32]  # of runs in the arrays of a map, ``[N, 3]``


@dataclass(frozen=True)
class Axis:
    """A setting and the values it takes.

    Raises:
        ValueError: if the setting is none of ``AXES``, there are no values, or the setting cannot have one of them.
    """

    name: str
    values: tuple[float | str, ...]

    def __post_init__(self) -> None:
        if self.name not in AXES:
            raise ValueError(f"expected one of {', '.join(AXES)} as an axis; got {self.name!r}")
        if not self.values:
            raise ValueError(f"expected at least one value of {self.name}, got none")
        row = BY_NAME[self.name]
        for value in self.values:
            problems = row.read(value)[1]
            if problems or not isinstance(value, str if row.choices else float | int):
                raise ValueError(f"{self.name}: {problems[0].fault if problems else f'expected numbers, got {value!r}'}")


@dataclass(frozen=True, eq=False)
class Grid:
    """The runs of a map.

    Attributes:
        config: the settings that all runs share; those of the axes and the seed are replaced.
        x, y: the axes.
        seeds: of data and order.
        points: identity of data that the settings do not name; else empty.
    """

    config: RunConfig
    x: Axis
    y: Axis
    seeds: tuple[int, ...]
    points: str

    def run_config(self, row: int, column: int, seed: int = 0) -> RunConfig:
        """Return the settings of a run, by its place in the arrays."""
        axes: dict[str, Any] = {self.x.name: self.x.values[column], self.y.name: self.y.values[row]}
        return replace(self.config, **axes, seed=self.seeds[seed])

    def same_grid(self, other: "Grid") -> bool:
        """Whether the other is of the same runs."""
        return _description(self) == _description(other)


@dataclass(frozen=True, eq=False)
class StabilityMap(Grid):
    """How the runs of a grid ended. The arrays are ``[Y, X, S]``, S seeds.

    Attributes:
        outcome: place in ``OUTCOMES``; ``UNKNOWN`` where the run has not been done.
        failed_at: trial of the first failure, -1 where there was none.
        kind: of that failure, as a place in ``failures.KINDS``; -1 where there was none.
        accuracy: at the end.
        kl: KL(true || model) summed over the categories, in nats.
        notice: what should be known about where they were computed; empty if nothing. It is not kept in a file.
    """

    outcome: NDArray[np.int8]
    failed_at: NDArray[np.int32]
    kind: NDArray[np.int8]
    accuracy: NDArray[np.float32]
    kl: NDArray[np.float32]
    notice: str = ""

    @classmethod
    def empty(cls, config: RunConfig, x: Axis, y: Axis, seeds: Sequence[int], points: str = "") -> "StabilityMap":
        """Return a map of which nothing is known.

        Raises:
            ValueError: if both axes are the same setting, there are no seeds, or one of them is not allowed.
        """
        if x.name == y.name:
            raise ValueError(f"expected two different axes, got {x.name} twice")
        if not seeds:
            raise ValueError("expected at least one seed, got none")
        if not all(type(seed) is int and limits.SEED.holds(seed) for seed in seeds):
            raise ValueError(f"expected whole numbers from 0 to {limits.SEED.high:,} as seeds")
        shape = len(y.values), len(x.values), len(seeds)
        kinds = map(np.dtype, MEASURES.values())
        arrays: Any = (np.full(shape, np.nan if kind.kind == "f" else UNKNOWN, kind) for kind in kinds)
        return cls(config, x, y, tuple(seeds), points, *arrays)

    @property
    def grid(self) -> Grid:
        """The runs, without how they ended."""
        return Grid(self.config, self.x, self.y, self.seeds, self.points)

    @property
    def complete(self) -> bool:
        """Whether all runs have been done."""
        return bool((self.outcome != UNKNOWN).all())

    def share(self, outcome: Outcome) -> NDArray[np.float64]:
        """Return the share of the seeds that ended so, ``[Y, X]``; NaN where not all are known."""
        share = (self.outcome == OUTCOMES.index(outcome)).mean(-1)
        return np.where((self.outcome == UNKNOWN).any(-1), np.nan, share)

    def save(self, path: str | Path) -> None:
        """Write a ``.npz`` file, at once or not at all.

        Raises:
            OSError: if it cannot be written.
        """
        map_files.write(path, _description(self), {name: getattr(self, name) for name in MEASURES})

    @classmethod
    def load(cls, path: str | Path | IO[bytes]) -> "StabilityMap":
        """Read what ``save`` wrote, without pickle.

        Raises:
            ValueError: if the file cannot be read or is no such map.
        """
        try:
            content = map_files.unpack(path)
            grid = content.grid
            x, y = (Axis(grid[axis]["name"], tuple(grid[axis]["values"])) for axis in "xy")
            empty = cls.empty(map_files.settings(grid["config"]), x, y, grid["seeds"], str(grid.get("points", "")))
        except map_files.UNREADABLE as error:
            raise ValueError(f"expected a map written by covdemo, but it cannot be read: {error}") from None
        measured: dict[str, Any] = map_files.checked(content, empty.outcome.shape)
        return replace(empty, **measured)


def _description(found: Grid) -> str:
    """Return what the runs of a map are, as JSON."""
    replaced: dict[str, Any] = {axis.name: axis.values[0] for axis in (found.x, found.y)}
    config = dataclasses.asdict(replace(found.config, seed=0, **replaced))
    axes = {side: dataclasses.asdict(axis) for side, axis in (("x", found.x), ("y", found.y))}
    return json.dumps({"config": config, **axes, "seeds": list(found.seeds), "points": found.points})


def stack(maps: Sequence[StabilityMap], row: int) -> StabilityMap:
    """Put one row of each of several maps, of one parameterization each, into a map with a row for each."""
    first = maps[0]
    replaced: dict[str, Any] = {first.y.name: first.y.values[row]}
    methods = Axis("parameterization", tuple(found.config.parameterization for found in maps))
    empty = StabilityMap.empty(replace(first.config, **replaced), first.x, methods, first.seeds)
    measured: dict[str, Any] = {name: np.stack([getattr(found, name)[row] for found in maps]) for name in MEASURES}
    return replace(empty, **measured)


def sweep(
    start: StabilityMap,
    executor: Executor | None = None,
    progress: Callable[[float], None] = lambda done: None,
    keep: Callable[[StabilityMap], None] = lambda found: None,
    compiled: bool = False,
    chunk: int = CHUNK,
    data: Trials | None = None,
) -> StabilityMap:
    """Do the runs of a map that have not been done, and return the complete map.

    Args:
        start: a map of which nothing, or a part, is known.
        executor: does the chunks, in other processes or on other machines; here and one after the other if None.
        progress: called now and then with the share of all runs done; what it raises ends the work.
        keep: given the map so far after each chunk.
        compiled: whether the trials are compiled, as in ``run_batch``.
        chunk: runs in a chunk.
        data: points to use instead of those that the settings name, as in ``run_batch``.
    """
    found = replace(start, **{name: getattr(start, name).copy() for name in MEASURES})
    notice, train = "", partial(_train, found.grid, compiled, data)
    for places, results in _results(found, train, executor, progress, chunk):
        _enter(found, places, results)
        notice = notice or results.notice
        progress(_share(found))
        keep(found)
    return replace(found, notice=notice)


def _share(found: StabilityMap) -> float:
    """Return the share of all runs that have been done."""
    return float((found.outcome != UNKNOWN).mean())


def within(progress: Callable[[float], None], before: float, part: float) -> Callable[[float], None]:
    """Return what is told the share done of a part of a work, before which some had been done, and tells that of the whole."""
    return lambda done: progress(before + part * done)


def _results(
    found: StabilityMap, train: Callable[..., Results], executor: Executor | None, progress: Callable[[float], None], size: int
) -> Iterator[tuple[Places, Results]]:
    chunks = _chunks(found, size)
    if executor is None:
        for places in chunks:
            tell = within(progress, _share(found), len(places) / found.outcome.size)
            yield places, train(places, tell)
        return
    futures = {executor.submit(train, places): places for places in chunks}
    try:
        for future in as_completed(list(futures)):
            yield futures.pop(future), future.result()
    finally:
        for future in futures:
            future.cancel()


def _train(
    grid: Grid, compiled: bool, data: Trials | None, places: Places, progress: Callable[[float], None] = lambda done: None
) -> Results:
    """Do the runs at some places; their settings are made here, as those of a large map together would fill the memory."""
    return run_batch([grid.run_config(*place) for place in places.tolist()], progress, compiled, data)


def _chunks(found: StabilityMap, size: int) -> Iterator[Places]:
    """Divide the runs that have not been done into chunks that one batch can do."""
    todo = np.argwhere(found.outcome == UNKNOWN).astype(np.int32)
    names = [axis.name for axis in (found.y, found.x)]
    method = todo[:, names.index("parameterization")] if "parameterization" in names else np.zeros(len(todo), np.int32)
    for each in np.unique(method):
        mine = todo[method == each]
        for start in range(0, len(mine), size):
            yield mine[start : start + size]


def _enter(found: StabilityMap, places: Places, results: Results) -> None:
    where = tuple(places.T)
    outcomes = [OUTCOMES.index(outcome) for outcome in results.outcome]
    with np.errstate(over="ignore"):  # a KL that float32 cannot hold is infinite
        for name in reversed(MEASURES):  # the outcome last: it says that a run is done, and an interruption may come any time
            getattr(found, name)[where] = outcomes if name == "outcome" else getattr(results, name)
