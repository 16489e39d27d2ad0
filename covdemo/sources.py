"""Where the data of a run come from: drawn, one of the examples that ship, or a file of the viewer's."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from covdemo.datafiles import Table, read_table
from covdemo.samples import GUESSED, Columns, Sample, moments, sample
from covdemo.trials import Trials, draw, shuffle

if TYPE_CHECKING:
    from covdemo.config import RunConfig


@dataclass(frozen=True)
class Source:
    """A place that data come from.

    Attributes:
        label: name for people.
        summary: one sentence.
        file: name of the table that ships; empty where none does.
        columns: of this table, to use where the settings name no others.
        points: rows of this table.
        categories: in this table; 0 where there is none.
        credit: who measured it, where it was published and under which licence, in Markdown.
        drawn: whether the data are drawn from the true distributions of the settings.
    """

    label: str
    summary: str
    file: str = ""
    columns: Columns = GUESSED
    points: int = 0
    categories: int = 0
    credit: str = ""
    drawn: bool = False

    @property
    def uploaded(self) -> bool:
        """Whether the table is a viewer's file."""
        return not (self.drawn or self.file)

    def count(self, drawn: int) -> int:
        """Return how many points there are, given how many would be drawn; 0 where a viewer's file says it."""
        return drawn if self.drawn else self.points


SOURCES: dict[str, Source] = {
    "drawn": Source("Drawn from distributions", "Points of the true distributions below.", drawn=True),
    "iris": Source(
        "Irises",
        "Petals of 150 irises of three species, in centimetres.",
        file="iris.csv",
        columns=Columns("petal_length", "petal_width", "species"),
        points=150,
        categories=3,
        credit="R. A. Fisher (1936), [The use of multiple measurements in taxonomic problems]"
        "(https://doi.org/10.1111/j.1469-1809.1936.tb02137.x). Public domain; also at the "
        "[UCI Machine Learning Repository](https://doi.org/10.24432/C56C76) under CC BY 4.0.",
    ),
    "penguins": Source(
        "Penguins",
        "Bills of 342 penguins of three species, in millimetres.",
        file="penguins.csv",
        columns=Columns("bill_length_mm", "bill_depth_mm", "species"),
        points=342,
        categories=3,
        credit="A. M. Horst, A. P. Hill, K. B. Gorman (2020), [palmerpenguins](https://doi.org/10.5281/zenodo.3960218), "
        "measured by [Gorman and others (2014)](https://doi.org/10.1371/journal.pone.0090081). CC0 1.0.",
    ),
    "file": Source("A CSV file of yours", "Lines of x, y and category."),
}


def content(key: str) -> bytes:
    """Return the file of an example."""
    return (files("covdemo") / "data" / SOURCES[key].file).read_bytes()


@cache
def example(key: str) -> Table:
    """Return the table of an example."""
    return read_table(content(key))


def wanted(key: str, named: Columns) -> Columns:
    """Return the columns that are named; where none is, the one that suits an example."""
    return Columns(*(name or usual for name, usual in zip(named, SOURCES[key].columns, strict=True)))


def data_of(config: "RunConfig", table: Table | None = None) -> Trials:
    """Return the data of a configuration.

    Args:
        config: says where they come from.
        table: of a viewer's file; without one, data are drawn where a file is to be used.

    Raises:
        ValueError: if the table does not fit the settings, with the numbers of lines where lines are at fault.
    """
    if SOURCES[config.source].file:
        return trials_of(config, example(config.source))
    return draw(config) if table is None or SOURCES[config.source].drawn else trials_of(config, table)


def described(config: "RunConfig") -> bool:
    """Whether the configuration alone says what the data are."""
    source = SOURCES[config.source]
    return source.drawn or bool(source.file)


def own(config: "RunConfig", data: Trials) -> Trials | None:
    """Return the data of a viewer's file; None where the configuration says what they are, or there is no file yet."""
    return data if data.moments and not described(config) else None


def trials_of(config: "RunConfig", table: Table) -> Trials:
    """Return the points of a table and an order for each epoch.

    Raises:
        ValueError: if the table does not fit the settings, with the numbers of lines where lines are at fault.
    """
    points = sample_of(config, table)
    return Trials(points.x, points.label, shuffle(config, len(points.x)), points.names, moments(points), points.origin)


def sample_of(config: "RunConfig", table: Table) -> Sample:
    """Return the points of a table.

    Raises:
        ValueError: if the table does not fit the settings, with the numbers of lines where lines are at fault.
    """
    return sample(table, wanted(config.source, config.columns), config.scaling)
