from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from covdemo.config import RunConfig, read
from covdemo.datafiles import read_table
from covdemo.run import Run
from covdemo.samples import Columns, resolve
from covdemo.sources import SOURCES, content, data_of, example, wanted
from covdemo.trials import draw, to_csv

EXAMPLES = [key for key, source in SOURCES.items() if source.file]
COUNTS = {
    "iris": {"setosa": 50, "versicolor": 50, "virginica": 50},
    "penguins": {"Adelie": 151, "Chinstrap": 68, "Gentoo": 123},
}
MEANS = {  # published: Fisher (1936), table 2; palmerpenguins, summary(penguins)
    "iris": ({"sepal_length": 5.843, "sepal_width": 3.057, "petal_length": 3.758, "petal_width": 1.199}, 5e-4),
    "penguins": ({"bill_length_mm": 43.92, "bill_depth_mm": 17.15, "flipper_length_mm": 200.9, "body_mass_g": 4202}, 0.5),
}


def settings(**query):
    return read(query)[0]


@pytest.mark.parametrize("key", EXAMPLES)
def test_an_example_has_the_rows_that_were_published(key):
    table = example(key)
    assert Counter(table.cells("species")) == COUNTS[key]
    assert (len(table.rows), len(COUNTS[key])) == (SOURCES[key].points, SOURCES[key].categories)


@pytest.mark.parametrize("key", EXAMPLES)
def test_an_example_has_the_means_that_were_published(key):
    table, (means, tolerance) = example(key), MEANS[key]
    found = {name: np.mean([table.number(cell) for cell in table.cells(name)]) for name in means}
    assert found == pytest.approx(means, abs=tolerance)


@pytest.mark.parametrize("key", EXAMPLES)
def test_an_example_is_small_and_names_source_and_licence(key):
    assert len(content(key)) < 10_000
    assert "doi.org" in SOURCES[key].credit
    assert "CC" in SOURCES[key].credit


@pytest.mark.parametrize("key", EXAMPLES)
def test_the_usual_columns_of_an_example_are_in_it(key):
    assert resolve(example(key), SOURCES[key].columns) == SOURCES[key].columns


def test_a_column_that_is_named_goes_before_the_usual_one():
    assert wanted("iris", Columns(x="sepal_width")) == ("sepal_width", "petal_width", "species")


def test_the_data_of_an_example_come_in_the_order_of_the_seed():
    first, second = (data_of(settings(source="iris", seed=str(seed))) for seed in (0, 1))
    np.testing.assert_array_equal(first.x, second.x)
    np.testing.assert_array_equal(np.sort(first.order.reshape(5, 150)), np.tile(np.arange(150), (5, 1)))
    assert (first.order != second.order).any()


def test_a_run_of_an_example_has_its_sample_for_the_truth():
    data = data_of(settings(source="penguins"))
    run = Run(settings(source="penguins"))
    np.testing.assert_allclose(run.truth.covariances[1], np.cov(data.x[data.label == 1].T, bias=True), rtol=1e-12)
    np.testing.assert_allclose(run.truth.means[1], data.x[data.label == 1].mean(0), rtol=1e-12)
    assert run.data.names == ("Adelie", "Chinstrap", "Gentoo")


def test_penguins_are_learned_by_maximum_likelihood_down_to_their_own_moments():
    config = settings(source="penguins", parameterization="affine-invariant", objective="likelihood", lr_cov="0.01")
    run = Run(config)
    run.advance(run.total)
    assert run.frame().kl.sum() < 0.1
    assert run.outcome.value == "learned"


def test_without_its_file_a_run_draws_its_data():
    config = settings(source="file", categories="3")
    np.testing.assert_array_equal(data_of(config).x, draw(config).x)
    assert data_of(config).moments is None


def test_drawn_data_that_were_saved_are_read_back():
    drawn = draw(RunConfig())
    config = settings(source="file", scaling="as-is")
    read_back = data_of(config, read_table(to_csv(drawn)))
    np.testing.assert_array_equal(read_back.x, drawn.x)
    np.testing.assert_array_equal(read_back.order, drawn.order)
    assert read_back.names == ("1", "2")


def test_drawn_data_stay_drawn_though_there_is_a_file():
    np.testing.assert_array_equal(data_of(RunConfig(), example("iris")).x, draw(RunConfig()).x)


def test_more_trials_than_are_allowed_are_refused():
    with pytest.raises(ValueError, match="at most 100,000 trials, got 50,000 epochs of 342 points"):
        data_of(replace(settings(source="file"), epochs=50_000), example("penguins"))
