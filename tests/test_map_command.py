"""The command that makes maps: what it writes, how it goes on, what it refuses, and a cluster that does its work."""

import csv
import io
import os
import signal
import struct
from concurrent.futures import Executor

import numpy as np
import pytest

from covdemo import map_command, stability
from covdemo.cli import main
from covdemo.config import RunConfig
from covdemo.run import Run
from covdemo.stability import OUTCOMES, UNKNOWN, Axis, StabilityMap, sweep

SMALL = ["--points", "10", "--epochs", "1"]
GRID = ["--x-values", "1e-5,1e-3,0.1", "--y", "momentum", "--y-values", "0,0.5", "--seeds", "2"]
MEASURES = ("outcome", "failed_at", "kind", "accuracy", "kl")


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder" / "map.npz"


def make(target, *options):
    return main(["map", *SMALL, *GRID, "--out", str(target), *options])


def refusal(capsys, *arguments):
    """Return the exit code and the sentence of refused arguments."""
    with pytest.raises(SystemExit) as stop:
        main(["map", *SMALL, *arguments])
    return stop.value.code, capsys.readouterr().err


def equal(mine, other):
    return all(np.array_equal(getattr(mine, name), getattr(other, name), equal_nan=name in MEASURES[3:]) for name in MEASURES)


def test_the_file_holds_the_map_that_the_package_computes(target):
    assert make(target) == 0
    config = RunConfig(points=10, epochs=1)
    grid = StabilityMap.empty(config, Axis("lr_cov", (1e-5, 1e-3, 0.1)), Axis("momentum", (0.0, 0.5)), (0, 1))
    found = StabilityMap.load(target)
    assert (found.same_grid(grid), equal(found, sweep(grid))) == (True, True)


def test_it_says_in_a_line_how_the_runs_ended_and_on_stderr_how_far_it_is(target, capsys):
    make(target)
    printed, outcome = capsys.readouterr(), StabilityMap.load(target).outcome
    shares = [f"{(outcome == place).mean():.1%} {each.label}" for place, each in enumerate(OUTCOMES)]
    assert printed.out == f"12 runs: {', '.join(shares)}\n"
    assert printed.err.splitlines()[-1] == "100% done"


def test_the_table_has_a_line_for_each_run_that_tells_how_it_ended(target, tmp_path):
    make(target, "--csv", str(tmp_path / "map.csv"))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "map.csv").read_text())))
    row = next(row for row in rows if (row["lr_cov"], row["momentum"], row["seed"]) == ("0.1", "0.5", "1"))
    run = Run(RunConfig(points=10, epochs=1, lr_cov=0.1, momentum=0.5, seed=1))
    run.advance(run.total)
    failure = run.history.failures[0]
    assert len(rows) == 12
    assert (row["outcome"], row["failing_trial"], row["kind"]) == (run.outcome.value, str(failure.trial), failure.kind.value)
    assert float(row["accuracy"]) == pytest.approx(run.frame().accuracy)


def test_a_png_picture_has_the_size_of_a_figure(target, tmp_path):
    make(target, "--picture", str(tmp_path / "map.png"))
    header = (tmp_path / "map.png").read_bytes()[:24]
    width, height = struct.unpack(">II", header[16:])
    assert (header[:8], width > 1000, height > 600) == (b"\x89PNG\r\n\x1a\n", True, True)


def test_an_svg_picture_names_the_axes_and_the_outcomes(target, tmp_path):
    make(target, "--picture", str(tmp_path / "map.svg"))
    drawn = (tmp_path / "map.svg").read_text()
    texts = ["Learning rate, covariances", "Momentum", *(outcome.label for outcome in OUTCOMES)]
    assert [text for text in texts if text not in drawn] == []


def test_an_interrupted_map_goes_on_without_doing_a_finished_chunk_again(target, capsys, monkeypatch):
    done = []

    def interrupted(configs, *rest, **options):
        done.append(len(configs))
        if len(done) == 3:
            raise KeyboardInterrupt
        return stability_run_batch(configs, *rest, **options)

    stability_run_batch = stability.run_batch
    monkeypatch.setattr(stability, "run_batch", interrupted)
    assert make(target, "--chunk", "4") == 130
    assert (StabilityMap.load(target).outcome != UNKNOWN).sum() == 8
    assert make(target, "--chunk", "4") == 0
    assert done == [4, 4, 4, 4]
    assert f"{target}: 8 of 12 runs are done already" in capsys.readouterr().err
    monkeypatch.undo()
    found = StabilityMap.load(target)
    grid = StabilityMap.empty(found.config, found.x, found.y, found.seeds)
    assert equal(found, sweep(grid))


