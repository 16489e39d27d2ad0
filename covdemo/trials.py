"""The data points and the order in which they are shown: drawn from named true distributions, or read from a file."""

import csv
import io
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from covdemo import limits

if TYPE_CHECKING:
    from covdemo.config import RunConfig

DISTRIBUTIONS: dict[str, dict[str, Any]] = {
    "forum": {
        "mean_x": (-0.5, -0.25),
        "mean_y": (0.25, -0.6),
        "var_x": (0.0185, 0.0125),
        "var_y": (0.065, 0.005),
        "cov_xy": (-0.005, 0.005),
    },
    "nearly round": {
        "mean_x": (-0.35, 0.35),
        "mean_y": (0.3, -0.3),
        "var_x": (0.03, 0.025),
        "var_y": (0.025, 0.03),
        "cov_xy": (0.002, -0.002),
    },
    "thin": {  # smallest eigenvalue .001
        "mean_x": (-0.3, 0.3),
        "mean_y": (0.3, -0.3),
        "var_x": (0.05, 0.05),
        "var_y": (0.05, 0.05),
        "cov_xy": (0.049, -0.049),
    },
    "overlapping": {
        "mean_x": (-0.1, 0.1),
        "mean_y": (0.1, -0.1),
        "var_x": (0.04, 0.06),
        "var_y": (0.06, 0.04),
        "cov_xy": (0.01, -0.01),
    },
    "far apart": {  # densities underflow where the model starts
        "mean_x": (-0.75, 0.75),
        "mean_y": (0.75, -0.75),
        "var_x": (0.005, 0.005),
        "var_y": (0.005, 0.005),
        "cov_xy": (0.0, 0.0),
    },
}
"""True distributions to choose from: name -> changes for ``RunConfig``."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Data points and the order in which they are shown.

    Attributes:
        x: data points, ``[N, D]``.
        label: their categories, from 0, ``[N]``.
        order: row of ``x`` for each trial, ``[T]``.
        names: of the categories; empty where they are only numbered.
    """

    x: NDArray[np.float64]
    label: NDArray[np.int64]
    order: NDArray[np.int64]
    names: tuple[str, ...] = ()

    @property
    def categories(self) -> int:
        """K, the number of categories up to the highest that occurs."""
        return int(self.label.max()) + 1

    def epoch(self, trial: int) -> int:
        """Return the number of the epoch, from 0, that a trial, from 0, belongs to."""
        return trial // len(self.x)


def draw(config: "RunConfig") -> Trials:
    """Draw x = mu + L z with z ~ N(0, I), category by category, and an order for each epoch."""
    generator = np.random.default_rng([config.seed, 0])
    factors = np.linalg.cholesky(config.true_covariances)
    x = [
        mean + generator.standard_normal((config.points, 2)) @ factor.T
        for mean, factor in zip(config.true_means, factors, strict=True)
    ]
    label = np.repeat(np.arange(config.categories), config.points)
    return Trials(np.concatenate(x), label, shuffle(config, len(label)))


def shuffle(config: "RunConfig", points: int) -> NDArray[np.int64]:
    """Return every row once per epoch, in an order of its own, ``[T]``.

    Raises:
        ValueError: if these are more trials than are allowed.
    """
    trials = config.epochs * points
    if trials > limits.TRIALS:
        raise ValueError(
            f"expected at most {limits.TRIALS:,} trials, got {config.epochs:,} epochs of {points:,} points: {trials:,}"
        )
    generator = np.random.default_rng([config.seed, 1])
    return np.concatenate([generator.permutation(points) for _ in range(config.epochs)])


def read_npz(path: str | Path | BinaryIO, config: "RunConfig") -> Trials:
    """Read data from the arrays ``x`` ``[N, 2]``, ``label`` ``[N]`` and, if there is one, ``order`` ``[T]`` of a NumPy file.

    Args:
        path: of the ``.npz`` file, or the open file.
        config: says how many categories there are, and gives the order where the file has none.

    Raises:
        ValueError: if the file cannot be read or its arrays do not fit.
    """
    arrays = _load(path)
    if not {"x", "label"} <= arrays.keys():
        raise ValueError(f"expected arrays x and label, got {', '.join(arrays) or 'none'}")
    x = _coordinates(arrays["x"])
    label = _indices("label", arrays["label"], config.categories)
    if len(label) != len(x):
        raise ValueError(f"label: expected one for each of the {len(x)} points, got {len(label)}")
    order = _indices("order", arrays["order"], len(x)) if "order" in arrays else shuffle(config, len(x))
    return Trials(x, label, order)


def _load(path: str | Path | BinaryIO) -> dict[str, NDArray[np.generic]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: np.asarray(archive[name]) for name in archive.files}
    except (AttributeError, TypeError):
        raise ValueError("expected a .npz file with the arrays x and label, got a single array") from None
    except (OSError, ValueError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"the .npz file cannot be read: {error}") from None


