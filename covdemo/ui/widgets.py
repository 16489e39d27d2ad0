"""One setting -> one widget, whose value lies in the session under ``key(field)``."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import streamlit as st

from covdemo.config import BY_NAME, FIELDS, RunConfig, fields_of
from covdemo.config import read as read_query
from covdemo.constraints import COLUMNS, columns_used
from covdemo.fields import Field, Problem, Row, parse_number
from covdemo.parameterizations import GUARANTEES
from covdemo.ui import held

# 1, 2, 5, 10 ... in the powers of ten that matter to a learning rate
_SLIDER = (*(float(f"{step}e{power}") for power in range(-8, 2) for step in (1, 2, 5)), 100.0)

CATEGORIES = BY_NAME["categories"]
"""The setting that has buttons in place of a widget."""


_SOURCE = BY_NAME["source"]


def key(field: Field) -> str:
    """Return the present name of a setting in the session."""
    return held.key(name(field))


def name(field: Field) -> str:
    """Return the name of a setting in the session before the page has changed it."""
    return f"setting {field.name}"


def fill(config: RunConfig, fields: Iterable[Field] = FIELDS) -> None:
    """Put the values of a configuration into the widgets of these settings."""
    for field in fields:
        _put(field, field.get(config))


def fill_attributes(changes: Mapping[str, Sequence[float]]) -> None:
    """Put values per category into the widgets of these attributes of ``RunConfig``, and their number into its own."""
    for field in FIELDS:
        values = changes.get(field.attribute, ())
        if field.category is not None and field.category <= len(values):
            _put(field, values[field.category - 1])
        elif field.attribute == "categories" and changes:
            _put(field, max(map(len, changes.values())))


def _put(field: Field, value: float | int | str) -> None:
    """Put a value into the widget of a setting; a text that already says the same number stays as it was typed."""
    if not _is_typed(field):
        held.put(name(field), value)
    elif parse_number(st.session_state.get(key(field), "")) != value:
        held.put(name(field), f"{value!r}")


def given() -> dict[str, str]:
    """Return what the widgets hold, as address parameters; settings without a widget at present are left out."""
    state = st.session_state
    fields = fields_of(state[key(CATEGORIES)], state[key(_SOURCE)])
    return {field.url: str(state[key(field)]) for field in fields if key(field) in state}


def read(before: RunConfig) -> tuple[RunConfig, list[Problem]]:
    """Return the settings that the widgets hold, and all that is wrong with them.

    A setting that cannot be used as it is given stays as it was ``before``; those that do not fit each other even so are
    replaced, as in an address.
    """
    query = given()
    config, problems = read_query(query)
    faulty = {problem.field for problem in problems}
    kept = [row for row in FIELDS if row.name in faulty or (row.name in COLUMNS and not faulty.isdisjoint(COLUMNS))]
    if not kept:
        return config, problems
    config, left = read_query({**query, **{row.url: row.text(before) for row in kept}})
    told = faulty - {problem.field for problem in left}
    return config, [problem._replace(remedy=_remedy(problem, config)) for problem in problems if problem.field in told] + left


def _remedy(problem: Problem, config: RunConfig) -> str:
    if problem.field in COLUMNS:
        return columns_used(config.source, config.columns)
    row = BY_NAME[problem.field]
    return row.used(row.get(config))


def draw(field: Field, config: RunConfig, on_choice: Callable[[], None] | None = None) -> None:
    """Draw the widget of a setting; ``on_choice`` is called after another row of a registry was chosen."""
    if key(field) not in st.session_state:
        _put(field, field.get(config))
    with st.container(gap="xxsmall"):
        if field.registry:
            _choice(field, on_choice)
        elif not _is_typed(field):
            _number(field)
        elif field.category is None:
            _text_and_slider(field, config)
        else:
            _text(field)


def _is_typed(field: Field) -> bool:
    """Whether the number is typed as text, because steps of one size do not suit it."""
    return field.log and not field.registry


def _label(field: Field) -> str:
    """Return the label without the category, which stands above the widget."""
    return field.label.split(" of category ")[0]


def _choice(field: Field, on_choice: Callable[[], None] | None) -> None:
    registry = field.registry
    chosen = st.selectbox(
        field.label,
        field.choices,
        key=key(field),
        format_func=lambda choice: registry[choice].label,
        help=field.help,
        on_change=on_choice,
    )
    _explain(registry[chosen])


def _explain(row: Row) -> None:
    """Show formula, summary and guarantee of a choice, as far as it has them."""
    formula, guarantee = getattr(row, "formula", ""), getattr(row, "guarantee", None)
    if formula:
        st.markdown(f":small[${formula}$]")
    st.caption(row.summary if guarantee is None else f"{row.summary} **Guarantee: {guarantee}.** {GUARANTEES[guarantee]}")


def _number(field: Field) -> None:
    step = 1 if field.kind is int else _step(float(field.default))
    st.number_input(_label(field), step=step, format="%d" if field.kind is int else "%g", key=key(field), help=field.help)


def _step(default: float) -> float:
    """Return the power of ten of the leading digit."""
    return 10.0 ** math.floor(math.log10(abs(default))) if default else 0.01


def _text(field: Field) -> None:
    st.text_input(_label(field), key=key(field), help=field.help)


def _text_and_slider(field: Field, config: RunConfig) -> None:
    held.put(_slider(field), _nearest(field.get(config)))
    _text(field)
    st.select_slider(
        f"{field.label}, as a slider",
        _SLIDER,
        key=held.key(_slider(field)),
        format_func=lambda rate: f"{rate:g}",
        label_visibility="collapsed",
        help=field.help,
        on_change=_slide,
        args=(field,),
    )


def _slide(field: Field) -> None:
    _put(field, st.session_state[held.key(_slider(field))])


def _slider(field: Field) -> str:
    return f"{name(field)} slider"


def _nearest(rate: float) -> float:
    """Return the place of the slider that is nearest on a logarithmic scale; the lowest for 0."""
    if not rate > 0:
        return _SLIDER[0]
    return min(_SLIDER, key=lambda place: abs(math.log(place) - math.log(rate)))
