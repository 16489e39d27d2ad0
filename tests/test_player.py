import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from covdemo.comparison import Comparison
from covdemo.config import RunConfig
from covdemo.run import Run
from covdemo.trials import draw
from covdemo.ui.player import FASTEST, LONGEST, MANY, ONE, Player, play

FRAME = ONE.frame
LEARNS = RunConfig(parameterization="log-cholesky", points=30, epochs=2)
BREAKS = RunConfig()


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class CutOff(BaseException):
    """What Streamlit raises inside a drawing call when the viewer clicks."""


def playing(config, speed=FASTEST):
    player = Player(Run, config, clock=Clock())
    player.train()
    player.speed = speed
    return player


def pass_time(player, seconds):
    player._clock.now += seconds
    player.tick()


def play_with_cuts(player, seed):
    """Play to the end, cut off in every second picture."""
    dice = random.Random(seed)

    def draw():
        if dice.random() < 0.5:
            raise CutOff

    while not player.run.finished:
        player.finish()
        try:
            play(player, draw, seconds=0.05, sleep=lambda seconds: None)
        except CutOff:
            continue


@pytest.mark.parametrize("seed", range(5))
def test_a_script_cut_off_at_any_moment_neither_loses_nor_repeats_a_trial(seed):
    player, straight = Player(Run, LEARNS), Run(LEARNS)
    straight.advance(straight.total)
    play_with_cuts(player, seed)
    for name in ("trial", "loss", "means", "scale_trils", "readout"):
        np.testing.assert_array_equal(player.run.history.column(name), straight.history.column(name))


@pytest.mark.parametrize("number", [0, 1])
def test_nor_does_a_comparison(number):
    configs = (LEARNS, BREAKS)
    player, straight = Player(Comparison, configs, draw(LEARNS), MANY), Run(configs[number], draw(LEARNS))
    straight.advance(straight.total)
    play_with_cuts(player, seed=0)
    for name in ("trial", "loss", "means", "scale_trils", "readout"):
        np.testing.assert_array_equal(player.run.runs[number].history.column(name), straight.history.column(name))


@pytest.mark.parametrize("speed", [1, 2, 5, 20])
def test_as_many_trials_are_done_as_the_speed_says(speed):
    player = playing(LEARNS, speed)
    for _ in range(round(3 / FRAME)):
        pass_time(player, FRAME)
    assert player.run.trial == 3 * speed


def test_a_long_pause_is_not_made_up_for():
    player = playing(LEARNS, speed=100)
    pass_time(player, 3600)
    assert player.run.trial == 100 * LONGEST


def test_a_run_that_fails_stops_playing_at_the_failing_trial():
    player = playing(BREAKS)
    while player.playing:
        pass_time(player, FRAME)
    assert player.run.stopped
    assert player.run.trial == player.run.history.failures[-1].trial


def test_nothing_is_drawn_or_trained_while_it_is_paused():
    player, drawn = Player(Run, LEARNS), []
    play(player, lambda: drawn.append(player.run.trial), seconds=0.1)
    assert (player.run.trial, drawn) == (0, [])


def test_a_step_is_one_trial_and_pauses():
    player = playing(LEARNS)
    player.step()
    assert (player.run.trial, player.playing) == (1, False)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("clicks", "trial", "playing", "to_the_end"),
    [
        (["step", "train"], 1, True, False),
        (["reset", "train"], 0, True, False),
        (["train", "finish"], 0, True, True),
        (["reset", "step"], 1, False, False),
        (["pause", "step"], 1, False, False),
    ],
)
def test_clicks_handed_over_together_come_to_the_same_in_any_order(clicks, trial, playing, to_the_end, order):
    player = Player(Run, LEARNS, clock=Clock())
    for name in clicks[::order]:
        player.click(getattr(player, name))
    player.obey()
    assert (player.run.trial, player.playing, player.to_the_end) == (trial, playing, to_the_end)


def test_a_click_is_obeyed_once():
    player = Player(Run, LEARNS, clock=Clock())
    player.click(player.step)
    player.obey()
    player.obey()
    assert player.run.trial == 1


def test_a_click_on_pause_that_comes_after_the_end_does_not_train_again():
    player = playing(BREAKS)
    while player.playing:
        pass_time(player, FRAME)
    ended = player.run.trial
    player.click(player.pause)
    player.obey()
    assert (player.run.trial, player.playing) == (ended, False)


def test_viewers_take_turns_and_a_cut_ends_a_turn():
    busy, seen, cut = set(), [], iter([False, False, True, False, False, False])

    def draw(viewer):
        busy.add(viewer)
        time.sleep(0.01)
        seen.append(len(busy))
        busy.remove(viewer)
        if viewer == 0 and next(cut, False):
            raise CutOff

    def watch(viewer):
        with suppress(CutOff):
            play(playing(LEARNS, speed=1), lambda: draw(viewer), seconds=0.3, sleep=lambda seconds: None)

    with ThreadPoolExecutor(3) as viewers:
        list(viewers.map(watch, range(3)))
    assert len(seen) > 10
    assert set(seen) == {1}


def test_new_settings_start_a_run_anew_and_say_so_while_it_goes_on_playing():
    player = playing(LEARNS, speed=100)
    pass_time(player, LONGEST)
    player.load(BREAKS)
    assert (player.run.config, player.run.trial, player.playing) == (BREAKS, 0, True)
    assert player.notice == "Settings changed after trial 25: the run starts anew at trial 0."


def test_equal_settings_leave_the_run_alone():
    player = playing(LEARNS, speed=100)
    pass_time(player, LONGEST)
    player.load(RunConfig(parameterization="log-cholesky", points=30, epochs=2))
    assert (player.run.trial, player.notice) == (25, "")


def test_a_comparison_that_starts_anew_is_called_one():
    player = Player(Comparison, (LEARNS, BREAKS), pace=MANY, clock=Clock())
    player.step()
    player.load((LEARNS,))
    assert player.notice == "Settings changed after trial 1: the comparison starts anew at trial 0."


def test_data_drawn_a_second_time_are_the_same_data():
    player = Player(Run, LEARNS, draw(LEARNS))
    player.step()
    player.load(LEARNS, draw(LEARNS))
    assert player.run.trial == 1


def test_other_data_start_a_run_anew():
    player = Player(Run, LEARNS, draw(LEARNS))
    player.step()
    player.load(LEARNS, draw(replace(LEARNS, seed=1)))
    assert player.run.trial == 0


def test_new_settings_before_the_first_trial_are_not_worth_a_notice():
    player = Player(Run, LEARNS)
    player.load(BREAKS)
    assert player.notice == ""


def test_training_a_run_that_has_ended_starts_it_anew():
    player = playing(BREAKS)
    while player.playing:
        pass_time(player, FRAME)
    player.train()
    assert (player.run.trial, player.playing) == (0, True)


def test_reset_goes_back_to_the_start_and_pauses():
    player = playing(LEARNS, speed=100)
    pass_time(player, LONGEST)
    player.reset()
    assert (player.run.trial, player.playing, len(player.run.history)) == (0, False, 1)


def test_running_to_the_end_ends_with_the_run_and_not_with_the_next():
    player = Player(Run, LEARNS, clock=Clock())
    player.finish()
    while player.playing:
        pass_time(player, FRAME)
    player.reset()
    assert not player.to_the_end
