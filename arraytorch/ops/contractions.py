"""Sums of products over chosen dimensions: einsum, tensordot and their kin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

from ..autograd.tape import TensorBase
from ._promote import alike, dim_of
from ._results import check_tensor, finished, same_dtype
from .complex_numbers import conj
from .diagonals import diagonal
from .products import dot, matmul
from .reduction import _sum
from .shape import expand, flatten, movedim, permute, reshape

Tensor = Any
_ELLIPSIS = 1000  # labels from here on stand for the dimensions of "..."
_MANY_ROWS = 8  # rows of both factors from which to repeat what they are made of pays,
_SHORT = 256  # if it is no longer than that: a third of the time at 32


def einsum(*args: Any) -> Tensor:
    """Returns the sum of products that an equation in Einstein's notation describes.

    ``einsum("ij,jk->ik", a, b)`` or, with numbers for letters, ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.
    A label that the output lacks is summed over; repeated in one operand, it means the diagonal;
    ``...`` stands for dimensions that broadcast. The operands are contracted from left to right.

    >>> torch.einsum("ij,jk->ik", torch.ones(2, 3), torch.ones(3, 2))
    tensor([[3., 3.],
            [3., 3.]])
    """
    if args and isinstance(args[0], str):
        operands = list(args[1:])
        if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
            operands = list(operands[0])
        _check(operands)
        if len(operands) == 2:
            a, b = operands
            real = a._data.dtype.char in "fd"
            if (plan := _plan_of(args[0], a._data.shape, b._data.shape, real)) is not None:
                return plan.product(a, b)
        labels, output = _parsed(args[0], tuple([t._data.ndim for t in operands]))
    else:
        operands, given, wanted = _sublists(list(args))
        _check(operands)
        labels, output = _understood(given, wanted, [t._data.ndim for t in operands])
    return _contracted(operands, labels, output)


def _check(operands: list[Any]) -> None:
    if not operands:
        raise RuntimeError("einsum(): must specify at least one operand")
    if not alike(operands):
        check_tensor("einsum", *operands, names=("operands",))
    same_dtype("einsum", *operands)


@lru_cache(1024)
def _parsed(equation: str, ndims: tuple[int, ...]) -> tuple[list[list[int]], list[int]]:
    """The labels of each operand and of the output."""
    left, arrow, right = equation.partition("->")
    parts = left.split(",")
    if len(parts) != len(ndims):
        raise RuntimeError(
            f"einsum(): {'more' if len(ndims) > len(parts) else 'fewer'} operands were provided "
            f"than specified in the equation: {len(ndims)} for {equation!r}"
        )
    return _understood([_labels(p) for p in parts], _labels(right) if arrow else None, ndims)


def _understood(
    labels: list[list[Any]], output: list[Any] | None, ndims: Sequence[int]
) -> tuple[list[list[int]], list[int]]:
    """Labels with one for each dimension; those of the output are implied if not given."""
    spelled, spread = _spelled_out(labels, ndims)
    return spelled, _output(spelled, output, spread)


def _labels(text: str) -> list[Any]:
    found: list[Any] = []
    text = text.replace(" ", "")
    i = 0
    while i < len(text):
        if text.startswith("...", i):
            if Ellipsis in found:
                raise RuntimeError("einsum(): found '.' for which an ellipsis was already found")
            found.append(Ellipsis)
            i += 3
            continue
        if not (text[i].isascii() and text[i].isalpha()):
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {i} in the equation string, subscripts "
                f"must be in [a-zA-Z], got {text[i]!r}"
            )
        found.append(ord(text[i]))
        i += 1
    return found


def _sublists(args: list[Any]) -> tuple[list[Any], list[list[Any]], list[Any] | None]:
    output = list(args.pop()) if len(args) % 2 else None
    operands, labels = args[::2], [list(a) for a in args[1::2]]
    for sub in [*labels, *([output] if output is not None else [])]:
        for i, label in enumerate(sub):
            if label is not Ellipsis and not 0 <= label < 52:
                raise RuntimeError(
                    f"einsum(): expected subscripts to be within range [0, 52), but got {label}"
                )
            # The order of letters: A to Z before a to z.
            sub[i] = (
                label
                if label is Ellipsis
                else ord("A") + label
                if label < 26
                else ord("a") + label - 26
            )
    return operands, labels, output


def _spelled_out(labels: list[list[Any]], ndims: Sequence[int]) -> tuple[list[list[int]], int]:
    """Labels with each "..." replaced by one label per dimension, counted from the last."""
    spread, result = 0, []
    for position, (sub, ndim) in enumerate(zip(labels, ndims, strict=True)):
        extra = ndim - len(sub) + (Ellipsis in sub)
        if extra < 0 or (extra and Ellipsis not in sub):
            raise RuntimeError(
                "einsum(): the number of subscripts in the equation "
                f"({len(sub) - (Ellipsis in sub)}) does not match the number of dimensions "
                f"({ndim}) for operand {position}"
                + ("" if Ellipsis in sub else " and no ellipsis was given")
            )
        spread = max(spread, extra)
        row: list[int] = []
        for label in sub:
            row += (
                [_ELLIPSIS + extra - 1 - k for k in range(extra)] if label is Ellipsis else [label]
            )
        result.append(row)
    return result, spread


def _output(labels: list[list[int]], output: list[Any] | None, spread: int) -> list[int]:
    dots = [_ELLIPSIS + spread - 1 - k for k in range(spread)]
    flat = [n for sub in labels for n in sub]
    if output is None:
        return dots + sorted(n for n in set(flat) if n < _ELLIPSIS and flat.count(n) == 1)
    row: list[int] = []
    for label in output:
        row += dots if label is Ellipsis else [label]
    for label in row:
        if row.count(label) > 1:
            raise RuntimeError(
                f"einsum(): output subscript {chr(label)} appears more than once in the output"
            )
        if label not in flat:
            raise RuntimeError(
                f"einsum(): output subscript {chr(label)} does not appear in the equation for any "
                "input operand"
            )
    return row


def _contracted(operands: list[Any], labels: list[list[int]], output: list[int]) -> Tensor:
    sizes: dict[int, int] = {}
    terms = []
    for t, sub in zip(operands, labels, strict=True):
        t, sub = _without_repeats(t, sub)
        for label, n in zip(sub, t._data.shape, strict=True):
            if n != 1 and sizes.get(label, 1) not in (1, n):
                raise RuntimeError(
                    f"einsum(): subscript {chr(label) if label < _ELLIPSIS else '...'} has size {n} "
                    f"for an operand which does not broadcast with previously seen size {sizes[label]}"
                )
            sizes[label] = n if n != 1 else sizes.get(label, 1)
        terms.append((t, sub))
    t, sub = terms[0]
    for k, (other, other_sub) in enumerate(terms[1:], 2):
        keep = {*output, *(n for _, later in terms[k:] for n in later)}
        t, sub = _pair(t, sub, other, other_sub, keep)
    t, sub = _summed(t, sub, set(output))
    order = [sub.index(n) for n in output]
    return permute(t, order) if t is operands[0] else _permuted(t, order)


def _without_repeats(t: Tensor, sub: list[int]) -> tuple[Tensor, list[int]]:
    sub = list(sub)
    for label in dict.fromkeys(sub):
        while sub.count(label) > 1:
            i = sub.index(label)
            j = sub.index(label, i + 1)
            shape = t._data.shape
            if shape[i] != shape[j]:
                raise RuntimeError(
                    f"einsum(): subscript {chr(label)} is repeated for an operand but the sizes "
                    f"don't match, {shape[j]} != {shape[i]}"
                )
            t = movedim(diagonal(t, 0, i, j), -1, i)
            del sub[j]
    return t, sub


def _summed(t: Tensor, sub: list[int], keep: set[int]) -> tuple[Tensor, list[int]]:
    gone = tuple([i for i, n in enumerate(sub) if n not in keep])
    if not gone:
        return t, sub
    native = t._data.dtype
    summed = _sum(t, gone, False)
    if summed._data.dtype is not native:
        summed = summed.to(t.dtype)
    return summed, [n for n in sub if n in keep]


def _pair(
    a: Tensor, sub_a: list[int], b: Tensor, sub_b: list[int], keep: set[int]
) -> tuple[Tensor, list[int]]:
    """Contracts two terms as one batched matrix product; returns it and its labels."""
    a, sub_a = _narrowed(a, sub_a, b, sub_b)
    b, sub_b = _narrowed(b, sub_b, a, sub_a)
    a, sub_a = _summed(a, sub_a, keep | set(sub_b))
    b, sub_b = _summed(b, sub_b, keep | set(sub_a))
    key = tuple(sub_a), a._data.shape, tuple(sub_b), b._data.shape, frozenset(keep)
    plan = _planned(*key, a._data.dtype.char in "fd")
    return plan.product(a, b), plan.labels


class _Plan(NamedTuple):
    """How two terms become the factors of a product: in which order of dimensions, in which shape."""

    left: tuple[list[int], tuple[int, ...]]
    right: tuple[list[int], tuple[int, ...]]
    sums: bool  # as a matrix product, which sums
    shape: tuple[int, ...]
    labels: list[int]  # those of the product
    order: list[int] | None = None  # that these are wanted in

    def product(self, a: Tensor, b: Tensor) -> Tensor:
        """The product of two terms."""
        left = _shaped(_permuted(a, self.left[0]), self.left[1])
        right = _shaped(_permuted(b, self.right[0]), self.right[1])
        z = _shaped(matmul(left, right), self.shape) if self.sums else left * right
        return z if self.order is None else _permuted(z, self.order)


@lru_cache(1024)
def _plan_of(
    equation: str, first: tuple[int, ...], second: tuple[int, ...], real: bool
) -> _Plan | None:
    """The plan for two tensors of which nothing broadcasts, and nothing is summed by itself.

    With it a small contraction takes a fourth of the time.
    """
    (sub_a, sub_b), output = _parsed(equation, (len(first), len(second)))
    a, b = dict(zip(sub_a, first, strict=True)), dict(zip(sub_b, second, strict=True))
    if len(a) < len(first) or len(b) < len(second) or (a.keys() ^ b.keys()) - set(output):
        return None
    if any(a[n] != b[n] for n in a.keys() & b.keys()):
        return None
    plan = _planned(tuple(sub_a), first, tuple(sub_b), second, frozenset(output), real)
    return plan._replace(order=[plan.labels.index(n) for n in output])


@lru_cache(1024)
def _planned(
    sub_a: tuple[int, ...],
    shape_a: tuple[int, ...],
    sub_b: tuple[int, ...],
    shape_b: tuple[int, ...],
    keep: frozenset[int],
    real: bool,
) -> _Plan:
    """The plan for two terms with these labels, of whose common ones those are summed that nobody keeps."""
    both = [n for n in sub_a if n in sub_b]
    batch, inner = [n for n in both if n in keep], [n for n in both if n not in keep]
    rows, columns = [n for n in sub_a if n not in both], [n for n in sub_b if n not in both]
    size = dict(zip(sub_a, shape_a, strict=True)) | dict(zip(sub_b, shape_b, strict=True))
    shared, high, deep, wide = ([size[n] for n in ns] for ns in (batch, rows, inner, columns))
    left = [sub_a.index(n) for n in (*batch, *rows, *inner)]
    right = [sub_b.index(n) for n in (*batch, *inner, *columns)]
    shape, labels = (*shared, *high, *wide), [*batch, *rows, *columns]
    if not inner and (not (rows and columns) or not real):
        # Nothing is summed: a product with broadcasting spares the matrix product.
        first, second = (*shared, *high, *[1] * len(columns)), (*shared, *[1] * len(rows), *wide)
        return _Plan((left, first), (right, second), False, shape, labels)
    # A factor of one row or column is a vector, where there is no batch: it needs no other shape.
    first = (*shared, *([prod(high)] if rows or batch else []), prod(deep))
    second = (*shared, prod(deep), *([prod(wide)] if columns or batch else []))
    return _Plan((left, first), (right, second), True, shape, labels)


def _permuted(t: Tensor, order: list[int]) -> Tensor:
    """`permute`, but the tensor itself where nothing moves: a view takes 1.5 us."""
    return t if order == list(range(len(order))) else permute(t, order)


def _shaped(t: Tensor, shape: tuple[int, ...]) -> Tensor:
    return t if t._data.shape == shape else reshape(t, shape)


def _narrowed(a: Tensor, sub_a: list[int], b: Tensor, sub_b: list[int]) -> tuple[Tensor, list[int]]:
    """Drops dimensions of size 1 where the other term has more: they broadcast."""
    other = dict(zip(sub_b, b._data.shape, strict=True))
    keep = [i for i, n in enumerate(sub_a) if a._data.shape[i] != 1 or other.get(n, 1) == 1]
    if len(keep) == len(sub_a):
        return a, sub_a
    return reshape(a, [a._data.shape[i] for i in keep]), [sub_a[i] for i in keep]


def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: Tensor | None = None) -> Tensor:
    """Returns the sum of products over ``dims``: the last of ``a`` with the first of ``b``, if that
    is a number, else those in two lists.

    >>> torch.tensordot(torch.ones(2, 3), torch.ones(3, 2), 1)
    tensor([[3., 3.],
            [3., 3.]])
    """
    check_tensor("tensordot", a, b, names=("a", "b"))
    same_dtype("tensordot", a, b)
    if isinstance(dims, TensorBase):
        dims = dims.tolist() if dims._data.size > 1 else int(dims)  # type: ignore
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a._data.ndim, b._data.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = (range(a._data.ndim - dims, a._data.ndim), range(dims))
    da = [dim_of(d, a._data.ndim) for d in _listed(dims[0])]
    db = [dim_of(d, b._data.ndim) for d in _listed(dims[1])]
    if len(da) != len(db):
        raise RuntimeError(f"both dimension lists should have same length, got {da} and {db}")
    if da and [a._data.shape[d] for d in da] == [b._data.shape[d] for d in db]:
        return finished("tensordot", _product(a, da, b, db), out, (a, b))
    labels_a = list(range(a._data.ndim))
    labels_b = list(range(a._data.ndim, a._data.ndim + b._data.ndim))
    for i, j in zip(da, db, strict=True):
        m, n = a._data.shape[i], b._data.shape[j]
        if m != n and 1 not in (m, n):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {m} in dim {i} and second "
                f"has size {n} in dim {j}"
            )
        labels_b[j] = labels_a[i]
    output = [n for n in labels_a if n not in labels_b] + [n for n in labels_b if n not in labels_a]
    result = _contracted([a, b], [labels_a, labels_b], output)
    return finished("tensordot", result, out, (a, b))


def _product(a: Tensor, da: list[int], b: Tensor, db: list[int]) -> Tensor:
    """The contraction of dimensions of equal sizes, as a product of two matrices."""
    rows = [d for d in range(a._data.ndim) if d not in da]
    columns = [d for d in range(b._data.ndim) if d not in db]
    shape = *[a._data.shape[d] for d in rows], *[b._data.shape[d] for d in columns]
    inner = prod([a._data.shape[d] for d in da])
    left = _shaped(_permuted(a, rows + da), (prod(shape[: len(rows)]), inner))
    right = _shaped(_permuted(b, db + columns), (inner, prod(shape[len(rows) :])))
    return _shaped(matmul(left, right), shape)


def _listed(dims: Any) -> list[int]:
    if isinstance(dims, TensorBase):
        dims = dims.tolist()  # type: ignore[attr-defined]
    return [dims] if isinstance(dims, int) else list(dims)


def inner(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the sum of products over the last dimension of both; a product with a 0-d tensor.

    >>> torch.inner(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor(11)
    """
    check_tensor("inner", input, other)
    same_dtype("inner", input, other)
    if not input._data.ndim or not other._data.ndim:
        return finished("inner", input * other, out, (input, other))
    if input._data.shape[-1] != other._data.shape[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input._data.shape)} and {list(other._data.shape)}"
        )
    if input._data.ndim == other._data.ndim == 1:
        result = matmul(input, other)
    else:
        result = tensordot(input, other, ([-1], [-1]))
    return finished("inner", result, out, (input, other))


