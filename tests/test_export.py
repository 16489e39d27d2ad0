"""The exported script does what the page does, for every way to set it."""

import ast
import builtins
import contextlib
import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from covdemo.cli import main
from covdemo.config import RunConfig, read
from covdemo.datafiles import read_table
from covdemo.export import caveat, script
from covdemo.learner import OBJECTIVES
from covdemo.optimizers import OPTIMIZERS
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.policies import POLICIES
from covdemo.run import Run
from covdemo.samples import Sample, moments
from covdemo.sources import data_of
from covdemo.trials import Trials, to_csv

# float64: after a repair at the edge of the valid matrices float32 differs in the last digit and the rest follows
SHORT = RunConfig(points=8, epochs=1, lr_cov=1e-3, dtype="float64")
# so short that nothing follows; a first point of its category breaks the raw covariance
SHORTEST = RunConfig(points=1, epochs=1, objective="likelihood")
NAMES = ["=a", "b c", "d'", "ß"]
X, LABEL = np.random.default_rng(0).standard_normal((40, 2)), np.arange(40) % 4
REPAIRS = [key for key, row in POLICIES.items() if row.repair]
CASES = [(p, o, q) for p in PARAMETERIZATIONS for o in OBJECTIVES for q in POLICIES]


def executed(config, data=None, file="points.csv"):
    """Execute the script where covdemo cannot be imported and return its variables."""
    imported = builtins.__import__

    def without_covdemo(name, *rest, **named):
        assert not name.startswith("covdemo")
        return imported(name, *rest, **named)

    return execute(script(config, data, file), {"__builtins__": vars(builtins) | {"__import__": without_covdemo}})[0]


def execute(text, variables):
    """Execute a script and return its variables and what it prints."""
    variables |= {"__name__": "exported"}
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(text, "exported.py", "exec"), variables)
    return variables, output.getvalue()


def printed(text):
    return execute(text, {})[1]


def finished(config, data=None):
    run = Run(config, data)
    run.advance(run.total)
    return run


def agrees(config, data=None, file="points.csv", kl=1e-5):
    """Compare trials, accuracy, means, covariance matrices, read-out and KL of the script and the page's run."""
    run = finished(config, data)
    frame, found = run.frame(), executed(config, run.data, file)
    assert (found["trials"], found["accuracy"]) == (run.trial, frame.accuracy)
    assert same(found["learned"].loc, frame.means)
    assert same(found["learned"].covariance_matrix, frame.covariances)
    assert same(found["model"].readout, run.model().readout)
    assert same(found["kl"], frame.kl, rel=kl)
    return run


def same(tensor, expected, rel=1e-5):
    return tensor.detach().numpy() == pytest.approx(np.asarray(expected), rel=rel, abs=1e-5, nan_ok=True)


@pytest.mark.parametrize(("parameterization", "objective", "policy"), CASES)
def test_the_script_finds_the_numbers_of_the_page(parameterization, objective, policy):
    agrees(replace(SHORT, parameterization=parameterization, objective=objective, policy=policy))


@pytest.mark.parametrize("policy", POLICIES)
def test_the_comparison_of_every_policy_has_failures_in_it(policy):
    assert agrees(replace(SHORT, objective="likelihood", policy=policy)).history.failures


