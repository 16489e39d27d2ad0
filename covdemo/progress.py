"""How far a command is, on a stream."""

import time
from typing import TextIO

from covdemo.run import Run

_CHUNK, _WIDTH = 50, 30  # trials from one sign to the next; characters of the bar


def advance(run: Run, stream: TextIO) -> None:
    """Bring the run to its end, with a progress bar if the stream is a terminal."""
    while not run.finished:
        run.advance(_CHUNK)
        if stream.isatty():
            done = run.trial / run.total
            filled = round(done * _WIDTH)
            bar = "#" * filled + "." * (_WIDTH - filled)
            print(f"\r[{bar}] {run.trial:,} of {run.total:,} trials", end="", file=stream, flush=True)
    if stream.isatty():
        print(file=stream)


class Progress:
    """Tells on a stream how far a work is, at most once a second, and how long the rest will take."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._began, self._told = stream, time.monotonic(), -1.0
        self._first: float | None = None

    def __call__(self, done: float) -> None:
        """Take note that this share of the work is done."""
        now = time.monotonic() - self._began
        if self._first is None:
            self._first = done
        if now - self._told < 1 and done < 1:
            return
        self._told = now
        gained = done - self._first
        left = f", {now * (1 - done) / gained:,.0f} s left" if gained > 0 and done < 1 else ""
        end = "\n" if done >= 1 or not self._stream.isatty() else ""
        start = "\r" if self._stream.isatty() else ""
        print(f"{start}{done:4.0%} done{left}    ".rstrip() + ("" if end else "    "), end=end, file=self._stream, flush=True)
