"""What the README shows works as shown."""

import doctest
import re
from pathlib import Path

import pytest

from covdemo import cards
from covdemo.parameterizations import PARAMETERIZATIONS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_every_session_of_the_readme_prints_what_it_says():
    failed, attempted = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert (failed, attempted > 20) == (0, True)


def measured_rows():
    """Return the rows of the measured table: name, share of failures, decades."""
    found = re.findall(r"^\| ([^|]+) \| ([\d.]+)(?: %)? \| ([\d.]+) \|$", README, re.MULTILINE)
    return [(name, float(errors), float(decades)) for name, errors, decades in found]


KEYS = {
    "raw covariance": "covariance",
    "`tril(raw)`, as posted": "tril-as-posted",
    "`tril(raw)`, correct start": "tril",
    "log-Cholesky": "log-cholesky",
    "softplus-Cholesky": "softplus-cholesky",
    "matrix exponential": "matrix-exponential",
    "affine-invariant step": "affine-invariant",
}


@pytest.mark.parametrize("row", measured_rows(), ids=lambda row: row[0])
def test_the_measured_table_says_what_the_shipped_figures_say(row):
    name, errors, decades = row
    standing = cards.standings(KEYS[name])[0]
    assert (errors, decades) == (round(100 * standing.errors), round(standing.decades, 1))


def test_the_measured_table_has_a_row_for_every_name_it_knows():
    assert [name for name, *_ in measured_rows()] == list(KEYS)


@pytest.mark.parametrize(("key", "objective", "figure"), [("covariance", 0, ".68"), ("affine-invariant", 2, ".027")])
def test_the_best_kl_of_the_text_is_that_of_the_shipped_figures(key, objective, figure):
    digits = len(figure) - 1
    assert round(cards.standings(key)[objective].best_kl, digits) == float(figure)
    assert f"is {figure}" in README.replace("\n", " ")


def test_the_number_of_parameterizations_in_the_text_is_right():
    assert "fifteen ways" in README
    assert len(PARAMETERIZATIONS) == 15


@pytest.mark.parametrize("target", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_every_file_that_the_readme_links_to_is_there(target):
    assert (ROOT / target).exists()
