"""Several trials of many replicas as one function of vectors, for a compiler to fuse into a single loop.

``torch.compile`` fuses what ``scalarize`` has taken apart: one pass over the replicas does several trials, with all numbers
of a replica in registers. Without the compiler the same function runs operation by operation.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException
from torch.distributions import Distribution
from torch.fx import GraphModule
from torch.utils import _pytree as pytree

from covdemo import linalg
from covdemo.fates import Fate, follow
from covdemo.parameters import Parameters
from covdemo.scalarize import Tape, trace
from covdemo.trainer import Rates, State, Trainer, Trial

UNROLL = 10  # trials in one call
# one loop instead of several: by default at most 64 operations are fused
_OPTIONS: dict[str, Any] = {
    "max_fusion_size": 100_000,
    # else the number of replicas at the first call decides for all later ones whether there are threads
    "cpp.dynamic_threads": True,
    # the globals of a generated function are torch itself; checking them at each call takes time
    "guard_filter_fn": torch.compiler.skip_guard_on_globals_unsafe,
}

Tables = tuple[Tensor, ...]


class CannotCompile(RuntimeError):
    """There is no C++ compiler, or it fails, or it has no disk to write to."""


class _Kept(NamedTuple):
    """What one trial hands to the next; the distributions follow from the parameters."""

    parameters: Parameters
    slots: tuple[tuple[Tensor, ...], ...]
    alive: Tensor
    fate: Fate


class FusedTrials:
    """Trials of one trainer, several at a time.

    Args:
        trainer: does one trial.
        state: of this trainer; only shapes and types count.
        compiled: whether to compile; it costs up to a minute at the first call, and seconds where the disk remembers.
        unroll: how many trials one call does, ``UNROLL`` by default.

    Raises:
        CannotScalarize: if the trial is more than element-wise work: D above ``linalg.UNROLLED``, or a policy that repairs.
        CannotCompile: if the compiler has no disk to write to.
    """

    def __init__(self, trainer: Trainer, state: State, compiled: bool = True, unroll: int | None = None) -> None:
        self.unroll = unroll = unroll or UNROLL
        self._trainer = trainer
        self._like = _one_replica(_keep(state, Fate.unknown(1, state.alive.device)))
        self._function = _compiled(trainer, self._like, unroll) if compiled else _several_trials(trainer, self._like, unroll)

    @property
    def bytes_per_replica(self) -> int:
        """Memory of what one trial hands to the next, in bytes."""
        return sum(leaf.nbytes for leaf in pytree.tree_leaves(self._like))

    def pack(self, state: State, fate: Fate) -> Tables:
        """Return all numbers of the replicas as tables ``[count, B]``, one for each type of number."""
        rows = [_rows(leaf) for leaf in pytree.tree_leaves(_keep(state, fate))]
        return tuple(torch.cat([row for row in rows if row.dtype == dtype]) for dtype in self._dtypes)

    def unpack(self, tables: Tables) -> tuple[State, Fate]:
        """Undo ``pack``."""
        leaves, spec = pytree.tree_flatten(self._like)
        rest = dict(zip(self._dtypes, tables, strict=True))
        whole = []
        for leaf in leaves:
            rows, rest[leaf.dtype] = rest[leaf.dtype].tensor_split([leaf.numel()])
            whole.append(linalg.lay_out(rows.T.reshape(-1, *leaf.shape[1:])))
        return _restore(self._trainer, pytree.tree_unflatten(whole, spec))

    def any_alive(self, tables: Tables) -> bool:
        """Return whether any replica still trains: ``State.alive`` is the only table of truth values."""
        return bool(dict(zip(self._dtypes, tables, strict=True))[torch.bool].any())

    def __call__(self, tables: Tables, rates: Tensor, x: Tensor, label: Tensor, lane: Tensor, number: int) -> Tables:
        """Do ``unroll`` trials.

        Args:
            tables: the replicas.
            rates: as in ``Rates``, ``[4, B]``.
            x: points in each of S orders, ``[unroll, D, S]``.
            label: their categories, ``[unroll, S]``.
            lane: the order in which each replica is shown them, ``[B]``.
            number: of the first of these trials, from 1.

        Raises:
            CannotCompile: at the first call.
        """
        count = torch.tensor([[number]], dtype=torch.int32, device=x.device)
        try:
            return self._function(*tables, rates, count, lane, x.flatten(0, 1), label)
        except (TorchDynamoException, OSError) as error:
            raise CannotCompile(str(error).partition("\n")[0]) from error

    @property
    def _dtypes(self) -> tuple[torch.dtype, ...]:
        return _dtypes(self._like)


_MADE: dict[object, Callable[..., Tables]] = {}  # compiling again takes seconds even where the disk remembers
_KEPT = 32


def _compiled(trainer: Trainer, like: _Kept, unroll: int) -> Callable[..., Tables]:
    """Return the compiled trials, those made earlier if all is the same but numbers.

    Raises:
        CannotCompile: if there is no disk to write to.
    """
    kinds = tuple((leaf.shape, leaf.dtype, leaf.device) for leaf in pytree.tree_leaves(like))
    parts = (trainer.parameterization.module, trainer.objective, trainer.optimizer, trainer.policy, trainer.share)
    made = _MADE.pop((*parts, kinds, unroll), None) or _compile(_several_trials(trainer, like, unroll))
    _MADE[(*parts, kinds, unroll)] = made
    for oldest in [*_MADE][:-_KEPT]:
        del _MADE[oldest]
    return made


def _compile(function: GraphModule) -> Callable[..., Tables]:
    """Compile the function, and leave the argument checks of torch's distributions as they are.

    The first ``torch.compile`` of a process switches them off, for everybody.

    Raises:
        CannotCompile: if there is no disk to write to.
    """
    checks = Distribution._validate_args
    try:
        compiled: Callable[..., Tables] = torch.compile(function.forward, dynamic=True, options=_OPTIONS)
    except OSError as error:
        raise CannotCompile(str(error)) from error
    finally:
        Distribution.set_default_validate_args(checks)
    return compiled


def _several_trials(trainer: Trainer, like: _Kept, unroll: int) -> GraphModule:
    """Return ``unroll`` trials as a function of tables: the replicas, rates, the first number, lanes, points, labels.

    Each replica looks its points up in the loop itself: they never lie in memory once for every replica.
    """

    def one(kept: _Kept, rates: Rates, number: Tensor, x: Tensor, label: Tensor) -> tuple[_Kept, Tensor]:
        mine = replace(trainer, rates=rates)
        state, fate = _restore(mine, kept)
        return _keep(*follow(mine, state, fate, Trial(x, label), number)), number + 1

    means = like.parameters.means
    rates, number = Rates(*(rate[:1] for rate in trainer.rates)), torch.zeros(1, dtype=torch.int32)
    traced = trace(one, like, rates, number, means[:, 0], torch.zeros(1, dtype=torch.int64))

    tape, leaves = Tape(), pytree.tree_leaves(like)
    tables = [tape.inputs(_count(leaves, dtype), f"state{i}") for i, dtype in enumerate(_dtypes(like))]
    given, count = tape.inputs(4, "rates"), tape.inputs(1, "number")
    lane = tape.argument("lane")
    points = tape.inputs(unroll * means.shape[-1], "x", lane).reshape(unroll, *means[:, 0].shape)
    labels = tape.inputs(unroll, "label", lane).reshape(unroll, 1)
    now = _apart(tables, leaves)
    for x, label in zip(points, labels, strict=True):
        *now, count = tape.run(traced, now, given.unsqueeze(-1).unbind(0), count, x, label)
    results = [
        torch.cat([part.flatten() for part, leaf in zip(now, leaves, strict=True) if leaf.dtype == dtype])
        for dtype in _dtypes(like)
    ]
    return tape.module(results, like=tables[0])


def _apart(tables: list[Tensor], leaves: list[Tensor]) -> list[Tensor]:
    """Return the numbers of each leaf's entries, shaped like the leaf."""
    rest = {leaf.dtype: table for leaf, table in zip(_firsts(leaves), tables, strict=True)}
    parts = []
    for leaf in leaves:
        mine, rest[leaf.dtype] = rest[leaf.dtype].tensor_split([leaf.numel()])
        parts.append(mine.reshape(leaf.shape))
    return parts


def _firsts(leaves: list[Tensor]) -> list[Tensor]:
    """Return the first leaf of each type."""
    return list({leaf.dtype: leaf for leaf in reversed(leaves)}.values())


def _dtypes(like: _Kept) -> tuple[torch.dtype, ...]:
    return tuple(leaf.dtype for leaf in _firsts(pytree.tree_leaves(like)))


def _count(leaves: list[Tensor], dtype: torch.dtype) -> int:
    return sum(leaf.numel() for leaf in leaves if leaf.dtype == dtype)


def _keep(state: State, fate: Fate) -> _Kept:
    return _Kept(state.parameters, state.slots, state.alive, fate)


def _restore(trainer: Trainer, kept: _Kept) -> tuple[State, Fate]:
    parameters = kept.parameters
    distributions = trainer.parameterization.gaussians(parameters.means, parameters.raw)
    return State(parameters, distributions, kept.slots, kept.alive), kept.fate


def _one_replica(tree: Any) -> Any:
    return pytree.tree_map(lambda leaf: leaf[:1], tree)


def _rows(leaf: Tensor) -> Tensor:
    """Return the entries of ``[B, ...]`` as rows ``[count, B]``."""
    return leaf.movedim(0, -1).reshape(-1, len(leaf))
