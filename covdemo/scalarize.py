"""Rewrite a function of small tensors, one per replica, as a function of plain vectors over the replicas.

A compiler fuses element-wise work on vectors of equal length into one loop, but not work on ``[B, 2]``, ``[B, 2, 2]`` and
``[B]`` by turns: each change of shape goes through memory. Here the function is traced once for a single replica; then every
entry of every tensor becomes a vector of its own. What moves entries around (views, stacks, transposes) is done at once, on
tensors of *numbers of vectors*, and leaves no trace; what remains is element-wise, and equal terms are computed once.

Only what treats replicas alike and apart can be written so: element-wise functions, views, and sums, maxima and the like over
dimensions other than the first. Anything else is answered by ``CannotScalarize``.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._decomp import core_aten_decompositions
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

_aten = torch.ops.aten

# reductions over dimensions -> the operation that joins two entries
_JOINS: dict[Any, Any] = {
    _aten.sum.dim_IntList: _aten.add.Tensor,
    _aten.amax.default: _aten.maximum.default,
    _aten.amin.default: _aten.minimum.default,
    _aten.any.dim: _aten.logical_or.default,
    _aten.any.dims: _aten.logical_or.default,
    _aten.all.dim: _aten.logical_and.default,
}
_WHERE_TO = ("device", "layout", "pin_memory", "memory_format")  # says where a result lies, not what it is


class CannotScalarize(ValueError):
    """The function does something that has no meaning entry by entry."""


@dataclass(frozen=True)
class _Constant:
    """An entry that is the same number for every replica."""

    value: float | int | bool
    dtype: torch.dtype


def trace(function: Callable[..., Any], *examples: Any) -> GraphModule:
    """Record what ``function`` does for one replica, gradients included.

    Args:
        function: of tensors with a leading dimension of replicas, in any nesting of tuples and lists.
        examples: its arguments, one replica each; only their shapes and types are looked at.

    Raises:
        CannotScalarize: if it decides by looking at the numbers.
    """
    empty = pytree.tree_map(lambda tensor: torch.empty_like(tensor, device="meta"), examples)
    try:
        with torch.no_grad():
            traced = make_fx(function, dict(core_aten_decompositions()))(*empty)
    except RuntimeError as error:
        raise CannotScalarize(f"expected a function that does not look at the numbers: {error}") from error
    traced.graph.eliminate_dead_code()
    return traced


class Tape:
    """A function of vectors in the making.

    A tensor of the traced function, one replica wide, is represented by an integer tensor of the same shape: the numbers of the
    vectors that its entries have become.
    """

    def __init__(self) -> None:
        self._graph = Graph()
        self._entries: list[Node | _Constant] = []
        self._known: dict[Any, int] = {}
        self._constants_made: dict[int, Node] = {}

    def argument(self, name: str) -> Node:
        """Append an argument and return it."""
        return self._graph.placeholder(name)

    def inputs(self, count: int, name: str, lane: Node | None = None) -> Tensor:
        """Return the numbers ``[count]`` of vectors that are the rows of a new argument ``[count, B]``.

        Args:
            count: rows.
            name: of the argument.
            lane: if given, an argument ``[B]``: the column of a narrower table ``[count, S]`` that each replica reads.
        """
        table = self.argument(name)
        if lane is not None:
            table = self._graph.call_function(_aten.index.Tensor, (table, [None, lane]))
        rows = (self._graph.call_function(_aten.select.int, (table, 0, row)) for row in range(count))
        return torch.tensor([self._enter(row) for row in rows])

    def run(self, traced: GraphModule, *arguments: Any) -> list[Tensor]:
        """Append what ``traced`` does to these arguments, and return the numbers of its results, one tensor after the other."""
        supplied = iter(pytree.tree_leaves(arguments))
        seen: dict[Node, Any] = {}
        for node in traced.graph.nodes:
            if node.op == "output":
                return [seen[result] for result in pytree.tree_leaves(node.args[0])]
            seen[node] = next(supplied) if node.op == "placeholder" else self._call(node, seen)
        raise AssertionError("a graph ends with its output")

    def module(self, results: Sequence[Tensor], like: Tensor) -> GraphModule:
        """Return the function from the arguments, in the order of their making, to a table ``[count, B]`` for each result.

        Args:
            results: numbers of vectors, ``[count]`` each.
            like: numbers of inputs; a vector that is the same for every replica becomes as long as the first of them.
        """
        length = self._node(int(like[0]))
        tables = [[self._vector(number, length) for number in result.tolist()] for result in results]
        self._graph.output(tuple(self._graph.call_function(_aten.stack.default, (table,)) for table in tables))
        self._graph.eliminate_dead_code()
        return GraphModule(torch.nn.Module(), self._graph)

    def _vector(self, number: int, like: Node) -> Node:
        entry = self._entries[number]
        if isinstance(entry, Node):
            return entry
        return self._graph.call_function(_aten.full_like.default, (like, entry.value), {"dtype": entry.dtype})

    def _enter(self, entry: Node | _Constant) -> int:
        self._entries.append(entry)
        return len(self._entries) - 1

    def _node(self, number: int) -> Node:
        entry = self._entries[number]
        if isinstance(entry, Node):
            return entry
        if number not in self._constants_made:
            made = self._graph.call_function(_aten.full.default, ([], entry.value), {"dtype": entry.dtype})
            self._constants_made[number] = made
        return self._constants_made[number]

    def _constant(self, value: Any, dtype: torch.dtype) -> int:
        key = ("constant", repr(value), dtype)
        if key not in self._known:
            self._known[key] = self._enter(_Constant(value, dtype))
        return self._known[key]

    def _call(self, node: Node, seen: dict[Node, Any]) -> Any:
        """Return the numbers of the result of one step of the traced function."""
        target: Any = node.target
        arguments = pytree.tree_map(lambda value: seen[value] if isinstance(value, Node) else value, tuple(node.args))
        keywords = {name: value for name, value in node.kwargs.items() if name not in _WHERE_TO}
        if target in (_aten.clone.default, _aten.alias.default, _aten.detach.default):
            return arguments[0]
        if target in _JOINS:
            return self._join(_JOINS[target], *arguments)
        if torch.Tag.pointwise in target.tags or target is _aten._to_copy.default:
            return self._elementwise(target, arguments, keywords)
        if not node.all_input_nodes or target is _aten.full_like.default:
            return self._constants(node)
        return _moved(target, arguments, keywords)

    def _elementwise(self, target: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Tensor:
        shape = torch.broadcast_shapes(*(value.shape for value in arguments if isinstance(value, Tensor)))
        columns = [
            value.expand(shape).flatten().tolist() if isinstance(value, Tensor) else [_Scalar(value)] * math.prod(shape)
            for value in arguments
        ]
        numbers = [self._apply(target, row, keywords) for row in zip(*columns, strict=True)]
        return torch.tensor(numbers, dtype=torch.long).reshape(shape)

    def _apply(self, target: Any, arguments: Sequence[Any], keywords: dict[str, Any]) -> int:
        """Apply an operation to entries, by number, and scalars; what was computed before is not computed again."""
        key = (target, tuple(arguments), tuple(sorted(keywords.items(), key=repr)))
        if key not in self._known:
            constants = [_constant_of(value, self._entries) for value in arguments]
            if all(value is not None for value in constants):
                result = target(*(value for (value,) in constants), **keywords)  # type: ignore[misc]
                self._known[key] = self._constant(result.item(), result.dtype)
            else:
                nodes = (value.value if isinstance(value, _Scalar) else self._node(value) for value in arguments)
                self._known[key] = self._enter(self._graph.call_function(target, tuple(nodes), keywords))
        return self._known[key]

    def _join(self, target: Any, source: Tensor, dims: Any = None, keepdim: bool = False) -> Tensor:
        chosen = list(range(source.ndim)) if not dims and dims != 0 else [dims] if isinstance(dims, int) else list(dims)
        chosen = sorted(dim % source.ndim for dim in chosen)
        if 0 in chosen:
            raise CannotScalarize(f"expected replicas to stay apart, got {target} over all of them")
        rest = [dim for dim in range(source.ndim) if dim not in chosen]
        moved = source.permute(*rest, *chosen).flatten(len(rest))
        numbers = [self._fold(target, row) for row in moved.flatten(0, -2).tolist()]
        joined = torch.tensor(numbers, dtype=torch.long).reshape(moved.shape[:-1])
        for dim in chosen if keepdim else ():
            joined = joined.unsqueeze(dim)
        return joined

    def _fold(self, target: Any, numbers: Sequence[int]) -> int:
        result = numbers[0]
        for number in numbers[1:]:
            result = self._apply(target, (result, number), {})
        return result

    def _constants(self, node: Node) -> Tensor:
        """Return the entries of a tensor that does not depend on the arguments."""
        keywords = {name: value for name, value in node.kwargs.items() if name not in _WHERE_TO}
        if node.target is _aten.full_like.default:
            like: Tensor = node.meta["val"]
            value = torch.full(like.shape, node.args[1], dtype=like.dtype)  # type: ignore[arg-type]
        else:
            value = node.target(*node.args, **keywords)  # type: ignore[operator]
        numbers = [self._constant(entry, value.dtype) for entry in value.flatten().tolist()]
        return torch.tensor(numbers, dtype=torch.long).reshape(value.shape)


@dataclass(frozen=True)
class _Scalar:
    """An argument that is not a tensor."""

    value: Any


def _constant_of(argument: Any, entries: Sequence[Node | _Constant]) -> tuple[Any] | None:
    """Return the value of an argument that is known now, in a tuple; None if it is an input or computed from one."""
    if isinstance(argument, _Scalar):
        return (argument.value,)
    entry = entries[argument]
    return (torch.tensor(entry.value, dtype=entry.dtype),) if isinstance(entry, _Constant) else None


def _moved(target: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Tensor:
    """Move entries around: the operation itself does it, on their numbers."""
    if target is _aten.view.default:
        return arguments[0].reshape(arguments[1])
    if target not in _MOVES:
        raise CannotScalarize(f"expected a view or an element-wise function, got {target}")
    moved: Tensor = target(*arguments, **keywords)
    return moved


_MOVES = {
    _aten.cat.default,
    _aten.diagonal.default,
    _aten.diagonal_scatter.default,
    _aten.expand.default,
    _aten.flip.default,
    _aten.permute.default,
    _aten.select.int,
    _aten.select_scatter.default,
    _aten.slice.Tensor,
    _aten.slice_scatter.default,
    _aten.squeeze.dim,
    _aten.squeeze.dims,
    _aten.unsqueeze.default,
    _aten.view.default,
}
