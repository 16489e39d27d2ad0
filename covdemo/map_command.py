"""``python -m covdemo map``: train over a grid of two settings and several seeds, and write how the runs ended."""

import argparse
import itertools
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from covdemo import atlas, cluster, drawings, limits, pictures, spreadsheets, table_file
from covdemo.arguments import BadArgument, check_target, reading, writing
from covdemo.config import BY_NAME, RunConfig
from covdemo.failures import KINDS
from covdemo.fields import parse_number
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.progress import Progress
from covdemo.safe_rates import RATES
from covdemo.stability import AXES, CHUNK, OUTCOMES, UNKNOWN, Axis, StabilityMap, sweep
from covdemo.trials import Trials

CLUSTER_LOST = 4  # exit code
_REST = 5.0  # seconds between two times that a map is written, at least
_DEFAULTS = {
    "lr_cov": tuple(RATES.tolist()),
    "lr_mu": atlas.MEAN_RATES,
    "lr_nn": atlas.READOUT_RATES,
    "momentum": (0.0, 0.3, 0.6, 0.9),
    "parameterization": tuple(PARAMETERIZATIONS),
}


def map_grid(config: RunConfig, options: argparse.Namespace) -> int:
    """Compute a map, or go on with one that was interrupted, and write it; return the exit code.

    Raises:
        BadArgument: for axes that make no sense, a file that cannot be written or holds another map, or a picture that nothing
            here can draw.
    """
    if options.all:
        _refuse_others(options)
        return _ship(Path(str(atlas.place("covariance"))).parent)
    data = table_file.data(config, options.table)
    with reading():
        x, y = (_axis(side, options) for side in "xy")
        empty = StabilityMap.empty(config, x, y, range(options.seeds), data.identity if data else "")
    if options.picture:
        with reading("--picture"):
            pictures.require()
    files = (("--csv", write_csv, options.csv), ("--picture", write_picture, options.picture))
    _refuse_same(options)
    for flag, _, path in files:
        check_target(flag, path)
    try:
        found = _sweep(_start(empty, options.out), options, data)
    except cluster.ClusterLost as lost:
        print(f"{lost}. {options.out} keeps the runs that are done; the same command goes on with them.", file=sys.stderr)
        return CLUSTER_LOST
    for flag, write, path in files:
        if path:
            with writing(flag):
                write(found, path)
    print(summary(found))
    return 0


def _refuse_others(options: argparse.Namespace) -> None:
    """Refuse what ``--all`` would ignore.

    Raises:
        BadArgument: if there is such an option.
    """
    usual = options.parser.get_default
    given = [name for name, value in vars(options).items() if name not in ("all", "command", "parser") and value != usual(name)]
    if given:
        flags = ", ".join("--" + name.replace("_", "-") for name in given)
        raise BadArgument(f"--all makes the maps that ship, as they are, and takes no other option; got {flags}")


def _refuse_same(options: argparse.Namespace) -> None:
    """Refuse one file for two things.

    Raises:
        BadArgument: if two options name the same.
    """
    seen: dict[Path, str] = {}
    for flag, path in (("--out", options.out), ("--csv", options.csv), ("--picture", options.picture)):
        if path is not None and (other := seen.setdefault(path.resolve(), flag)) != flag:
            raise BadArgument(f"{flag}: {path} is the file of {other} already; take another name")


