"""A table of one's own as the data of a command: the run is that of the page."""

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from covdemo.cli import main
from covdemo.config import read
from covdemo.datafiles import read_table
from covdemo.run import Run
from covdemo.samples import start
from covdemo.sources import data_of, sample_of
from covdemo.stability import OUTCOMES, StabilityMap
from covdemo.trials import to_csv

ROWS = [(math.cos(j), 9 * k + math.sin(5 * j), f"c{k}", 50 * math.sin(j)) for k in range(3) for j in range(8)]
TABLE = "width;height;kind;weight\n" + "".join(f"{x};{y};{kind};{w}\n" for x, y, kind, w in ROWS)
COLUMNS = ["--column-x", "weight", "--column-y", "height"]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(TABLE)
    return path


def as_on_the_page(**query):
    """Return the settings to which the page comes when this table is chosen."""
    config, _ = read({"source": "file", "categories": "3", "column_x": "weight", "column_y": "height", **query})
    return replace(config, **start(sample_of(config, read_table(TABLE))))


def refusal(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize("scaling", ["standardised", "as-is"])
def test_a_table_is_trained_on_as_on_the_page(file, scaling, capsys):
    config = as_on_the_page(parameterization="log-cholesky", scaling=scaling)
    run = Run(config, data_of(config, read_table(TABLE)))
    run.advance(run.total)
    options = ["--parameterization", "log-cholesky", "--scaling", scaling, "--json"]
    main(["train", "--table", str(file), *COLUMNS, *options])
    found = json.loads(capsys.readouterr().out)
    assert found["config"] == json.loads(json.dumps(asdict(config)))
    assert (found["trials"], found["accuracy"]) == (run.trial, run.frame().accuracy)


def test_a_cell_of_a_map_is_the_run_on_the_table_in_the_order_of_its_seed(file, tmp_path):
    target, rates = tmp_path / "map.npz", ["--x-values", "1e-3,0.1", "--y-values", "1e-3", "--seeds", "2"]
    assert main(["map", "--table", str(file), *COLUMNS, *rates, "--out", str(target), "--parameterization", "tril"]) == 0
    found = StabilityMap.load(target)
    run = Run(config := found.run_config(0, 1, 1), data_of(config, read_table(TABLE)))
    run.advance(run.total)
    assert config == as_on_the_page(lr_cov="0.1", lr_mu="1e-3", seed="1", parameterization="tril")
    assert OUTCOMES[found.outcome[0, 1, 1]] == run.outcome
    assert found.kl[0, 1, 1] == pytest.approx(run.frame().kl.sum(), rel=1e-3)


def test_the_exported_points_stand_beside_the_script(file, tmp_path):
    assert main(["export", "--table", str(file), *COLUMNS, "-o", str(tmp_path / "script.py")]) == 0
    config = as_on_the_page()
    assert (tmp_path / "script-points.csv").read_bytes().decode() == to_csv(data_of(config, read_table(TABLE)))
    assert 'DATA = "script-points.csv"' in (tmp_path / "script.py").read_text()


def test_the_exported_points_never_take_the_place_of_the_table(file, capsys):
    table = file.rename(file.with_name("mine-points.csv"))
    code, said = refusal(capsys, "export", "--table", table, "-o", file.with_name("mine.py"))
    assert (code, "mine-points.csv holds something else than these points; take another name" in said) == (2, True)
    assert table.read_text() == TABLE
    assert not file.with_name("mine.py").exists()


def test_a_map_of_a_table_goes_on_with_its_points_and_with_no_others(file, capsys):
    grid = ["--x-values", "1e-3", "--y-values", "1e-3", "--seeds", "1", "--epochs", "1"]
    command = ["map", "--table", str(file), "--out", str(file.with_suffix(".npz")), *grid]
    main(command)
    main(command)
    assert "1 of 1 runs are done already" in capsys.readouterr().err
    file.write_text(TABLE.replace("c2", "d"))
    assert "holds a map of other settings or data" in refusal(capsys, *command)[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "file"], "the table of yours is missing: --table FILE.csv"),
        (["--table", "nowhere.csv"], "argument --table: the file cannot be read: No such file"),
        (["--table", __file__], "argument --table: line 1: expected at least three columns"),
        (["--table", "FILE", "--source", "iris"], "--table: expected --source file with it, got iris"),
        (["--table", "FILE", "--categories", "2"], "--categories: expected 3, as many as in the table, got 2"),
        (["--table", "FILE", "--column-x", "hight"], "--table: there is no column 'hight'"),
        (
            ["--table", "FILE", "--column-x", "kind", "--column-category", "width"],
            "--table: line 2: expected for 'kind' a number",
        ),
        (["--table", "FILE", "--data", "a.npz"], "--data: expected one file of data, got --table too"),
        (["--table", "FILE", "--points", "5"], "--points: the data are not drawn"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence(arguments, words, file, capsys):
    code, said = refusal(capsys, "train", *(file if argument == "FILE" else argument for argument in arguments))
    assert (code, words in said, said.count("\n")) == (2, True, 2), said


def test_equal_points_have_one_identity_whatever_their_order_and_others_have_another():
    config = as_on_the_page()
    data, moved = data_of(config, read_table(TABLE)), data_of(config, read_table(TABLE.replace("c2", "d")))
    assert data.identity == data.shuffled(replace(config, seed=5)).identity != moved.identity
    assert not np.array_equal(data.order, data.shuffled(replace(config, seed=5)).order)
    assert np.array_equal(data.shuffled(config).order, data.order)
