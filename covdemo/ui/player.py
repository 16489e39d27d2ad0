"""What one viewer's run, or comparison of runs, is doing: playing or not, how fast, and what happened to it. No Streamlit.

A viewer may click at any moment, which cuts the page's script at whatever it was drawing. Therefore a ``Player`` first
advances its run, which records every trial, and only then anything is drawn: no trial is lost or done twice.
"""

import math
import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from covdemo.comparison import Comparison, Configs
from covdemo.config import RunConfig
from covdemo.run import Run
from covdemo.trials import Trials

FASTEST = math.inf
SPEEDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, FASTEST)  # trials per second
_TURN = Lock()  # viewers take turns: threads that fight for the one interpreter lock get far fewer trials done
LONGEST = 0.25  # seconds without a picture that are made up for by more trials; more are not


class Pace(NamedTuple):
    """What differs between a run and a comparison: what it is called, and how often a picture is due.

    Attributes:
        name: for people.
        frame: seconds from one picture to the next.
        hurry: the same where training as fast as possible.
        busy: share of that time that training may take.
    """

    name: str
    frame: float
    hurry: float
    busy: float


ONE = Pace("run", frame=1 / 16, hurry=1 / 8, busy=0.8)
MANY = Pace("comparison", frame=1 / 10, hurry=1 / 8, busy=0.4)  # six panels to draw, for the server and for the browser


class Playable(Protocol):
    """A ``Run``, or what is played like one."""

    @property
    def trial(self) -> int:
        """Trials done."""

    @property
    def total(self) -> int:
        """Trials in all."""

    @property
    def finished(self) -> bool:
        """Whether no trial is left to do."""

    @property
    def data(self) -> Trials | None:
        """The points and their order; None if it has to ask for them yet."""

    def advance(self, trials: int) -> None:
        """Do up to ``trials`` further trials."""


Config = TypeVar("Config")
Played = TypeVar("Played", bound=Playable)
Answer = TypeVar("Answer")


class Player(Generic[Config, Played]):
    """A run, or a comparison of runs, and its controls.

    Args:
        begin: makes a run at trial 0.
        config: the settings to start from.
        data: to use instead of those that the settings name.
        pace: what it is called and how often a picture is due.
        clock: seconds, for tests.

    Attributes:
        run: the run; its trials are done nowhere else.
        pace: as given.
        playing: whether it goes on by itself.
        speed: trials per second.
        to_the_end: whether the speed is ignored until the run has ended.
        notice: what the viewer should know about the last change; empty if nothing.
    """

    def __init__(
        self,
        begin: Callable[[Config, Trials | None], Played],
        config: Config,
        data: Trials | None = None,
        pace: Pace = ONE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._begin, self._config, self.pace = begin, config, pace
        self.run = begin(config, data)
        self.playing = False
        self.speed: float = 100
        self.to_the_end = False
        self.notice = ""
        self._clock = clock
        self._lock = Lock()  # a script that was cut off may still be training when the next one starts
        self._last, self._due = clock(), 0.0
        self._clicks: list[Callable[[], None]] = []

    def click(self, action: Callable[[], None]) -> None:
        """Note that a button was clicked; ``obey`` does what it asks for.

        Args:
            action: a method of this player without arguments.
        """
        self._clicks.append(action)

    def obey(self) -> None:
        """Do what was clicked since the last call.

        Streamlit hands over clicks that came while its script was busy all at once and in no certain order. They are done in
        that in which they make sense together: whoever resets and trains, or takes a step and trains, wants to train.
        """
        clicked, self._clicks = self._clicks, []
        for action in (self.reset, self.step, self.pause, self.train, self.finish):
            if action in clicked:
                action()

    def load(self, config: Config, data: Trials | None = None) -> None:
        """Start anew with other settings, and say so if a run was under way; nothing happens if they are the same."""
        if config == self._config and (data is None or _equal(data, self.run.data)):
            return
        done = self.run.trial
        self._renew(config, data)
        self.notice = f"Settings changed after trial {done:,}: the {self.pace.name} starts anew at trial 0." if done else ""

    def train(self) -> None:
        """Go on by itself; a run that has ended is trained again from the start."""
        if self.run.finished:
            self.reset()
        self.playing, self.to_the_end, self.notice = True, False, ""
        self._last, self._due = self._clock(), 0.0

    def step(self) -> None:
        """Do one trial and pause."""
        self.pause()
        with self._lock:
            self.run.advance(1)

    def finish(self) -> None:
        """Go on as fast as possible until the run has ended."""
        self.playing, self.to_the_end, self.notice = not self.run.finished, True, ""

    def reset(self) -> None:
        """Go back to trial 0 and pause."""
        self.pause()
        self._renew(self._config, self.run.data)

    def pause(self) -> None:
        """Train no further until asked to."""
        self.playing, self.to_the_end, self.notice = False, False, ""

    def ask(self, question: Callable[[Played], Answer]) -> Answer:
        """Return what a function says of the run; no trial is done meanwhile."""
        with self._lock:
            return question(self.run)

    def tick(self) -> None:
        """Do the trials that are due since the last call, as far as time allows; stop playing where the run ends."""
        with self._lock:
            now = self._clock()
            self._due += self._rate * min(now - self._last, LONGEST)
            self._last = now
            while self._due >= 1 and not self.run.finished and self._clock() < now + self.pace.busy * self.frame:
                self.run.advance(1)
                self._due -= 1
            self._due = min(self._due, max(1.0, self._rate * LONGEST))
            self.playing = self.playing and not self.run.finished

    @property
    def frame(self) -> float:
        """Seconds from one picture to the next."""
        return self.pace.hurry if self._hurries else self.pace.frame

    @property
    def _hurries(self) -> bool:
        return self.to_the_end or self.speed == FASTEST

    @property
    def _rate(self) -> float:
        return 1e9 if self._hurries else self.speed

    def _renew(self, config: Config, data: Trials | None) -> None:
        run = self._begin(config, data)
        with self._lock:
            self.run, self._config, self._last, self._due = run, config, self._clock(), 0.0


RunPlayer = Player[RunConfig, Run]
ComparisonPlayer = Player[Configs, Comparison]
AnyPlayer = RunPlayer | ComparisonPlayer


def _equal(one: Trials, other: Trials | None) -> bool:
    if one is other or other is None:
        return one is other
    pairs = ((one.x, other.x), (one.label, other.label), (one.order, other.order))
    return one.names == other.names and all(np.array_equal(*pair) for pair in pairs)


def play(player: AnyPlayer, draw: Callable[[], None], seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Train and draw, picture by picture, until the player pauses or the time is over.

    Args:
        player: advanced before each picture.
        draw: shows the player's run as it is; may be cut off by an exception at any point.
        seconds: after which the caller should begin a new script run, so that the page forgets what is gone.
        sleep: for tests.
    """
    end = time.monotonic() + seconds
    while player.playing and (start := time.monotonic()) < end:
        with _TURN:
            player.tick()
            draw()
        sleep(max(0.002, start + player.frame - time.monotonic()))
