"""The command line, run as a person or a program would."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import asdict
from functools import partial

import numpy as np
import pytest
import torch

from covdemo import takeaway
from covdemo.cli import main
from covdemo.config import FIELDS, RunConfig
from covdemo.presets import PRESETS
from covdemo.progress import advance
from covdemo.run import Run

SHORT = ["--points", "20", "--epochs", "2"]


def run_json(capsys, *arguments):
    """Return the exit code and the object that ``train --json`` prints."""
    code = main(["train", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def refusal(capsys, *arguments):
    """Return the exit code and the sentence of refused arguments."""
    with pytest.raises(SystemExit) as stop:
        main(["train", *arguments])
    return stop.value.code, capsys.readouterr().err


def test_a_run_that_fails_ends_with_exit_code_3(capsys):
    assert main(["train"]) == 3
    assert "category 1: not positive definite" in capsys.readouterr().out


def test_a_run_that_learns_ends_with_exit_code_0(capsys):
    assert main(["train", "--preset", "log-Cholesky"]) == 0
    assert capsys.readouterr().out.startswith("learned after 2,000 of 2,000 trials")


def test_a_run_that_comes_to_its_end_without_learning_ends_with_exit_code_0(capsys):
    assert main(["train", "--preset", "the accepted answer", "--epochs", "1"]) == 0
    assert "the density of a category's own point was 0" in capsys.readouterr().out


def test_the_json_object_has_the_agreed_keys(capsys):
    _, printed = run_json(capsys, *SHORT)
    assert list(printed) == ["outcome", "reason", "trials", "accuracy", "kl", "failures", "config", "data"]


def test_the_json_object_tells_what_the_same_run_of_the_package_tells(capsys):
    run = Run(RunConfig(points=20, epochs=2, lr_cov=1e-5))
    run.advance(run.total)
    _, printed = run_json(capsys, *SHORT, "--lr-cov", "1e-5")
    expected = (run.outcome.value, None, run.trial, run.frame().accuracy, run.frame().kl.sum())
    assert (*printed.values(),)[:5] == expected


def test_the_json_object_says_why_nothing_was_learned(capsys):
    _, printed = run_json(capsys, *SHORT, "--parameterization", "tril-as-posted", "--lr-cov", "1e-4")
    assert (printed["outcome"], printed["reason"]) == ("not-learned", "underflow")


def test_the_json_object_lists_each_failure(capsys):
    _, printed = run_json(capsys)
    failure = printed["failures"][0]
    assert (failure["trial"], failure["category"], failure["kind"]) == (12, 1, "not positive definite")


def test_the_json_object_of_a_run_that_fails_counts_the_trials_done(capsys):
    code, printed = run_json(capsys)
    assert (code, printed["outcome"], printed["trials"]) == (3, "failed", 12)


def test_the_json_object_holds_the_configuration(capsys):
    _, printed = run_json(capsys, *SHORT, "--momentum", "0.5")
    assert printed["config"] == json.loads(json.dumps(asdict(RunConfig(points=20, epochs=2, momentum=0.5))))


def test_the_json_object_has_null_where_there_is_no_number(capsys):
    _, printed = run_json(capsys, *SHORT, "--parameterization", "log-cholesky", "--policy", "skip", "--lr-cov", "1e308")
    assert printed["failures"][0]["eigenvalues"] == [None, None]


def test_failures_that_are_too_many_to_list_are_counted_in_a_sentence(capsys):
    main(["train", "--json", "--policy", "skip", "--lr-cov", "1e308", "--epochs", "3"])
    printed = capsys.readouterr()
    told = re.search(r"the first 1,000 of ([\d,]+) failures are listed", printed.err)
    assert len(json.loads(printed.out)["failures"]) == 1000
    assert int(told[1].replace(",", "")) > 1000


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_the_configuration_of_that_name(preset, capsys):
    _, printed = run_json(capsys, "--preset", preset, "--epochs", "1", "--points", "5")
    changes = PRESETS[preset].changes
    assert {name: printed["config"][name] for name in changes} == dict(changes)


@pytest.mark.parametrize("row", [row for row in FIELDS if row.category is None], ids=lambda row: row.name)
def test_every_setting_has_a_flag(row, capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert f"{row.flag} " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--lr-cov", "fast"], "--lr-cov: 'fast' is not a number from 0 to"),
        (["--parameterization", "magic"], "'magic' is not one of covariance, precision"),
        (["--cov-xy-1", "0.9"], "|cov| must stay below sqrt(var_x var_y) = .0347"),
        (["--data", "nowhere.npz"], "the .npz file cannot be read"),
        (["--final", "no/such/folder/final.npz", *SHORT], "--final: the file cannot be written"),
        (["--preset", "unheard of"], "invalid choice: 'unheard of'"),
    ],
    ids=["rate", "parameterization", "covariance", "data", "final", "preset"],
)
def test_bad_arguments_end_with_exit_code_2_and_a_sentence(arguments, sentence, capsys):
    code, message = refusal(capsys, *arguments)
    assert (code, sentence in message) == (2, True)


@pytest.mark.parametrize("command", [["train"], ["screenshots", "docs"]], ids=lambda command: command[0])
def test_the_sentence_is_not_buried_under_the_flags(command, capsys):
    with pytest.raises(SystemExit):
        main([*command, "--lr-cov", "fast"])
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize("number", ["-5e-3", "-0.005", "-.005"])
def test_a_negative_number_is_a_value_however_it_is_written(number, capsys):
    _, printed = run_json(capsys, *SHORT, "--cov-xy-2", number)
    assert printed["config"]["cov_xy"] == [-0.005, -0.005]


@pytest.mark.parametrize("flag", ["--final", "--run-json", "--history-csv", "--log-csv", "--state-dict"])
def test_a_file_that_cannot_be_written_is_refused_before_the_run(capsys, flag, tmp_path):
    with pytest.raises(SystemExit) as stop:
        main(["train", *SHORT, flag, str(tmp_path / ("too long" * 100))])
    printed = capsys.readouterr()
    assert (stop.value.code, printed.out, f"{flag}: the file cannot be written" in printed.err) == (2, "", True)


def test_a_fault_inside_is_not_told_as_a_bad_argument(tmp_path, monkeypatch):
    def savez(*_, **__):
        raise ValueError("a fault of the program")

    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(ValueError, match="a fault of the program"):
        main(["train", *SHORT, "--final", str(tmp_path / "final.npz")])


def test_output_that_nobody_reads_any_more_ends_with_the_code_of_a_broken_pipe(monkeypatch):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["train", *SHORT]) == 128 + signal.SIGPIPE


def test_a_picture_needs_a_folder(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["screenshots", str(tmp_path / "nowhere")])
    assert (stop.value.code, "expected a folder" in capsys.readouterr().err) == (2, True)


def test_given_data_replace_the_drawn_data(tmp_path, capsys):
    rng = np.random.default_rng(0)
    x, label = rng.normal(size=(30, 2)) * 0.1, np.arange(30) % 2
    order = rng.permutation(30)[:25]
    np.savez(tmp_path / "data.npz", x=x, label=label, order=order)
    _, printed = run_json(capsys, "--data", str(tmp_path / "data.npz"), "--lr-cov", "1e-6")
    assert printed["trials"] == 25


def test_the_final_parameters_are_written(tmp_path, capsys):
    main(["train", *SHORT, "--final", str(tmp_path / "final.npz"), "--parameterization", "tril"])
    with np.load(tmp_path / "final.npz") as final:
        lower = np.tril(final["raw"])
        assert final["covariances"] == pytest.approx(lower @ lower.transpose(0, 2, 1), rel=1e-5)
        assert (final["means"].shape, final["readout"].shape) == ((2, 2), (2, 2))


def test_a_broken_matrix_is_written_as_the_last_update_left_it(tmp_path):
    main(["train", "--final", str(tmp_path / "final.npz")])
    with np.load(tmp_path / "final.npz") as final:
        assert np.linalg.eigvalsh(final["covariances"][0])[0] < 0


def test_a_run_is_taken_away_in_files(tmp_path):
    names = {"--run-json": "run.json", "--history-csv": "history.csv", "--log-csv": "log.csv", "--state-dict": "model.pt"}
    assert main(["train", *SHORT, *(str(part) for flag, name in names.items() for part in (flag, tmp_path / name))]) == 3
    run = Run(RunConfig(points=20, epochs=2))
    run.advance(run.total)
    assert json.loads((tmp_path / "run.json").read_text()) == json.loads(takeaway.run_json(run))
    assert (tmp_path / "history.csv").read_bytes() == takeaway.history_csv(run.history).encode()
    assert (tmp_path / "log.csv").read_bytes() == takeaway.log_csv(run.history.failures).encode()
    model = torch.load(tmp_path / "model.pt", weights_only=True)
    assert model["means"].tolist() == run.model().means.tolist()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_a_terminal_sees_a_progress_bar_that_comes_to_the_end():
    stream = Terminal()
    advance(Run(RunConfig(points=20, epochs=2, lr_cov=1e-5)), stream)
    assert stream.getvalue().rstrip().endswith("[##############################] 80 of 80 trials")


def test_a_file_sees_no_progress_bar():
    stream = io.StringIO()
    advance(Run(RunConfig(points=20, epochs=2)), stream)
    assert stream.getvalue() == ""


def test_the_module_runs_from_the_shell():
    command = [sys.executable, "-W", "error", "-m", "covdemo", "train", "--json", *SHORT, "--lr-cov", "1e-5"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr, json.loads(finished.stdout)["trials"]) == (0, "", 80)


def test_an_interrupted_run_ends_with_exit_code_130_and_a_word():
    leader, follower = os.openpty()  # a terminal, so that the progress bar tells when the run has begun
    command = [sys.executable, "-m", "covdemo", "train", "--preset", "log-Cholesky", "--epochs", "250"]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # it is not where a shell runs the tests in the background
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower, preexec_fn=heard) as process:
        seen = os.read(leader, 1)
        process.send_signal(signal.SIGINT)
        code, printed = process.wait(), process.stdout.read()
    seen += os.read(leader, 10_000)
    assert (code, printed, b"interrupted" in seen, b"Traceback" in seen) == (130, b"", True, False)


def test_an_example_is_trained_by_name(capsys):
    assert main(["train", "--source", "penguins", "--parameterization", "log-cholesky"]) == 0
    assert capsys.readouterr().out.startswith("learned after 1,710 of 1,710 trials: accuracy 97")
