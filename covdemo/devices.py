"""Where and how precisely to compute: rows for the choices of device and number format, under torch's own names."""

import sys
from functools import cache
from threading import Thread
from typing import NamedTuple

import torch


class Choice(NamedTuple):
    """One row of a drop-down.

    Attributes:
        label: name for people.
        summary: one sentence.
    """

    label: str
    summary: str


SWITCH = 0.0005  # seconds for which a thread of Python may keep another waiting

DEVICES = {
    "cpu": Choice("CPU", "The processor; fastest for a single run."),
    "cuda": Choice("CUDA", "An NVIDIA graphics card, where PyTorch finds one."),
}

DTYPES = {
    "float32": Choice("float32", "PyTorch's default, about 7 decimal digits."),
    "float64": Choice("float64", "Double precision, about 16 decimal digits."),
}


TOO_MANY = "The graphics card does not have enough memory for {runs:,} runs side by side: they were computed on the CPU."
OUT_OF_MEMORY = "The graphics card has no memory left: the run is computed on the CPU from here on."
_NO_ROOM_ON_CARD = ("out of memory", "STATUS_ALLOC_FAILED")  # the driver, where others have filled the card; cuBLAS and its kin
_NO_ROOM = "DefaultCPUAllocator"  # torch raises no MemoryError


def card_is_full(error: BaseException) -> bool:
    """Whether torch has raised an error because a graphics card has no memory left, filled by this process or by others."""
    told = isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_ROOM_ON_CARD)
    return told or isinstance(error, torch.OutOfMemoryError)


def memory_is_full(error: BaseException) -> bool:
    """Whether Python, NumPy or torch has raised an error because there is no memory left, a graphics card's included."""
    told = isinstance(error, RuntimeError) and _NO_ROOM in str(error)
    return told or isinstance(error, MemoryError) or card_is_full(error)


def refusal(device: str) -> str:
    """Return why this machine cannot compute on the device; empty if it can."""
    return "PyTorch finds no CUDA device" if device == "cuda" and not torch.cuda.is_available() else ""


def share_cores() -> None:
    """Let every operation of torch in this process use one core.

    A single run is a chain of tiny operations, whose threads would only wait for each other: on cores that are busy otherwise,
    as with several viewers of the page, a trial then takes several times as long. Threads of Python take turns often, so that
    a page with its many short operations is not kept waiting for a long computation beside it.
    """
    torch.set_num_threads(1)
    sys.setswitchinterval(SWITCH)


@cache
def warm_up() -> Thread:
    """Take a first gradient, in a thread of its own: for that torch loads modules for seconds, which a run would wait for."""
    thread = Thread(target=_first_gradient, daemon=True)
    thread.start()
    return thread


def _first_gradient() -> None:
    with torch.enable_grad():
        number = torch.zeros(1, requires_grad=True)
        torch.autograd.grad(number * 2, number, torch.ones(1))
