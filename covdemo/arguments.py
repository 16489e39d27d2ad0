"""Arguments of the command line that cannot be used, told in a sentence, and the files that it is asked to write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class BadArgument(ValueError):
    """An argument that cannot be used, in a sentence for the person who gave it."""


@contextmanager
def reading(flag: str = "") -> Iterator[None]:
    """Turn what is wrong with a value that was given into a ``BadArgument``, after the name of the flag if there is one."""
    try:
        yield
    except ValueError as error:
        raise BadArgument(f"{flag}: {error}" if flag else str(error)) from None


@contextmanager
def writing(flag: str) -> Iterator[None]:
    """Turn what the disk has to say into a ``BadArgument``."""
    try:
        yield
    except OSError as error:
        raise BadArgument(f"{flag}: the file cannot be written: {error.strerror}") from None


def check_target(flag: str, path: Path | None) -> None:
    """Refuse a file that cannot be written before the work, not after it: open it, and leave all as it was.

    Raises:
        BadArgument: if the file cannot be written.
    """
    if path is None:
        return
    with writing(flag):
        if path.is_fifo():  # its reader would take the closing for the end
            return
        new = not path.exists()
        path.open("ab").close()
        if new:
            path.resolve().unlink()


def write(flag: str, path: Path, content: str | bytes) -> None:
    """Write a file that an option of the command asks for.

    Raises:
        BadArgument: if the file cannot be written.
    """
    with writing(flag):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
