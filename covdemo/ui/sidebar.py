"""The settings of a run, in the order of ``covdemo.config.FIELDS``: one row there, one widget here."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from covdemo import limits
from covdemo.categories import add_category, remove_category
from covdemo.config import FIELDS, RunConfig, fields_of
from covdemo.constraints import COLUMNS, OF_TABLES
from covdemo.fields import Field, Problem
from covdemo.presets import PRESETS
from covdemo.trials import DISTRIBUTIONS
from covdemo.ui import address, files, held, lesson, methods, mydata, safe_rate, session, widgets
from covdemo.ui.files import Data

_DRAWN = "True distributions"
_FOLDED = {_DRAWN, "Start of the model", "Machine"}
_PER_ROW = 2  # widgets of one category side by side
_PRESET, _DISTRIBUTION, _FOUND = "preset", "distribution", "found in the address"
_OWN = "your own"
_FOLLOWED = {"source": files.change_source, "scaling": files.follow}  # settings that others follow


class Settings(NamedTuple):
    """What the viewer has set.

    Attributes:
        config: made valid; what cannot be used is as it was before.
        arrived: what is wrong with the address that the viewer came by, until a setting is changed.
        problems: what is wrong with the values in the widgets.
        data: where they are not what the configuration alone says.
    """

    config: RunConfig
    arrived: list[Problem]
    problems: list[Problem]
    data: Data


def settings() -> Settings:
    """Return the settings, from the address where it counts and else from the widgets, and keep the address up to date.

    The widgets need not be drawn for it, so the answer to a click can be on its way before they are.
    """
    arrived = address.arrive()
    if arrived is not None:
        widgets.fill(arrived[0])
        st.session_state[_FOUND] = (_given(), arrived[1])
    problems, data = _read()
    if files.fit(data):
        problems, data = _read()
    address.show(data.config)
    return Settings(data.config, _still_true(st.session_state[_FOUND]), problems, data)


def _read() -> tuple[list[Problem], Data]:
    """Return what is wrong with the values in the widgets, and the data that they ask for, with the settings to use."""
    config, problems = widgets.read(session.config() or RunConfig())
    return problems, files.data(config)


def complain(settings: Settings) -> None:
    """Say what is wrong with the address or a file, where a viewer sees it whose sidebar is folded away."""
    with st.container():
        if settings.arrived:
            st.warning("\n".join(f"- {problem.sentence}" for problem in settings.arrived))
        if settings.data.notice:
            st.info(settings.data.notice)


def draw(settings: Settings) -> None:
    """Draw the sidebar."""
    with st.sidebar:
        _presets(settings.config)
        for group in dict.fromkeys(field.group for field in FIELDS):
            _group(group, settings)


def _given() -> tuple[object, ...]:
    """Return all that an address can say."""
    return widgets.given(), lesson.opened(), methods.given()


def _still_true(found: tuple[object, list[Problem]]) -> list[Problem]:
    """Return what was wrong with the address, until a setting is changed."""
    given, problems = found
    return problems if given == _given() else []


def _presets(config: RunConfig) -> None:
    known = [name for name, preset in PRESETS.items() if preset.config == config]
    held.put(_PRESET, known[0] if known else None)
    chosen = st.pills(
        "Presets",
        list(PRESETS),
        format_func=lambda name: PRESETS[name].label,
        key=held.key(_PRESET),
        on_change=_load_preset,
        help="Runs worth seeing: each fills in all settings below.",
    )
    st.caption(PRESETS[chosen].why if chosen else "Settings of your own. A preset brings back the question's experiment.")


def _load_preset() -> None:
    name = st.session_state[held.key(_PRESET)]
    if name is not None:  # a pill that is clicked twice
        widgets.fill(PRESETS[name].config)


def _distributions(config: RunConfig) -> None:
    known = [name for name, changes in DISTRIBUTIONS.items() if all(getattr(config, a) == v for a, v in changes.items())]
    held.put(_DISTRIBUTION, known[0] if known else _OWN)
    names = [*DISTRIBUTIONS] if known else [*DISTRIBUTIONS, _OWN]
    key = held.key(_DISTRIBUTION)
    st.selectbox("Known ones", names, key=key, on_change=_load_distribution, help="Fills in the numbers below.")


def _load_distribution() -> None:
    widgets.fill_attributes(DISTRIBUTIONS.get(st.session_state[held.key(_DISTRIBUTION)], {}))


def _group(group: str, settings: Settings) -> None:
    """Draw one section: what belongs to the whole run in rows of one, what belongs to a category in rows of two."""
    config, problems = settings.config, [*settings.arrived, *settings.problems]
    fields = [field for field in _shown(config) if field.group == group]
    if group == _DRAWN and not fields:
        _sample()
        return
    with _section(group, unfold=any(problem.field == field.name for problem in problems for field in fields)):
        if group == _DRAWN:
            _distributions(config)
        for category in (None, *range(1, config.categories + 1)):
            mine = [field for field in fields if field.category == category]
            if mine and category is not None:
                _heading(category, config, removable=group == _DRAWN)
            width = 1 if category is None else _PER_ROW
            for start in range(0, len(mine), width):
                _row(mine[start : start + width], width, settings)
        if group == _DRAWN:
            _offer_category(config)


def _shown(config: RunConfig) -> list[Field]:
    """Return the settings that have a widget; those of a table have none before there is a table."""
    hidden = {widgets.CATEGORIES.name, *(() if files.table(config) else OF_TABLES)}
    return [field for field in fields_of(config.categories, config.source) if field.name not in hidden]


def _sample() -> None:
    """Draw the sample's own distributions where there are no true ones to set."""
    if session.data().moments:
        with st.expander("Distributions of the sample"):
            mydata.moments(session.data())


