"""The tab with the map of settings that work: at once for the forum experiment, on demand for others."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from covdemo import atlas, limits, map_charts, sources
from covdemo.config import RunConfig
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.safe_rates import RATES
from covdemo.sources import described
from covdemo.stability import Axis, StabilityMap, sweep
from covdemo.trials import Trials
from covdemo.ui import downloads, tabs, widgets, working

_SEEDS, _CHUNK = 4, 512
_JOB, _CHART = "map", "map chart"
_VALUES = {
    "lr_cov": tuple(RATES[::2].tolist()),
    "lr_mu": atlas.MEAN_RATES,
    "lr_nn": atlas.READOUT_RATES,
    "momentum": (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9),
}
_RATES, _METHODS = "Rates", "All methods"
_VIEWS = "Two rates of the present method, or the rate of the matrices for every method."


def tab(config: RunConfig, data: Trials) -> None:
    """Draw the tab, for the present settings and the data of the viewer's run."""
    st.markdown(
        "Every cell is a run for each of several data seeds. Blue has learned, amber ran to its end without learning, "
        "red has failed. **Click a cell to train with its settings.**"
    )
    own = sources.own(config, data)
    if not described(config) and own is None:
        st.info("A map needs your data: choose the file in the sidebar, under Data.")
        return
    with st.container(horizontal=True):
        view = st.segmented_control("Map of", [_RATES, _METHODS], default=_RATES, key="map view", required=True, help=_VIEWS)
        up = "parameterization" if view == _METHODS else _axis_up()
    found = _known(config, up, own)
    if found is None:
        _offer(config, up, own, config.epochs * len(data.x))
    else:
        _draw(found, config)


def _axis_up() -> str:
    choices = [name for name in _VALUES if name != "lr_cov"]
    text = "The setting up the side; across is the learning rate of the covariances."
    return st.selectbox("Against", choices, format_func=map_charts.LABELS.__getitem__, key="map axis", help=text, width=320)


def _known(config: RunConfig, up: str, own: Trials | None) -> StabilityMap | None:
    """Return the map that ships or that somebody has had computed; None if there is none."""
    usual = replace(config, parameterization=RunConfig.parameterization)
    if up == "lr_mu" and (ships := atlas.covering(config)) is not None:
        return ships
    if up == "parameterization" and usual.lr_mu == RunConfig.lr_mu and atlas.covering(usual) is not None:
        return atlas.methods()
    return working.result(_key(config, up, own))


def _empty(config: RunConfig, up: str, own: Trials | None) -> StabilityMap:
    values = tuple(PARAMETERIZATIONS) if up == "parameterization" else _VALUES[up]
    return StabilityMap.empty(
        config, Axis("lr_cov", _VALUES["lr_cov"]), Axis(up, values), range(_SEEDS), own.identity if own else ""
    )


def _key(config: RunConfig, up: str, own: Trials | None = None) -> working.Key:
    """Return what the map depends on: settings that an axis replaces, and the seed, are left out."""
    usual = RunConfig()
    config = replace(config, **{name: getattr(usual, name) for name in ("lr_cov", up, "seed")})
    return working.Key(("map", up, config), own.identity if own else "")


def _offer(config: RunConfig, up: str, own: Trials | None, trials: int) -> None:
    """Show how far the computation is, or offer it, or say why it is too much with so many trials a run."""
    key = _key(config, up, own)
    if working.watch(_JOB, key):
        return
    if working.result(key) is not None:
        st.rerun()
    empty = _empty(config, up, own)
    runs = empty.outcome.size
    if runs * trials > limits.MAP_TRIALS:
        st.warning(
            f"{runs:,} runs of {trials:,} trials are {runs * trials:,} trials, at most {limits.MAP_TRIALS:,} are "
            f"done on this page; with up to {limits.MAP_TRIALS // runs:,} trials a run it works. "
            "`python -m covdemo map` has no such limit."
        )
        return
    st.info(f"No map of these settings yet: {runs:,} runs of {trials:,} trials each.")
    work = partial(_compute, empty, own)
    why = "It takes seconds to minutes, and can be cancelled."
    st.button("Compute this map", key="compute map", type="primary", on_click=working.start, args=(_JOB, key, work), help=why)


def _compute(empty: StabilityMap, own: Trials | None, progress: Callable[[float], None]) -> StabilityMap:
    return sweep(empty, progress=progress, chunk=_CHUNK, data=own)


def _draw(found: StabilityMap, config: RunConfig) -> None:
    if found.notice:
        st.warning(found.notice)
    st.vega_lite_chart(
        map_charts.stability(found, config),
        width="stretch",
        alt=map_charts.ALT,
        key=_CHART,
        on_select=partial(_load, found, config.seed),
        selection_mode=map_charts.CELL,
    )
    st.caption(f"{found.outcome.size:,} runs, {len(found.seeds)} seeds a cell. {map_charts.legend(found)}")
    downloads.draw_map(found, config)


def _load(found: StabilityMap, seed: int) -> None:
    """Take over the settings of the cell that was clicked, and open the tab in which they are trained."""
    chosen = st.session_state[_CHART]["selection"].get(map_charts.CELL, [])
    if not chosen:
        return
    config = found.run_config(int(chosen[0]["row"]), int(chosen[0]["column"]))
    widgets.fill(replace(config, seed=seed))
    st.session_state[tabs.KEY] = tabs.FIRST