def kron(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the Kronecker product: ``other`` scaled by each element of ``input``.

    >>> torch.kron(torch.tensor([1, 2]), torch.tensor([1, 10]))
    tensor([ 1, 10,  2, 20])
    """
    check_tensor("kron", input, other)
    ndim = max(input._data.ndim, other._data.ndim)
    a = (1,) * (ndim - input._data.ndim) + tuple(input._data.shape)
    b = (1,) * (ndim - other._data.ndim) + tuple(other._data.shape)
    left = reshape(input, [k for n in a for k in (n, 1)])
    right = reshape(other, [k for n in b for k in (1, n)])
    if min(prod(a[:-1]), prod(b[:-1])) >= _MANY_ROWS and b[-1] <= _SHORT:
        left, right = (_whole_rows(t, a[-1], b[-1]) for t in (left, right))
    result = reshape(left * right, [m * n for m, n in zip(a, b, strict=True)])
    return finished("kron", result, out, (input, other))


def _whole_rows(t: Tensor, *last: int) -> Tensor:
    """The last two dimensions repeated to these sizes, and as one: a long loop for many short ones."""
    return flatten(expand(t, *t._data.shape[:-2], *last), -2)


def best_order(sizes: list[int]) -> Callable[[int, int], int]:
    """Returns where to split a chain of matrix products so that it costs least.

    By dynamic programming over subchains (Cormen et al., Introduction to Algorithms, 15.2).
    """
    n = len(sizes) - 1
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            j = i + length - 1
            best = [
                cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                for k in range(i, j)
            ]
            cost[i][j] = min(best)
            split[i][j] = i + best.index(cost[i][j])
    return lambda i, j: split[i][j]


def multi_dot(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Returns the product of a chain of matrices, in the order that costs least.

    The first and the last may be vectors.

    >>> torch.linalg.multi_dot([torch.ones(1, 5), torch.ones(5, 2), torch.ones(2)])
    tensor([10.])
    """
    chain = list(tensors)
    if len(chain) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(chain)}")
    check_tensor("multi_dot", *chain, names=("tensors",))
    same_dtype("multi_dot", *chain)
    given = list(chain)
    first, last = chain[0]._data.ndim == 1, chain[-1]._data.ndim == 1
    if first:
        chain[0] = reshape(chain[0], (1, -1))
    if last:
        chain[-1] = reshape(chain[-1], (-1, 1))
    for i, t in enumerate(chain):
        if t._data.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {t._data.ndim}D")
    for i, (a, b) in enumerate(zip(chain, chain[1:], strict=False)):
        if a._data.shape[1] != b._data.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(a._data.shape)} and "
                f"{list(b._data.shape)} cannot be multiplied"
            )
    split = best_order([chain[0]._data.shape[0], *[t._data.shape[1] for t in chain]])

    def product(i: int, j: int) -> Tensor:
        if i == j:
            return chain[i]
        k = split(i, j)
        return matmul(product(i, k), product(k + 1, j))

    result = product(0, len(chain) - 1)
    shape = result._data.shape
    if first or last:
        result = reshape(
            result, shape[1:] if first and not last else shape[:1] if not first else ()
        )
    return finished("multi_dot", result, out, given)


def chain_matmul(*matrices: Tensor, out: Tensor | None = None) -> Tensor:
    """Returns the product of a chain of matrices, in the order that costs least.

    >>> torch.chain_matmul(torch.ones(1, 2), torch.ones(2, 1))
    tensor([[2.]])
    """
    if len(matrices) == 1 and isinstance(matrices[0], (tuple, list)):
        matrices = tuple(matrices[0])
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    check_tensor("chain_matmul", *matrices)
    for t in matrices:
        if t._data.ndim != 2:
            raise RuntimeError(f"Tensor dimension is {t._data.ndim}, expected 2 instead.")
    if len(matrices) == 1:
        return matrices[0]
    return multi_dot(matrices, out=out)


def vdot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the dot product of two vectors, the first conjugated.

    >>> torch.vdot(torch.tensor([1j]), torch.tensor([1j]))
    tensor(1.+0.j)
    """
    check_tensor("vdot", input, other)
    x, y = input._data, other._data
    if x.ndim == 1 == y.ndim and x.shape != y.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor {list(x.shape)} and src {list(y.shape)} to "
            f"have the same number of elements, but got {x.size} and {y.size} elements respectively"
        )
    same_dtype("dot", input, other)
    return dot(conj(input), other, out=out)
