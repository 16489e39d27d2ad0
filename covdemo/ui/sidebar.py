"""The settings of a run, in the order of ``covdemo.config.FIELDS``: one row there, one widget here."""

from collections.abc import Sequence

import streamlit as st

from covdemo.config import FIELDS, RunConfig, read
from covdemo.fields import Problem
from covdemo.presets import PRESETS
from covdemo.trials import DISTRIBUTIONS
from covdemo.ui import address, widgets

_DRAWN = "True distributions"
_FOLDED = {_DRAWN, "Start of the model", "Machine"}
_PER_ROW = 3  # widgets of one category side by side
_PRESET, _DISTRIBUTION, _FOUND = "preset", "distribution", "found in the address"
_OWN = "your own"


def settings() -> RunConfig:
    """Draw the sidebar, keep the address up to date, and return the settings, made valid."""
    arrived = address.arrive()
    if arrived is not None:
        widgets.fill(arrived[0])
        st.session_state[_FOUND] = (widgets.given(), arrived[1])
    config, problems = read(widgets.given())
    found = _still_true(st.session_state[_FOUND])
    for problem in found:
        st.warning(problem.sentence)
    with st.sidebar:
        _presets(config)
        for group in dict.fromkeys(field.group for field in FIELDS):
            _group(group, config, [*found, *problems])
    address.show(config)
    return config


def _still_true(found: tuple[dict[str, str], list[Problem]]) -> list[Problem]:
    """Return what was wrong with the address, until a setting is changed."""
    given, problems = found
    return problems if given == widgets.given() else []


def _presets(config: RunConfig) -> None:
    known = [name for name, preset in PRESETS.items() if preset.config == config]
    st.session_state[_PRESET] = known[0] if known else None
    chosen = st.pills(
        "Presets", list(PRESETS), format_func=lambda name: PRESETS[name].label, key=_PRESET, on_change=_load_preset
    )
    st.caption(PRESETS[chosen].why if chosen else "Settings of your own. A preset brings back the question's experiment.")


def _load_preset() -> None:
    name = st.session_state[_PRESET]
    if name is not None:  # a pill that is clicked twice
        widgets.fill(PRESETS[name].config)


def _distributions(config: RunConfig) -> None:
    known = [name for name, changes in DISTRIBUTIONS.items() if all(getattr(config, a) == v for a, v in changes.items())]
    st.session_state[_DISTRIBUTION] = known[0] if known else _OWN
    names = [*DISTRIBUTIONS] if known else [*DISTRIBUTIONS, _OWN]
    st.selectbox("Known ones", names, key=_DISTRIBUTION, on_change=_load_distribution)


def _load_distribution() -> None:
    widgets.fill_attributes(DISTRIBUTIONS.get(st.session_state[_DISTRIBUTION], {}))


def _group(group: str, config: RunConfig, problems: Sequence[Problem]) -> None:
    """Draw the settings of one section."""
    names = {field.name for field in FIELDS if field.group == group}
    if group in _FOLDED:
        with st.expander(group, expanded=any(problem.field in names for problem in problems)):
            _settings_of(group, config, problems)
    else:
        st.markdown(f"**{group}**")
        _settings_of(group, config, problems)


def _settings_of(group: str, config: RunConfig, problems: Sequence[Problem]) -> None:
    if group == _DRAWN:
        _distributions(config)
    for category in range(1, config.categories + 1):
        fields = widgets.columns_of(config, group, category)
        if fields:
            st.markdown(f"Category {category}")
        for start in range(0, len(fields), _PER_ROW):
            for column, field in zip(st.columns(_PER_ROW), fields[start : start + _PER_ROW], strict=False):
                with column:
                    widgets.draw(field, config, problems)
    for field in widgets.columns_of(config, group, None):
        widgets.draw(field, config, problems)
