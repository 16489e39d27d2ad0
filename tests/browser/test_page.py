"""The page in a real browser: what only shows there."""

import random
import re

import pytest

from covdemo import headless
from covdemo.config import RunConfig
from covdemo.run import Run
from covdemo.ui import controls

# one worker for all that is about speed, and one for the other tests with a browser: more would slow each other down
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

BUSY = 12  # how many times slower than benchmarks/page_speed.py asks for: it is the benchmark, and here others share the cores

LONG = "?parameterization=log-cholesky&epochs=250"
PAUSE = """async () => {
  const start = performance.now(), button = document.querySelector(".st-key-train button");
  button.click();
  while (!button.innerText.includes("Train")) await new Promise(requestAnimationFrame);
  return (performance.now() - start) / 1000;
}"""


def press(viewer, name):
    viewer.page.get_by_role("button", name=name, exact=True).click()


def click_at_any_moment(viewer, dice, train, step=".st-key-step"):
    """Click on Train, or on what it has become, and on Step, without waiting for an answer."""
    for key in [key for _ in range(4) for key in (train, dice.choice([train, step]))]:
        viewer.page.locator(f"{key} button").first.click()
        viewer.page.wait_for_timeout(dice.randrange(20, 400))


def say(viewer, text):
    viewer.page.get_by_text(text).first.wait_for()


def rate(viewer):
    return viewer.page.get_by_label("Learning rate, covariances", exact=True)


def change_rate(viewer, text):
    rate(viewer).fill(text)
    rate(viewer).press("Enter")


def under_way(viewer):
    """Wait until the first trials of a run have been shown."""
    viewer.page.wait_for_function("() => !document.querySelector('[data-testid=stProgress]').innerText.startsWith('Trial 0 ')")


def trial(text):
    return int(re.search(r"Trial ([\d,]+)", text)[1].replace(",", ""))


def trials_shown(viewer):
    return [trial(text) for _, text in viewer.shown()]


def wait_for_address(viewer, **query):
    """Wait until the address holds these parameters and no others."""
    viewer.page.wait_for_function(
        "query => new URLSearchParams(location.search).size === Object.keys(query).length"
        " && Object.entries(query).every(([name, text]) => new URLSearchParams(location.search).get(name) === text)",
        arg=query,
    )


@pytest.mark.parametrize(("theme", "width", "height"), [("light", 1280, 800), ("dark", 390, 844)])
def test_the_first_screen_is_drawn_and_fits_the_width(seen, theme, width, height):
    viewer = seen(width=width, height=height, theme=theme)
    assert viewer.page.locator("canvas.marks").count() == 7
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= width


def test_panels_and_curves_are_on_the_first_screen_of_a_laptop_even_after_a_failure(visit):
    viewer = visit()
    press(viewer, "Train")
    say(viewer, "not positive definite")
    headless.settle(viewer.page)
    bottoms = [canvas.bounding_box() for canvas in viewer.page.locator("canvas.marks").all()]
    assert max(box["y"] + box["height"] for box in bottoms) <= 800


def test_a_live_run_moves_and_never_makes_a_picture_anew(visit):
    viewer = visit(LONG)
    press(viewer, "Train")
    under_way(viewer)
    canvases, shown = viewer.added_canvases(), len(viewer.shown())
    viewer.page.wait_for_timeout(4000)
    assert viewer.added_canvases() == canvases
    assert len(viewer.shown()) - shown >= 4 * 12 / BUSY
    trials = trials_shown(viewer)
    assert trials == sorted(trials)


def test_neither_pausing_nor_going_on_nor_failing_makes_a_picture_anew(visit):
    viewer = visit()
    press(viewer, "Step")
    press(viewer, "Train")
    say(viewer, "not positive definite")
    headless.settle(viewer.page)
    assert viewer.added_canvases() == 7


def test_pause_answers_before_a_round_is_over(visit):
    viewer, answers = visit(LONG), []
    for _ in range(3):
        press(viewer, "Train")
        viewer.page.get_by_role("button", name="Pause", exact=True).wait_for()
        viewer.page.wait_for_timeout(800)
        answers.append(viewer.page.evaluate(PAUSE))
        headless.settle(viewer.page)
    assert sorted(answers)[1] < controls.ROUND


