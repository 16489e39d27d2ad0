"""What one viewer's run is doing: playing or not, how fast, and what happened to it. No Streamlit.

A viewer may click at any moment, which cuts the page's script at whatever it was drawing. Therefore a ``Player`` first
advances its run, which records every trial, and only then anything is drawn: no trial is lost or done twice.
"""

import math
import time
from collections.abc import Callable
from threading import Lock

from covdemo.config import RunConfig
from covdemo.run import Run
from covdemo.trials import Trials

FASTEST = math.inf
SPEEDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, FASTEST)  # trials per second
FRAME = 1 / 16  # seconds from one picture to the next
HURRY = 1 / 8  # the same where training as fast as possible
BUSY = 0.8  # share of that time that training may take
LONGEST = 0.25  # seconds without a picture that are made up for by more trials; more are not


class Player:
    """A run and its controls.

    Args:
        config: the settings to start from.
        clock: seconds, for tests.

    Attributes:
        run: the run; its trials are done nowhere else.
        playing: whether it goes on by itself.
        speed: trials per second.
        to_the_end: whether the speed is ignored until the run has ended.
        notice: what the viewer should know about the last change; empty if nothing.
    """

    def __init__(self, config: RunConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self.run = Run(config)
        self.playing = False
        self.speed: float = 100
        self.to_the_end = False
        self.notice = ""
        self._clock = clock
        self._lock = Lock()  # a script that was cut off may still be training when the next one starts
        self._last, self._due = clock(), 0.0

    def load(self, config: RunConfig, data: Trials | None = None) -> None:
        """Start anew with other settings, and say so if a run was under way; nothing happens if they are the same."""
        if config == self.run.config and (data is None or data is self.run.data):
            return
        done = self.run.trial
        self._renew(config, data)
        self.notice = f"Settings changed after trial {done:,}: the run starts anew at trial 0." if done else ""

    def toggle(self) -> None:
        """Train or pause; a run that has ended is trained again from the start."""
        if self.run.finished:
            self.reset()
        self.playing, self.to_the_end, self.notice = not self.playing, False, ""
        self._last, self._due = self._clock(), 0.0

    def step(self) -> None:
        """Do one trial and pause."""
        self._pause()
        with self._lock:
            self.run.advance(1)

    def finish(self) -> None:
        """Go on as fast as possible until the run has ended."""
        self.playing, self.to_the_end, self.notice = not self.run.finished, True, ""

    def reset(self) -> None:
        """Go back to trial 0 and pause."""
        self._pause()
        self._renew(self.run.config, self.run.data)

    def tick(self) -> None:
        """Do the trials that are due since the last call, as far as time allows; stop playing where the run ends."""
        with self._lock:
            now = self._clock()
            self._due += self._pace * min(now - self._last, LONGEST)
            self._last = now
            while self._due >= 1 and not self.run.finished and self._clock() < now + BUSY * self.frame:
                self.run.advance(1)
                self._due -= 1
            self._due = min(self._due, self._pace * LONGEST)
            self.playing = self.playing and not self.run.finished

    @property
    def frame(self) -> float:
        """Seconds from one picture to the next."""
        return HURRY if self._hurries else FRAME

    @property
    def _hurries(self) -> bool:
        return self.to_the_end or self.speed == FASTEST

    @property
    def _pace(self) -> float:
        return 1e9 if self._hurries else self.speed

    def _pause(self) -> None:
        self.playing, self.to_the_end, self.notice = False, False, ""

    def _renew(self, config: RunConfig, data: Trials | None) -> None:
        run = Run(config, data)
        with self._lock:
            self.run, self._last, self._due = run, self._clock(), 0.0


def play(player: Player, draw: Callable[[], None], seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Train and draw, picture by picture, until the player pauses or the time is over.

    Args:
        player: advanced before each picture.
        draw: shows the player's run as it is; may be cut off by an exception at any point.
        seconds: after which the caller should begin a new script run, so that the page forgets what is gone.
        sleep: for tests.
    """
    end = time.monotonic() + seconds
    while player.playing and (start := time.monotonic()) < end:
        player.tick()
        draw()
        sleep(max(0.002, start + player.frame - time.monotonic()))
