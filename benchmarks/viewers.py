"""How many viewers one server bears: real browser sessions that all train at once, the server on two cores.

    python benchmarks/viewers.py [--json] [--quick] [--viewers 3 10] [--cores 0,1] [--soak MINUTES] [--write]

``--write`` puts the table into ``docs/public-host.md``. Of several numbers of viewers JSON has the figures of the last, and
under ``each`` those of all.

viewers               how many train at once
errors                complaints of their browsers' consoles, and warnings and errors in the server's log
frames_per_s          states of the run that each viewer has seen, per second
frames_per_s_min      the least of them
trials_per_s          trials that each viewer's run has done, per second; 100 are asked for
rss_mb                resident memory of the server while all train, in MB
rss_mb_per_viewer     what each one after the first adds to it
stops_s               from the moment all tabs are closed until the server rests; at most 5 are allowed
soak                  with --soak, for the first number of viewers: minutes, resident memory over time, and its growth in per
                      cent from the first size after the first minute to the last one
"""

import argparse
import json
import os
import platform
import re
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import doctables
import streamlit

from covdemo import headless

NAME = "python benchmarks/viewers.py --write"
HEAD = (
    "viewers",
    "errors",
    "pictures a second, each",
    "trials a second, each",
    "memory",
    "for each further viewer",
    "rest after all have left",
    "growth of memory",
)
_RUN = "/?parameterization=log-cholesky&epochs=250"
_BAD = re.compile("traceback|error|exception|warning", re.IGNORECASE)
_FIRST = 5.0  # seconds that the first viewer trains alone, at most
_RESTS = 0.05  # share of a core below which a server does nothing for anybody
_WATCHED = 20.0  # seconds to wait for that
_AGAIN = 60.0  # seconds after which a soak looks whether a run has ended, and trains it again
_WARM = 60.0  # seconds after which what a soak's memory grows by counts


def measure(viewers: int, seconds: float, cores: str, soak: float) -> dict[str, Any]:
    """Open the sessions, let them train for some seconds or minutes, close them, and return the figures."""
    with headless.serve(("taskset", "-c", cores)) as server, headless.chromium() as browser:
        with ExitStack() as tabs:
            opened = [tabs.enter_context(headless.view(browser, server.url + _RUN))]
            train(opened[0])
            opened[0].page.wait_for_timeout(1000 * min(_FIRST, seconds))
            alone = server.memory_mb
            opened += [tabs.enter_context(headless.view(browser, server.url + _RUN)) for _ in range(viewers - 1)]
            for viewer in opened[1:]:
                train(viewer)
            found = watch(opened, seconds)
            memory = server.memory_mb
            lasting = soaked(opened, server, soak) if soak else {}
            complaints = [complaint for viewer in opened for complaint in viewer.complaints]
        stops = seconds_to_rest(server)
        lines = [line for line in server.log.splitlines() if _BAD.search(line)]
    return {
        "viewers": viewers,
        "errors": len(complaints) + len(lines),
        **found,
        "rss_mb": round(memory),
        "rss_mb_per_viewer": round((memory - alone) / max(viewers - 1, 1), 1),
        "stops_s": stops,
        **lasting,
        "complaints": complaints + lines,
    }


def train(viewer: headless.View) -> None:
    """Click on Train, or on Train again."""
    viewer.page.locator(".st-key-train button").first.click()  # the second one carries the help


def watch(opened: list[headless.View], seconds: float) -> dict[str, Any]:
    """Return how many states and trials each viewer sees per second."""
    page = opened[0].page
    page.wait_for_timeout(2000)
    before = [viewer.shown() for viewer in opened]
    page.wait_for_timeout(1000 * seconds)
    after = [viewer.shown() for viewer in opened]
    pairs = list(zip(before, after, strict=True))
    frames = [round((len(then) - len(now)) / seconds, 1) for now, then in pairs]
    trials = [round((trial(then[-1][1]) - trial(now[-1][1])) / seconds) for now, then in pairs]
    return {"frames_per_s": frames, "frames_per_s_min": min(frames), "trials_per_s": trials}


def trial(text: str) -> int:
    """Return the trial that the text of a progress bar names."""
    return int(text.split()[1].replace(",", ""))


