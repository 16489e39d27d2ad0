"""How fast the page is: a headless browser trains on 400 points, server and browser on the same two cores.

First log-Cholesky alone in the Train tab, then six methods side by side in the Compare tab.

    python benchmarks/page_speed.py [--json] [--quick] [--cores 0,1]

frames_per_s          states of the run that the browser has shown, per second
server_ms_per_frame   processor time of the server for each of them, training included, in milliseconds
canvases_recreated    pictures made anew during the run
first_chart_s         from ``streamlit run`` and the start of the browser to the first charts
rss_mb                resident memory of the server at the end, in MB
pause_s               from a click on Pause until the page says that it is paused: median and largest of some tries
compare               the same of the comparison, but for what has to do with the start
"""

import argparse
import json
import os
import platform
import statistics
import time
from typing import Any

import checkout  # noqa: F401
import streamlit

from covdemo import headless

_RUN = "/?parameterization=log-cholesky&epochs=250"
_SIX = "covariance@1e-05,tril,log-cholesky,affine-invariant,matrix-exponential,softplus-cholesky"
_COMPARISON = f"/?tab=Compare&epochs=250&compare={_SIX}"
_CLICK = """async (tab) => {
  const start = performance.now(), button = document.querySelector(`.st-key-${tab}train button`);
  const before = button.innerText;
  button.click();
  while (button.isConnected && button.innerText === before) await new Promise(requestAnimationFrame);
  return (performance.now() - start) / 1000;
}"""


def measure(seconds: float, pauses: int, quick: bool) -> dict[str, Any]:
    """Measure the Train tab and, unless it must be quick, the Compare tab, and return the figures."""
    started = time.monotonic()
    with headless.serve() as server, headless.chromium() as browser:
        with headless.view(browser, server.url + _RUN) as viewer:
            first_chart = time.monotonic() - started - headless.REST
            found = play(server, viewer, "", seconds, pauses)
        found |= {"first_chart_s": round(first_chart, 1), "rss_mb": round(server.memory_mb)}
        if quick:
            return found
        with headless.view(browser, server.url + _COMPARISON) as viewer:
            return found | {"compare": play(server, viewer, "compare-", seconds, pauses)}


def play(server: headless.Server, viewer: headless.View, tab: str, seconds: float, pauses: int) -> dict[str, Any]:
    """Train in a browser for some seconds, pause and go on some times, and return the figures.

    Args:
        server: of the page.
        viewer: who looks at it.
        tab: beginning of its buttons' keys.
        seconds: to train.
        pauses: how often to pause afterwards.
    """
    viewer.page.evaluate(_CLICK, tab)
    viewer.page.wait_for_timeout(1000)
    canvases, shown, busy = viewer.added_canvases(), len(viewer.shown()), server.cpu_seconds
    viewer.page.wait_for_timeout(1000 * seconds)
    times = [when for when, _ in viewer.shown()[shown:]]
    busy = server.cpu_seconds - busy
    answers = []
    for _ in range(pauses):
        answers.append(viewer.page.evaluate(_CLICK, tab))
        viewer.page.wait_for_timeout(300)
        viewer.page.evaluate(_CLICK, tab)
        viewer.page.wait_for_timeout(700)
    return {
        "frames_per_s": round(len(times) / seconds, 1),
        "server_ms_per_frame": round(1000 * busy / len(times), 1),
        "canvases_recreated": viewer.added_canvases() - canvases,
        "pause_s": {"median": round(statistics.median(answers), 3), "max": round(max(answers), 3)},
        "complaints": viewer.complaints,
    }


def main() -> None:
    """Print the figures as a table, or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    parser.add_argument("--quick", action="store_true", help="the Train tab alone, under a minute")
    parser.add_argument("--cores", default="0,1", help="processor cores for server and browser together")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {int(core) for core in arguments.cores.split(",")})  # inherited by both
    found = measure(*((4, 3) if arguments.quick else (20, 15)), arguments.quick)
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"Python {platform.python_version()}, Streamlit {streamlit.__version__}, cores {arguments.cores}")
    for name, figure in found.items():
        print(f"{name:20} {figure}")


if __name__ == "__main__":
    main()
