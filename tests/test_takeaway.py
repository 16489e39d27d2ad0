import csv
import io
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from test_export import executed

import covdemo
from covdemo.comparison import Comparison
from covdemo.config import RunConfig, read
from covdemo.datafiles import read_table
from covdemo.export import script
from covdemo.history import LOGGED
from covdemo.learner import OBJECTIVES, DistrLearner
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.run import Run
from covdemo.sources import data_of
from covdemo.takeaway import LOG_COLUMNS, comparison_csv, history_csv, log_csv, log_row, model_file, run_json

TABLE = 'kind,width,he"ight\n' + "".join(f"{'ab'[j % 2]},{j * j / 7},{100 + j % 5}\n" for j in range(9))
SHORT = RunConfig(points=8, epochs=1, lr_cov=1e-5)
CASES = [(key, objective) for key in PARAMETERIZATIONS for objective in OBJECTIVES]


def ended(config):
    run = Run(config)
    run.advance(run.total)
    return run


def lines(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture(scope="module")
def broken():
    return ended(RunConfig())


@pytest.fixture(scope="module")
def skipping():
    return ended(RunConfig(policy="skip", points=50, epochs=2))


def loaded(run, kind):
    """Return a model of this class with the parameters of the run's file."""
    model = kind()
    model.load_state_dict(torch.load(io.BytesIO(model_file(run)), weights_only=True))
    return model


@pytest.mark.parametrize(("key", "objective"), CASES)
def test_the_model_fits_the_class_of_the_exported_script_and_answers_as_the_page_does(key, objective):
    run = ended(replace(SHORT, parameterization=key, objective=objective, lr_cov=1e-4))
    model, points = loaded(run, executed(run.config)["Model"]), torch.tensor(run.data.x, dtype=torch.float32)
    assert model(points).detach().numpy() == pytest.approx(run.decide(run.data.x), rel=1e-4, abs=1e-5)  # float32, two orders


def test_the_scripts_class_starts_where_the_page_does():
    model, run = executed(SHORT)["Model"](), Run(SHORT)
    assert model.normals().loc.tolist() == run.frame().means.astype(np.float32).tolist()


def test_the_model_fits_the_class_of_the_package_too():
    run = ended(replace(SHORT, parameterization="log-cholesky"))
    start = [torch.tensor(array, dtype=torch.float32) for array in (run.config.start_means, run.config.start_covariances)]
    model = loaded(run, lambda: DistrLearner(*start, "log-cholesky"))
    points = torch.tensor(run.data.x, dtype=torch.float32)
    assert model(points).detach().numpy() == pytest.approx(run.decide(run.data.x), rel=1e-5)


def test_the_model_of_a_run_that_broke_is_the_last_valid_one(broken):
    assert np.linalg.eigvalsh(broken.covariances()).min() < 0
    model = loaded(broken, executed(broken.config)["Model"])
    assert model.normals().covariance_matrix.detach().numpy() == pytest.approx(broken.frame().covariances, rel=1e-5)


def test_a_run_as_json_has_settings_outcome_and_versions(broken):
    found = json.loads(run_json(broken), parse_constant=pytest.fail)
    assert found["config"] == json.loads(json.dumps(asdict(broken.config)))
    assert (found["outcome"], found["reason"], found["trials"], len(found["failures"])) == ("failed", None, broken.trial, 1)
    assert found["versions"]["torch"] == torch.__version__
    assert found["versions"]["covdemo"] == covdemo.__version__


def test_epochs_are_counted_from_1_in_json_and_table_alike():
    run = ended(RunConfig(policy="skip", points=5, epochs=4))  # fails in later epochs too
    told = [failure["epoch"] for failure in json.loads(run_json(run))["failures"]]
    assert told == [int(line["epoch"]) for line in lines(log_csv(run.history.failures))]
    assert told == [failure["trial"] // 10 + 1 for failure in json.loads(run_json(run))["failures"]]
    assert max(told) > 1


def test_the_settings_in_the_json_make_the_same_run_again():
    found = json.loads(run_json(ended(SHORT)))
    config = RunConfig(**{name: tuple(v) if isinstance(v, list) else v for name, v in found["config"].items()})
    assert ended(config).frame().accuracy == found["accuracy"]


@pytest.mark.parametrize("scaling", ["standardised", "as-is"])
def test_what_is_taken_away_says_how_a_row_of_the_table_becomes_a_point(scaling):
    config = replace(read({"source": "file", "categories": "2"})[0], scaling=scaling, epochs=1)
    run = Run(config, data_of(config, read_table(TABLE)))
    said, constants = json.loads(run_json(run))["data"], {}
    exec(
        "\n".join(line for line in script(config, run.data).splitlines() if line.startswith(("COLUMNS", "CENTRE", "SCALE"))),
        constants,
    )
    assert (said["columns"], said["categories"]) == (["width", 'he"ight', "kind"], ["a", "b"])
    assert [constants[name] for name in ("COLUMNS", "CENTRE", "SCALE")] == [
        said[name] for name in ("columns", "centre", "scale")
    ]
    rows = np.array([[float(cell) for cell in line.split(",")[1:3]] for line in TABLE.splitlines()[1:]])
    assert ((rows - said["centre"]) / said["scale"]).tolist() == run.data.x.tolist()


def test_of_drawn_data_no_columns_are_told(broken):
    assert json.loads(run_json(broken))["data"] is None
    assert "CENTRE" not in script(broken.config, broken.data)


def test_the_history_has_a_line_for_each_record_and_all_digits(skipping):
    history, table = skipping.history, lines(history_csv(skipping.history))
    assert [int(line["trial"]) for line in table] == history.column("trial").tolist()
    assert [float(line["kl_2"]) for line in table] == history.column("kl")[:, 1].tolist()
    assert [float(line["weight_2_1"]) for line in table] == history.column("readout")[:, 1, 0].tolist()


def test_the_history_gives_the_covariance_matrices_and_their_condition(skipping):
    last, frame = lines(history_csv(skipping.history))[-1], skipping.frame()
    matrix = frame.covariances[1]
    found = [float(last[f"{name}_2"]) for name in ("var_x", "cov_xy", "var_y")]
    assert found == pytest.approx([matrix[0, 0], matrix[0, 1], matrix[1, 1]])
    assert float(last["condition_number_2"]) == pytest.approx(np.linalg.cond(matrix))


def test_a_broken_matrix_has_an_infinite_condition_and_an_eigenvalue_that_is_not_positive(broken):
    last = lines(history_csv(broken.history))[-1]
    assert float(last["smallest_eigenvalue_1"]) < 0
    assert last["condition_number_1"] == "inf"


def test_a_line_whose_eigenvalues_are_of_a_broken_matrix_says_so(broken):
    before, last = lines(history_csv(broken.history))[-2:]
    category = broken.history.failures[0].category
    assert [line[f"valid_{category}"] for line in (before, last)] == ["1", "0"]
    assert float(last[f"var_x_{category}"]) > 0 > float(last[f"smallest_eigenvalue_{category}"])  # two moments in one line


def test_the_history_of_five_categories_has_columns_for_each():
    config = RunConfig(**{name: (value,) * 5 for name, value in CATEGORY.items()}, points=2, epochs=1)
    assert {"mean_x_5", "weight_5_5"} <= lines(history_csv(Run(config).history))[0].keys()


CATEGORY = {"mean_x": 0.1, "mean_y": 0.1, "var_x": 0.1, "var_y": 0.1, "cov_xy": 0.0, "start_x": 0.0, "start_y": 0.0}


def test_a_comparison_has_a_line_for_each_method_with_all_digits():
    comparison = Comparison((replace(SHORT, lr_cov=0.1), replace(SHORT, parameterization="tril")))
    comparison.advance(comparison.total)
    broke, other = lines(comparison_csv(comparison))
    assert (broke["method"], broke["outcome"], other["method"], other["outcome"]) == (
        "covariance",
        "failed",
        "tril",
        "learned",
    )
    assert int(broke["failed_at"]) == comparison.runs[0].history.failures[0].trial
    assert (other["failed_at"], float(other["kl"])) == ("", comparison.runs[1].frame().kl.sum())


def test_the_log_has_a_line_for_each_failure_with_all_digits(skipping):
    failures, table = skipping.history.failures, lines(log_csv(skipping.history.failures))
    assert 1 < len(table) == len(failures) <= LOGGED
    assert tuple(table[0]) == LOG_COLUMNS
    assert table[0]["PyTorch's message"] == failures[0].message
    assert tuple(json.loads(table[0]["eigenvalues"])) == failures[0].eigenvalues


def test_no_cell_of_the_log_is_a_formula(broken):
    (failure,) = broken.history.failures
    (line,) = lines(log_csv([replace(failure, message="=1+1", action="@x")]))
    assert (line["PyTorch's message"], line["done"]) == ("'=1+1", "'@x")


def test_an_empty_log_is_a_header():
    assert log_csv([]).strip().split(",")[0] == "trial"


def test_the_table_on_the_page_has_fewer_digits(broken):
    (failure,) = broken.history.failures
    assert len(str(log_row(failure, digits=4))) < len(str(log_row(failure)))
