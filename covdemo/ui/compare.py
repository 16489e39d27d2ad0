"""The tab in which several methods are trained side by side: a panel for each on the same axes, and one table."""

from collections.abc import Callable, Sequence
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from covdemo import charts, tables
from covdemo.comparison import Comparison, Result, result
from covdemo.config import RunConfig
from covdemo.drawings import box_of, model_tables, names_of, true_ellipses
from covdemo.outcomes import Outcome
from covdemo.ui import controls, downloads, figures, methods, mydata, standings
from covdemo.ui.player import ComparisonPlayer

_NONE = "No method is chosen. Choose up to six above: each is trained on the same points in the same order."
_LEGEND = (
    "Each panel shows one method at the same trial of the same data; one that has failed stays where it broke. Contours of the "
    "model solid, dashed once broken; those of the true distributions dotted, at "
    f"{charts.SINGLE_CONTOUR:g} standard deviations; decision boundary grey, paths of the means as trails."
)
_SAMPLE = "The true distributions are the mean and covariance matrix of each category's own points."
_STATES = {
    Outcome.FAILED: ":red[:material/error:] failed at trial {trials:,}",
    Outcome.NOT_LEARNED: ":orange[:material/warning:] did not learn",
    Outcome.LEARNED: ":green[:material/check:] learned",
}


def tab(player: ComparisonPlayer, config: RunConfig) -> Callable[[], None] | None:
    """Draw the tab and return what brings its moving parts up to date.

    Args:
        player: of the comparison.
        config: the settings that all methods share.
    """
    choice, comparison = st.container(), player.run
    if comparison.runs:
        row = controls.buttons(player, keys="compare ")  # before all else: the answer to a click does not wait for it
        with row:
            methods.draw_rates(config)
    with choice:
        methods.draw()
    if not comparison.runs:
        st.info(_NONE, icon=":material/checklist:")
        return None
    with st.container(gap="xsmall"):
        bar = _progress(st.container(), comparison)
        with st.container():  # one element, with or without a notice, so that nothing below moves to another place
            controls.notice(player)
            for notice in dict.fromkeys(run.notice for run in comparison.runs if run.notice):
                st.warning(notice)
        st.html(_key(names_of(comparison.runs[0])))
        cells = _grid(comparison)
        data = comparison.runs[0].data
        st.caption(_LEGEND + (f" {_SAMPLE} {mydata.raised(data)}" if data.moments else ""))
    table = standings.Standings(st.container(), comparison.config, [cell.result for cell in cells])
    downloads.draw_comparison(player)

    def refresh() -> None:
        _progress(bar, comparison)
        for cell in cells:
            cell.draw()
        table.draw([cell.result for cell in cells])

    return refresh


def _progress(place: DeltaGenerator, comparison: Comparison) -> DeltaGenerator:
    """Draw the one progress bar at a place, or over an earlier one, and return it."""
    done, total, config = comparison.trial, comparison.total, comparison.config[0]
    epoch = min(comparison.runs[0].data.epoch(done) + 1, config.epochs)
    going, failed = (sum(flags) for flags in zip(*((not run.finished, run.stopped) for run in comparison.runs), strict=True))
    how_many = f"{going} of {len(comparison.runs)} under way" if going else "all at their end"
    text = f"Trial {done:,} of {total:,} · epoch {epoch} of {config.epochs} · {how_many} · {failed} failed"
    return place.progress(done / total, text=text)


def _key(names: Sequence[str]) -> str:
    """Return, as HTML, the legend of all panels: colour and shape of each category."""
    marks = zip(charts.COLORS, charts.GLYPHS, names, strict=False)  # as many as there are names
    entries = (f'<span><span style="color: {color}">{glyph}</span> {escape(name)}</span>' for color, glyph, name in marks)
    return f'<div style="display: flex; flex-wrap: wrap; gap: 0 1rem; font-size: .875rem">{"".join(entries)}</div>'


def _grid(comparison: Comparison) -> list["_Cell"]:
    """Draw the panels, row by row, and return them."""
    count = len(comparison.runs)
    wide = 2 if count == 4 else min(count, 3)
    places = [place for _ in range(0, count, wide) for place in st.columns(wide)]
    return [_Cell(place, comparison, number) for number, place in enumerate(places[:count])]


class _Cell:
    """The panel of one method.

    Attributes:
        result: how far it had come when it was last drawn.
    """

    def __init__(self, place: DeltaGenerator, comparison: Comparison, number: int) -> None:
        self._comparison, self._number = comparison, number
        self._run = run = comparison.runs[number]
        self._box, names = box_of(run), names_of(run)
        self._label = standings.label(run.config)
        place = place.container(gap="xxsmall")
        self._heading = place.markdown(f"**{self._label}**")
        spec, alt = charts.small_panel(self._box, names), f"{self._label}. {charts.SMALL_ALT}"
        constant = {"points": tables.points(run.data, names), "truth": true_ellipses(run)}
        self._figure = figures.LiveFigure(place, spec, alt, constant, self._changing)
        self._say_outcome()

    def draw(self) -> None:
        """Bring the panel up to date, unless nothing has changed."""
        if self._run.trial != self.result.trials:
            self._figure.draw()
            self._say_outcome()

    def _changing(self) -> figures.Tables:
        run, frame = self._run, self._run.frame()
        self.result: Result = result(run, frame, self._comparison.seconds[self._number])
        return model_tables(run, frame, self._box)

    def _say_outcome(self) -> None:
        if self.result.outcome:
            state = _STATES[self.result.outcome].format(trials=self.result.trials)
            self._heading.markdown(f"**{self._label}** · {state}")