def _heading(category: int, config: RunConfig, removable: bool) -> None:
    """Draw the name of a category, and the button that takes it away where there are enough others."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"Category {category}", width="content")
        if removable and limits.CATEGORIES.holds(config.categories - 1):
            label, key = f"Remove category {category}", f"remove category {category}"
            why = "Those after it move up."
            st.button(label, key=key, type="tertiary", on_click=_change, args=(remove_category, config, category), help=why)


def _offer_category(config: RunConfig) -> None:
    full = not limits.CATEGORIES.holds(config.categories + 1)
    label, icon, why = "Add a category", ":material/add:", "A further normal distribution, where there is room. Up to 5."
    st.button(label, icon=icon, key="add category", help=why, disabled=full, on_click=_change, args=(add_category, config))


def _change(change: Callable[..., RunConfig], *arguments: object) -> None:
    widgets.fill(change(*arguments))


def _section(group: str, unfold: bool) -> DeltaGenerator:
    if group in _FOLDED:
        return st.expander(group, expanded=unfold)
    st.markdown(f"**{group}**")
    return st.container()


def _row(fields: Sequence[Field], width: int, settings: Settings) -> None:
    """Draw settings side by side, and below them what is wrong with their values."""
    with st.container(gap="xxsmall"):
        for column, field in zip(st.columns(width), fields, strict=False):
            with column:
                _widget(field, settings)
        for problem in [*settings.arrived, *settings.problems]:
            if problem.field in {field.name for field in fields}:
                st.error(problem.sentence)


def _widget(field: Field, settings: Settings) -> None:
    """Draw one setting, and below the source what belongs to it."""
    config, table = settings.config, files.table(settings.config)
    if field.name in COLUMNS and table is not None:
        mydata.column(field, config, table)
        return
    widgets.draw(field, config, _FOLLOWED.get(field.name))
    if field.name == "lr_cov":
        safe_rate.draw(config)
    if field.name == "source":
        mydata.draw(config, settings.data.fault)
        mydata.download(session.data())