def _sweep(start: StabilityMap, options: argparse.Namespace, data: Trials | None) -> StabilityMap:
    """Do the runs that have not been done, and write the map now and then and at the end, whatever ends it."""
    keeper = Keeper(options.out)
    with cluster.executor(options.dask) as executor:
        keeper.write(start)  # where it cannot be written, that is better known before the work
        try:
            return sweep(start, executor, Progress(sys.stderr), keeper, options.compiled, options.chunk, data)
        finally:
            keeper.finish()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes beside the settings of the run."""
    parser.add_argument("--x", choices=AXES, default="lr_cov", help="setting across; default: lr_cov")
    parser.add_argument("--y", choices=AXES, default="lr_mu", help="setting up; default: lr_mu")
    for side in "xy":
        text = f"of --{side}: a list 1e-5,1e-3,0.1 or a range 1e-8:1e2:41 in equal ratios"
        parser.add_argument(f"--{side}-values", metavar="VALUES", help=text)
    parser.add_argument("--seeds", type=_positive, default=8, metavar="N", help="data seeds, from 0; default: 8")
    parser.add_argument("--out", type=Path, default=Path("map.npz"), metavar="FILE.npz", help="the map; default: map.npz")
    parser.add_argument("--csv", type=Path, metavar="FILE.csv", help="the same, a line for each run")
    parser.add_argument("--picture", type=_picture, metavar="FILE", help="the same as a picture, .png or .svg")
    parser.add_argument(
        "--compiled", action="store_true", help="compile the trials, up to a minute at first; pays for several 10^8 trials"
    )
    parser.add_argument("--chunk", type=_positive, default=CHUNK, metavar="N", help=f"runs side by side; default: {CHUNK:,}")
    parser.add_argument("--dask", metavar="tcp://HOST:PORT", help="scheduler of a Dask cluster that does the work")
    parser.add_argument("--all", action="store_true", help="make the maps that ship with the package, and nothing else")


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return number


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix not in (".png", ".svg"):
        raise argparse.ArgumentTypeError(f"expected a name that ends in .png or .svg, got {path.name}")
    return path


def _axis(side: str, options: argparse.Namespace) -> Axis:
    """Return the axis of side x or y.

    Raises:
        ValueError: if one of its values cannot be used, after the name of the flag that has it.
    """
    name, text = getattr(options, side), getattr(options, f"{side}_values")
    if text is None:
        return Axis(name, _DEFAULTS[name])
    with reading(f"--{side}-values"):
        return Axis(name, _values(name, text))


def _values(name: str, text: str) -> tuple[Any, ...]:
    """Return the values that a list or a range stands for.

    Raises:
        ValueError: if one of them cannot be used.
    """
    values = []
    for part in _range(text) if ":" in text else text.split(","):
        value, problems = BY_NAME[name].read(part.strip())
        if problems:
            raise ValueError(problems[0].fault)
        values.append(value)
    return tuple(sorted(dict.fromkeys(values))) if name != "parameterization" else tuple(dict.fromkeys(values))


def _range(text: str) -> list[str]:
    """Return the numbers of LOW:HIGH:COUNT in equal ratios.

    Raises:
        ValueError: if there are no such numbers.
    """
    low, high, count = [parse_number(part) for part in text.split(":")] if text.count(":") == 2 else [math.nan] * 3
    if not (0 < low < high < math.inf and count in range(2, limits.AXIS_VALUES + 1)):
        within = f"0 < LOW < HIGH and COUNT 2 to {limits.AXIS_VALUES:,}"
        raise ValueError(f"expected a range LOW:HIGH:COUNT with {within}, got {text!r}")
    return [repr(value) for value in np.geomspace(low, high, int(count)).tolist()]


def _start(empty: StabilityMap, path: Path) -> StabilityMap:
    """Return the map that a file holds already, or the empty one.

    Raises:
        BadArgument: if the file holds something else.
    """
    if not path.exists():
        return empty
    with reading("--out"):
        found = StabilityMap.load(path)
    if not found.same_grid(empty):
        raise BadArgument(f"--out: {path} holds a map of other settings or data; take another name, or delete it")
    done = int((found.outcome != UNKNOWN).sum())
    print(f"{path}: {done:,} of {found.outcome.size:,} runs are done already", file=sys.stderr)
    return found


class Keeper:
    """Writes a map that grows, now and then; a tenth of the time at most goes into writing.

    Args:
        path: of the file.
        clock: seconds, for tests.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock, self._due = path, clock, 0.0
        self._unwritten: StabilityMap | None = None

    def __call__(self, found: StabilityMap) -> None:
        """Take note of what has been done, and write it if it is time."""
        self._unwritten = found
        if self._clock() >= self._due:
            self.write(found)

    def write(self, found: StabilityMap) -> None:
        """Write the map.

        Raises:
            BadArgument: if it cannot be written.
        """
        began = self._clock()
        with writing("--out"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            found.save(self._path)
        self._unwritten = None
        self._due = self._clock() + max(_REST, 9 * (self._clock() - began))

    def finish(self) -> None:
        """Write what has not been written."""
        if self._unwritten is not None:
            self.write(self._unwritten)


def _ship(folder: Path) -> int:
    """Make the maps that ship; return the exit code."""
    for key in PARAMETERIZATIONS:
        check_target("--all", folder / f"{key}.npz")
    for key in PARAMETERIZATIONS:
        print(key, file=sys.stderr)
        found = atlas.make(key, Progress(sys.stderr))
        with writing("--all"):
            found.save(folder / f"{key}.npz")
    return 0


def write_csv(found: StabilityMap, path: Path) -> None:
    """Write a line for each run."""
    header = (found.x.name, found.y.name, "seed", "outcome", "failing_trial", "kind", "accuracy", "kl")
    path.write_text(spreadsheets.write([header, *_lines(found)]), encoding="utf-8", newline="")


def _lines(found: StabilityMap) -> Iterator[Sequence[Any]]:
    """Return what the runs are and how they ended; a failing trial of -1 is none."""
    for row, column, seed in itertools.product(*map(range, found.outcome.shape)):
        place = (row, column, seed)
        kind = int(found.kind[place])
        yield (
            found.x.values[column],
            found.y.values[row],
            found.seeds[seed],
            OUTCOMES[found.outcome[place]].value,
            int(found.failed_at[place]),
            KINDS[kind].value if kind >= 0 else "",
            float(found.accuracy[place]),
            float(found.kl[place]),
        )


def write_picture(found: StabilityMap, path: Path) -> None:
    """Write the heat map as a PNG or an SVG file, by the ending of the path."""
    path.write_bytes(drawings.map_picture(found, "svg" if path.suffix == ".svg" else "png"))


def summary(found: StabilityMap) -> str:
    """Return the shares of the outcomes in a sentence."""
    shares = (f"{(found.outcome == place).mean():.1%} {outcome.label}" for place, outcome in enumerate(OUTCOMES))
    return f"{found.outcome.size:,} runs: {', '.join(shares)}"
