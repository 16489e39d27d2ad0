"""The heat map shows what the map holds."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import vl_convert
from vision import VISION, contrast, difference

from covdemo import map_charts
from covdemo.config import RunConfig
from covdemo.failures import KINDS
from covdemo.outcomes import Outcome
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.stability import OUTCOMES, Axis, StabilityMap

RATES = Axis("lr_cov", (1e-4, 1e-3, 1e-2, 1e-1))
MEANS = Axis("lr_mu", (0.001, 0.01, 0.1))
METHODS = Axis("parameterization", ("covariance", "tril", "log-cholesky"))
MOMENTUM = Axis("momentum", (0.0, 0.3, 0.9))


def made_up(x=RATES, y=MEANS, seeds=4):
    """Return a map in which a fourth of the seeds of each cell fails, in trial 7 or 9, and KL grows along both axes."""
    found = StabilityMap.empty(RunConfig(), x, y, range(seeds))
    found.outcome[...] = OUTCOMES.index(Outcome.LEARNED)
    found.outcome[..., 0] = OUTCOMES.index(Outcome.FAILED)
    found.failed_at[..., 0], found.kind[..., 0] = 7, 0
    found.accuracy[...] = 0.75
    rows, columns = np.ogrid[: len(y.values), : len(x.values)]
    found.kl[...] = (10.0 ** (rows + columns - 3.0))[..., None]
    return found


def rows(spec, layer=0):
    """Return the table of a layer, which may stand with the layer or above it, by itself or under a name."""
    data = spec["layer"][layer].get("data") or spec["data"]
    return data["values"] if "values" in data else spec["datasets"][data["name"]]


def drawn(spec):
    return vl_convert.vegalite_to_svg({**spec, "width": 500})


def marks(spec):
    return [layer["mark"]["type"] for layer in spec["layer"]]


@pytest.mark.parametrize(("x", "y"), [(RATES, MEANS), (RATES, METHODS), (RATES, MOMENTUM), (MOMENTUM, METHODS)])
def test_any_two_axes_are_drawn_with_a_cell_for_each_pair(x, y):
    spec = map_charts.stability(made_up(x, y))
    assert len(rows(spec)) == len(x.values) * len(y.values)
    assert drawn(spec).count('aria-roledescription="rect mark"') == len(rows(spec))


def test_a_cell_shows_the_most_frequent_outcome_its_share_and_the_numbers():
    found = made_up()
    found.failed_at[1, 2, 1], found.kind[1, 2, 1] = 9, 0
    cell = next(row for row in rows(map_charts.stability(found)) if (row["row"], row["column"]) == (1, 2))
    shown = {name: cell[name] for name in ("outcome", "share", "failed", "learned", "x value", "y value", "accuracy", "KL")}
    assert shown == {
        "outcome": "learned",
        "share": 0.75,
        "failed": "25%",
        "learned": "75%",
        "x value": "0.01",
        "y value": "0.01",
        "accuracy": "75.0%",
        "KL": "1 nats",
    }
    assert cell["failing trial"] == f"8 (median), {KINDS[0].value}"


@pytest.mark.parametrize(("kl", "words"), [(np.inf, "infinite"), (np.nan, "not a number"), (0.25, "0.25 nats")])
def test_a_mean_kl_is_told_as_what_it_is(kl, words):
    found = made_up()
    found.kl[1, 2] = kl
    assert next(row for row in rows(map_charts.stability(found)) if (row["row"], row["column"]) == (1, 2))["KL"] == words


def test_a_cell_of_which_nothing_is_known_is_left_out():
    found = made_up()
    found.outcome[0, 0, 3] = -1
    assert len(rows(map_charts.stability(found))) == 11


def test_borders_lie_half_way_between_the_values_on_a_log_scale():
    cell = next(row for row in rows(map_charts.stability(made_up())) if (row["row"], row["column"]) == (0, 1))
    assert (cell["x"], cell["x2"]) == pytest.approx((10**-3.5, 10**-2.5))


def test_the_line_of_equal_kl_runs_through_the_cells_with_that_kl():
    spec = map_charts.stability(made_up())
    line = [row for row in rows(spec, 1) if row["KL"] == "0.1"]
    # log10 KL = log10 x + log10 y + 4, at the middles of the cells
    assert [np.log10(row["x"]) + np.log10(row["y"]) + 4 for row in line] == pytest.approx([-1] * len(line), abs=1e-6)
    assert len(line) >= 2


def test_every_level_of_kl_is_labelled_once_on_its_line_and_away_from_other_labels():
    spec = map_charts.stability(made_up())
    lines, labels = rows(spec, 1), rows(spec, 2)
    assert [label["KL"] for label in labels] == list(dict.fromkeys(row["KL"] for row in lines))
    on_lines = {(row["x"], row["y"], row["KL"]) for row in lines}
    assert {(label["x"], label["y"], label["KL"]) for label in labels} <= on_lines
    places = np.log10([[label["x"], label["y"]] for label in labels])
    apart = [np.abs(one - other).max() for one, other in itertools.combinations(places, 2)]
    assert min(apart) > 0.4  # of a cell
    assert drawn(spec).count(">0.03<") == 2  # a halo, and the number


def test_names_have_no_lines_of_equal_kl():
    assert marks(map_charts.stability(made_up(y=METHODS))) == ["rect"]


def test_the_present_settings_are_marked_where_they_are():
    spec = map_charts.stability(made_up(), RunConfig(lr_cov=3e-3, lr_mu=0.02))
    assert rows(spec, -1) == [{"x": 3e-3, "y": 0.02}]


def test_the_present_method_is_marked_in_its_row():
    spec = map_charts.stability(made_up(y=METHODS), RunConfig(parameterization="tril"))
    assert rows(spec, -1) == [{"x": 1e-3, "y": PARAMETERIZATIONS["tril"].label}]


@pytest.mark.parametrize("changes", [{"lr_cov": 1e-6}, {"lr_mu": 1.0}])
def test_settings_off_the_map_are_not_marked(changes):
    assert "point" not in marks(map_charts.stability(made_up(), replace(RunConfig(), **changes)))


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(map_charts.PALETTE.values(), 2)))
@pytest.mark.parametrize("vision", VISION)
def test_outcomes_can_be_told_apart_by_everybody(vision, one, other):
    assert difference(one, other, vision) > 15


@pytest.mark.parametrize("color", list(map_charts.PALETTE.values()))
def test_the_cross_can_be_seen_on_every_colour(color):
    assert max(contrast(color, mark) for mark in ("#ffffff", "#000000")) >= 4.5


def test_a_map_of_one_value_up_is_drawn():
    assert len(rows(map_charts.stability(made_up(y=Axis("lr_mu", (0.01,)))))) == 4


def test_the_legend_says_at_which_kl_the_lines_run():
    assert "0.03, 0.1, 0.3, 1, 3 nats" in map_charts.legend(made_up())
    assert "KL" not in map_charts.legend(made_up(y=METHODS))
