import io
import shlex

import pytest
import torch
from pages import open_page, player, press

from covdemo import cli, sources, takeaway
from covdemo.config import RunConfig, read
from covdemo.ui import downloads

FILE = {"source": "file", "categories": "3", "column_x": "sepal_length", "sx3": "0.5", "lr_cov": "1e-06"}
FILES = ["run.json", "history.csv", "failures.csv", "model.pt", "figures.zip"]


@pytest.fixture(scope="module")
def page():
    return open_page()


def taken(page):
    return [each for each in page.get("download_button") if (each.key or "").startswith("take ")]


def test_every_file_has_a_button_in_one_place(page):
    assert [each.key for each in taken(page)] == [f"take {name}" for name in FILES]


@pytest.mark.parametrize(("tab", "files"), [("Compare", ["panels.zip", "methods.csv"]), ("Map", ["map.png", "map.svg"])])
def test_what_another_tab_shows_can_be_taken_away_there_too(tab, files):
    buttons = taken(open_page(tab=tab))
    assert [each.key for each in buttons] == [f"take {name}" for name in files]
    assert all(each.proto.HasField("deferred_file_id") for each in buttons)


def test_no_file_is_made_before_it_is_asked_for(page):
    assert all(each.proto.HasField("deferred_file_id") for each in taken(page))


def test_a_file_is_that_of_the_run_at_the_moment_of_the_click(page):
    press(page, "step")
    content = player(page).ask(takeaway.model_file)
    assert torch.load(io.BytesIO(content), weights_only=True)["means"].tolist() == player(page).run.model().means.tolist()


@pytest.mark.parametrize(
    "query", [{}, {"mean_x_1": "-0.005"}, {"categories": "3", "epochs": "2"}, {"source": "iris"}, FILE], ids=str
)
def test_the_command_for_the_animation_means_the_same_run(query, tmp_path, monkeypatch):
    config = read(query)[0]
    (tmp_path / "FILE.csv").write_bytes(sources.content("iris"))
    monkeypatch.chdir(tmp_path)
    program, option, module, *arguments = shlex.split(downloads.command(config))
    assert (program, option, module) == ("python", "-m", "covdemo")
    assert cli.settings(cli.build_parser().parse_args(arguments)) == config


def test_the_usual_run_needs_no_settings():
    assert downloads.command(RunConfig()) == "python -m covdemo animate --output run.gif"
