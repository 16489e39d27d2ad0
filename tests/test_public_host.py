"""What docs/public-host.md promises is so: its figures, the settings of the server, and what the source does not do."""

import ast
import json
import os
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import doctables
import pytest
import viewers
from pages import open_page, press
from test_replay_tables import LIMIT as REPLAY

from covdemo import history, jobs, limits
from covdemo.fields import show
from covdemo.ui import controls

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "public-host.md").read_text()
SOURCES = [ROOT / "app.py", *sorted((ROOT / "covdemo").rglob("*.py"))]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
ADVISORIES = [row for row in ROWS if len(row) == 3 and re.fullmatch(r"\d+(\.\d+)+", row[2])]
LIMITS = {row[0]: row[1] for row in ROWS if len(row) == 3 and row[0] != "what"}
MESSAGE_MB = 10
TRAINED = {
    "viewers": 3,
    "errors": 0,
    "frames_per_s": [11.8, 12.5, 12.0],
    "frames_per_s_min": 11.8,
    "trials_per_s": [100, 100, 100],
    "rss_mb": 417,
    "rss_mb_per_viewer": 2.9,
    "stops_s": 0.6,
    "soak": {"minutes": 10.0, "rss_mb": [410, 418], "growth_percent": 1.9},
    "complaints": [],
}


def span(allowed):
    return f"{show(allowed.low)} to {show(allowed.high)}"


@pytest.mark.parametrize(
    ("what", "limit"),
    {
        "file": f"{limits.CSV_BYTES // 10**6} MB",
        "rows of a table": f"{limits.TRIALS:,}",
        "columns of a table": str(limits.COLUMNS),
        "cells of a table": f"{limits.CELLS:,}",
        "name of a column or category": f"{limits.NAME} characters",
        "categories": span(limits.CATEGORIES),
        "points of each category": show(limits.POINTS.high),
        "trials of a run": f"{limits.TRIALS:,}",
        "learning rates": span(limits.RATE),
        "variances": span(limits.VARIANCE),
        "trials of a map or a search, all runs together": f"{limits.MAP_TRIALS:,}",
        "maps and searches at a time, for all viewers": "1",
        "a map or search of a page that is closed": f"{jobs.PATIENCE:g} s",
        "results of maps and searches that are kept": str(jobs.KEPT),
        "training of a viewer whose browser is gone": f"{controls.ROUND:g} s",
        "session of a viewer whose connection is lost": f"{jobs.PATIENCE:g} s",
        "message between page and server": f"{MESSAGE_MB} MB",
        "failures listed": f"{history.LOGGED:,}",
        "records of a run": str(history.RECORDS),
    }.items(),
)
def test_the_page_states_the_limit_that_the_code_has(what, limit):
    assert LIMITS[what] == limit


def test_viewers_are_a_row_each_from_the_slowest_to_the_fastest():
    unsteady = {**TRAINED, "errors": 2, "trials_per_s": [27, 31], "stops_s": float("inf"), "soak": {"growth_percent": None}}
    assert viewers.table([TRAINED, unsteady]).splitlines()[2:] == [
        "| 3 | 0 | 11.8 to 12.5 | 100 | 417 MB | 2.9 MB | 0.6 s | 1.9 % in 9 min |",
        "| 3 | 2 | 11.8 to 12.5 | 27 to 31 | 417 MB | 2.9 MB | more than 20 s | not measured |",
    ]


def test_the_command_writes_the_table_of_viewers_into_the_page(monkeypatch, tmp_path, capsys):
    page = tmp_path / "public-host.md"
    page.write_text(PAGE)
    asked = []

    def measure(count, seconds, cores, soak):
        asked.append((count, soak))
        return {**TRAINED, "viewers": count}

    monkeypatch.setattr(doctables, "DOCS", tmp_path)
    monkeypatch.setattr(viewers, "measure", measure)
    monkeypatch.setattr(sys, "argv", ["viewers.py", "--viewers", "3", "10", "--soak", "10", "--write", "--json"])
    viewers.main()
    written, printed = doctables.part(page, viewers.NAME), json.loads(capsys.readouterr().out)
    assert asked == [(3, 10.0), (10, 0.0)]
    assert written.splitlines()[0].endswith(f"the server on cores 0,1 of {os.cpu_count()}.")
    assert written.splitlines()[-2:] == [f"| {count} {viewers.table([TRAINED]).splitlines()[2][4:]}" for count in (3, 10)]
    assert (printed["viewers"], [each["viewers"] for each in printed["each"]]) == (10, [3, 10])


