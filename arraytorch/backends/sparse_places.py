"""Where the elements of sparse arrays are: sorting, adding up, looking up, and dense forms.

All of it by kernels of the backend of their parts. A place has a number, its index in C order among
all places, by which it is sorted, compared and found.
"""

from __future__ import annotations

from math import prod
from typing import Any

from .._dtypes import int64, uint8
from . import backend_of, numpy_dtype
from .coo import CooArray


def numbers(x: CooArray) -> Any:
    """The number of each place."""
    sizes = x.shape[: x.sparse_dim]
    if not sizes:
        return backend_of(x.indices).sum(x.indices, (0,), False)  # zeros, where the parts are
    number = x.indices[0]
    for n, row in zip(sizes[1:], x.indices[1:]):
        number = number * n + row
    return number


def places(number: Any, sizes: tuple[int, ...]) -> Any:
    """The columns of indices that have these numbers."""
    D = backend_of(number)
    if not sizes:
        return D.zeros((0, number.shape[0]), number.dtype, D.device_of(number).index)
    rows = []
    for n in reversed(sizes[1:]):
        rows.append(number % max(n, 1))
        number = number // max(n, 1)
    return D.stack([number, *reversed(rows)], 0)


def zeros(shape: tuple[int, ...], dtype: Any, like: Any) -> Any:
    """Zeros on the device of another dense array."""
    D = backend_of(like)
    return D.zeros(shape, dtype, D.device_of(like).index)


def added(count: int, at: Any, values: Any) -> Any:
    """Zeros of ``count`` rows with each of ``values`` added to the row that ``at`` names."""
    D, dtype = backend_of(values), values.dtype
    if dtype.kind == "b":
        total = added(count, at, D.cast(values, numpy_dtype(uint8)))
        return D.cast(total, dtype)
    out = zeros((count, *values.shape[1:]), dtype, values)
    D.add_at(out, (at,), values)
    return out


def coalesce(x: CooArray) -> CooArray:
    """The same elements at sorted and different places."""
    if x.coalesced:
        return x
    if x.nnz < 2:
        return CooArray(x.indices, x.values, x.shape, True)
    distinct, inverse, _ = backend_of(x.values).unique(numbers(x))
    values = added(distinct.shape[0], inverse, x.values)
    return CooArray(places(distinct, x.shape[: x.sparse_dim]), values, x.shape, True)


def to_dense(x: CooArray) -> Any:
    """All elements."""
    D, sizes = backend_of(x.values), x.shape[: x.sparse_dim]
    if x.coalesced:
        flat = zeros((prod(sizes), *x.values.shape[1:]), x.dtype, x.values)
        D.setitem(flat, (numbers(x),), x.values)
    else:
        flat = added(prod(sizes), numbers(x), x.values)
    return D.reshape(flat, x.shape)


def to_sparse(x: Any, sparse_dim: int) -> CooArray:
    """A dense array without the zeros among its slices of ``sparse_dim`` dimensions less."""
    D, sizes, rest = backend_of(x), x.shape[:sparse_dim], x.shape[sparse_dim:]
    flat = D.reshape(D.contiguous(x), (prod(sizes), *rest))
    used = flat != 0
    if rest:
        used = D.any(used, tuple(range(1, used.ndim)), False)
    if not sizes:  # a number is an element, be it zero
        return CooArray(zeros((0, 1), numpy_dtype(int64), x), D.copy(flat), x.shape, True)
    number = D.cast(D.nonzero(used)[0], numpy_dtype(int64))
    return CooArray(places(number, sizes), D.take(flat, number, 0), x.shape, True)


def same_places(x: CooArray, y: CooArray) -> bool:
    """Whether two arrays are known to have the same places."""
    return x.indices is y.indices and x.shape[: x.sparse_dim] == y.shape[: y.sparse_dim]


def values_at(x: Any, pattern: CooArray) -> Any:
    """The elements of a dense or sparse array of the same shape at the places of ``pattern``."""
    D, sizes = backend_of(pattern.values), pattern.shape[: pattern.sparse_dim]
    rest = x.shape[len(sizes) :]
    if not isinstance(x, CooArray):
        flat = D.reshape(D.contiguous(x), (prod(sizes), *rest))
        return D.take(flat, numbers(pattern), 0)
    if x.sparse_dim != pattern.sparse_dim:
        return values_at(to_dense(x), pattern)
    if same_places(x, pattern) and x.coalesced:
        return x.values
    x = coalesce(x)
    if not x.nnz:
        return zeros((pattern.nnz, *rest), x.dtype, pattern.values)
    at, found = lookup(numbers(x), numbers(pattern))
    there = D.take(x.values, at, 0)
    return D.where(D.reshape(found, (-1, *(1,) * len(rest))), there, D.zeros_like(there))


def lookup(ordered: Any, wanted: Any) -> tuple[Any, Any]:
    """Where each wanted number is among sorted ones, of which there are some, and whether it is."""
    D = backend_of(ordered)
    at = D.clamp(D.searchsorted(ordered, wanted, False), None, ordered.shape[0] - 1)
    return at, D.take(ordered, at, 0) == wanted


def chosen(x: CooArray, which: Any) -> CooArray:
    """The elements whose positions in the list a vector names; in order if that is."""
    D = backend_of(x.values)
    return CooArray(D.take(x.indices, which, 1), D.take(x.values, which, 0), x.shape, x.coalesced)


def joined(x: CooArray, y: CooArray) -> CooArray:
    """The sum of two arrays as the list of the elements of both."""
    D = backend_of(x.values)
    indices = D.cat([x.indices, y.indices], 1)
    return CooArray(indices, D.cat([x.values, y.values], 0), x.shape)


def gathered(x: CooArray, y: CooArray) -> CooArray:
    """The sum of two gradients, merged only where that is cheap."""
    if same_places(x, y):
        return x.with_values(x.values + y.values)
    both = joined(x, y)
    return coalesce(both) if x.coalesced and y.coalesced else both


def total(x: CooArray, y: CooArray) -> CooArray:
    """The sum of two arrays; sorted lists are merged, and equal places met on the way are one."""
    if x.sparse_dim != y.sparse_dim:
        raise RuntimeError(
            f"add: expected 'self' and 'other' to have same number of sparse dimensions, but "
            f"{x.sparse_dim} != {y.sparse_dim}"
        )
    if same_places(x, y):
        return x.with_values(x.values + y.values)
    both = joined(x, y)
    if x.coalesced and y.coalesced:
        return coalesce(both)
    a, b = numbers(x), numbers(y)
    step = max(x.nnz, y.nnz) + 1
    if not (_ascends(a) and _ascends(b)) or prod(x.shape[: x.sparse_dim]) * step >= 2**62:
        return both
    # The nth occurrence of a place meets the nth of the other list.
    D = backend_of(x.values)
    ranked = D.cat([_ranked(a, step), _ranked(b, step)], 0)
    distinct, inverse, _ = D.unique(ranked)
    values = added(distinct.shape[0], inverse, both.values)
    return CooArray(places(distinct // step, x.shape[: x.sparse_dim]), values, x.shape)


def _ascends(number: Any) -> bool:
    return not bool((number[1:] < number[:-1]).any())


def _ranked(number: Any, step: int) -> Any:
    D = backend_of(number)
    index = D.device_of(number).index
    at = D.arange(0, number.shape[0], 1, numpy_dtype(int64), index)
    return number * step + (at - D.searchsorted(number, number, False))