# 1e38 overflows in float32 whatever the parameterization
@pytest.mark.parametrize("rate", [1e-3, 1e38])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("key", PARAMETERIZATIONS)
def test_in_float32_the_script_repairs_as_the_page_does(key, policy, rate):
    # beside an eigenvalue of 1e-6 the digits of float32 are four of the KL's
    agrees(replace(SHORTEST, parameterization=key, policy=policy, lr_cov=rate), kl=1e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("policy", REPAIRS)
@pytest.mark.parametrize("key", ["covariance", "precision", "log-cholesky"])
def test_at_a_huge_rate_the_script_goes_as_far_as_the_page(key, policy, dtype):
    # no further: beside an eigenvalue of 1e18 a floor of 1e-6 is rounding, even in float64
    config = replace(SHORTEST, parameterization=key, policy=policy, lr_cov=1e10, points=2, dtype=dtype)
    assert executed(config)["trials"] == finished(config).trial


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("policy", POLICIES)
def test_the_script_repairs_what_any_optimizer_breaks(policy, optimizer):
    assert agrees(replace(SHORT, policy=policy, optimizer=optimizer, lr_cov=3e-3)).history.failed


def test_where_the_script_may_part_from_the_page_two_runs_of_the_page_one_digit_apart_do():
    config = RunConfig(points=20, epochs=1, policy="project", objective="likelihood")
    aside = replace(config, start_var=float(np.nextafter(np.float32(config.start_var), np.float32(1))))
    means, others = (finished(each).frame().means for each in (config, aside))
    assert np.abs(means - others).max() > 1e-3
    assert caveat(config) in " ".join(script(config).split())


@pytest.mark.parametrize("policy", [key for key in POLICIES if key not in REPAIRS])
def test_a_script_without_a_repair_makes_no_reservation(policy):
    assert caveat(RunConfig(policy=policy)) == ""


@pytest.mark.parametrize("key", PARAMETERIZATIONS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_script_uses_the_same_optimizer(key, optimizer):
    agrees(replace(SHORT, parameterization=key, optimizer=optimizer, lr_cov=1e-4))


@pytest.mark.parametrize("key", ["log-cholesky", "affine-invariant"])
def test_the_whole_experiment_agrees_too(key):
    agrees(RunConfig(parameterization=key, dtype="float64"))


@pytest.mark.parametrize("key", PARAMETERIZATIONS)
def test_a_calm_run_in_float32_agrees_too(key):
    agrees(replace(SHORT, parameterization=key, dtype="float32", lr_cov=1e-5, points=20, epochs=2))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("key", ["covariance", "log-cholesky", "affine-invariant"])
def test_the_script_is_formatted_and_has_nothing_that_it_does_not_use(key, policy, tmp_path):
    text = script(replace(SHORT, parameterization=key, policy=policy, objective="weighted"))
    assert_formatted(text, tmp_path / "exported.py")


def assert_formatted(text, path):
    path.write_text(text)
    for command in (["check", "--select", "E,F,I", "--line-length", "128"], ["format", "--check", "--line-length", "128"]):
        finished = subprocess.run(
            [sys.executable, "-m", "ruff", *command, str(path)], capture_output=True, text=True, check=False
        )
        assert finished.returncode == 0, finished.stdout


OWN = b"x,y,category\n" + b"".join(f"{k + 0.1 * j},{j % 3},{name}\n".encode() for k, name in enumerate(NAMES) for j in range(9))


@pytest.mark.parametrize("scaling", ["standardised", "as-is"])
@pytest.mark.parametrize("policy", ["stop", "jitter"])
def test_the_script_reads_the_points_that_were_downloaded(scaling, policy, tmp_path):
    file = tmp_path / "points.csv"
    config = replace(read({"source": "file", "categories": "4"})[0], scaling=scaling, policy=policy, dtype="float64", epochs=1)
    data = data_of(config, read_table(OWN))
    file.write_text(to_csv(data))
    assert agrees(config, data, str(file)).data.names == tuple(sorted(NAMES))


@pytest.mark.parametrize("key", ["iris", "penguins"])
def test_the_script_of_an_example_agrees_too(key, tmp_path):
    config = read({"source": key, "parameterization": "log-cholesky", "dtype": "float64", "epochs": "2"})[0]
    (tmp_path / "points.csv").write_text(to_csv(data_of(config)))
    agrees(config, file=str(tmp_path / "points.csv"))


@pytest.mark.parametrize("query", [{"source": "penguins"}, *({"categories": str(k)} for k in (3, 4, 5))], ids=str)
def test_long_constants_are_formatted_too(query, tmp_path):
    config = read(query)[0]
    assert_formatted(script(config, data_of(config)), tmp_path / "exported.py")


def test_long_names_are_formatted_too(tmp_path):
    names = ["'" + "a" * 39, '"' + "b" * 39, "c" * 40, "d\u202e\\"]
    data = Trials(X, LABEL, LABEL, tuple(names), moments(Sample(X, LABEL, tuple(names))))
    text = script(RunConfig(), data)
    assert_formatted(text, tmp_path / "exported.py")
    assert "NAMES = [\n" in text


def test_the_command_writes_the_data_of_an_example_beside_the_script(tmp_path):
    assert main(["export", "--output", str(tmp_path / "run.py"), "--source", "iris", "--parameterization", "log-cholesky"]) == 0
    command = [sys.executable, "run.py"]  # as a viewer would; the other tests execute it in this process
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert finished.stdout.startswith("750 trials, accuracy 0.96")


def test_the_command_leaves_a_table_of_the_same_name_as_it_is(tmp_path):
    (tmp_path / "run.csv").write_text("mine")
    for _ in range(2):  # the second finds its own points
        assert main(["export", "--output", str(tmp_path / "run.py"), "--source", "iris"]) == 0
    assert (tmp_path / "run.csv").read_text() == "mine"
    assert (tmp_path / "run-points.csv").read_text().startswith("x,y,category\n")


@pytest.mark.parametrize("name", [".", "none/run.py"])
def test_no_points_are_written_where_the_script_cannot_be(name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["export", "--output", name, "--source", "iris"])
    assert (stop.value.code, list(tmp_path.iterdir())) == (2, [])
    assert "--output: the file cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["iris", "drawn"])
def test_a_script_is_not_named_like_a_table(source, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["export", "--output", str(tmp_path / "run.CSV"), "--source", source])
    assert (stop.value.code, list(tmp_path.iterdir())) == (2, [])
    assert "--output: expected the name of a script, as in run.py, got run.CSV" in capsys.readouterr().err


def test_the_command_writes_the_script(tmp_path):
    assert main(["export", "--output", str(tmp_path / "run.py"), "--preset", "log-Cholesky"]) == 0
    assert printed((tmp_path / "run.py").read_text()).startswith("2000 trials, accuracy 0.99")


def test_the_command_prints_the_script(capsys):
    main(["export"])
    assert capsys.readouterr().out == script(RunConfig())


def test_a_script_that_breaks_says_where_and_shows_the_last_valid_distributions():
    assert printed(script(RunConfig())).startswith("broke at trial 12: Expected parameter covariance_matrix")
    assert np.isfinite(executed(RunConfig())["kl"].numpy()).all()


@pytest.mark.parametrize("name", ['a""" + 1/0 + """', "b\\", 'c"'])
def test_no_name_of_a_column_ends_the_docstring(name):
    config = read({"source": "file", "column_x": name})[0]
    assert config.column_x == name
    module, plain = (ast.parse(script(each)) for each in (config, replace(config, column_x="")))
    assert "column_x" in ast.get_docstring(module)
    assert list(map(ast.dump, module.body[1:])) == list(map(ast.dump, plain.body[1:]))
