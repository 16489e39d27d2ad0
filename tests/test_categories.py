import numpy as np
import pytest

from covdemo.categories import add_category, remove_category
from covdemo.config import RunConfig, fields_of, read, to_query
from covdemo.trials import DISTRIBUTIONS

PER_CATEGORY = {field.attribute for field in fields_of(2) if field.category}


def with_categories(count, config=None):
    config = config or RunConfig()
    while config.categories < count:
        config = add_category(config)
    return config


@pytest.mark.parametrize("count", [3, 4, 5])
def test_categories_are_added_where_the_address_has_them_by_default(count):
    assert with_categories(count) == read({"categories": str(count)})[0]
    assert to_query(with_categories(count)) == {"categories": str(count)}


def test_what_is_there_stays_as_it_is_when_a_category_is_added():
    before = RunConfig(mean_x=(0.2, 0.1), start_y=(0.3, 0.4), lr_cov=1e-5)
    after = add_category(before)
    assert remove_category(after, 3) == before


@pytest.mark.parametrize("removed", [1, 2, 3, 4, 5])
def test_a_category_goes_with_all_its_numbers_and_the_later_ones_move_up(removed):
    config = with_categories(5)
    after = remove_category(config, removed)
    expected = {name: getattr(config, name)[: removed - 1] + getattr(config, name)[removed:] for name in PER_CATEGORY}
    assert {name: getattr(after, name) for name in PER_CATEGORY} == expected


@pytest.mark.parametrize("removed", [1, 2, 3])
def test_an_added_category_never_lies_on_one_that_is_there(removed):
    means = add_category(remove_category(with_categories(3), removed)).true_means
    assert np.linalg.norm(means[:2] - means[2], axis=-1).min() > 0.5


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_five_categories_have_places_of_their_own_beside_every_known_distribution(name):
    means = with_categories(5, RunConfig(**DISTRIBUTIONS[name])).true_means
    apart = np.linalg.norm(means[:, None] - means, axis=-1)[np.triu_indices(5, 1)]
    assert apart[1:].min() > 0.25


def test_a_sixth_category_is_refused():
    with pytest.raises(ValueError, match="fewer than 5 categories, got 5"):
        add_category(with_categories(5))


def test_fewer_than_two_categories_are_refused():
    with pytest.raises(ValueError, match="more than 2 categories, got 2"):
        remove_category(RunConfig(), 1)


@pytest.mark.parametrize("category", [0, 4])
def test_a_category_that_is_not_there_cannot_be_removed(category):
    with pytest.raises(ValueError, match=f"from 1 to 3, got {category}"):
        remove_category(with_categories(3), category)
