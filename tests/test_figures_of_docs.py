"""The figures that benchmarks write into the pages: how they are written, and that what stands there is whole."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import costs
import doctables
import limited
import pytest
import small_host

FEW = [
    costs.Cost("B", 1, "textbook loop", 650_000.0),
    costs.Cost("B", 1, "eager", 400_123.0),
    costs.Cost("B", 1000, "compiled", 12.34),
    costs.Cost("D", 10, "eager", 6630.0),
]
SPEED = doctables.part(doctables.DOCS / "speed.md", "python benchmarks/costs.py --write")
HOST = doctables.part(doctables.DOCS / "deploy.md", small_host.NAME)
GREEDY = "held = bytearray(200_000_000)\nprint(len(held))"


def test_costs_have_a_row_for_each_value_and_three_digits():
    assert costs.table(FEW).splitlines()[2:] == [
        "| replicas B | 1 | 650,000 | 400,000 |  |",
        "| replicas B | 1,000 |  |  | 12.3 |",
        "| dimensions D | 10 |  | 6,630 |  |",
    ]


@pytest.mark.parametrize("title", costs.AXES.values())
def test_the_chart_has_a_panel_for_each_quantity(title):
    titles = [panel["encoding"]["x"]["axis"]["title"] for panel in costs.chart(FEW)["concat"]]
    assert titles.count(title) == 1


@pytest.mark.parametrize(
    ("title", "values"),
    [
        ("replicas B", costs.COMPILED),
        ("categories K", costs.CATEGORIES),
        ("dimensions D", costs.SIZES),
        ("trials T of a run", costs.LENGTHS),
    ],
)
def test_the_page_has_every_value_that_is_measured(title, values):
    found = re.findall(rf"^\| {title} \| ([\d,]+) \|", SPEED, re.MULTILINE)
    assert found == [f"{value:,}" for value in values]


def test_the_page_names_cores_and_versions():
    assert re.match(r"Measured on \d+ cores with Python [\d.]+ and torch [\d.]+\.\n", SPEED)


def test_the_chart_of_the_page_names_every_quantity():
    text = "".join(ElementTree.parse(doctables.DOCS / costs.PICTURE).getroot().itertext())
    assert [title for title in costs.AXES.values() if title not in text] == []


def test_the_page_on_deployment_has_a_row_for_every_share_of_the_processor():
    assert re.findall(r"^\| ([\d.]+) \|", HOST, re.MULTILINE) == [f"{cores:g}" for cores in small_host.CORES]


def test_the_page_on_deployment_stays_within_the_memory_it_speaks_of():
    sizes = [int(size) for size in re.findall(r"(\d+) MB \|$", HOST, re.MULTILINE)]
    assert 100 < max(sizes) < small_host.MEMORY


@pytest.mark.skipif(not limited.by_hand(), reason="no cgroups of version 1 to make")
@pytest.mark.parametrize(("memory_mb", "printed"), [(100, ""), (400, "200000000\n")])
def test_a_program_has_the_memory_that_it_is_given_and_no_more(memory_mb, printed):
    with limited.prefix(memory_mb, 1) as prefix:
        command = [*prefix, sys.executable, "-c", GREEDY]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.stdout == printed


@pytest.mark.skipif(not limited.by_hand(), reason="no cgroups of version 1 to make")
def test_nothing_is_left_of_a_limit():
    with limited.prefix(100, 1):
        pass
    assert list(limited.CGROUPS.glob(f"*/{limited.name()}")) == []
