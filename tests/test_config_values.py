"""What a programmer gets who gives a configuration a value that it may not have; pages and commands replace such values."""

import re

import pytest

from covdemo.config import FIELDS, RunConfig


@pytest.mark.parametrize("name", sorted(row.name for row in FIELDS if row.registry))
def test_a_key_that_no_registry_has_is_refused_with_those_it_has(name):
    with pytest.raises(ValueError, match=f"expected one of .* for {name}, got 'nope'"):
        RunConfig(**{name: "nope"})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"lr_cov": -1}, "a number from 0 to 1e+308 for lr_cov, got -1.0"),
        ({"lr_mu": float("nan")}, "for lr_mu, got nan"),
        ({"momentum": 1}, "a number at least 0 and below 1 for momentum, got 1.0"),
        ({"points": 0}, "a whole number from 1 to 5,000 for points, got 0"),
        ({"var_y": (0.01, 0.0)}, "for var_y_2, got 0.0"),
        ({"start_x": (float("inf"), 0.0)}, "for start_x_1, got inf"),
        ({"cov_xy": (0.0, 1.0)}, "|cov_xy_2| below sqrt(var_x_2 var_y_2), got 1.0"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_number_that_a_setting_may_not_have_is_refused(changes, expected):
    with pytest.raises(ValueError, match=re.escape(expected)):
        RunConfig(**changes)
