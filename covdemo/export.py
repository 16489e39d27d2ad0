"""The settings of a run as a stand-alone PyTorch script, put together from the package's own sources."""

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from textwrap import fill, indent
from types import ModuleType
from typing import NamedTuple

from covdemo import export_parts, linalg, repairs, spectra
from covdemo.config import RunConfig, to_query
from covdemo.learner import OBJECTIVES
from covdemo.optimizers import OPTIMIZERS
from covdemo.parameterizations import PARAMETERIZATIONS, Parameterization
from covdemo.policies import POLICIES
from covdemo.spreadsheets import defuse
from covdemo.trials import Origin, Trials

_LIBRARIES: dict[str, ModuleType] = {"linalg": linalg, "spectra": spectra}


_MEAN = "means + (parameterization.mean_basis(raw) @ step.unsqueeze(-1)).squeeze(-1)"


def script(config: RunConfig, data: Trials | None = None, file: str = "points.csv") -> str:
    """Return a Python script that needs only torch and NumPy, does this run, and prints its result.

    The parameterization's class, the repairs and the small-matrix functions that they use are the package's own sources.

    Args:
        config: the settings.
        data: of the run. Where they were not drawn, the script reads ``file``, which ``trials.to_csv`` writes.
        file: path of this file, seen from where the script is started.
    """
    row, policy = PARAMETERIZATIONS[config.parameterization], POLICIES[config.policy]
    own_steps = any(hasattr(row.module, name) for name in ("retract", "mean_basis"))
    repair = policy.code(row.feeds)
    plain = export_parts.PLAIN.format(**_words(config, row))
    training = _by_steps(config, row, repair) if own_steps or repair else plain
    words = _words(config, row)
    body = [
        _constants(config, data, file),
        _sources(row, repair),
        (export_parts.READ if data and data.moments else export_parts.DRAWN) + export_parts.ORDER,
        export_parts.MODEL.format(**words),
        training,
        export_parts.RESULT,
    ]
    return _head(config, row, "\n".join(body)).strip("\n") + "\n\n" + _assemble(body)


def _assemble(pieces: Sequence[str]) -> str:
    """Join the pieces with the blank lines that a formatter asks for: two after a class or a function, one elsewhere."""
    lines = "\n\n\n".join(piece.strip("\n") for piece in pieces)
    return re.sub(r"\n{4,}", "\n\n\n", lines) + "\n"


def _head(config: RunConfig, row: Parameterization, body: str) -> str:
    """Return the docstring and the imports of what the body uses."""
    abstract = [name for name in ("Callable", "Mapping", "Sequence") if re.search(rf"\b{name}\b", body)]
    imports = "".join(f"import {name}\n" for name in ("copy", "csv") if re.search(rf"\b{name}\.\w+\(", body))
    imports += f"from collections.abc import {', '.join(abstract)}\n" if abstract else ""
    return export_parts.HEAD.format(
        label=row.label,
        settings=_settings(config),
        imports=imports + "\n" * bool(imports),
        caveat=f"\n\n{fill(caveat(config), 100)}" if caveat(config) else "",
    )


def caveat(config: RunConfig) -> str:
    """Return why the script may end elsewhere than the page; empty if it may not."""
    return " ".join(export_parts.CAVEAT.split()) if POLICIES[config.policy].repair else ""


def _words(config: RunConfig, row: Parameterization) -> dict[str, str]:
    """Return what fills the gaps of the templates."""
    objective = OBJECTIVES[config.objective]
    return {
        "feeds": row.feeds,
        "start": _start(row),
        "loss_function": export_parts.LOSS.format(loss=objective.loss_code).strip(),
        "scores": objective.scores_code.replace("readout", "self.readout"),
        "optimizer": OPTIMIZERS[config.optimizer].code,
    }


def _start(row: Parameterization) -> str:
    if hasattr(row.module, "start"):
        return "parameterization.start(covariances)"
    return {
        "covariance_matrix": "parameterization.right_inverse(covariances)",
        "precision_matrix": "parameterization.right_inverse(torch.linalg.inv(covariances))",
        "scale_tril": "parameterization.right_inverse(torch.linalg.cholesky(covariances))",
    }[row.feeds]


def _by_steps(config: RunConfig, row: Parameterization, repair: str) -> str:
    """Return the training loop that moves by steps of its own, and deals with an update that fails."""
    words = _words(config, row) | {
        "mean": _MEAN if hasattr(row.module, "mean_basis") else "means + step",
        "raw": "parameterization.retract(raw, raw_step)" if hasattr(row.module, "retract") else "raw + raw_step",
        "memory": "    memory = copy.deepcopy(optimizer.state_dict())\n" if "memory" in repair else "",
        "repair": indent("\n".join(line for line in repair.splitlines() if line), " " * 12),
    }
    return export_parts.STEPS.format(**words).replace("\n\n\n\n", "\n\n\n")


