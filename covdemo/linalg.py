"""Batched small-matrix algebra that reports failure instead of raising.

Every function takes any leading dimensions. Up to ``UNROLLED`` rows the algebra is written out entry by entry, so that a
batch costs a handful of element-wise operations; above it ``torch.linalg`` does the work.

Note [Replicas innermost]: tensors keep their logical shape ``[B, K, D, D]`` but lie in memory with the *first* dimension
innermost, as ``lay_out`` arranges it. The unrolled algebra takes a tensor apart along its slowest dimensions (``entries``),
works element-wise on contiguous memory, and puts the parts together (``assemble``): 10^5 replicas cost little more than 1.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

UNROLLED = 4  # largest D for which the algebra is written out

Entries = Mapping[tuple[int, int], Tensor]


def lay_out(tensor: Tensor) -> Tensor:
    """Return the same values with the first dimension innermost in memory (see Note [Replicas innermost])."""
    return reverse(reverse(tensor).contiguous())


def reverse(tensor: Tensor) -> Tensor:
    """Return the tensor with its dimensions in reverse, that is in memory order; its own inverse."""
    return tensor.permute(tuple(range(tensor.ndim - 1, -1, -1)))


def expand_like(tensor: Tensor, like: Tensor) -> Tensor:
    """Append dimensions of size 1 to ``tensor`` until it has as many as ``like``."""
    return tensor.view(*tensor.shape, *(1,) * (like.ndim - tensor.ndim))


def entries(tensor: Tensor) -> tuple[Tensor, ...]:
    """Take ``[..., n]`` apart into n tensors whose dimensions are *reversed*, that is in memory order."""
    return reverse(tensor).unbind(0)


def assemble(parts: Sequence[Tensor]) -> Tensor:
    """Put ``[..., n]`` together; undo ``entries``."""
    return reverse(torch.stack(list(parts)))


def matrix_entries(matrix: Tensor) -> dict[tuple[int, int], Tensor]:
    """Take ``[..., I, J]`` apart; the value at (i, j) is that entry with its dimensions *reversed*."""
    rows, columns = matrix.shape[-2:]
    flat = reverse(matrix).flatten(0, 1).unbind(0)
    return {(i, j): flat[j * rows + i] for i in range(rows) for j in range(columns)}


def assemble_matrix(parts: Entries, rows: int, columns: int) -> Tensor:
    """Put ``[..., rows, columns]`` together; undo ``matrix_entries``. Entries that are absent are zero."""
    if len(parts) < rows * columns:
        zero = torch.zeros_like(next(iter(parts.values())))
        parts = {(i, j): parts.get((i, j), zero) for i in range(rows) for j in range(columns)}
    flat = torch.stack([parts[i, j] for j in range(columns) for i in range(rows)])
    return reverse(flat.unflatten(0, (columns, rows)))


def total(tensor: Tensor) -> Tensor:
    """Sum ``[..., n]`` over its last dimension; entry by entry where n is small."""
    return tensor.sum(-1) if tensor.shape[-1] > UNROLLED else reverse(_fold(torch.add, entries(tensor)))


def every(mask: Tensor) -> Tensor:
    """Return whether all of a boolean ``[..., n]`` are true, ``[...]``; entry by entry where n is small."""
    return mask.all(-1) if mask.shape[-1] > UNROLLED else reverse(_fold(torch.logical_and, entries(mask)))


def pick(tensor: Tensor, target: Tensor) -> Tensor:
    """Return the entry of ``[..., n]`` at which the boolean ``target`` is true, ``[...]``; exactly one of each row is."""
    parts = zip(entries(target.expand_as(tensor)), entries(tensor), strict=True)
    _, result = next(parts)
    for chosen, part in parts:
        result = torch.where(chosen, part, result)
    return reverse(result)


def first_largest(tensor: Tensor) -> Tensor:
    """Return where the largest of ``[..., n]`` is, the first of equal ones, ``[...]``; anywhere if one is NaN."""
    if tensor.shape[-1] > UNROLLED:
        return tensor.argmax(-1)
    best, *rest = entries(tensor)
    place = torch.zeros_like(best, dtype=torch.int64)
    for number, part in enumerate(rest, start=1):
        place, best = torch.where(part > best, number, place), torch.maximum(part, best)
    return reverse(place)


def no_nan(tensor: Tensor) -> Tensor:
    """Return whether none of ``[..., n]`` is NaN, ``[...]``; entry by entry where n is small."""
    largest = tensor.amax(-1) if tensor.shape[-1] > UNROLLED else reverse(_fold(torch.maximum, entries(tensor)))
    return largest == largest


def _fold(operation: Callable[[Tensor, Tensor], Tensor], parts: Sequence[Tensor]) -> Tensor:
    result = parts[0]
    for part in parts[1:]:
        result = operation(result, part)
    return result


def symmetrize(matrix: Tensor) -> Tensor:
    """Return (A + A^T) / 2 for ``[..., D, D]``."""
    return (matrix + matrix.mT) / 2


def diagonal(matrix: Tensor) -> Tensor:
    """Return the diagonal ``[..., D]`` of ``[..., D, D]``."""
    return matrix.diagonal(dim1=-2, dim2=-1)


def map_diagonal(matrix: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply ``function`` to the diagonal of ``[..., D, D]``, keep what lies below it, put zeros above."""
    size = matrix.shape[-1]
    if size > UNROLLED:
        return matrix.tril(-1) + function(diagonal(matrix)).diag_embed()
    parts = matrix_entries(matrix)
    lower = {(i, j): parts[i, j] for i in range(size) for j in range(i)}
    return assemble_matrix(lower | {(i, i): function(parts[i, i]) for i in range(size)}, size, size)


