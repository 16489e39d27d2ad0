"""What defines a run, and one row per setting that feeds the sidebar, the URL, the command line and the exported code."""

import dataclasses
import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from covdemo import devices, limits
from covdemo.constraints import COLUMNS, bound_categories, bound_columns, bound_numbers, defaults, fits, idle
from covdemo.fields import Field, Problem, nearest, quote
from covdemo.learner import OBJECTIVES
from covdemo.limits import Range
from covdemo.optimizers import OPTIMIZERS
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.policies import POLICIES
from covdemo.samples import SCALINGS, Columns
from covdemo.sources import SOURCES
from covdemo.trials import DISTRIBUTIONS

_FORUM = DISTRIBUTIONS["forum"]


@dataclass(frozen=True)
class RunConfig:
    """All that defines a run: equal configs give equal runs. The defaults are the experiment of the forum question.

    Attributes:
        mean_x, mean_y: means of the true distributions, one number per category.
        var_x, var_y, cov_xy: their variances and covariances.
        start_x, start_y: where the model's means start.
        start_var: the model's covariance matrices start at ``start_var`` I.
        source: of the data, a key of ``SOURCES``; where they are not drawn, the true distributions and ``points`` are not used.
        column_x, column_y, column_category: names of columns of a table; empty where they are guessed.
        scaling: of these columns, a key of ``SCALINGS``.
        points: number of data points of each category.
        seed: of the data and of their order.
        epochs: how often each data point is shown.
        parameterization, objective, optimizer, policy: keys of the registries.
        likelihood_share: part of the likelihood in a weighted objective.
        lr_mu, lr_cov, lr_nn: learning rates of the means, the covariance matrices and the read-out.
        momentum: of all three.
        device, dtype: torch's names.

    Raises:
        ValueError: for a value that its setting may not have, a covariance too large for its variances, or numbers of
            categories that differ, are not allowed, or are not that of the source.
    """

    mean_x: tuple[float, ...] = _FORUM["mean_x"]
    mean_y: tuple[float, ...] = _FORUM["mean_y"]
    var_x: tuple[float, ...] = _FORUM["var_x"]
    var_y: tuple[float, ...] = _FORUM["var_y"]
    cov_xy: tuple[float, ...] = _FORUM["cov_xy"]
    start_x: tuple[float, ...] = (-0.25, -0.15)
    start_y: tuple[float, ...] = (0.05, -0.25)
    start_var: float = 0.02
    source: str = "drawn"
    column_x: str = ""
    column_y: str = ""
    column_category: str = ""
    scaling: str = "standardised"
    points: int = 200
    seed: int = 0
    epochs: int = 5
    parameterization: str = "covariance"
    objective: str = "cross-entropy"
    likelihood_share: float = 0.5
    optimizer: str = "sgd"
    policy: str = "stop"
    lr_mu: float = 0.002
    lr_cov: float = 1e-3
    lr_nn: float = 0.1
    momentum: float = 0.3
    device: str = "cpu"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        for row in dataclasses.fields(self):
            object.__setattr__(self, row.name, _plain(getattr(self, row.name), like=row.default))
        lengths = {name: len(getattr(self, name)) for name in _PER_CATEGORY}
        if len(set(lengths.values())) > 1 or not limits.CATEGORIES.holds(self.categories):
            raise ValueError(f"expected the same number of categories, 2 to 5, everywhere; got {lengths}")
        _check_values(self)
        own = SOURCES[self.source].categories
        if own not in (0, self.categories):
            raise ValueError(f"expected {own} categories for the source {self.source}, got {self.categories}")

    @property
    def categories(self) -> int:
        """K."""
        return len(self.mean_x)

    @property
    def columns(self) -> Columns:
        """Columns of a table that are named."""
        return Columns(self.column_x, self.column_y, self.column_category)

    @property
    def trials(self) -> int:
        """T, the number of trials; 0 where a viewer's file says it."""
        return self.epochs * SOURCES[self.source].count(self.points * self.categories)

    @property
    def true_means(self) -> NDArray[np.float64]:
        """Means of the true distributions, ``[K, 2]``."""
        return np.stack([self.mean_x, self.mean_y], axis=-1)

    @property
    def true_covariances(self) -> NDArray[np.float64]:
        """Covariance matrices of the true distributions, ``[K, 2, 2]``."""
        return np.stack([self.var_x, self.cov_xy, self.cov_xy, self.var_y], axis=-1).reshape(-1, 2, 2)

    @property
    def start_means(self) -> NDArray[np.float64]:
        """Means that the model starts from, ``[K, 2]``."""
        return np.stack([self.start_x, self.start_y], axis=-1)

    @property
    def start_covariances(self) -> NDArray[np.float64]:
        """Covariance matrices that the model starts from, ``[K, 2, 2]``."""
        return np.tile(self.start_var * np.eye(2), (self.categories, 1, 1))


