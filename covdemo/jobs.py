"""Work of seconds or minutes that goes on beside the page: told how far it is, cancelled, and one at a time for all viewers."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")
PATIENCE = 5.0  # seconds after which nobody is believed to wait for the result any more
KEPT = 50  # results that are remembered

_TURN = threading.Lock()


class Cancelled(Exception):
    """Raised inside a work that nobody wants any more, by its own telling how far it is."""


class Job(Generic[Result]):
    """A piece of work in a thread of its own.

    Args:
        work: given a function that it calls now and then with the share done; returns the result.
        clock: seconds, for tests.

    Attributes:
        result: None before the end.
        fault: a sentence where the work ended in a ``ValueError``.
    """

    def __init__(self, work: Callable[[Callable[[float], None]], Result], clock: Callable[[], float] = time.monotonic) -> None:
        self.result: Result | None = None
        self.fault = ""
        self._work, self._clock = work, clock
        self._share, self._began, self._seen, self._cancelled = 0.0, 0.0, clock(), False
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
            while not _TURN.acquire(timeout=0.1):
                self._check()
            try:
                self._began = self._clock()
                self.result = self._work(self._tell)
            finally:
                _TURN.release()
        except Cancelled:
            pass
        except ValueError as error:
            self.fault = str(error)

    def _tell(self, share: float) -> None:
        self._share = share
        self._check()
        time.sleep(0.001)  # lets other threads have the interpreter

    def _check(self) -> None:
        if self._cancelled or self._clock() - self._seen > PATIENCE:
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
