"""What goes with a release says the same: citation, changelog, classifiers and the pages."""

import re
import tomllib
from pathlib import Path

import pytest

import covdemo

ROOT = Path(__file__).parent.parent
CITATION = (ROOT / "CITATION.cff").read_text()
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def value(key):
    """Return the value of a top-level key of the citation."""
    found = re.findall(rf"^{key}: (.*)$", CITATION, re.MULTILINE)
    assert len(found) == 1
    return found[0].strip('"')


def test_the_citation_is_yaml_with_all_that_the_format_requires():
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with other packages, not with the test extra")
    assert {"cff-version", "message", "title", "authors"} <= yaml.safe_load(CITATION).keys()


@pytest.mark.parametrize(
    ("key", "expected"),
    [("cff-version", "1.2.0"), ("type", "software"), ("version", covdemo.__version__), ("license", PROJECT["license"])],
)
def test_the_citation_says_what_is_so(key, expected):
    assert value(key) == expected


@pytest.mark.parametrize("line", CITATION.splitlines())
def test_every_line_of_the_citation_is_a_key_an_entry_or_a_continuation(line):
    assert re.fullmatch(r"[a-z-]+:( \S.*)?|  - \S.*|  \S.*", line)


def test_the_newest_version_of_the_changelog_is_that_of_the_package():
    versions = re.findall(r"^## \[(\d[^\]]*)\]", CHANGELOG, re.MULTILINE)
    assert versions[0] == covdemo.__version__


def test_the_classifiers_begin_with_the_oldest_python_that_is_asked_for():
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_the_page_on_versions_says_on_which_python_the_tests_run():
    *older, newest = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    page = (ROOT / "docs" / "how-it-works.md").read_text()
    assert f"have been run on {', '.join(older)} and {newest}:" in page
