"""How fast the page is: a headless browser trains on 400 points, server and browser on the same two cores.

First log-Cholesky alone in the Train tab, as it is set at first: 2,000 trials, 100 of them in a second. Then six methods side
by side in the Compare tab.

    python benchmarks/page_speed.py [--json] [--quick] [--cores 0,1]

frames_per_s          pictures of the model that the browser has painted, per second; the slowest panel counts
curves_per_s          likewise of the curves, of the slowest one
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

_RUN = "/?parameterization=log-cholesky"
_LONG = "&epochs=250"  # to be paused often
_SIX = "covariance@1e-05,tril,log-cholesky,affine-invariant,matrix-exponential,softplus-cholesky"
_COMPARISON = f"/?tab=Compare&compare={_SIX}"
_COUNT = """() => {
  const canvases = [...document.querySelectorAll("canvas.marks")], clear = CanvasRenderingContext2D.prototype.clearRect;
  globalThis.covdemoPaints = canvases.map(() => 0);
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    const place = canvases.indexOf(this.canvas);
    if (place >= 0) covdemoPaints[place]++;
    return clear.apply(this, box);
  };
}"""
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
            found = play(server, viewer, "", seconds)
        found |= {"first_chart_s": round(first_chart, 1), "rss_mb": round(server.memory_mb)}
        with headless.view(browser, server.url + _RUN + _LONG) as viewer:
            found["pause_s"] = pause(viewer, "", pauses)
        if quick:
            return found
        with headless.view(browser, server.url + _COMPARISON) as viewer:
            compared = play(server, viewer, "compare-", seconds)
        with headless.view(browser, server.url + _COMPARISON + _LONG) as viewer:
            return found | {"compare": compared | {"pause_s": pause(viewer, "compare-", pauses)}}


def play(server: headless.Server, viewer: headless.View, tab: str, seconds: float) -> dict[str, Any]:
    """Train in a browser for some seconds and return the figures.

    Args:
        server: of the page.
        viewer: who looks at it.
        tab: beginning of its buttons' keys.
        seconds: to train.
    """
    viewer.page.evaluate(_CLICK, tab)
    viewer.page.wait_for_timeout(1000)
    viewer.page.evaluate(_COUNT)
    canvases, busy = viewer.added_canvases(), server.cpu_seconds
    viewer.page.wait_for_timeout(1000 * seconds)
    paints, busy = viewer.page.evaluate("covdemoPaints"), server.cpu_seconds - busy
    panels, curves = (paints, []) if tab else (paints[1:2], paints[2:])  # the data's panel stays as it is
    return {
        "frames_per_s": round(min(panels) / seconds, 1),
        **({"curves_per_s": round(min(curves) / seconds, 1)} if curves else {}),
        "server_ms_per_frame": round(1000 * busy / min(panels), 1),
        "canvases_recreated": viewer.added_canvases() - canvases,
        "complaints": viewer.complaints,
    }


def pause(viewer: headless.View, tab: str, times: int) -> dict[str, float]:
    """Pause a run and go on some times, and return how long the page took to say so, median and largest."""
    answers = []
    for _ in range(times):
        viewer.page.evaluate(_CLICK, tab)
        viewer.page.wait_for_timeout(700)
        answers.append(viewer.page.evaluate(_CLICK, tab))
        viewer.page.wait_for_timeout(300)
    return {"median": round(statistics.median(answers), 3), "max": round(max(answers), 3)}


def main() -> None:
    """Print the figures as a table, or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    parser.add_argument("--quick", action="store_true", help="the Train tab alone, under a minute")
    parser.add_argument("--cores", default="0,1", help="processor cores for server and browser together")
    arguments = parser.parse_args()
    if not hasattr(os, "sched_setaffinity"):
        parser.error("needs Linux, whose /proc tells what the server uses")
    os.sched_setaffinity(0, {int(core) for core in arguments.cores.split(",")})  # inherited by both
    found = measure(*((2, 1) if arguments.quick else (15, 15)), arguments.quick)
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"Python {platform.python_version()}, Streamlit {streamlit.__version__}, cores {arguments.cores}")
    for name, figure in found.items():
        print(f"{name:20} {figure}")


if __name__ == "__main__":
    main()