def _plain(value: Any, like: object) -> Any:
    """Return a value as Python's own type and 0.0 for -0.0, so that equal configs have equal hashes and texts."""
    if isinstance(like, tuple):
        return tuple(float(number) + 0.0 for number in value)
    if isinstance(like, float):
        return float(value) + 0.0
    return operator.index(value) if isinstance(like, int) else str(value)


def _check_values(config: RunConfig) -> None:
    for row in FIELDS:
        if (row.category or 0) <= config.categories and not row.holds(row.get(config)):
            raise ValueError(f"expected {row.expected} for {row.name}, got {row.get(config)!r}")
    for k, numbers in enumerate(zip(config.var_x, config.var_y, config.cov_xy, strict=True), start=1):
        if not fits(*numbers):
            raise ValueError(f"expected |cov_xy_{k}| below sqrt(var_x_{k} var_y_{k}), got {numbers[-1]!r}")


# Where the categories stand that the forum experiment does not have.
_MORE = {
    "mean_x": (0.4, 0.55, 0.1),
    "mean_y": (0.4, -0.35, 0.75),
    "var_x": (0.02, 0.01, 0.015),
    "var_y": (0.01, 0.03, 0.008),
    "cov_xy": (0.005, 0.0, -0.004),
    "start_x": (0.1, 0.2, 0.0),
    "start_y": (0.15, -0.1, 0.3),
}
_PER_CATEGORY = tuple(_MORE)


_K = "categories"
_DATA, _TRUE, _MODEL, _START = "Data", "True distributions", "Model", "Start of the model"
_TRAINING, _MACHINE = "Training", "Machine"


def _setting(name: str, label: str, text: str, group: str, **rest: Any) -> Field:
    default = getattr(RunConfig, name)
    return Field(name, name, label, text, group, type(default), default, name, **rest)


def _column(name: str, label: str, text: str) -> Field:
    return _setting(f"column_{name}", label, f"{text}, in a table.", _DATA)


def _per_category(name: str, url: str, label: str, text: str, allowed: Range, log: bool = False) -> tuple[Field, ...]:
    group = _START if name.startswith("start") else _TRUE
    return tuple(
        Field(f"{name}_{k}", f"{url}{k}", f"{label} of category {k}", text, group, float, default, name, k, allowed, log)
        for k, default in enumerate(getattr(RunConfig, name) + _MORE[name], start=1)
    )


FIELDS: tuple[Field, ...] = (
    _setting("source", "Source", "Where the data come from.", _DATA, registry=SOURCES),
    _column("x", "Column of x", "Name of the column of horizontal places"),
    _column("y", "Column of y", "Name of the column of vertical places"),
    _column("category", "Column of the category", "Name of the column that says which category a row belongs to"),
    _setting("scaling", "Scale", "What becomes of the numbers of a table.", _DATA, registry=SCALINGS),
    _setting("points", "Points per category", "How many data points are drawn of each category.", _DATA, range=limits.POINTS),
    _setting("seed", "Seed", "Equal seeds draw equal data in equal order.", _DATA, range=limits.SEED),
    Field(
        _K, _K, "Categories", "How many normal distributions the data come from.", _TRUE, int, 2, _K, range=limits.CATEGORIES
    ),
    *_per_category("mean_x", "x", "Mean, x", "Horizontal centre of the true distribution.", limits.MEAN),
    *_per_category("mean_y", "y", "Mean, y", "Vertical centre of the true distribution.", limits.MEAN),
    *_per_category("var_x", "vx", "Variance, x", "Squared horizontal spread of the true distribution.", limits.VARIANCE, True),
    *_per_category("var_y", "vy", "Variance, y", "Squared vertical spread of the true distribution.", limits.VARIANCE, True),
    *_per_category("cov_xy", "c", "Covariance", "Its size stays below sqrt(var_x var_y).", limits.MEAN),
    _setting("parameterization", "Parameterization", "How a covariance matrix is written.", _MODEL, registry=PARAMETERIZATIONS),
    _setting("objective", "Objective", "What training makes small.", _MODEL, registry=OBJECTIVES),
    _setting("likelihood_share", "Share of the likelihood", "In a weighted objective only.", _MODEL, range=limits.SHARE),
    *_per_category("start_x", "sx", "Start, x", "Horizontal centre of the model before training.", limits.MEAN),
    *_per_category("start_y", "sy", "Start, y", "Vertical centre of the model before training.", limits.MEAN),
    _setting("start_var", "Start, variance", "Of every direction before training.", _START, range=limits.VARIANCE, log=True),
    _setting("optimizer", "Optimizer", "The rule that turns gradients into updates.", _TRAINING, registry=OPTIMIZERS),
    _setting("lr_mu", "Learning rate, means", "Step size of the means.", _TRAINING, range=limits.RATE, log=True),
    _setting("lr_cov", "Learning rate, covariances", "Step size of the matrices.", _TRAINING, range=limits.RATE, log=True),
    _setting("lr_nn", "Learning rate, read-out", "Step size of the linear layer.", _TRAINING, range=limits.RATE, log=True),
    _setting("momentum", "Momentum", "Share of the last update that the next one keeps.", _TRAINING, range=limits.MOMENTUM),
    _setting("epochs", "Epochs", "How often every data point is shown.", _TRAINING, range=limits.EPOCHS),
    _setting("policy", "On failure", "What happens when an update makes a distribution invalid.", _TRAINING, registry=POLICIES),
    _setting("device", "Device", "Where it is computed.", _MACHINE, registry=devices.DEVICES, refusal=devices.refusal),
    _setting("dtype", "Number format", "How precisely it is computed.", _MACHINE, registry=devices.DTYPES),
)
BY_NAME = {row.name: row for row in FIELDS}
_BY_URL = {row.url: row for row in FIELDS}


