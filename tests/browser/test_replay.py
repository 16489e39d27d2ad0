"""The replay in a real browser: how smooth it is, what is sent for it, and that it asks nothing of the server."""

import re

import pytest

from covdemo import headless, replay_chart

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

BUSY = 10  # how many times slower it may be where other workers share the cores
WANTED = 30  # updates per second on a machine of its own
LIMIT = 2_000_000  # bytes sent
SMOOTH = "?parameterization=log-cholesky"  # 2,000 trials, none of which fails
FAILING = "?policy=skip&epochs=1"
COUNT = """() => {
  globalThis.covdemoUpdates = 0;
  const record = document.querySelector(".st-key-replay input[type=range]").parentElement;
  new MutationObserver(() => { covdemoUpdates++; }).observe(record, {subtree: true, childList: true, characterData: true});
}"""


@pytest.fixture(scope="module")
def replay(seen):
    """Return a function that trains to the end and opens the tab, once; it returns the viewer, at the first record."""
    opened = set()

    def open_tab(query="", width=1280, theme="light"):
        viewer = seen(query, width=width, theme=theme)
        if viewer.page not in opened:
            train(viewer)
            open_replay(viewer)
            opened.add(viewer.page)
        play(viewer).uncheck()
        slider(viewer).press("Home")
        viewer.page.wait_for_timeout(200)
        return viewer

    return open_tab


@pytest.fixture(scope="module")
def long_run(seen):
    """Return a viewer of the replay of 2,000 trials, and how many bytes were sent when the tab was opened."""
    viewer, sizes = seen(SMOOTH), []
    viewer.page.on("websocket", lambda socket: socket.on("framereceived", lambda data: sizes.append(len(data))))
    viewer.page.reload()
    headless.settle(viewer.page)
    train(viewer)
    assert sizes  # the socket is being watched
    sizes.clear()
    open_replay(viewer)
    return viewer, sum(sizes)


def train(viewer):
    viewer.page.get_by_role("button", name="Run to the end", exact=True).click()
    viewer.page.get_by_role("button", name="Train again", exact=True).wait_for()
    headless.settle(viewer.page)


def open_replay(viewer):
    viewer.page.get_by_role("tab", name="Replay").click()
    viewer.page.locator(".st-key-replay canvas.marks").wait_for()
    headless.settle(viewer.page)


def slider(viewer):
    return viewer.page.get_by_role("slider", name=re.compile("^Record"))


def record(viewer):
    return int(slider(viewer).input_value())


def play(viewer):
    return viewer.page.get_by_role("checkbox", name="Play", exact=True)


def menu(viewer, name):
    return viewer.page.get_by_role("combobox", name=name)


def shown(viewer):
    return viewer.page.get_by_role("textbox", name="Shown", exact=True).input_value()


def picture(viewer):
    return viewer.page.locator(".st-key-replay canvas.marks").screenshot()


def trial(text):
    return int(re.match(r"Trial ([\d,]+)", text)[1].replace(",", ""))


def test_before_any_trial_the_tab_says_what_would_be_there(visit):
    viewer = visit()
    viewer.page.get_by_role("tab", name="Replay").click()
    viewer.page.get_by_text("Nothing to play back yet").wait_for()


def test_playing_moves_and_asks_nothing_of_the_server(long_run):
    (viewer, _), asked = long_run, []
    viewer.page.evaluate(COUNT)
    viewer.page.on("request", lambda request: asked.append(request.url))
    rounds = viewer.page.evaluate("document.querySelector('[data-testid=stApp]').dataset.testScriptState")
    assert rounds == "notRunning"
    menu(viewer, "Records per second").select_option("60")
    play(viewer).check()
    viewer.page.wait_for_timeout(4000)
    assert viewer.page.evaluate("covdemoUpdates") >= 4 * WANTED / BUSY
    assert asked == []


def test_a_run_of_2000_trials_is_sent_in_less_than_2_megabytes(long_run):
    assert 100_000 < long_run[1] < LIMIT


def test_play_stops_at_the_end_and_begins_anew_from_there(replay):
    viewer = replay()
    last = int(slider(viewer).get_attribute("max"))
    menu(viewer, "Records per second").select_option("30")
    play(viewer).check()
    viewer.page.wait_for_function("() => !document.querySelector('.st-key-replay input[type=checkbox]').checked")
    assert record(viewer) == last
    menu(viewer, "Records per second").select_option("1")
    play(viewer).check()
    viewer.page.wait_for_timeout(300)
    assert record(viewer) < last


def test_the_slider_moves_the_picture_by_keyboard_alone(replay):
    viewer = replay()
    before = picture(viewer), shown(viewer)
    slider(viewer).focus()
    for _ in range(8):
        viewer.page.keyboard.press("ArrowRight")
    viewer.page.wait_for_timeout(300)
    assert (record(viewer), trial(shown(viewer))) == (8, 8)
    assert picture(viewer) != before[0]


def test_a_failure_is_gone_to_from_the_menu_again_and_again(replay):
    viewer = replay(FAILING)
    failures = menu(viewer, "Go to failure")
    places = []
    for name in (3, 9, 3):
        play(viewer).check()
        viewer.page.wait_for_timeout(200)
        failures.select_option(index=name)
        viewer.page.wait_for_timeout(200)
        places.append((record(viewer), play(viewer).is_checked()))
        slider(viewer).press("End")
        viewer.page.wait_for_timeout(200)
    assert places[0] == places[2] != places[1]
    assert [playing for _, playing in places] == [False] * 3
    assert failures.input_value() == "-1"


def test_a_click_on_the_cross_of_the_timeline_goes_to_the_failure(replay):
    viewer = replay()
    canvas = viewer.page.locator(".st-key-replay canvas.marks")
    box, last = canvas.bounding_box(), int(slider(viewer).get_attribute("max"))
    assert record(viewer) == 0
    middle = replay_chart.PANEL + replay_chart.STORY  # and the axis of the panel: the timeline is somewhere below
    for y in range(middle, middle + 100, 6):
        canvas.click(position={"x": box["width"] - 20, "y": y})
    viewer.page.wait_for_timeout(300)
    assert record(viewer) == last


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_the_replay_fits_the_width(replay, theme, width):
    viewer = replay(width=width, theme=theme)
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= width
    canvas = viewer.page.locator(".st-key-replay canvas.marks").bounding_box()
    assert canvas["x"] + canvas["width"] <= width
    words = viewer.page.get_by_role("textbox", name="Shown", exact=True)
    assert words.evaluate("each => each.scrollWidth <= each.clientWidth")
