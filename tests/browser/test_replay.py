"""The replay in a real browser: how smooth it is, what is sent for it, and that it asks nothing of the server."""

import re

import pytest

from covdemo import headless, replay_chart

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

BUSY = 3  # how many times slower it may be where other workers share the cores
WANTED = 30  # updates per second on a machine of its own
LIMIT = 2_000_000  # bytes sent
SMOOTH = "?parameterization=log-cholesky"  # 2,000 trials, none of which fails
FAILING = "?policy=skip"
COUNT = """() => {
  globalThis.covdemoUpdates = 0;
  const record = document.querySelector(".st-key-replay input[type=range]").parentElement;
  new MutationObserver(() => { covdemoUpdates++; }).observe(record, {subtree: true, childList: true, characterData: true});
}"""


@pytest.fixture
def replay(visit):
    """Return a function that trains to the end and opens the tab; it returns the viewer and the sizes of what is sent."""

    def open_tab(query="", **options):
        viewer = visit(query, **options)
        page = viewer.page
        page.get_by_role("button", name="Run to the end", exact=True).click()
        page.get_by_role("button", name="Train again", exact=True).wait_for()
        headless.settle(page)
        page.get_by_role("tab", name="Replay").click()
        page.locator(".st-key-replay canvas.marks").wait_for()
        headless.settle(page)
        return viewer

    return open_tab


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


def test_playing_is_smooth_and_asks_nothing_of_the_server(replay):
    viewer = replay(SMOOTH)
    asked = []
    viewer.page.evaluate(COUNT)
    viewer.page.on("request", lambda request: asked.append(request.url))
    rounds = viewer.page.evaluate("document.querySelector('[data-testid=stApp]').dataset.testScriptState")
    assert rounds == "notRunning"
    menu(viewer, "Records per second").select_option("60")
    play(viewer).check()
    viewer.page.wait_for_timeout(4000)
    assert viewer.page.evaluate("covdemoUpdates") >= 4 * WANTED / BUSY
    assert asked == []


def test_a_run_of_2000_trials_is_sent_in_less_than_2_megabytes(visit):
    viewer, sizes = visit(SMOOTH), []
    page = viewer.page
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: sizes.append(len(data))))
    page.reload()
    headless.settle(page)
    page.get_by_role("button", name="Run to the end", exact=True).click()
    page.get_by_role("button", name="Train again", exact=True).wait_for()
    headless.settle(page)
    assert sizes  # the socket is being watched
    sizes.clear()
    page.get_by_role("tab", name="Replay").click()
    page.locator(".st-key-replay canvas.marks").wait_for()
    headless.settle(page)
    assert 100_000 < sum(sizes) < LIMIT


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
