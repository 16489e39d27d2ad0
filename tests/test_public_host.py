"""What docs/public-host.md promises is so: its figures, the settings of the server, and what the source does not do."""

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from pages import open_page, press

from covdemo import history, jobs, limits
from covdemo.fields import show
from covdemo.ui import controls

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "public-host.md").read_text()
SOURCES = [ROOT / "app.py", *sorted((ROOT / "covdemo").rglob("*.py"))]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
ADVISORIES = [row for row in ROWS if re.fullmatch(r"\d+(\.\d+)+", row[2])]
LIMITS = {row[0]: row[1] for row in ROWS if len(row) == 3 and row[0] != "what"}


def span(allowed):
    return f"{show(allowed.low)} to {show(allowed.high)}"


@pytest.mark.parametrize(
    ("what", "limit"),
    {
        "file": f"{limits.CSV_BYTES // 10**6} MB",
        "rows of a table": f"{limits.TRIALS:,}",
        "columns of a table": str(limits.COLUMNS),
        "name of a column or category": f"{limits.NAME} characters",
        "categories": span(limits.CATEGORIES),
        "points of each category": show(limits.POINTS.high),
        "trials of a run": f"{limits.TRIALS:,}",
        "learning rates": span(limits.RATE),
        "variances": span(limits.VARIANCE),
        "trials of a map or a search, all runs together": f"{limits.MAP_TRIALS:,}",
        "maps and searches at a time, for all viewers": "1",
        "a map or search that nobody looks at": f"{jobs.PATIENCE:g} s",
        "results of maps and searches that are kept": str(jobs.KEPT),
        "training of a viewer whose browser is gone": f"{controls._ROUND:g} s",
        "failures listed": f"{history.LOGGED:,}",
        "records of a run": str(history.RECORDS),
    }.items(),
)
def test_the_page_states_the_limit_that_the_code_has(what, limit):
    assert LIMITS[what] == limit


@pytest.mark.parametrize(("package", "version"), [(row[0], row[2]) for row in ADVISORIES])
def test_no_installed_version_is_older_than_the_first_without_the_fault(package, version):
    def parts(text):
        return [int(number) for number in re.findall(r"\d+", text.partition("+")[0])]

    assert parts(metadata.version(package)) >= parts(version)


def test_every_pinned_package_with_known_advisories_is_looked_at():
    pinned = re.findall(r"^([a-z]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert set(pinned) - {row[0] for row in ADVISORIES} == {"altair", "contourpy"}  # for which none are known


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("server", "enableXsrfProtection", True),
        ("server", "enableCORS", True),
        ("server", "enableStaticServing", False),
        ("server", "maxUploadSize", limits.CSV_BYTES // 10**6),
        ("client", "showErrorDetails", "none"),
        ("browser", "gatherUsageStats", False),
        ("runner", "postScriptGC", False),
    ],
)
def test_the_server_is_set_up_as_the_page_says(section, name, value):
    assert CONFIG[section][name] == value


def calls(path):
    """Return every call of a file as the text of what is called, and its keywords by name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


# the legend, of which a test has a category named <b>; style sheets of our own, with nothing of a viewer in them
HTML = {"compare.py": {"st.html"}, "replay.py": {"st.html"}, "stylesheet.py": {"st.html"}}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_that_a_viewer_gives_can_be_run_or_drawn_as_html(path):
    harmful = {"eval", "exec", "compile", "os.system", "torch.load", "st.html", "torch.jit.script", "__import__"}
    found = list(calls(path))
    assert [
        name
        for name, _ in found
        if name in harmful - HTML.get(path.name, set()) or name.endswith(("components.v1.html", ".iframe"))
    ] == []
    assert [name for name, keywords in found if {"unsafe_allow_html", "shell"} & keywords.keys()] == []
    assert [name for name, keywords in found if name == "np.load" and keywords.get("allow_pickle") != "False"] == []
    assert {"pickle", "dill", "joblib", "marshal", "shelve", "yaml"} & set(imported(path)) == set()


@pytest.mark.parametrize("path", [path for path in SOURCES if "ui" in path.parts], ids=lambda path: path.name)
def test_the_page_opens_no_connection_and_starts_no_program(path):
    assert {"socket", "urllib", "requests", "http", "subprocess"} & set(imported(path)) == set()


@pytest.mark.parametrize("tab", ["Train", "Map", "Code", "Explain"])
def test_no_tab_names_a_folder_of_the_server(tab):
    page = open_page(colour="../../etc", lr_cov="nan")
    press(page, "finish")
    page.session_state["tab"] = tab
    page.run()
    shown = "".join(sent(page.main)) + "".join(sent(page.sidebar))
    private = {str(ROOT), str(Path.home()), sys.prefix} - {"/"}
    assert {"Train": "Failures", "Map": "Click a cell", "Code": "torch.", "Explain": "right_inverse"}[tab] in shown
    assert [text for text in private if text in shown] == []


def sent(block):
    """Return what is sent to the browser for each element."""
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from sent(child)
        else:
            yield str(child.proto)
