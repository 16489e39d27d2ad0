"""The layers, the homes of the libraries, and the size of the files."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "covdemo"
# from the bottom up; a module may import what stands on a line above its own, or on its own line
LAYERS = [
    "linalg spectra limits devices jobs spreadsheets arguments",
    "gaussians repairs",
    "fields metrics",
    "trials datafiles",
    "samples",
    "sources",
    "constraints",
    "parameterizations.registry",
    " ".join(f"parameterizations.{family}" for family in ("direct", "cholesky", "spectral", "restricted", "steps")),
    "parameterizations",
    "optim optimizers parameters learner walls",
    "failures policies outcomes",
    "assessment trainer",
    "fates scalarize",
    "fused",
    "config",
    "presets lessons categories batch history map_files table_file",
    "observed",
    "run stability entrants",
    "progress",
    "comparison safe_rates",
    "atlas",
    "export_parts",
    "cards export takeaway",
    "contours curves",
    "charts",
    "tables curve_charts",
    "map_charts replay_tables drawings pictures",
    "replay_chart animation shots",
    "cluster ui headless map_command train_command export_command animate_command screenshots",
    "cli",
    "__main__",
]
LEVEL = {module: level for level, line in enumerate(LAYERS) for module in line.split()}
HOMES = {
    "torch": lambda name: not name.startswith(("charts", "curves", "contours", "tables", "map_charts", "replay", "ui", "cli")),
    "altair": lambda name: name in ("charts", "curves", "curve_charts", "map_charts", "replay_chart"),
    "streamlit": lambda name: name.startswith("ui"),
    "playwright": lambda name: name in ("headless", "screenshots"),
    "distributed": lambda name: name == "cluster",
    "vl_convert": lambda name: name == "pictures",
    "PIL": lambda name: name == "animation",
    "contourpy": lambda name: name == "contours",
}
FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def level_of(name):
    return LEVEL["ui"] if name.startswith("ui") else LEVEL[name]


def imports(path):
    """Return the modules that a file imports when it runs, those of the package by their names within it."""
    tree = ast.parse(path.read_text())
    guarded = {id(node) for guard in ast.walk(tree) if is_type_checking(guard) for node in ast.walk(guard)}
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module == "covdemo":
            yield from (f"covdemo.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("covdemo."):
            within = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (each if each.removeprefix("covdemo.") in LEVEL else node.module for each in within)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def is_type_checking(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


MODULES = [path for path in FILES if name_of(path)]  # all but the list of public names


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path):
    own = [name.removeprefix("covdemo.") for name in imports(path) if name.startswith("covdemo.")]
    assert [name for name in own if level_of(name) > level_of(name_of(path))] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_libraries_stay_in_their_homes(path):
    found = {name.split(".")[0] for name in imports(path)}
    assert [library for library, at_home in HOMES.items() if library in found and not at_home(name_of(path))] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_has_a_layer(path):
    assert level_of(name_of(path)) >= 0


def test_the_guide_for_contributors_has_a_place_for_every_module():
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where things are")[2].partition("\n## ")[0]
    named = [name for row in re.findall(r"^\| `(.*?) \|", table, re.MULTILINE) for name in re.findall(r"[\w/]+", row)]
    top = {name_of(path).split(".")[0] + "/" * (path.parent != PACKAGE) for path in MODULES} - {"__main__"}
    assert sorted(named) == sorted(top)


@pytest.mark.parametrize(
    "path",
    sorted(ROOT.glob("*.py")) + FILES + sorted(ROOT.glob("tests/**/*.py")) + sorted(ROOT.glob("benchmarks/*.py")),
    ids=lambda p: p.name,
)
def test_no_file_is_longer_than_300_lines(path):
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name != "parameterizations"], ids=name_of)
def test_no_parameterization_is_a_special_case_outside_the_registry(path):
    from covdemo.parameterizations import PARAMETERIZATIONS

    compared = [
        constant.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        for constant in ast.walk(node)
        if isinstance(constant, ast.Constant) and constant.value in PARAMETERIZATIONS
    ]
    assert compared == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_public_name_has_a_docstring(path):
    assert [node.name for node in public(ast.parse(path.read_text())) if not ast.get_docstring(node)] == []


def public(tree):
    """Return the public classes and functions of a module and of its classes, overloads aside."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and not is_overload(node):
            yield node
            yield from public(node) if isinstance(node, ast.ClassDef) else ()


def is_overload(node):
    return any(isinstance(each, ast.Name) and each.id == "overload" for each in node.decorator_list)