def cholesky(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Factor a symmetric matrix as L L^T without raising.

    Args:
        matrix: ``[..., D, D]``; only its symmetric part (A + A^T) / 2 is read, which gives the gradient the symmetric
            convention of ``torch.linalg.cholesky``.

    Returns:
        ``L`` ``[..., D, D]``, lower triangular, and ``ok`` ``[...]``, true where the matrix is positive definite. Where
        ``ok`` is false the numbers in ``L`` mean nothing, finite or not: the mask is the only witness.
    """
    size = matrix.shape[-1]
    if size > UNROLLED:
        factor, info = torch.linalg.cholesky_ex(symmetrize(matrix))
        return factor, info == 0
    lower, ok = _cholesky_unrolled(matrix_entries(matrix), size)
    return assemble_matrix(lower, size, size), reverse(ok)


def _cholesky_unrolled(matrix: Entries, size: int) -> tuple[dict[tuple[int, int], Tensor], Tensor]:
    lower: dict[tuple[int, int], Tensor] = {}
    positive: list[Tensor] = []
    for j in range(size):
        pivot = _minus_products(matrix[j, j], [(lower[j, k], lower[j, k]) for k in range(j)])
        positive.append(pivot > 0)
        lower[j, j] = pivot.sqrt()
        for i in range(j + 1, size):
            mean = (matrix[i, j] + matrix[j, i]) / 2
            lower[i, j] = _minus_products(mean, [(lower[i, k], lower[j, k]) for k in range(j)]) / lower[j, j]
    return lower, _fold(torch.logical_and, positive)


def _with_leading(tensor: Tensor, ndim: int) -> Tensor:
    """Prepend dimensions of size 1: reversed entries broadcast only between tensors of equally many dimensions."""
    return tensor[(None,) * (ndim - tensor.ndim)]


def _minus_products(start: Tensor, pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    for left, right in pairs:
        start = start - left * right
    return start


def solve_lower(lower: Tensor, vector: Tensor) -> Tensor:
    """Solve L z = v by forward substitution.

    Args:
        lower: ``[..., D, D]``, lower triangular; entries above the diagonal are not read.
        vector: ``[..., D]``, with the same leading dimensions up to broadcasting.

    Returns:
        ``z`` ``[..., D]``; not finite where a diagonal entry is 0.
    """
    size = lower.shape[-1]
    if size > UNROLLED:
        return torch.linalg.solve_triangular(lower, vector.unsqueeze(-1), upper=False).squeeze(-1)
    factor, right = matrix_entries(_with_leading(lower, vector.ndim + 1)), entries(vector)
    solved: list[Tensor] = []
    for i in range(size):
        rest = _minus_products(right[i], [(factor[i, k], solved[k]) for k in range(i)])
        solved.append(rest / factor[i, i])
    return assemble(solved)


def solve_lower_transposed(lower: Tensor, vector: Tensor) -> Tensor:
    """Solve L^T v = z by back substitution; arguments and result as in ``solve_lower``."""
    size = lower.shape[-1]
    if size > UNROLLED:
        return torch.linalg.solve_triangular(lower.mT, vector.unsqueeze(-1), upper=True).squeeze(-1)
    factor, right = matrix_entries(_with_leading(lower, vector.ndim + 1)), entries(vector)
    solved: dict[int, Tensor] = {}
    for i in reversed(range(size)):
        rest = _minus_products(right[i], [(factor[k, i], solved[k]) for k in range(i + 1, size)])
        solved[i] = rest / factor[i, i]
    return assemble([solved[i] for i in range(size)])


def outer(left: Tensor, right: Tensor) -> Tensor:
    """Return u v^T, ``[..., I, J]``, of ``[..., I]`` and ``[..., J]``."""
    return left.unsqueeze(-1) * right.unsqueeze(-2)


def inverse_lower(lower: Tensor) -> Tensor:
    """Invert a lower-triangular matrix ``[..., D, D]`` column by column; not finite where a diagonal entry is 0."""
    size = lower.shape[-1]
    if size > UNROLLED:
        identity = torch.eye(size, dtype=lower.dtype, device=lower.device)
        return torch.linalg.solve_triangular(lower, identity, upper=False)
    return assemble_matrix(_inverse_unrolled(matrix_entries(lower), size), size, size)


def _inverse_unrolled(factor: Entries, size: int) -> dict[tuple[int, int], Tensor]:
    inverse: dict[tuple[int, int], Tensor] = {}
    for j in range(size):
        inverse[j, j] = factor[j, j].reciprocal()
        for i in range(j + 1, size):
            start = -factor[i, j] * inverse[j, j]
            rest = _minus_products(start, [(factor[i, k], inverse[k, j]) for k in range(j + 1, i)])
            inverse[i, j] = rest / factor[i, i]
    return inverse


def product(left: Tensor, right: Tensor) -> Tensor:
    """Multiply two matrices ``[..., I, J]`` and ``[..., J, M]`` with equal leading dimensions."""
    rows, inner, columns = *left.shape[-2:], right.shape[-1]
    if max(rows, inner, columns) > UNROLLED:
        return left @ right
    a, b = matrix_entries(left), matrix_entries(right)
    pairs = {(i, m): [(a[i, k], b[k, m]) for k in range(inner)] for i in range(rows) for m in range(columns)}
    return assemble_matrix({index: _sum_products(pair) for index, pair in pairs.items()}, rows, columns)


def _sum_products(pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    return _fold(torch.add, [left * right for left, right in pairs])


def gram(factor: Tensor) -> Tensor:
    """Return A A^T for ``[..., D, R]``."""
    rows, inner = factor.shape[-2:]
    if max(rows, inner) > UNROLLED:
        return factor @ factor.mT
    return _assemble_symmetric({(j, i): part for (i, j), part in matrix_entries(factor).items()}, rows, inner)


def inverse_gram(lower: Tensor) -> Tensor:
    """Return (L L^T)^-1 = L^-T L^-1 for a lower-triangular ``[..., D, D]``; not finite where a diagonal entry is 0."""
    size = lower.shape[-1]
    if size > UNROLLED:
        inverse = inverse_lower(lower)
        return inverse.mT @ inverse
    return _assemble_symmetric(_inverse_unrolled(matrix_entries(lower), size), size, size)


def _assemble_symmetric(factor: Entries, size: int, inner: int) -> Tensor:
    """Return A^T A of the entries (k, i) of A, ``[..., size, size]``; entries that are absent are zero."""
    parts: dict[tuple[int, int], Tensor] = {}
    for i in range(size):
        for j in range(i + 1):
            both = [k for k in range(inner) if (k, i) in factor and (k, j) in factor]
            parts[i, j] = parts[j, i] = _sum_products([(factor[k, i], factor[k, j]) for k in both])
    return assemble_matrix(parts, size, size)


def scale_tril_from_precision(precision: Tensor) -> tuple[Tensor, Tensor]:
    """Return L with L L^T = P^-1, and where P is positive definite.

    The Cholesky factor of the row- and column-reversed P, reversed back, is an upper factor U with U U^T = P; then
    L = U^-T. One factorization and one triangular inverse, no inverse of P (the route torch.distributions takes).

    Args:
        precision: ``[..., D, D]``.

    Returns:
        ``L`` ``[..., D, D]`` and ``ok`` ``[...]``.
    """
    factor, ok = cholesky(precision.flip(-2, -1))
    return inverse_lower(factor.flip(-2, -1).mT), ok


def apply(matrix: Tensor, vector: Tensor) -> Tensor:
    """Return A v, ``[..., I]``, of ``[..., I, J]`` and ``[..., J]``."""
    return total(matrix * vector.unsqueeze(-2))


def embed_diagonal(vector: Tensor) -> Tensor:
    """Return the diagonal matrix ``[..., D, D]`` of ``[..., D]``."""
    size = vector.shape[-1]
    if size > UNROLLED:
        return vector.diag_embed()
    return assemble_matrix({(i, i): entry for i, entry in enumerate(entries(vector))}, size, size)
