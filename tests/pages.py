"""The page without a browser, for tests: Streamlit's own AppTest."""

import re
from functools import cache
from pathlib import Path

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from covdemo.config import BY_NAME
from covdemo.ui import controls, widgets

APP = Path(__file__).parent.parent / "app.py"
# AppTest looks for components through all installed packages at each opening: twice the work of drawing the page
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


def open_page(**query):
    page = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def press(page, key):
    return page.button(key=key).click().run()


def run_to_the_end(page, key="finish", player="player"):
    """Press the button; AppTest has no browser that asks for the next round, so ask here as one does."""
    press(page, key)
    while page.session_state[player].playing:
        page.session_state[controls.TICKED] = True
        page.run()
    return page.run()


def player(page):
    return page.session_state["player"]


def said(page):
    """Return every sentence of a coloured box."""
    return " ".join(box.value for kind in (page.error, page.warning, page.info, page.success) for box in kind)


def field(name):
    return BY_NAME[name]


def widget(page, row):
    return held_in((page.selectbox, page.number_input, page.text_input), widgets.name(row))


def slider(page, row):
    return held_in((page.select_slider,), f"{widgets.name(row)} slider")


def known_ones(page):
    return held_in((page.selectbox,), "distribution")


def held_in(kinds, name):
    """Return the widget of this name, or of the name that it has since the page changed it."""
    return next(w for kind in kinds for w in kind if re.fullmatch(rf"{name}( \d+)?", w.key or ""))


def address(page):
    """Return what a viewer would copy."""
    return {name: value[0] if isinstance(value, list) else value for name, value in page.query_params.items()}
