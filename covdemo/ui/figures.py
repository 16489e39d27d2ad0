"""Figures on the page that are updated in place."""

from collections.abc import Callable, Mapping

from streamlit.delta_generator import DeltaGenerator

from covdemo.charts import Spec

Tables = Mapping[str, bytes]


def draw(place: DeltaGenerator, spec: Spec, datasets: Tables, alt: str) -> DeltaGenerator:
    """Draw a specification with its datasets at a place, or over an earlier figure, and return the figure.

    Over a figure with the same specification, the browser changes the data of the picture it has. Never draw into an
    ``st.empty``: making one anew takes the old picture away first.
    """
    return place.vega_lite_chart({**spec, "datasets": datasets}, width="stretch", alt=alt)


class LiveFigure:
    """A figure some of whose datasets change.

    Args:
        place: where to draw it.
        spec: with named datasets.
        alt: what is to be seen.
        constant: datasets that stay.
        changing: returns the other ones as they are now.
    """

    def __init__(self, place: DeltaGenerator, spec: Spec, alt: str, constant: Tables, changing: Callable[[], Tables]) -> None:
        self._spec, self._alt, self._constant, self._changing = spec, alt, constant, changing
        self._drawn = place
        self.draw()

    def draw(self) -> None:
        """Draw the figure as it is now."""
        self._drawn = draw(self._drawn, self._spec, {**self._constant, **self._changing()}, self._alt)