def test_a_map_is_written_now_and_then_and_at_the_end(target):
    now = [100.0]
    keeper = map_command.Keeper(target, clock=lambda: now[0])
    done = []

    def growing(found):
        keeper(found)
        now[0] += 2
        done.append(int((StabilityMap.load(target).outcome != UNKNOWN).sum()))

    sweep(
        StabilityMap.empty(RunConfig(points=1, epochs=1), Axis("lr_cov", (1e-5,)), Axis("momentum", (0.0,)), range(8)),
        keep=growing,
        chunk=1,
    )
    assert done == [1, 1, 1, 4, 4, 4, 7, 7]  # five seconds go by in three steps
    keeper.finish()
    assert StabilityMap.load(target).complete


def test_a_file_with_another_map_is_left_alone(target, capsys):
    make(target)
    before = target.read_bytes()
    code, sentence = refusal(capsys, *GRID, "--out", str(target), "--lr-mu", "0.01")
    assert (code, target.read_bytes() == before) == (2, True)
    assert "holds a map of other settings or data; take another name, or delete it" in sentence


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--y", "lr_cov"], "expected two different axes, got lr_cov twice"),
        (["--x", "speed"], "invalid choice: 'speed'"),
        (["--seeds", "0"], "expected a whole number from 1, got '0'"),
        (["--chunk", "many"], "expected a whole number from 1, got 'many'"),
        (["--x-values", "1e-3:1e-5:4"], "expected a range LOW:HIGH:COUNT with 0 < LOW < HIGH and COUNT 2 to 10,000"),
        (["--x-values", "1:2:x"], "expected a range LOW:HIGH:COUNT"),
        (["--x-values", "1:2"], "--x-values: expected a range LOW:HIGH:COUNT"),
        (["--x-values", "1e-5,fast"], "--x-values: 'fast' is not a number"),
        (["--y", "momentum", "--y-values", "0.5:2:3"], "--y-values: '1.0' is not a number"),
        (["--y", "momentum", "--y-values", "1.5"], "--y-values: '1.5' is not a number"),
        (["--y", "parameterization", "--y-values", "trill"], "--y-values: 'trill' is not one of"),
        (["--picture", "map.bmp"], "expected a name that ends in .png or .svg, got map.bmp"),
        (["--dask", "nowhere"], "--dask"),
        (["--csv", "map.npz"], "--csv: map.npz is the file of --out already"),
        (["--csv", "./map.svg", "--picture", "map.svg"], "--picture: map.svg is the file of --csv already"),
        (["--all", "--x-values", "1,2", "--seeds", "2"], "takes no other option; got --x-values, --seeds, --points, --epochs"),
        (["--csv", "no/such/folder/map.csv"], "--csv: the file cannot be written"),
        (["--picture", "no/such/folder/map.png"], "--picture: the file cannot be written"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_makes_no_sense_is_refused_in_a_sentence_before_any_work(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said = refusal(capsys, *arguments)
    assert (code, sentence in said) == (2, True), said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["lr_cov", "lr_mu", "lr_nn", "momentum", "parameterization"])
def test_every_axis_has_values_of_its_own_that_the_settings_allow(name):
    values = map_command._DEFAULTS[name]
    assert [RunConfig(**{name: value}) for value in values]
    assert len(set(values)) == len(values) >= 4


class Clock:
    """Ten seconds pass with each look."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 10
        return self.now


def test_the_time_left_is_what_the_rest_takes_at_the_pace_so_far(monkeypatch):
    monkeypatch.setattr("covdemo.map_command.time.monotonic", Clock())
    stream = io.StringIO()
    progress = map_command.Progress(stream)
    for share in (0.2, 0.4, 1.0):
        progress(share)
    # 20 s have passed for a fifth of the work, which was partly done when it began
    assert stream.getvalue().splitlines() == [" 20% done", " 40% done, 60 s left", "100% done"]


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two worker processes."""
    distributed = pytest.importorskip("distributed") if "CI" not in os.environ else __import__("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as started:
        yield started


@pytest.fixture(scope="module")
def grid():
    rates = Axis("lr_cov", tuple(np.geomspace(1e-6, 1, 12).tolist()))
    return StabilityMap.empty(RunConfig(points=25, epochs=2), rates, Axis("lr_mu", (1e-3, 1e-2)), range(4))


@pytest.mark.xdist_group("cluster")
def test_a_cluster_that_loses_a_worker_half_way_completes_the_same_map(cluster, grid):
    from distributed import Client

    killed = []

    def kill_one(found):
        if not killed and (found.outcome != UNKNOWN).mean() >= 0.5:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    with Client(cluster) as client, client.get_executor() as executor:
        assert isinstance(executor, Executor)
        found = sweep(grid, executor, keep=kill_one, chunk=6)
    assert (len(killed), found.complete, equal(found, sweep(grid, chunk=6))) == (1, True, True)


@pytest.mark.xdist_group("cluster")
def test_the_command_line_gives_its_work_to_the_scheduler_at_an_address(cluster, target, tmp_path):
    assert make(target, "--dask", cluster.scheduler_address, "--chunk", "4") == 0
    here = tmp_path / "here.npz"
    make(here, "--chunk", "4")
    assert equal(StabilityMap.load(target), StabilityMap.load(here))
