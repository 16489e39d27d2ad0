"""The tables of ``docs/choosing.md``, from the figures and maps that ship with the package; nothing is measured here.

    python benchmarks/choosing.py [--write]

Prints them; ``--write`` puts them into the page. ``robustness.py --json`` and ``python -m covdemo map --all`` measure.
"""

import argparse

import doctables
import numpy as np

from covdemo import atlas, cards
from covdemo.learner import OBJECTIVES
from covdemo.outcomes import Outcome
from covdemo.parameterizations import Parameterization
from covdemo.stability import OUTCOMES

PAGE = doctables.DOCS / "choosing.md"
NAME = "python benchmarks/choosing.py --write"


def methods() -> str:
    """Return the table of the methods, the widest range of rates first."""
    head = (
        "way to write it",
        "feeds",
        "valid",
        "runs that fail",
        "decades",
        "decades, likelihood",
        "best KL",
        "map that learns",
    )
    return doctables.table(head, *(_row(row) for row in cards.ranked()))


def _row(row: Parameterization) -> tuple[str, ...]:
    plain, likelihood = (_standing(row.key, objective) for objective in ("cross-entropy", "likelihood"))
    name = f"{row.label} (`{row.key}`)"
    kl = "none" if likelihood.best_kl is None else f"{likelihood.best_kl:.2g}"
    figures = (f"{plain.errors:.0%}", f"{plain.decades:.1f}", f"{likelihood.decades:.1f}", kl, f"{_share(row.key):.0%}")
    return name, f"`{row.feeds}`", row.guarantee, *figures


def _standing(key: str, objective: str) -> cards.Standing:
    return cards.standings(key)[list(OBJECTIVES).index(objective)]


def _share(key: str) -> float:
    """Return the share of the runs of the shipped map, over rates of matrices and of means, that learn."""
    return float(np.mean(atlas.shipped()[key].outcome == OUTCOMES.index(Outcome.LEARNED)))


def limits() -> str:
    """Return, for each method, the largest measured rate up to which all seeds learn, with each objective."""
    head = ("way to write it", *(row.label for row in OBJECTIVES.values()))
    return doctables.table(head, *((row.label, *(_limit(row.key, each) for each in OBJECTIVES)) for row in cards.ranked()))


def _limit(key: str, objective: str) -> str:
    learns = np.asarray(cards.table()[key][objective]["learns"]) == 1
    count = int(learns.cumprod().sum())
    if count == len(learns):
        return f"{cards.rates()[-1]:.0e}, the largest tried"
    return f"{cards.rates()[count - 1]:.0e}" if count else "none"


def content() -> str:
    """Return both tables, in the order of the page."""
    return f"{methods()}\n\nThe largest rate of the matrices below which all seeds learn:\n\n{limits()}"


def main() -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/choosing.md")
    if parser.parse_args().write:
        doctables.put(PAGE, NAME, content())
    else:
        print(content())


if __name__ == "__main__":
    main()
