"""Start and memory of the page under the limits of a small host, such as Streamlit Community Cloud.

    python benchmarks/small_host.py [--json] [--quick] [--write]

Only the server is limited, not the browser that looks at it. ``--write`` puts the table into ``docs/deploy.md``.

first_chart_s    from ``streamlit run`` until the first viewer sees the first charts
next_chart_s     the same for a second viewer, from opening the address
run_s            from a click on *Run to the end* until the run has ended; not measured below a tenth of a core
start_mb         resident memory of the server with the first charts, shared libraries included
peak_mb          its largest value, after a run and a visit to every tab
"""

import argparse
import json
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import doctables
import limited
import streamlit
import torch

from covdemo import headless

NAME = "python benchmarks/small_host.py --write"
MEMORY = 690.0  # MB; the smallest that Streamlit's documentation names, as of February 2024
CORES = (2.0, 1.0, 0.25, 0.078)  # the largest, the smallest, and two between
ENOUGH = 0.1  # cores; with fewer a run takes too long to wait for
TABS = ("Replay", "Compare", "Map", "Code", "Explain")
_RUN = "/?parameterization=log-cholesky"
_END = "Run to the end"
_ENDED = "() => document.querySelector('[data-testid=stProgress]')?.innerText.includes('2,000 of 2,000')"
_AT_REST = "[data-testid=stApp][data-test-script-state=notRunning]"


@dataclass(frozen=True)
class Start:
    """What was measured with so many cores; see above."""

    cores: float
    first_chart_s: float
    next_chart_s: float
    run_s: float | None
    start_mb: float
    peak_mb: float

    @property
    def seconds(self) -> tuple[float | None, ...]:
        """The times in the order of the table."""
        return self.first_chart_s, self.next_chart_s, self.run_s


def measure(memory_mb: float, cores: float) -> Start:
    """Serve the page under the limits and look at it; with enough cores also run to the end, and visit every tab."""
    with headless.chromium() as browser, limited.prefix(memory_mb, cores) as prefix:
        began = time.monotonic()
        with headless.serve(prefix) as server:
            with headless.view(browser, server.url + _RUN) as viewer:
                first = time.monotonic() - began - headless.REST
                start_mb = server.memory_mb
                run = use(viewer) if cores >= ENOUGH else None
            began = time.monotonic()
            with headless.view(browser, server.url + _RUN):
                following = time.monotonic() - began - headless.REST
            return Start(cores, round(first, 1), round(following, 1), run, round(start_mb), round(peak(server)))


def use(viewer: headless.View) -> float:
    """Run to the end, visit every tab, and return how many seconds the run took."""
    began = time.monotonic()
    viewer.page.get_by_role("button", name=_END).click()
    viewer.page.wait_for_function(_ENDED, timeout=1000 * headless.PATIENCE)
    run = time.monotonic() - began
    for tab in TABS:
        viewer.page.get_by_role("tab", name=tab).click()
        viewer.page.wait_for_timeout(1000)
        viewer.page.wait_for_selector(_AT_REST, timeout=1000 * headless.PATIENCE)
    return round(run, 1)


def peak(server: headless.Server) -> float:
    """Return the largest resident memory that the server has had, in MB."""
    lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> None:
    """Print the figures, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    parser.add_argument("--quick", action="store_true", help="two cores only")
    parser.add_argument("--write", action="store_true", help="put the table into docs/deploy.md")
    parser.add_argument("--memory", type=float, default=MEMORY, help="limit in MB")
    options = parser.parse_args()
    headless.PATIENCE = 600.0
    found = [measure(options.memory, cores) for cores in (CORES[:1] if options.quick else CORES)]
    if options.json:
        print(json.dumps({"memory_mb": options.memory, "starts": [asdict(each) for each in found]}))
    else:
        print(content(options.memory, found))
    if options.write:
        doctables.put(doctables.DOCS / "deploy.md", NAME, content(options.memory, found))


def content(memory_mb: float, found: list[Start]) -> str:
    """Return what was measured on what, as a sentence and a table in Markdown."""
    versions = f"Python {platform.python_version()}, torch {torch.__version__} and Streamlit {streamlit.__version__}"
    return f"Measured with {memory_mb:g} MB, {versions}.\n\n{table(found)}"


def table(found: list[Start]) -> str:
    """Return the figures as a table in Markdown."""
    head = ("cores", "first charts", "second viewer", "a run of 2,000 trials", "memory at the start", "largest memory")
    return doctables.table(
        head,
        *(
            (
                f"{each.cores:g}",
                *("not measured" if seconds is None else f"{seconds:.1f} s" for seconds in each.seconds),
                *(f"{size:.0f} MB" for size in (each.start_mb, each.peak_mb)),
            )
            for each in found
        ),
    )


if __name__ == "__main__":
    main()
