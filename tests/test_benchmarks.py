"""Every benchmark prints, in short, the figures that versions are compared by."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from viewers import growth

from covdemo import OBJECTIVES, PARAMETERIZATIONS

ROOT = Path(__file__).parent.parent
BROWSERLESS = "CI" not in os.environ and not (os.environ.get("COVDEMO_CHROMIUM") or shutil.which("chromium"))
COMPILER = shutil.which(os.environ.get("CXX", "g++"))
SCRIPTS = sorted(path.name for path in (ROOT / "benchmarks").glob("*.py") if "argparse" in path.read_text())
REPLICAS = ["1", "10", "1000", "10000", "100000"]


def run(script, *options, path=ROOT):
    """Run a script with this folder on Python's path and return what it prints."""
    command = [sys.executable, str(ROOT / "benchmarks" / script), *options]
    environment = os.environ | {"PYTHONPATH": str(path)}
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def figures(script, *options):
    """Return the object that a script prints."""
    return json.loads(run(script, "--json", "--quick", *options), parse_constant=pytest.fail)


IMPORTS = "import sys, runpy; sys.path.insert(0, sys.argv[1]); [runpy.run_path(name) for name in sys.argv[2:]]"


def test_the_benchmarks_find_covdemo_without_its_being_installed(tmp_path):
    scripts = [str(ROOT / "benchmarks" / script) for script in SCRIPTS]
    command = [sys.executable, "-c", IMPORTS, str(ROOT / "benchmarks"), *scripts]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.fixture(scope="module")
def step_speed():
    return figures("step_speed.py", "--threads", "1")


@pytest.mark.xdist_group("step_speed")
def test_step_speed_has_the_agreed_keys(step_speed):
    assert {"cores", "loop", "eager", "ratio"} <= step_speed.keys()


@pytest.mark.xdist_group("step_speed")
def test_step_speed_measures_from_1_to_100_000_replicas(step_speed):
    assert (list(step_speed["eager"]), list(step_speed["ratio"])) == (REPLICAS, REPLICAS)


@pytest.mark.xdist_group("step_speed")
def test_step_speed_compares_with_the_loop(step_speed):
    expected = {name: speed / step_speed["loop"] for name, speed in step_speed["eager"].items()}
    assert step_speed["ratio"] == expected


@pytest.mark.browser
@pytest.mark.skipif(BROWSERLESS, reason="no Chromium: set COVDEMO_CHROMIUM or install chromium")
def test_page_speed_has_the_agreed_keys():
    agreed = {"frames_per_s", "server_ms_per_frame", "canvases_recreated"}
    found = figures("page_speed.py")
    assert {*agreed, "first_chart_s", "rss_mb"} <= found.keys()


@pytest.mark.browser
@pytest.mark.skipif(BROWSERLESS, reason="no Chromium: set COVDEMO_CHROMIUM or install chromium")
def test_viewers_has_the_agreed_keys_and_everyone_progresses_without_errors():
    found = figures("viewers.py")
    assert {"viewers", "errors", "rss_mb", "rss_mb_per_viewer", "frames_per_s_min"} <= found.keys()
    assert found["complaints"] == []
    assert min(found["trials_per_s"]) > 0
    assert found["stops_s"] < 5


def test_a_soak_grows_from_the_first_size_after_a_minute_to_the_last():
    assert growth([(59.9, 100), (60.1, 200), (120.0, 400), (600.0, 250)]) == 25.0


def test_a_soak_of_a_minute_says_nothing_about_growth():
    assert growth([(30.0, 100), (60.0, 200)]) is None


@pytest.fixture(scope="module")
def robustness():
    return figures("robustness.py")


@pytest.mark.xdist_group("robustness")
def test_robustness_has_a_row_for_every_method_and_objective(robustness):
    assert {key: list(row) for key, row in robustness["methods"].items()} == {
        key: list(OBJECTIVES) for key in PARAMETERIZATIONS
    }


@pytest.mark.xdist_group("robustness")
def test_robustness_has_the_agreed_keys(robustness):
    row = robustness["methods"]["covariance"]["cross-entropy"]
    assert (robustness.keys(), row.keys()) == (
        {"rates", "seeds", "methods"},
        {"errors", "learns", "best_kl", "decades_all_learn"},
    )


@pytest.mark.xdist_group("robustness")
def test_robustness_gives_a_share_for_every_rate(robustness):
    row = robustness["methods"]["covariance"]["cross-entropy"]
    assert len(row["errors"]) == len(row["learns"]) == len(robustness["rates"])


@pytest.fixture(scope="module")
def throughput():
    return figures("throughput.py")


@pytest.mark.xdist_group("throughput")
@pytest.mark.skipif(not COMPILER and "CI" not in os.environ, reason="no C++ compiler: install g++ or set CXX")
def test_throughput_has_the_agreed_keys(throughput):
    agreed = {"cores", "loop", "eager", "compiled", "ratio_eager", "ratio_compiled", "compile_s", "bytes_per_lane"}
    assert agreed <= throughput.keys()


@pytest.mark.xdist_group("throughput")
@pytest.mark.skipif(not COMPILER and "CI" not in os.environ, reason="no C++ compiler: install g++ or set CXX")
def test_throughput_compares_with_the_loop(throughput):
    expected = {name: speed / throughput["loop"] for name, speed in throughput["compiled"].items()}
    assert throughput["ratio_compiled"] == expected


@pytest.mark.xdist_group("throughput")
@pytest.mark.skipif(not COMPILER and "CI" not in os.environ, reason="no C++ compiler: install g++ or set CXX")
def test_throughput_sees_compiled_and_eager_trials_agree_and_memory_stay_bounded(throughput):
    assert throughput["largest_difference"] < 1e-5
    assert all(size < 2000 for size in throughput["peak_mb"].values())
