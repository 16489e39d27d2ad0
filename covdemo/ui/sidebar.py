"""The settings of a run, in the order of ``covdemo.config.FIELDS``: one row there, one widget here."""

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from covdemo.config import FIELDS, RunConfig, fields_of, read
from covdemo.fields import Field, Problem
from covdemo.presets import PRESETS
from covdemo.trials import DISTRIBUTIONS
from covdemo.ui import address, methods, widgets

_DRAWN = "True distributions"
_FOLDED = {_DRAWN, "Start of the model", "Machine"}
_PER_ROW = 2  # widgets of one category side by side
_PRESET, _DISTRIBUTION, _FOUND = "preset", "distribution", "found in the address"
_OWN = "your own"


class Settings(NamedTuple):
    """What the viewer has set.

    Attributes:
        config: made valid.
        arrived: what is wrong with the address that the viewer came by, until a setting is changed.
        problems: what is wrong with the values in the widgets.
    """

    config: RunConfig
    arrived: list[Problem]
    problems: list[Problem]


def settings() -> Settings:
    """Return the settings, from the address where it counts and else from the widgets, and keep the address up to date.

    The widgets need not be drawn for it, so the answer to a click can be on its way before they are.
    """
    arrived = address.arrive()
    if arrived is not None:
        widgets.fill(arrived[0])
        st.session_state[_FOUND] = (_given(), arrived[1])
    config, problems = read(widgets.given())
    address.show(config)
    return Settings(config, _still_true(st.session_state[_FOUND]), problems)


def complain(settings: Settings) -> None:
    """Say what is wrong with the address, where a viewer sees it whose sidebar is folded away."""
    with st.container():
        if settings.arrived:
            st.warning("\n".join(f"- {problem.sentence}" for problem in settings.arrived))


def draw(settings: Settings) -> None:
    """Draw the sidebar."""
    with st.sidebar:
        _presets(settings.config)
        for group in dict.fromkeys(field.group for field in FIELDS):
            _group(group, settings.config, [*settings.arrived, *settings.problems])


def _given() -> tuple[object, ...]:
    """Return all that an address can say."""
    return widgets.given(), methods.given()


def _still_true(found: tuple[object, list[Problem]]) -> list[Problem]:
    """Return what was wrong with the address, until a setting is changed."""
    given, problems = found
    return problems if given == _given() else []


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
    """Draw one section: what belongs to the whole run in rows of one, what belongs to a category in rows of two."""
    fields = [field for field in fields_of(config.categories) if field.group == group]
    with _section(group, unfold=any(problem.field == field.name for problem in problems for field in fields)):
        if group == _DRAWN:
            _distributions(config)
        for category in (None, *range(1, config.categories + 1)):
            mine = [field for field in fields if field.category == category]
            if mine and category is not None:
                st.markdown(f"Category {category}")
            width = 1 if category is None else _PER_ROW
            for start in range(0, len(mine), width):
                _row(mine[start : start + width], width, config, problems)


def _section(group: str, unfold: bool) -> DeltaGenerator:
    if group in _FOLDED:
        return st.expander(group, expanded=unfold)
    st.markdown(f"**{group}**")
    return st.container()


def _row(fields: Sequence[Field], width: int, config: RunConfig, problems: Sequence[Problem]) -> None:
    """Draw settings side by side, and below them what is wrong with their values."""
    with st.container(gap="xxsmall"):
        for column, field in zip(st.columns(width), fields, strict=False):
            with column:
                widgets.draw(field, config)
        for problem in problems:
            if problem.field in {field.name for field in fields}:
                st.error(problem.sentence)
