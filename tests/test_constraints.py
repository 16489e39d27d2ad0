"""Settings that depend on each other, above all on where the data come from."""

import dataclasses
import gc
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covdemo.config import RunConfig, read, to_query
from covdemo.constraints import defaults
from covdemo.samples import SCALINGS, Columns, start
from covdemo.sources import SOURCES, example, sample_of


def sentences(**query):
    return [problem.sentence for problem in read(query)[1]]


@st.composite
def configs_with_tables(draw):
    """Valid configurations of data from a table, some of whose settings are the table's own and some are not."""
    source = draw(st.sampled_from(["iris", "penguins", "file"]))
    usual, _ = read({"source": source, "scaling": draw(st.sampled_from(list(SCALINGS)))})
    starts = [draw(st.just(usual.start_x) | st.tuples(*[st.floats(-1, 1)] * usual.categories)) for _ in range(2)]
    columns = draw(st.permutations(example(source).columns[:2])) if SOURCES[source].file else ("length", "width")
    names = dict(zip(("column_x", "column_y"), columns, strict=True)) if draw(st.booleans()) else {}
    start_var = draw(st.just(usual.start_var) | st.floats(1e-3, 1))
    return dataclasses.replace(usual, start_x=starts[0], start_y=starts[1], start_var=start_var, **names)


@given(configs_with_tables())
def test_the_query_of_a_run_with_a_table_is_read_back(config):
    assert read(to_query(config)) == (config, [])


@pytest.mark.parametrize("source", ["iris", "penguins"])
@pytest.mark.parametrize("scaling", SCALINGS)
def test_an_example_brings_its_categories_and_a_start_of_its_own(source, scaling):
    config, problems = read({"source": source, "scaling": scaling})
    expected = start(sample_of(config, example(source)))
    assert (config.categories, problems) == (3, [])
    assert {name: getattr(config, name) for name in expected} == expected
    assert to_query(config) == {"source": source} | ({"scaling": scaling} if scaling != "standardised" else {})


class Name(str):
    """A name that can be seen to be gone."""


def test_the_columns_of_a_file_are_not_kept():
    name = Name("secret")
    gone = weakref.ref(name)
    defaults("file", Columns(x=name), "as-is")
    del name
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"source": "iris", "categories": "2"}, "Categories: 2 is not the number of categories of iris; 3 is used."),
        ({"source": "iris", "x1": "0"}, "Mean, x of category 1: the data are not drawn, their source is iris; it is ignored."),
        (
            {"source": "file", "points": "9"},
            "the data are not drawn, their source is file; it is ignored.",
        ),
        ({"scaling": "as-is"}, "Scale: the data are drawn; it is ignored."),
        ({"source": "iris", "column_x": "petal"}, "there is no column 'petal' among 'sepal_length', 'sepal_width'"),
        (
            {"source": "iris", "column_x": "petal_width"},
            "'petal_width', 'petal_width', 'species'; petal_length, petal",
        ),
        ({"source": "iris", "column_category": "petal_length"}, "expected three different columns"),
        ({"source": "iris", "column_category": "sepal_width"}, "expected 2 to 5 categories in column 'sepal_width', got 23"),
        ({"source": "file", "column_x": "a" * 41}, "is not a name of up to 40 characters; 'aaaa"),
        ({"source": "iris", "epochs": "5000"}, "5,000 epochs of 150 points are 750,000 trials, at most 100,000 are possible"),
        ({"source": "roses"}, "'roses' is not one of drawn, iris, penguins, file; drawn is used."),
    ],
    ids=lambda value: " ".join(value.values())[:40] if isinstance(value, dict) else "",
)
def test_what_does_not_suit_the_source_is_told(query, sentence):
    (told,) = sentences(**query)
    assert sentence in told


def test_a_config_with_another_number_of_categories_than_its_example_is_refused():
    with pytest.raises(ValueError, match="expected 3 categories for the source iris, got 2"):
        RunConfig(source="iris")
