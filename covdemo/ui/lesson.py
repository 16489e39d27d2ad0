"""The guided lessons on the page: the menu beside the title, and the lesson that is open below it."""

from collections.abc import Mapping

import streamlit as st

from covdemo import lessons
from covdemo.fields import Problem
from covdemo.lessons import Lesson
from covdemo.ui import tabs, widgets

_OPEN, _MENU = "open lesson", "lessons"
_HELP = "Short guided lessons: each loads the settings of a run, and says what to look at."


def arrive(query: Mapping[str, object]) -> list[Problem]:
    """Open the lesson that the address names, or none, and return what is wrong with its name."""
    found, problems = lessons.named(query)
    st.session_state[_OPEN] = found.key if found else ""
    return problems


def opened() -> str:
    """Return the key of the open lesson; empty if none is."""
    key: str = st.session_state.get(_OPEN, "")
    return key


def query() -> dict[str, str]:
    """Return the open lesson as an address parameter."""
    return {lessons.PARAMETER: opened()} if opened() else {}


def settings() -> Mapping[str, str]:
    """Return the settings that the open lesson is about, as address parameters."""
    return lessons.lessons()[opened()].query if opened() else {}


def draw(title: str) -> None:
    """Draw the title of the page, the menu of lessons, and the open one."""
    with st.container():  # one element, whether a lesson is open or not, so that nothing below moves to another place
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(
                f"##### {title}"
            )  # as wide as there is room: of its own width it wraps where a fraction of a pixel is missing
            _menu()
        if opened():
            _lesson(lessons.lessons()[opened()])


def _menu() -> None:
    known = lessons.lessons()
    st.menu_button(
        "Lessons",
        list(known),
        format_func=lambda key: f"{_number(key)}. {known[key].title}",
        key=_MENU,
        icon=":material/school:",
        type="tertiary",
        help=_HELP,
        on_click=_choose,
    )


def _choose() -> None:
    _open(st.session_state[_MENU])


def _number(key: str) -> int:
    return list(lessons.lessons()).index(key) + 1


def _lesson(lesson: Lesson) -> None:
    """Draw a lesson in a box that is low enough to leave the run on the screen."""
    number, keys = _number(lesson.key), list(lessons.lessons())
    with st.container(border=True, key="lesson"):
        left, right = st.columns([5, 4])
        left.markdown(f":small[Lesson {number} of {len(keys)} · **{lesson.title}.** {lesson.text}]")
        right.markdown(f":small[**Look at** {lesson.look_at}]")
        with right.container(horizontal=True, gap="medium"):
            before, after = (keys[number - 2] if number > 1 else None), (keys[number] if number < len(keys) else None)
            _button("Previous", ":material/arrow_back:", before, "The lesson before, with its settings.")
            _button("Next", ":material/arrow_forward:", after, "The lesson after, with its settings.")
            _button("Close", ":material/close:", "", "The settings stay.")


def _button(name: str, icon: str, key: str | None, why: str) -> None:
    """Draw a button that opens another lesson, or none; it waits for no click where there is no such lesson."""
    identity = f"{name} lesson".lower()
    st.button(name, key=identity, icon=icon, type="tertiary", disabled=key is None, on_click=_open, args=(key,), help=why)


def _open(key: str) -> None:
    """Open a lesson with its settings, where its run is seen; the empty key closes the open one and leaves the settings."""
    st.session_state[_OPEN] = key
    if key:
        widgets.fill(lessons.lessons()[key].config)
        st.session_state[tabs.KEY] = tabs.FIRST
