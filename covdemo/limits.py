"""What the numbers of a run may be, in one place."""

import math
from typing import NamedTuple


class Range(NamedTuple):
    """The numbers from ``low`` to ``high``; ``high`` itself does not belong to an ``open`` range.

    ``lowest`` says what the lowest number is, where people may wonder.
    """

    low: float
    high: float
    open: bool = False
    lowest: str = ""

    def holds(self, value: float) -> bool:
        """Whether the number is in the range; NaN is in none."""
        return self.low <= value < self.high or (value == self.high and not self.open)

    def clip(self, value: float) -> float:
        """Return the nearest number of the range; a thousandth of its width before an open end."""
        last = self.high - 1e-3 * (self.high - self.low) if self.open else self.high
        return min(max(value, self.low), last)


CATEGORIES = Range(2, 5)
POINTS = Range(1, 5_000)  # of each category
EPOCHS = Range(1, 50_000)
SEED = Range(0, 2**32 - 1)
MEAN = Range(-1e6, 1e6)
VARIANCE = Range(2.0**-126, 1e6, lowest="the smallest normal float32")
"""One range for both number formats: the charts hold float32, in which a smaller variance loses its digits or is 0.

Nor would the smallest normal float64, 2.2e-308, do in float64: what is measured of a run is measured in float64, where its
square, as in a determinant or where ``tril-as-posted`` reads it as a factor, is 0.
"""
RATE = Range(0, 1e308)
SHARE = Range(0, 1)
MOMENTUM = Range(0, 1, open=True)

MAP_TRIALS = 50_000_000  # of all runs of a map together, on the page
AXIS_VALUES = 10_000  # of one axis of a map, on the command line
TRIALS = 100_000  # epochs x points x categories
CORRELATION = 1 - 1e-6  # nearer to 1, float32 takes the matrix for singular
CSV_BYTES = 5_000_000
COLUMNS = 100  # of a table; its rows are at most TRIALS, for each is shown once in an epoch
CELLS = 3 * TRIALS  # of a table, in memory: as many as the longest one of x, y and category has
SPREAD = 1e-12  # least standard deviation of a column of numbers, relative to their size where that is above 1
NAME = 40  # characters of the name of a category or a column in a file


def covariance_bound(variance_x: float, variance_y: float) -> float:
    """Return sqrt(var_x var_y), which the size of the covariance must stay below."""
    return math.sqrt(variance_x * variance_y)