def soaked(opened: list[headless.View], server: headless.Server, minutes: float) -> dict[str, Any]:
    """Let all train on, anew where a run has ended, and return the server's memory over time."""
    sizes: list[tuple[float, int]] = []
    began = time.monotonic()
    while time.monotonic() < began + 60 * minutes:
        opened[0].page.wait_for_timeout(1000 * min(_AGAIN, 60 * minutes / 10))
        for viewer in opened:
            if viewer.page.get_by_role("button", name="Train again", exact=True).count():
                train(viewer)
        sizes.append((time.monotonic() - began, round(server.memory_mb)))
    return {"soak": {"minutes": minutes, "rss_mb": [size for _, size in sizes], "growth_percent": growth(sizes)}}


def growth(sizes: list[tuple[float, int]]) -> float | None:
    """Return by how many per cent memory grew from its first size after ``_WARM`` seconds to the last; None without two."""
    warm = [size for seconds, size in sizes if seconds >= _WARM]
    return round(100 * (warm[-1] / warm[0] - 1), 1) if len(warm) > 1 else None


def seconds_to_rest(server: headless.Server) -> float:
    """Return after how many seconds the server uses no processor time to speak of."""
    began = time.monotonic()
    while time.monotonic() - began < _WATCHED:
        busy, start = server.cpu_seconds, time.monotonic()
        time.sleep(0.5)
        if (server.cpu_seconds - busy) / (time.monotonic() - start) < _RESTS:
            return round(start - began, 1)
    return float("inf")


def table(found: Sequence[dict[str, Any]]) -> str:
    """Return the figures as a table in Markdown, a row for each number of viewers."""
    return doctables.table(HEAD, *(_row(each) for each in found))


def _row(found: dict[str, Any]) -> tuple[str, ...]:
    speeds = (_span(found["frames_per_s"]), _span(found["trials_per_s"]))
    memory = (f"{found['rss_mb']:g} MB", f"{found['rss_mb_per_viewer']:g} MB")
    rest = f"{found['stops_s']:g} s" if found["stops_s"] < _WATCHED else f"more than {_WATCHED:g} s"
    return str(found["viewers"]), str(found["errors"]), *speeds, *memory, rest, _grown(found.get("soak"))


def _span(numbers: Sequence[float]) -> str:
    """Return the least and the largest of the viewers' figures."""
    low, high = min(numbers), max(numbers)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _grown(soak: dict[str, Any] | None) -> str:
    if soak is None or soak["growth_percent"] is None:
        return "not measured"
    return f"{soak['growth_percent']:g} % in {soak['minutes'] - _WARM / 60:g} min"


def content(found: Sequence[dict[str, Any]], cores: str) -> str:
    """Return what was measured on what, as a sentence and a table in Markdown."""
    versions = f"Python {platform.python_version()} and Streamlit {streamlit.__version__}"
    return f"Measured with {versions}, the server on cores {cores} of {os.cpu_count()}.\n\n{table(found)}"


def main() -> None:
    """Print the figures, as JSON if asked for, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    parser.add_argument("--quick", action="store_true", help="two viewers for a few seconds: under a minute")
    parser.add_argument("--write", action="store_true", help="put the table into docs/public-host.md")
    parser.add_argument("--viewers", type=int, nargs="+", default=[10], metavar="N", help="how many; default: 10")
    parser.add_argument("--cores", default="0,1", help="processor cores of the server; the browsers take any")
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES", help="to watch the memory, with the first N")
    arguments = parser.parse_args()
    viewers, seconds = ([2], 2) if arguments.quick else (arguments.viewers, 20)
    soaks = [arguments.soak, *[0.0] * (len(viewers) - 1)]
    found = [measure(count, seconds, arguments.cores, soak) for count, soak in zip(viewers, soaks, strict=True)]
    if arguments.json:
        print(json.dumps(found[-1] | ({"each": found} if len(found) > 1 else {})))
    else:
        print("\n".join([content(found, arguments.cores), *(line for each in found for line in each["complaints"])]))
    if arguments.write:
        doctables.put(doctables.DOCS / "public-host.md", NAME, content(found, arguments.cores))


if __name__ == "__main__":
    main()