def test_clicks_at_any_moment_neither_lose_nor_repeat_a_trial(visit):
    dice, config = random.Random(0), RunConfig(parameterization="log-cholesky", points=100, epochs=3)
    viewer = visit("?parameterization=log-cholesky&points=100&epochs=3")
    click_at_any_moment(viewer, dice, ".st-key-train")
    press(viewer, "Run to the end")
    say(viewer, "Train again")
    straight = Run(config)
    straight.advance(straight.total)
    assert f"accuracy {straight.frame().accuracy:.1%}" in viewer.shown()[-1][1]
    assert f"loss {straight.history.column('loss')[-1]:.3g} " in viewer.shown()[-1][1]
    trials = trials_shown(viewer)
    assert trials == sorted(trials)


def test_a_setting_changed_in_mid_run_starts_anew_and_leaves_no_ghosts(visit):
    viewer = visit(LONG)
    press(viewer, "Train")
    under_way(viewer)
    change_rate(viewer, "1e-4")
    say(viewer, "the run starts anew at trial 0")
    viewer.page.wait_for_timeout(1500)
    assert viewer.page.locator("canvas.marks").count() == 7
    assert viewer.page.get_by_role("button", name="Pause", exact=True).count() == 1
    restart = next(i for i in range(1, 999) if trials_shown(viewer)[i] < trials_shown(viewer)[i - 1])
    assert trials_shown(viewer)[restart] < 50


def test_typing_goes_on_undisturbed_while_the_run_does(visit):
    viewer = visit(LONG)
    press(viewer, "Train")
    rate(viewer).click()
    viewer.page.keyboard.press("Control+a")
    for character in "2.5e-4":
        viewer.page.keyboard.type(character)
        viewer.page.wait_for_timeout(600)  # longer, in all, than a round
    viewer.page.keyboard.press("Enter")
    wait_for_address(viewer, parameterization="log-cholesky", epochs="250", lr_cov="0.00025")


def test_every_setting_is_in_the_address_and_back_goes_back(visit):
    viewer = visit()
    change_rate(viewer, "1e-5")
    wait_for_address(viewer, lr_cov="1e-05")
    viewer.page.get_by_role("radio", name="Log-Cholesky").click()
    wait_for_address(viewer, parameterization="log-cholesky")
    viewer.page.go_back()
    wait_for_address(viewer, lr_cov="1e-05")
    say(viewer, "The matrix itself is the parameter")
    viewer.page.wait_for_function("() => document.querySelector('[class*=st-key-setting-lr_cov] input').value === '1e-05'")


def test_reloading_in_mid_run_keeps_the_settings_and_goes_back_to_trial_0(visit):
    viewer = visit(LONG)
    change_rate(viewer, "1e-5")
    wait_for_address(viewer, lr_cov="1e-05", parameterization="log-cholesky", epochs="250")
    press(viewer, "Train")
    under_way(viewer)
    assert trials_shown(viewer)[-1] > 0
    viewer.page.reload()
    headless.settle(viewer.page)
    assert rate(viewer).input_value() == "1e-05"
    assert trials_shown(viewer) == [0]


def test_a_number_typed_just_before_train_is_pressed_counts(visit):
    viewer = visit()
    rate(viewer).fill("1e-5")
    press(viewer, "Train")
    wait_for_address(viewer, lr_cov="1e-05")
    under_way(viewer)
    assert viewer.page.get_by_role("button", name="Pause", exact=True).count() == 1
    assert rate(viewer).input_value() == "1e-5"


def test_the_log_can_be_downloaded_while_the_run_goes_on(visit):
    viewer = visit("?policy=skip&epochs=250")
    press(viewer, "Train")
    with viewer.page.expect_download() as download:
        viewer.page.get_by_role("button", name="Download the log as CSV").click()
    assert download.value.path().read_text().startswith("trial,epoch,category,kind,")
    assert viewer.page.get_by_role("button", name="Pause", exact=True).count() == 1


def test_the_accepted_answer_is_called_what_it_is(visit):
    viewer = visit("?parameterization=tril-as-posted&lr_cov=0.0001&epochs=1")
    press(viewer, "Run to the end")
    say(viewer, "did not learn")


def test_two_viewers_do_not_see_each_others_runs(visit):
    one, other = visit(), visit("?lr_cov=1e-5")
    press(one, "Train")
    say(one, "not positive definite")
    assert other.shown()[-1][1].startswith("Trial 0 ")
    assert "?" not in one.page.url