def _settings(config: RunConfig) -> str:
    """Return the settings for the docstring; the name of a column may come from anywhere, and must not end it."""
    changed = ", ".join(f"{name} = {text}" for name, text in to_query(config).items())
    changed = re.sub(r"[\"\\]", "?", changed)
    return fill(f"Settings that differ from the page's own: {changed or 'none'}.", 100)


def _constants(config: RunConfig, data: Trials | None, file: str) -> str:
    known = data.moments if data else None
    truth = (known.means, known.covariances) if known else (config.true_means, config.true_covariances)
    names = ["TRUE_MEANS", "TRUE_COVARIANCES", "START_MEANS", "START_COVARIANCES"]
    arrays = [*truth, config.start_means, config.start_covariances]
    lines = [_array(name, array.tolist()) for name, array in zip(names, arrays, strict=True)]
    if data and known:
        lines += _origin(data.origin) if data.origin else []
        lines += [
            f"DATA = {_text(file)}",
            _list("NAMES", map(defuse, data.names)),
            f"EPOCHS, SEED = {config.epochs}, {config.seed}",
        ]
    else:
        lines += [f"POINTS, EPOCHS, SEED = {config.points}, {config.epochs}, {config.seed}"]
    lines += [f"RATES = ({config.lr_mu}, {config.lr_cov}, {config.lr_nn})  # of means, covariance matrices and read-out"]
    lines += [f"MOMENTUM = {config.momentum}", f"DTYPE = torch.{config.dtype}"]
    if "LIKELIHOOD_SHARE" in OBJECTIVES[config.objective].loss_code:
        lines += [f"LIKELIHOOD_SHARE = {config.likelihood_share}"]
    return "\n".join(lines)


_WIDTH = 128


def _array(name: str, rows: Sequence[object]) -> str:
    """Return an array as code, on one line where it fits, else by rows, as a formatter has it."""
    if len(line := f"{name} = np.array({rows})") <= _WIDTH:
        return line
    if len(line := f"    {rows}") <= _WIDTH:
        return f"{name} = np.array(\n{line}\n)"
    return f"{name} = np.array(\n    [\n" + "".join(f"        {row},\n" for row in rows) + "    ]\n)"


def _origin(origin: Origin) -> list[str]:
    """Return how a row of the table became a point."""
    how = "# A row of the table, with these columns of x, y and category, became the point (x, y) = (cells - CENTRE) / SCALE."
    return [how, _list("COLUMNS", origin.columns), f"CENTRE = {[*origin.centre]}", f"SCALE = {[*origin.scale]}"]


def _list(name: str, words: Iterable[str]) -> str:
    """Return strings as code."""
    texts = [_text(word) for word in words]
    if len(line := f"{name} = [{', '.join(texts)}]") <= _WIDTH:
        return line
    return f"{name} = [\n" + "".join(f"    {text},\n" for text in texts) + "]"


def _text(words: str) -> str:
    """Return a string as code, in double quotes where that needs no escapes."""
    code = repr(words)
    return f'"{code[1:-1]}"' if code[0] == "'" and '"' not in words else code


def _sources(row: Parameterization, repair: str) -> str:
    """Return the parameterization's class, an instance of it, and what the repair calls, after all that they use."""
    kind = type(row.module)
    home = sys.modules[kind.__module__]
    found: dict[str, str] = {}
    for _, name in _used(repairs, ast.parse(repair)):
        _collect(repairs, name, found)
    _collect(home, kind.__name__, found)
    return "\n\n\n".join([*found.values(), f"parameterization = {kind.__name__}()"])


def _collect(module: ModuleType, name: str, found: dict[str, str]) -> None:
    """Add the source of a top-level name, and of the package's names that it uses before it."""
    if name in found:
        return
    part = _parts(module)[name]
    for home, used in _used(module, part.statement):
        if used != name:
            _collect(home, used, found)
    found.setdefault(name, re.sub(rf"(?<![.\w])({'|'.join(_LIBRARIES)})\.", "", part.text))


class _Part(NamedTuple):
    """A statement at the top level of a module, and its source without decorators."""

    statement: ast.stmt
    text: str


@cache
def _parts(module: ModuleType) -> dict[str, _Part]:
    """Return the statement that defines each top-level name of a module."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    parts = [_Part(each, "\n".join(lines[each.lineno - 1 : each.end_lineno])) for each in ast.parse(source).body]
    return {name: part for part in parts for name in _defined(part.statement)}


def _defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _used(module: ModuleType, statement: ast.AST) -> Iterator[tuple[ModuleType, str]]:
    """Return the package's top-level names in a statement, with the modules that define them."""
    own = _parts(module)
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in _LIBRARIES:
            yield _LIBRARIES[node.value.id], node.attr
        elif isinstance(node, ast.Name) and node.id in own:
            yield module, node.id
