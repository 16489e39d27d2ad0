"""Which settings work: runs over a grid of any two of them, each with several data seeds, and how they ended."""

import dataclasses
import io
import itertools
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from covdemo.batch import Results, run_batch
from covdemo.config import RunConfig
from covdemo.failures import KINDS
from covdemo.outcomes import Outcome

OUTCOMES = tuple(Outcome)
UNKNOWN = -1  # in place of an outcome: not computed yet
CHUNK = 4_096  # runs that are done side by side: enough to be fast, few enough to leave room for others
AXES = ("lr_cov", "lr_mu", "lr_nn", "momentum", "parameterization")

_MEASURES: dict[str, tuple[Any, Any]] = {  # array -> its type, and its value where nothing is known
    "outcome": (np.int8, UNKNOWN),
    "failed_at": (np.int32, -1),
    "kind": (np.int8, -1),
    "accuracy": (np.float32, np.nan),
    "kl": (np.float32, np.nan),
}

# what NumPy and the modules beneath it raise for files that are no such archives, or damaged ones
_UNREADABLE = (
    *(OSError, ValueError, TypeError, LookupError, EOFError, AttributeError, ArithmeticError, MemoryError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)


@dataclass(frozen=True)
class Axis:
    """A setting and the values it takes.

    Raises:
        ValueError: if the setting is none of ``AXES``, or there are no values.
    """

    name: str
    values: tuple[float | str, ...]

    def __post_init__(self) -> None:
        if self.name not in AXES:
            raise ValueError(f"expected an axis out of {', '.join(AXES)}; got {self.name!r}")
        if not self.values:
            raise ValueError(f"expected at least one value of {self.name}, got none")


@dataclass(frozen=True, eq=False)
class StabilityMap:
    """How the runs of a grid ended. The arrays are ``[Y, X, S]``, S seeds.

    Attributes:
        config: the settings that all runs share; those of the axes and the seed are replaced.
        x, y: the axes.
        seeds: of data and order.
        outcome: place in ``OUTCOMES``; ``UNKNOWN`` where the run has not been done.
        failed_at: trial of the first failure, -1 where there was none.
        kind: of that failure, as a place in ``failures.KINDS``; -1 where there was none.
        accuracy: at the end.
        kl: KL(true || model) summed over the categories, in nats.
    """

    config: RunConfig
    x: Axis
    y: Axis
    seeds: tuple[int, ...]
    outcome: NDArray[np.int8]
    failed_at: NDArray[np.int32]
    kind: NDArray[np.int8]
    accuracy: NDArray[np.float32]
    kl: NDArray[np.float32]

    @classmethod
    def empty(cls, config: RunConfig, x: Axis, y: Axis, seeds: Sequence[int]) -> "StabilityMap":
        """Return a map of which nothing is known.

        Raises:
            ValueError: if both axes are the same setting, or there are no seeds.
        """
        if x.name == y.name:
            raise ValueError(f"expected two different axes, got {x.name} twice")
        if not seeds:
            raise ValueError("expected at least one seed, got none")
        shape = len(y.values), len(x.values), len(seeds)
        arrays = (np.full(shape, value, dtype) for dtype, value in _MEASURES.values())
        return cls(config, x, y, tuple(seeds), *arrays)

    @property
    def complete(self) -> bool:
        """Whether all runs have been done."""
        return bool((self.outcome != UNKNOWN).all())

    def share(self, outcome: Outcome) -> NDArray[np.float64]:
        """Return the share of the seeds that ended so, ``[Y, X]``; NaN where not all are known."""
        share = (self.outcome == OUTCOMES.index(outcome)).mean(-1)
        return np.where((self.outcome == UNKNOWN).any(-1), np.nan, share)

    def run_config(self, row: int, column: int, seed: int = 0) -> RunConfig:
        """Return the settings of a run, by its place in the arrays."""
        axes: dict[str, Any] = {self.x.name: self.x.values[column], self.y.name: self.y.values[row]}
        return replace(self.config, **axes, seed=self.seeds[seed])

    def same_grid(self, other: "StabilityMap") -> bool:
        """Whether the other map is of the same runs."""
        return _description(self) == _description(other)

    def save(self, path: str | Path) -> None:
        """Write a ``.npz`` file, at once or not at all.

        Raises:
            OSError: if it cannot be written.
        """
        target = Path(path)
        part = target.with_name(target.name + ".part")
        measured = {name: getattr(self, name) for name in _MEASURES}
        content = io.BytesIO()
        np.savez_compressed(content, description=np.array(_description(self)), **measured)
        try:
            part.write_bytes(content.getvalue())
            os.replace(part, target)
        except OSError:
            part.unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: str | Path | IO[bytes]) -> "StabilityMap":
        """Read what ``save`` wrote, without pickle.

        Raises:
            ValueError: if the file cannot be read or is no such map.
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            grid = json.loads(str(arrays["description"]))
            x, y = (Axis(grid[axis]["name"], tuple(grid[axis]["values"])) for axis in "xy")
            empty = cls.empty(RunConfig(**grid["config"]), x, y, grid["seeds"])
            measured = {name: arrays[name].astype(dtype) for name, (dtype, _) in _MEASURES.items()}
        except _UNREADABLE as error:
            raise ValueError(f"expected a map written by covdemo, but it cannot be read: {error}") from None
        if any(array.shape != empty.outcome.shape for array in measured.values()):
            raise ValueError(f"expected a map of shape {empty.outcome.shape}, got arrays of other shapes")
        for name, known in (("outcome", OUTCOMES), ("kind", KINDS)):
            if not ((measured[name] >= -1) & (measured[name] < len(known))).all():
                raise ValueError(f"{name}: expected numbers from -1 to {len(known) - 1}")
        return replace(empty, **measured)


def _description(found: StabilityMap) -> str:
    """Return what the runs of a map are, as JSON."""
    replaced: dict[str, Any] = {axis.name: axis.values[0] for axis in (found.x, found.y)}
    config = dataclasses.asdict(replace(found.config, seed=0, **replaced))
    grid = {"config": config, "x": dataclasses.asdict(found.x), "y": dataclasses.asdict(found.y), "seeds": list(found.seeds)}
    return json.dumps(grid)


def stack(maps: Sequence[StabilityMap], row: int) -> StabilityMap:
    """Put one row of each of several maps, of one parameterization each, into a map with a row for each."""
    first = maps[0]
    replaced: dict[str, Any] = {first.y.name: first.y.values[row]}
    methods = Axis("parameterization", tuple(found.config.parameterization for found in maps))
    empty = StabilityMap.empty(replace(first.config, **replaced), first.x, methods, first.seeds)
    measured: dict[str, Any] = {name: np.stack([getattr(found, name)[row] for found in maps]) for name in _MEASURES}
    return replace(empty, **measured)


@dataclass(frozen=True)
class _Chunk:
    """Runs that are done side by side, and their places in the arrays of the map."""

    places: tuple[tuple[int, int, int], ...]
    configs: tuple[RunConfig, ...]


def sweep(
    start: StabilityMap,
    executor: Executor | None = None,
    progress: Callable[[float], None] = lambda done: None,
    keep: Callable[[StabilityMap], None] = lambda found: None,
    compiled: bool = False,
    chunk: int = CHUNK,
) -> StabilityMap:
    """Do the runs of a map that have not been done, and return the complete map.

    Args:
        start: a map of which nothing, or a part, is known.
        executor: does the chunks, in other processes or on other machines; here and one after the other if None.
        progress: called now and then with the share of all runs done; what it raises ends the work.
        keep: given the map so far after each chunk.
        compiled: whether the trials are compiled, as in ``run_batch``.
        chunk: runs in a chunk.
    """
    found = replace(start, **{name: getattr(start, name).copy() for name in _MEASURES})
    chunks, total = list(_chunks(found, chunk)), found.outcome.size
    for done, results in _results(chunks, executor, partial(_tell, progress, found, total), compiled):
        _enter(found, done, results)
        progress(float((found.outcome != UNKNOWN).mean()))
        keep(found)
    return found


def _tell(progress: Callable[[float], None], found: StabilityMap, total: int, runs: int, share: float) -> None:
    """Tell the share of all runs done when ``share`` of a chunk of ``runs`` is."""
    progress(float((found.outcome != UNKNOWN).mean()) + runs / total * share)


def _results(
    chunks: Sequence[_Chunk], executor: Executor | None, tell: Callable[[int, float], None], compiled: bool
) -> Iterator[tuple[_Chunk, Results]]:
    if executor is None:
        for chunk in chunks:
            yield chunk, run_batch(chunk.configs, partial(tell, len(chunk.configs)), compiled)
        return
    futures = {executor.submit(run_batch, chunk.configs, compiled=compiled): chunk for chunk in chunks}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        for future in futures:
            future.cancel()


def _chunks(found: StabilityMap, size: int) -> Iterator[_Chunk]:
    """Divide the runs that have not been done into chunks that one batch can do."""
    todo = [tuple(place) for place in np.argwhere(found.outcome == UNKNOWN).tolist()]
    runs = [(place, found.run_config(*place)) for place in todo]
    runs.sort(key=lambda run: run[1].parameterization)
    for _, group in itertools.groupby(runs, key=lambda run: run[1].parameterization):
        for part in _batched(list(group), size):
            yield _Chunk(*zip(*part, strict=True))


def _batched(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _enter(found: StabilityMap, chunk: _Chunk, results: Results) -> None:
    where = tuple(np.array(chunk.places).T)
    outcomes = [OUTCOMES.index(outcome) for outcome in results.outcome]
    for name, values in zip(_MEASURES, (outcomes, *results[1:]), strict=True):
        getattr(found, name)[where] = values
