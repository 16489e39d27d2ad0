"""Settings of all tests: the device, one thread, no deadlines."""

import logging
import os

import pytest
import torch
from hypothesis import settings

settings.register_profile("covdemo", deadline=None)  # the first call of a function compiles or loads things
settings.load_profile("covdemo")
torch.set_num_threads(1)


def pytest_addoption(parser):
    parser.addoption("--device", default="cpu", help="where the mathematics is tested: cpu or cuda")


@pytest.fixture(scope="session")
def device(request):
    """The device that the mathematics is tested on."""
    return request.config.getoption("--device")


@pytest.fixture
def logged():
    """What is logged while a test runs: all warnings and worse, of all loggers, those of Streamlit too, which keep theirs."""
    usual, found = logging.getLogRecordFactory(), []

    def make(*args, **kwargs):
        record = usual(*args, **kwargs)
        if record.levelno >= logging.WARNING and "missing ScriptRunContext" not in record.getMessage():  # there is no server
            found.append(f"{record.name}: {record.getMessage()}")
        return record

    logging.setLogRecordFactory(make)
    yield found
    logging.setLogRecordFactory(usual)


def pytest_xdist_auto_num_workers():
    """Return how many processes test: one for each core that they may use; pages starve beside more."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
