"""The data points and the order in which they are shown: drawn from named true distributions, or read from arrays."""

import zipfile
import zlib
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from covdemo import limits, spreadsheets

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
class Moments:
    """Means and covariance matrices of data that were not drawn.

    Attributes:
        means: ``[K, 2]``.
        covariances: ``[K, 2, 2]``.
        raised: categories, from 0, whose matrix was singular and has got a least variance.
    """

    means: NDArray[np.float64]
    covariances: NDArray[np.float64]
    raised: tuple[int, ...] = ()


class Origin(NamedTuple):
    """How points were made from a table: a point is (cells - ``centre``) / ``scale``.

    Attributes:
        columns: names of those of x, y and category.
        centre: of x and y.
        scale: of x and y.
    """

    columns: tuple[str, ...]
    centre: tuple[float, ...]
    scale: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Trials:
    """Data points and the order in which they are shown.

    Attributes:
        x: data points, ``[N, D]``.
        label: their categories, from 0, ``[N]``.
        order: row of ``x`` for each trial, ``[T]``.
        names: of the categories; empty where they are only numbered.
        moments: of the data, where no true distributions are known.
        origin: how they were made from a table, where they were.
    """

    x: NDArray[np.float64]
    label: NDArray[np.int64]
    order: NDArray[np.int64]
    names: tuple[str, ...] = ()
    moments: Moments | None = None
    origin: Origin | None = None

    @property
    def categories(self) -> int:
        """K, the number of categories up to the highest that occurs."""
        return int(self.label.max()) + 1

    def epoch(self, trial: int) -> int:
        """Return the number of the epoch, from 0, that a trial, from 0, belongs to."""
        return trial // len(self.x)

    @cached_property
    def identity(self) -> str:
        """The same for equal points, labels and names, whatever their order is."""
        content = repr((self.x.tolist(), self.label.tolist(), self.names))
        return sha256(content.encode()).hexdigest()

    def shuffled(self, config: "RunConfig") -> "Trials":
        """Return the same points in the order of a configuration."""
        return replace(self, order=shuffle(config, len(self.x)))


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


def to_csv(trials: Trials) -> str:
    """Write x, y and category with a header."""
    names = trials.names or tuple(str(k + 1) for k in range(trials.categories))
    rows = zip(trials.x.tolist(), trials.label.tolist(), strict=True)
    return spreadsheets.write([("x", "y", "category"), *((x, y, names[k]) for (x, y), k in rows)])