def test_the_table_of_viewers_has_the_form_in_which_it_is_written():
    sentence, _, head, _, *rows = doctables.part(doctables.DOCS / "public-host.md", viewers.NAME).splitlines()
    assert re.fullmatch(r"Measured with .*the server on cores [\d,]+ of \d+\.", sentence)
    assert head == viewers.table([]).splitlines()[0]
    form = r"\| \d+ \| 0 \| NUMBER( to NUMBER)? \| NUMBER( to NUMBER)? \| \d+ MB \| NUMBER MB \| NUMBER s \| .+ \|"
    assert [row for row in rows if not re.fullmatch(form.replace("NUMBER", r"[\d.]+"), row)] == []
    assert [row.split(" | ")[0] for row in rows] == ["| 3", "| 10"]


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
        ("server", "maxMessageSize", MESSAGE_MB),
        ("server", "disconnectedSessionTTL", jobs.PATIENCE),  # a page that comes back finds its run as long as its map
        ("server", "enableAgentApi", False),
        ("client", "showErrorDetails", "none"),
        ("browser", "gatherUsageStats", False),
        ("runner", "postScriptGC", False),
    ],
)
def test_the_server_is_set_up_as_the_page_says(section, name, value):
    assert CONFIG[section][name] == value


def test_the_largest_figure_fits_into_a_message_several_times():
    assert 1e6 * CONFIG["server"]["maxMessageSize"] >= 4 * REPLAY


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


RUNNING = {"eval", "exec", "compile", "__import__", "torch.load", "torch.jit.load"}  # re.compile is something else
METHODS = {"html", "iframe", "system", "script"}  # of whatever object: a place on the page is one too
PICKLES = {"pickle", "dill", "joblib", "marshal", "shelve", "yaml"}


def harm(source):
    """Return the text of every import, call and keyword by which a viewer's text could be run or drawn as HTML."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            module = (getattr(node, "module", "") or "").partition(".")[0]
            names = {alias.name.partition(".")[0] for alias in node.names}
            if PICKLES & {module, *names} or (module in ("torch", "numpy") and "load" in names):
                yield ast.unparse(node)
        if isinstance(node, ast.Call):
            yield from harm_of_call(node)


def harm_of_call(node):
    called, method = ast.unparse(node.func), getattr(node.func, "attr", "")
    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    pickled = keywords.get("allow_pickle", "unsaid" if called in ("np.load", "numpy.load") else "False") != "False"
    if called in RUNNING or method in METHODS or pickled:
        yield called
    yield from {"unsafe_allow_html", "shell"} & keywords.keys()


# the legend, of which a test has a category named <b>; style sheets of our own, with nothing of a viewer in them
HTML = {"compare.py": ["st.html"], "replay.py": ["st.html"], "stylesheet.py": ["st.html"]}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_that_a_viewer_gives_can_be_run_or_drawn_as_html(path):
    assert list(harm(path.read_text())) == HTML.get(path.name, [])


@pytest.mark.parametrize(
    "source",
    [
        "place.html(text)",
        "st.components.v1.html(text)",
        "st.markdown(text, unsafe_allow_html=True)",
        "from torch import load as read",
        "torch.load(file)",
        "np.load(file)",
        "numpy.load(file, allow_pickle=True)",
        "np.lib.format.read_array(file, allow_pickle=flag)",
        "import pickle",
        "from joblib import load",
        "eval(text)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_whatever_could_run_or_draw_it_is_noticed(source):
    assert list(harm(source))


def test_what_is_only_named_alike_is_not():
    assert list(harm("re.compile(text); np.load(file, allow_pickle=False); player.load(config); from html import escape")) == []


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
