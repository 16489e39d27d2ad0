"""What breaks around the program: disk, compiler, optional packages, the memory of a graphics card. Each ends in a sentence."""

import io
import itertools
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import open_page, player, press, run_to_the_end, said

from covdemo import atlas, devices
from covdemo.batch import run_batch
from covdemo.cli import main
from covdemo.config import RunConfig
from covdemo.jobs import Memory
from covdemo.run import Run
from covdemo.stability import StabilityMap
from covdemo.ui import working

ROOT = Path(__file__).parent.parent
SMALL = RunConfig(parameterization="diagonal", points=8, epochs=1)
MAP = ["map", "--points", "5", "--epochs", "1", "--seeds", "1", "--x-values", "1e-5,1e-3", "--y-values", "1e-3,1e-2"]


def refusal(capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return stop.value.code, capsys.readouterr().err


# ---- maps that ship ------------------------------------------------------------------------------------------------------
WHOLE = atlas.place("tril").read_bytes()


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=8), st.integers(0, len(WHOLE)))
def test_a_damaged_map_is_read_or_refused_in_a_sentence(place, noise, end):
    damaged = (WHOLE[:place] + noise + WHOLE[place + len(noise) :])[:end]
    assert isinstance(opened(damaged), (StabilityMap, str))


def opened(content):
    try:
        return StabilityMap.load(io.BytesIO(content))
    except ValueError as error:
        return str(error)


def test_a_map_with_outcomes_that_there_are_not_is_refused(tmp_path):
    found = atlas.empty("tril")
    replace(found, outcome=np.full_like(found.outcome, 77)).save(tmp_path / "map.npz")
    with pytest.raises(ValueError, match="outcome: expected numbers from -1 to 2"):
        StabilityMap.load(tmp_path / "map.npz")


@pytest.mark.parametrize("view", ["Rates", "All methods"])
@pytest.mark.parametrize("content", [b"", b"damaged", WHOLE[:-100]], ids=["empty", "text", "cut off"])
def test_where_the_maps_that_ship_are_damaged_the_page_offers_to_compute_one(view, content, monkeypatch, tmp_path):
    (tmp_path / "map.npz").write_bytes(content)
    monkeypatch.setattr(atlas, "place", lambda key: tmp_path / "map.npz")
    atlas.shipped.cache_clear()
    page = open_page(points="10", epochs="1")
    page.session_state["tab"], page.session_state["map view"] = "Map", view
    page.run()
    atlas.shipped.cache_clear()
    assert not page.exception
    assert "No map of these settings yet" in said(page)


# ---- disks ---------------------------------------------------------------------------------------------------------------
FULL = (
    "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
)
BATCH = (
    "from covdemo.batch import run_batch; from covdemo.config import RunConfig",
    FULL,
    "print(len(run_batch([RunConfig(points=8, epochs=1)] * 2, compiled=True).outcome))",
)


def python(*lines, **environment):
    """Run a program; after the line ``FULL``, no file may grow."""
    names = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PYTHONDONTWRITEBYTECODE": "1", **environment}
    command = [sys.executable, "-c", "\n".join(lines)]
    return subprocess.run(command, cwd=ROOT, env=os.environ | names, capture_output=True, text=True, check=False)


def test_on_a_full_disk_the_page_trains():
    finished = python(
        "from pages import open_page, player, run_to_the_end",
        FULL,
        "page = run_to_the_end(open_page(epochs='1', points='5', lr_cov='1e-5'))",
        "print(bool(page.exception), player(page).run.outcome.value)",
    )
    assert finished.stdout == "False learned\n"


@pytest.mark.parametrize("folder", ["cache", "file/cache"], ids=["full", "cannot be made"])
def test_where_the_compiler_cannot_write_trials_are_done_without_it_and_that_is_said(folder, tmp_path):
    (tmp_path / "file").write_text("")
    finished = python(*BATCH, TORCHINDUCTOR_CACHE_DIR=str(tmp_path / folder))
    assert (finished.stdout, "without compiling them: " in finished.stderr) == ("2\n", True)
    assert "Traceback" not in finished.stderr


def test_on_a_full_disk_a_map_is_refused_before_the_work_and_leaves_nothing(tmp_path):
    arguments = [*MAP, "--out", str(tmp_path / "map.npz")]
    finished = python("from covdemo.cli import main", FULL, f"main({arguments!r})")
    assert finished.returncode == 2
    assert finished.stderr.startswith("python -m covdemo map: --out: the file cannot be written: File too large")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", ["--out", "--csv", "--picture"])