def _coordinates(x: NDArray[np.generic]) -> NDArray[np.float64]:
    if x.ndim != 2 or x.shape[1] != 2 or not len(x) or x.dtype.kind not in "fiu":
        raise ValueError(f"x: expected numbers of shape [N, 2] with N > 0, got {x.dtype} of shape {list(x.shape)}")
    points = x.astype(np.float64)
    if not (np.abs(points) <= limits.MEAN.high).all():
        raise ValueError("x: expected numbers from -1e6 to 1e6, got NaN or larger ones")
    return points


def _indices(name: str, array: NDArray[np.generic], below: int) -> NDArray[np.int64]:
    if array.ndim != 1 or not len(array) or array.dtype.kind not in "iu":
        raise ValueError(f"{name}: expected whole numbers in one dimension, got {array.dtype} of shape {list(array.shape)}")
    if array.min() < 0 or array.max() >= below:
        raise ValueError(f"{name}: expected numbers from 0 to {below - 1}, got {array.min()} to {array.max()}")
    return array.astype(np.int64)


class _Point(NamedTuple):
    x: float
    y: float
    category: str


def read_csv(table: str | bytes, config: "RunConfig") -> Trials:
    """Read x, y and category from lines of text; a header is optional and may put the columns in another order.

    Cells are separated by comma, semicolon or tab; with the latter two, numbers may have a decimal comma.

    Args:
        table: the text, or the content of a file in UTF-8 or UTF-16.
        config: gives the order.

    Raises:
        ValueError: with the number of the line, if the text is not such a table or has not 2 to 5 categories.
    """
    points = list(_points(_decode(table)))
    names = _sorted_names({point.category for point in points})
    if not limits.CATEGORIES.holds(len(names)):
        raise ValueError(f"expected 2 to 5 categories in the third column, got {len(names)}")
    x = np.array([(point.x, point.y) for point in points])
    label = np.array([names.index(point.category) for point in points], dtype=np.int64)
    return Trials(x, label, shuffle(config, len(points)), names)


def to_csv(trials: Trials) -> str:
    """Write x, y and category with a header; names that a spreadsheet would take for a formula get a leading quote."""
    names = trials.names or tuple(str(k + 1) for k in range(trials.categories))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("x", "y", "category"))
    for (x, y), k in zip(trials.x.tolist(), trials.label.tolist(), strict=True):
        writer.writerow((repr(x), repr(y), defuse(names[k])))
    return text.getvalue()


def defuse(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell.startswith(("=", "+", "-", "@")) else cell


def _decode(table: str | bytes) -> str:
    if len(table) > limits.CSV_BYTES:
        raise ValueError(f"expected at most {limits.CSV_BYTES // 10**6} MB, got {len(table) / 1e6:.1f} MB")
    if isinstance(table, bytes):
        encoding = "utf-16" if table.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
        try:
            table = table.decode(encoding)
        except UnicodeDecodeError:
            raise ValueError("expected text in UTF-8, got something else; save the table as CSV UTF-8") from None
    return table.removeprefix("\ufeff")


def _points(text: str) -> Iterator[_Point]:
    separator = next((mark for mark in "\t;," if mark in text.lstrip().partition("\n")[0]), ",")
    columns: Sequence[int] | None = None
    for line, cells in _rows(text, separator):
        if columns is None:
            columns = _columns(cells, separator)
            if columns:
                continue
        yield _point(line, cells, columns or (0, 1, 2), separator)


def _rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num} is not a row of a table: {error}") from None


def _columns(cells: list[str], separator: str) -> Sequence[int]:
    """Return where a header has x, y and category, in its first three columns by default; empty if it is no header."""
    if len(cells) < 3 or any(not cell or _number(cell, separator) is not None for cell in cells[:2]):
        return ()
    lower = [cell.lower() for cell in cells]
    named = [lower.index(name) for name in ("x", "y", "category") if name in lower]
    return named if len(named) == 3 else (0, 1, 2)


def _point(line: int, cells: list[str], columns: Sequence[int], separator: str) -> _Point:
    if len(cells) <= max(columns) or (len(cells) > 3 and columns == (0, 1, 2)):
        raise ValueError(f"line {line}: expected x, y and category, got {len(cells)} cells")
    x, y = (_coordinate(line, name, cells[column], separator) for name, column in zip("xy", columns, strict=False))
    category = cells[columns[2]]
    if not 0 < len(category) <= limits.NAME:
        raise ValueError(f"line {line}: expected a category of 1 to {limits.NAME} characters, got {len(category)}")
    return _Point(x, y, category)


def _coordinate(line: int, name: str, cell: str, separator: str) -> float:
    number = _number(cell, separator)
    if number is None or not limits.MEAN.holds(number):
        raise ValueError(f"line {line}: expected for {name} a number from -1e6 to 1e6, got {cell[: limits.NAME]!r}")
    return number


def _number(cell: str, separator: str) -> float | None:
    try:
        return float(cell if separator == "," else cell.replace(",", "."))
    except ValueError:
        return None


def _sorted_names(names: set[str]) -> tuple[str, ...]:
    """Return the names in order: numbers by their size, then words."""

    def place(name: str) -> tuple[float, str]:
        number = _number(name, ",")
        return (math.inf if number is None or math.isnan(number) else number, name)

    return tuple(sorted(names, key=place))
