"""Work of seconds or minutes that goes on beside the page: told how far it is, cancelled, and in turns for all viewers."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from covdemo import devices

Result = TypeVar("Result")
PATIENCE = 60.0  # seconds after which nobody is believed to wait for the result any more
SLICE = 1.0  # seconds after which others that wait have their turn
KEPT = 50  # results that are remembered
NO_MEMORY = "The server has too little memory for this computation: fewer points, epochs or values need less."
UNFORESEEN = "The computation ended in an error that was not foreseen; the server's log has the details."


class Cancelled(Exception):
    """Raised inside a work that nobody wants any more, by its own telling how far it is."""


class Turns:
    """Lets one at a time go on, in the order in which they came."""

    def __init__(self) -> None:
        self._queue: deque[object] = deque()  # the first has its turn
        self._changed = threading.Condition()

    @property
    def wanted(self) -> bool:
        """Whether somebody waits."""
        return len(self._queue) > 1

    def take(self, ticket: object, check: Callable[[], None] = lambda: None) -> None:
        """Wait for the turn, behind all others.

        Args:
            ticket: of who takes it; who has the turn passes it on.
            check: called now and then; what it raises ends the waiting.
        """
        with self._changed:
            if ticket in self._queue:
                self._queue.remove(ticket)
            self._queue.append(ticket)
            self._changed.notify_all()
            while self._queue[0] is not ticket:
                self._changed.wait(0.1)
                check()

    def leave(self, ticket: object) -> None:
        """End the turn, or the waiting for it."""
        with self._changed:
            self._queue.remove(ticket)
            self._changed.notify_all()


_TURNS = Turns()


class Job(Generic[Result]):
    """A piece of work in a thread of its own.

    Args:
        work: given a function that it calls now and then with the share done; returns the result.
        wanted: whether somebody is there who may look at the result, besides those who ``look``.
        clock: seconds, for tests.

    Attributes:
        result: None before the end.
        fault: a sentence where the work ended in an error, or because nobody looked.
    """

    def __init__(
        self,
        work: Callable[[Callable[[float], None]], Result],
        wanted: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.result: Result | None = None
        self.fault = ""
        self._work, self._wanted, self._clock = work, wanted, clock
        self._share, self._began, self._seen, self._cancelled = 0.0, 0.0, clock(), False
        self._turn = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def finished(self) -> bool:
        """Whether it has come to its end, with or without a result."""
        return not self._thread.is_alive()

    @property
    def share(self) -> float:
        """How much is done, 0 to 1; 0 while others have their turn."""
        return self._share

    @property
    def seconds_left(self) -> float | None:
        """How long it will go on at the present pace; None before that can be told."""
        return (self._clock() - self._began) * (1 - self._share) / self._share if self._share > 0 else None

    def look(self) -> None:
        """Say that somebody still waits for the result."""
        self._seen = self._clock()

    def cancel(self) -> None:
        """End the work where it is."""
        self._cancelled = True

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; return whether it came in time."""
        self._thread.join(seconds)
        return self.finished

    def _run(self) -> None:
        try:
            _TURNS.take(self, self._check)
            self._began = self._turn = self._clock()
            self.result = self._work(self._tell)
        except Cancelled:
            pass
        except ValueError as error:
            self.fault = str(error)
        except Exception as error:
            self.fault = NO_MEMORY if devices.memory_is_full(error) else UNFORESEEN
            if self.fault == UNFORESEEN:
                raise
        finally:
            _TURNS.leave(self)

    def _tell(self, share: float) -> None:
        self._share = share
        self._check()
        if _TURNS.wanted and self._clock() - self._turn > SLICE:
            _TURNS.take(self, self._check)
            self._turn = self._clock()
        time.sleep(0.001)  # lets other threads have the interpreter

    def _check(self) -> None:
        if self._wanted():
            self.look()
        alone = self._clock() - self._seen > PATIENCE
        if alone:
            self.fault = f"The computation was ended, as nobody had been here for {PATIENCE:.0f} seconds."
        if alone or self._cancelled:
            raise Cancelled


class Memory:
    """Results by what they are results of, the latest ``KEPT`` of them, for all viewers."""

    def __init__(self) -> None:
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Any:
        """Return a result; None if there is none."""
        with self._lock:
            return self._results.get(key)

    def put(self, key: Hashable, result: Any) -> None:
        """Remember a result."""
        with self._lock:
            self._results[key] = result
            while len(self._results) > KEPT:
                self._results.popitem(last=False)