def read(query: Mapping[str, object], others: Collection[str] = ()) -> tuple[RunConfig, list[Problem]]:
    """Return the configuration that URL parameters stand for, and all that is wrong with them; never raises.

    Args:
        query: URL name -> text, or a list of texts of which the last counts.
        others: URL names that are not settings and belong to someone else.
    """
    unknown = _unknown([name for name in query if name not in _BY_URL and name not in others])
    config, problems = _build({_BY_URL[name].name: given for name, given in query.items() if name in _BY_URL})
    return config, unknown + problems


def read_arguments(arguments: Mapping[str, object]) -> RunConfig:
    """Return the configuration that command-line arguments stand for.

    Args:
        arguments: field name -> text; settings that are not given are left out.

    Raises:
        ValueError: with a line for each problem.
    """
    config, problems = _build(arguments)
    if problems:
        raise ValueError("\n".join(f"{BY_NAME[problem.field].flag}: {problem.fault}" for problem in problems))
    return config


def to_query(config: RunConfig, also: Collection[str] = ()) -> dict[str, str]:
    """Return the URL parameters of a configuration: those that differ from the default.

    Args:
        config: the settings.
        also: URL names of settings that are given in any case.
    """
    mine, usual = fields_of(config.categories, config.source), defaults(config.source, config.columns, config.scaling)
    told = [row for row in mine if row.url in also or row.get(config) != usual.get(row.name, row.default)]
    return {row.url: row.text(config) for row in told}


def fields_of(categories: int, source: str = RunConfig.source) -> tuple[Field, ...]:
    """Return the settings that matter to a run with so many categories and data from this source."""
    return tuple(row for row in FIELDS if not idle(row, categories, source))


def _build(given: Mapping[str, object]) -> tuple[RunConfig, list[Problem]]:
    values: dict[str, Any] = {row.name: row.default for row in FIELDS}
    problems: list[Problem] = []
    for name in sorted(given, key=list(BY_NAME).index):  # the source and the number of categories come first
        row = BY_NAME[name]
        if reason := idle(row, values[_K], values["source"]):
            problems.append(row.problem(reason, "it is ignored"))
            continue
        values[name], found = row.read(given[name])
        problems += found
        problems += bound_categories(BY_NAME, values, just_read=name)
    problems += bound_columns(BY_NAME, values)
    usual = defaults(values["source"], Columns(*(values[name] for name in COLUMNS)), values["scaling"])
    values.update({name: value for name, value in usual.items() if name not in given})
    problems += bound_numbers(BY_NAME, values)
    return _assemble(values), problems


def _assemble(values: Mapping[str, Any]) -> RunConfig:
    changes: dict[str, Any] = {}
    for row in FIELDS:
        if (row.category or 0) > values[_K]:
            continue
        value = values[row.name]
        changes[row.attribute] = value if row.category is None else (*changes.get(row.attribute, ()), value)
    del changes[_K]
    return RunConfig(**changes)


def _unknown(names: Sequence[str]) -> list[Problem]:
    """Return a problem for each of the first names, and one for all others."""
    fault, rest = "there is no setting of this name", len(names[_TOLD:])
    told = [Problem(name, quote(name), f"{fault}{nearest(name, _BY_URL)}", "it is ignored") for name in names[:_TOLD]]
    return [*told, *([Problem("", "Parameters", f"{rest:,} more are no settings", "they are ignored")] if rest else [])]


_TOLD = 10  # unknown parameters that a sentence each is worth