def test_a_folder_that_cannot_be_written_to_is_a_sentence(flag, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    out = [] if flag == "--out" else ["--out", str(tmp_path / "map.npz")]
    code, message = refusal(capsys, [*MAP, *out, flag, str(tmp_path / "file" / "name.svg")])
    assert (code, f"{flag}: the file cannot be written: " in message) == (2, True)


# ---- optional packages ---------------------------------------------------------------------------------------------------
NO_PICTURES = "vl-convert is missing: pip install 'covdemo[pictures]'"
SHORT = ["--points", "5", "--epochs", "1"]


@pytest.mark.parametrize(
    ("module", "arguments", "sentence"),
    [
        ("vl_convert", [*MAP, "--picture", "map.svg"], f"map: --picture: {NO_PICTURES}"),
        ("vl_convert", ["screenshots", ".", "--static", *SHORT], f"screenshots: --static: {NO_PICTURES}"),
        ("vl_convert", ["animate", *SHORT], f"animate: {NO_PICTURES}"),
        ("vl_convert", ["animate", "--output", "run.webp", *SHORT], f"animate: {NO_PICTURES}"),
        ("distributed", [*MAP, "--dask", "tcp://x:1"], "map: --dask: distributed is missing: pip install 'covdemo[cluster]'"),
        ("playwright", ["screenshots", ".", *SHORT], "screenshots: playwright is missing: pip install playwright"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_missing_optional_package_is_a_sentence_that_says_how_to_get_it(
    module, arguments, sentence, monkeypatch, tmp_path, capsys
):
    take_away(module, monkeypatch)
    monkeypatch.chdir(tmp_path)
    code, message = refusal(capsys, arguments)
    assert (code, message.startswith(f"python -m covdemo {sentence}"), "done" in message) == (2, True, False)
    assert list(tmp_path.iterdir()) == []


def take_away(module, monkeypatch):
    """Let a package be missing, also where it and what needs it have been imported."""
    for name in [name for name in sys.modules if name.startswith(f"{module}.") or name == "covdemo.headless"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("covdemo.headless", raising=False)
    monkeypatch.setitem(sys.modules, module, None)


# ---- memory of a graphics card -------------------------------------------------------------------------------------------
FULL_CARD = {
    "by this process": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB."),
    "by another": torch.AcceleratorError("CUDA error: out of memory\nSearch for `cudaErrorMemoryAllocation' in the manual."),
    "for cuBLAS": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
}


@pytest.fixture(params=FULL_CARD)
def card(request, monkeypatch):
    """A graphics card that is the processor, until operations of these numbers find it full."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    return breaking(FULL_CARD[request.param], monkeypatch)


def breaking(error, monkeypatch):
    """Let operations of the numbers that are put into the set returned, or all ``at once``, end in an error of a card."""
    place, stack, done = torch.as_tensor, torch.stack, itertools.count()
    full = set()

    def as_tensor(data, *args, device=None, **options):
        if device == "cuda" and "at once" in full:
            raise error
        return place(data, *args, device=None if device == "cuda" else device, **options)

    def stacked(*args, **options):
        if next(done) in full:
            raise error
        return stack(*args, **options)

    monkeypatch.setattr(torch, "as_tensor", as_tensor)
    monkeypatch.setattr(torch, "stack", stacked)
    return full


BREAKS = RunConfig(device="cuda", points=30, epochs=2, policy="skip")


@pytest.mark.parametrize("full", ["at once", 0, 1, 2, 3, 7, 50, 123, 200, 500])
def test_a_full_card_makes_a_run_go_on_on_the_cpu_as_if_nothing_had_happened(full, card):
    card.add(full)
    run = Run(BREAKS)
    run.advance(run.total)
    card.clear()
    straight = Run(replace(BREAKS, device="cpu"))
    straight.advance(straight.total)
    assert (run.device, run.notice, run.config.device) == ("cpu", devices.OUT_OF_MEMORY, "cuda")
    for name in ("trial", "loss", "means", "scale_trils", "room"):
        np.testing.assert_array_equal(run.history.column(name), straight.history.column(name))
    assert run.history.failed == straight.history.failed > 0


@pytest.mark.parametrize("work", [Run, lambda config: run_batch([config])], ids=["run", "batch"])
def test_another_error_of_a_card_is_not_taken_for_a_full_one(work, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    error = torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
    breaking(error, monkeypatch).add("at once")
    with pytest.raises(torch.AcceleratorError) as raised:
        work(BREAKS)
    assert raised.value is error


def test_a_run_that_has_room_stays_on_its_card(card):
    run = Run(BREAKS)
    run.advance(5)
    assert (run.device, run.notice) == ("cuda", "")


def test_the_page_says_that_the_card_is_full_and_trains(card):
    card.add("at once")
    page = run_to_the_end(open_page(device="cuda", parameterization="log-cholesky", points="5", epochs="1"))
    assert not page.exception
    assert devices.OUT_OF_MEMORY in said(page)
    assert player(page).run.finished
    press(page, "reset")
    assert devices.OUT_OF_MEMORY in said(page)


def test_a_comparison_says_once_that_the_card_is_full(card):
    card.add("at once")
    page = open_page(device="cuda", points="5", epochs="1", tab="Compare")
    assert (len(page.exception), said(page).count(devices.OUT_OF_MEMORY)) == (0, 1)


def test_a_batch_that_a_card_cannot_hold_is_done_on_the_cpu_and_said(card, caplog):
    card.add("at once")
    configs = [replace(SMALL, device="cuda")] * 2
    found, words = run_batch(configs), devices.TOO_MANY.format(runs=2)
    assert found.outcome.tolist() == run_batch([SMALL] * 2).outcome.tolist()
    assert (found.notice, words in caplog.text) == (words, True)


def test_a_map_that_a_card_cannot_hold_says_so_on_the_page(card, monkeypatch):
    monkeypatch.setattr(working, "_MEMORY", Memory())  # no other test has computed it
    card.add("at once")
    page = open_page(device="cuda", points="1", epochs="1", tab="Map")
    press(page, "compute map")
    end = time.monotonic() + 60
    while any(button.label == "Cancel" for button in page.button) and time.monotonic() < end:
        time.sleep(0.2)
        page.run()
    assert devices.TOO_MANY.format(runs=512) in said(page)
