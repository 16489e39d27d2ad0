"""A map as a file: its arrays, what the places in them stand for, and what is refused when it is read."""

import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from covdemo import limits
from covdemo.config import RunConfig, read, to_query
from covdemo.failures import KINDS
from covdemo.outcomes import Outcome

MEASURES: dict[str, Any] = {  # array -> its type
    "outcome": np.int8,
    "failed_at": np.int32,
    "kind": np.int8,
    "accuracy": np.float32,
    "kl": np.float32,
}
_KNOWN = {  # array -> what its places stand for
    "outcome": tuple(outcome.value for outcome in Outcome),
    "kind": tuple(kind.value for kind in KINDS),
}

# what NumPy and the modules beneath it raise for files that are no such archives, or damaged ones
UNREADABLE = (
    *(OSError, ValueError, TypeError, LookupError, EOFError, AttributeError, ArithmeticError, MemoryError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)

Arrays = dict[str, NDArray[Any]]


class Content(NamedTuple):
    """What a file holds: the runs as JSON says them, the arrays, and the names of the places in them."""

    grid: Any
    measured: Arrays
    names: Mapping[str, list[str]]


def write(path: str | Path, description: str, measured: Mapping[str, NDArray[Any]]) -> None:
    """Write a ``.npz`` file, at once or not at all.

    Args:
        path: of the file.
        description: of the runs, in JSON.
        measured: the arrays.

    Raises:
        OSError: if it cannot be written.
    """
    target = Path(path)
    part = target.with_name(target.name + ".part")
    arrays: Any = {_names_of(measure): np.array(known) for measure, known in _KNOWN.items()}
    arrays |= {"description": np.array(description), **measured}
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    try:
        part.write_bytes(content.getvalue())
        os.replace(part, target)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def unpack(path: str | Path | IO[bytes]) -> Content:
    """Read a file without pickle.

    Raises:
        UNREADABLE: if it cannot be read.
    """
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    names = {measure: arrays.get(_names_of(measure), np.array(known)).tolist() for measure, known in _KNOWN.items()}
    return Content(json.loads(str(arrays["description"])), {name: arrays[name] for name in MEASURES}, names)


def _names_of(measure: str) -> str:
    """Return the array of a file that says what the places in another stand for; the oldest files have none."""
    return f"{measure}_names"


def settings(given: Mapping[str, Any]) -> RunConfig:
    """Return the settings of a file; they may belong to another machine.

    Raises:
        TypeError: for names that there are not.
        ValueError: for settings that are not allowed.
    """
    config = RunConfig(**given)
    anywhere = replace(config, device=RunConfig.device)
    again, problems = read(to_query(anywhere))
    if problems or again != anywhere:
        raise ValueError(problems[0].sentence if problems else "expected settings of a run")
    return config


def checked(content: Content, shape: tuple[int, ...]) -> Arrays:
    """Return the arrays, with the types and the places that they have here.

    Raises:
        ValueError: for other shapes or types, names that are not known, or numbers that cannot be.
    """
    measured, names = content.measured, content.names
    if any(array.shape != shape for array in measured.values()):
        raise ValueError(f"expected a map of shape {shape}, got arrays of other shapes")
    for name, dtype in MEASURES.items():
        if measured[name].dtype.kind != np.dtype(dtype).kind:
            raise ValueError(f"{name}: expected numbers like {np.dtype(dtype)}, got {measured[name].dtype}")
    ends = {"failed_at": limits.TRIALS} | {name: len(names[name]) - 1 for name in _KNOWN}
    for name, end in ends.items():
        if not ((measured[name] >= -1) & (measured[name] <= end)).all():
            raise ValueError(f"{name}: expected numbers from -1 to {end}")
    if not ((measured["failed_at"] >= 0) == (measured["kind"] >= 0)).all():
        raise ValueError("kind: expected one where there is a failing trial, and none elsewhere")
    accuracy = measured["accuracy"]
    if not (np.isnan(accuracy) | ((accuracy >= 0) & (accuracy <= 1))).all():
        raise ValueError("accuracy: expected numbers from 0 to 1")
    found = measured | {name: _places(name, measured[name], names[name]) for name in _KNOWN}
    return {name: found[name].astype(dtype) for name, dtype in MEASURES.items()}


def _places(measure: str, places: NDArray[Any], names: list[str]) -> NDArray[Any]:
    """Return the places that the names of a file have here; -1 stays what it is.

    Raises:
        ValueError: for a name that is not known.
    """
    known = _KNOWN[measure]
    if strange := sorted({names[place] for place in np.unique(places) if place >= 0} - set(known)):
        raise ValueError(f"{measure}: expected {', '.join(known)}; got {', '.join(strange)}")
    here = [known.index(name) if name in known else -1 for name in names]
    return np.array([*here, -1])[places]
