"""The tab with the map and the search for the largest safe rate, without a browser."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pages import open_page, player, press, said, widget
from test_mydata import FOUR, upload

from covdemo import atlas, limits
from covdemo.categories import add_category
from covdemo.config import BY_NAME, RunConfig, read, to_query
from covdemo.run import Run
from covdemo.safe_rates import FINER, RATES, SEEDS, largest_safe_rate
from covdemo.stability import CHUNK
from covdemo.ui import maps, tabs, working

SHORT = {"points": "4", "epochs": "1"}


@pytest.fixture(autouse=True)
def memory(monkeypatch):
    """Nobody has had anything computed."""
    monkeypatch.setattr(working, "_MEMORY", type(working._MEMORY)())


def open_map(**query):
    page = open_page(**query)
    page.session_state[tabs.KEY] = "Map"
    return page.run()


def labels(page):
    return [button.label for button in page.button]


def wait(page, seconds=60):
    """Look again and again, as a browser does, until the work is done."""
    end = time.monotonic() + seconds
    while any(label == "Cancel" for label in labels(page)) and time.monotonic() < end:
        time.sleep(0.2)
        page.run()
    return page


def map_shown(page):
    (chart,) = page.get("vega_lite_chart")
    return chart


def caption(page):
    return " ".join(each.value for each in page.caption)


def test_the_map_of_the_forum_experiment_is_there_at_once():
    page = open_map()
    assert map_shown(page)
    assert "3,280 runs, 8 seeds a cell." in caption(page)
    assert "Compute this map" not in labels(page)


def test_the_map_of_all_methods_is_there_at_once():
    page = open_map()
    page.segmented_control(key="map view").set_value("All methods").run()
    assert f"{len(atlas.shipped()) * 41 * 8:,} runs, 8 seeds a cell." in caption(page)


def test_other_settings_are_computed_on_demand_for_everybody():
    page = open_map(**SHORT)
    assert "No map of these settings yet: 840 runs of 8 trials each." in said(page)
    wait(press(page, "compute map"))
    assert "840 runs, 4 seeds a cell." in caption(page)
    assert "840 runs, 4 seeds a cell." in caption(open_map(**SHORT))


def test_the_computed_map_is_that_of_the_settings():
    page = wait(press(open_map(**SHORT), "compute map"))
    config = player(page).run.config
    found = working.result(maps._key(config, "lr_mu"))
    assert (found.config.points, found.x.name, found.y.name) == (4, "lr_cov", "lr_mu")


def test_the_document_says_how_many_runs_go_side_by_side():
    text = " ".join((Path(__file__).parent.parent / "docs" / "how-it-works.md").read_text().split())
    assert f"{CHUNK:,} at a time on the command line and {maps._CHUNK} on the page" in text


def test_a_map_is_the_same_for_every_seed_and_rate_but_not_for_other_settings():
    config = RunConfig(points=4)
    same = replace(config, seed=5, lr_cov=0.5, lr_mu=0.5)
    assert maps._key(same, "lr_mu") == maps._key(config, "lr_mu") != maps._key(replace(config, momentum=0.9), "lr_mu")


def test_work_can_be_cancelled():
    page = press(open_map(points="200", epochs="2"), "compute map")
    assert "Cancel" in labels(page)
    press(page, "cancel map")
    assert "Compute this map" in labels(page)


def test_the_side_of_the_map_can_be_another_setting():
    page = open_map()
    page.selectbox(key="map axis").set_value("momentum").run()
    assert "No map of these settings yet" in said(page)


def test_a_map_that_takes_too_long_is_refused_with_what_would_be_possible():
    page = open_map(epochs="200")
    (warning,) = page.main.warning
    trials = limits.MAP_TRIALS // 840
    assert f"with up to {trials:,} trials a run it works" in warning.value
    assert "Compute this map" not in labels(page)


@pytest.mark.parametrize(("epochs", "trials"), [("2", "300"), ("300", "45,000")])
def test_the_trials_of_an_example_are_those_of_its_points(epochs, trials):
    assert f"840 runs of {trials} trials each." in said(open_map(source="iris", epochs=epochs))


def test_a_click_on_a_cell_loads_its_settings_and_opens_the_tab_where_they_are_trained(monkeypatch):
    found, changed = atlas.shipped()["covariance"], []
    monkeypatch.setattr(maps.widgets, "fill", changed.append)
    monkeypatch.setattr(
        maps.st, "session_state", {"map chart": {"selection": {"cell": [{"row": 9, "column": 2}]}}, tabs.KEY: "Map"}
    )
    maps._load(found, 7)
    assert maps.st.session_state[tabs.KEY] == "Train"
    assert changed == [RunConfig(lr_cov=found.x.values[2], lr_mu=found.y.values[9], seed=7)]


@pytest.mark.parametrize("config", [add_category(RunConfig()), read({"source": "iris"})[0]], ids=["drawn", "iris"])
def test_any_data_that_the_settings_describe_can_be_mapped(config):
    page = open_map(**to_query(config))
    assert "Compute this map" in labels(page)


def test_a_file_of_the_viewers_is_mapped_with_its_own_points_and_no_other_file_gets_its_map():
    page = upload(open_map(source="file", epochs="1", parameterization="tril"), FOUR)
    wait(press(page, "compute map"))
    config, data = player(page).run.config, player(page).run.data
    key = maps._key(config, "lr_mu", data)
    found = page.session_state[working._MINE].get(key)
    assert working._MEMORY.get(key) is None  # which is not the session's
    run = Run(found.run_config(3, 8, 1), data.shuffled(replace(config, seed=1)))
    run.advance(run.total)
    assert (run.total, found.kl[3, 8, 1]) == (24, pytest.approx(run.frame().kl.sum(), rel=1e-3))
    assert "840 runs, 4 seeds a cell." in caption(page)
    upload(page, FOUR.replace(b"c3", b"c9"))
    assert (player(page).run.config, "Compute this map" in labels(page)) == (config, True)


def test_the_largest_safe_rate_of_a_file_is_that_of_its_points():
    page = upload(open_page(source="file", epochs="1", parameterization="tril"), FOUR)
    expected = largest_safe_rate(player(page).run.config, data=player(page).run.data)
    assert expected != largest_safe_rate(player(page).run.config)
    wait(press(page, "find safe rate"))
    assert (f"{expected.rate:g}" if expected.rate else "No rate from") in caption(page)


def test_the_search_for_the_largest_safe_rate_finds_what_the_package_finds_and_one_click_takes_it():
    page = open_page(points="10", epochs="1", parameterization="log-cholesky")
    expected = largest_safe_rate(player(page).run.config)
    wait(press(page, "find safe rate"))
    assert f"Largest safe rate found: **{expected.rate:g}**. All 8 seeds learn. At {expected.next:g}, the next" in caption(page)
    press(page, "use safe rate")
    assert player(page).run.config.lr_cov == expected.rate
    rate = widget(page, BY_NAME["lr_cov"])
    assert float(rate.value) == expected.rate
    assert "use safe rate" not in [button.key for button in page.button]


def test_where_no_rate_is_safe_that_is_said():
    page = wait(press(open_page(**SHORT, parameterization="tril-as-posted"), "find safe rate"))
    assert "No rate from 1e-08 to 100 is safe" in caption(page)


def test_the_longest_run_needs_no_more_trials_for_the_search_than_a_page_may_do():
    assert (len(RATES) + FINER) * SEEDS * limits.TRIALS <= limits.MAP_TRIALS


def test_the_rates_of_the_maps_are_settings_that_the_page_accepts():
    values = [value for axis in maps._VALUES.values() for value in axis]
    assert np.isfinite(values).all()
    assert [RunConfig(**{name: value}) for name, axis in maps._VALUES.items() for value in axis]
