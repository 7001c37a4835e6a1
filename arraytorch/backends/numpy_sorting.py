"""Sorting and selection of large NumPy arrays: long rows by counting digits, short ones by packed keys.

A key for each place is a sparse matrix with one element in each column, in the row that the key names.
Written row by row it holds the places in the order of their keys, equal ones in their own order. SciPy
does that in 6 ns an element, where NumPy's stable sort of a million takes 100.

Where a key and its place fit 63 bits, they make one integer. Integers are sorted and partitioned by vector
instructions, several times as fast as places are, and come out as a stable sort would leave them.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from .sharing import rowwise
from .sorting import SortingKernels

_LARGE = 1 << 15  # elements from which it pays
_WIDE = 128  # elements of a row from which it pays, where rows are many
_LONG = 1 << 14  # elements of a row from which counting is faster than packing
_FEW = 10  # largest elements up to which searching for one after the other is faster than sorting
_MANY = 4096  # elements from which it is
_FEW_NUMBERS = 1024  # up to which a function of NumPy is paid for by the call
_APART = 64  # elements from one of a sample to the next
_DIGIT = 16  # bits that are counted at a time


class NumpySortingKernels(SortingKernels):
    """Overrides for large arrays of real numbers."""

    def argsort(self, x: Any, dim: int, descending: bool) -> Any:
        """The array's own method, where NumPy's function takes 0.6 us to get to it."""
        if x.size >= _LARGE and (order := _order_of_many(x, dim, descending)) is not None:
            return order
        if x.dtype.kind not in "iuf":
            return super().argsort(x, dim, descending)
        if not descending:
            return x.argsort(dim, kind="stable")
        if (opposite := _opposite(x)) is not None:
            return opposite.argsort(dim, kind="stable")
        back = (*(slice(None),) * dim, slice(None, None, -1))
        return x.shape[dim] - 1 - x[back].argsort(dim, kind="stable")[back]

    def topk(self, x: Any, k: int, dim: int, largest: bool) -> Any:
        """A partial sort, and a sort of what it picked."""
        n = x.shape[dim]
        if 0 < k <= _FEW and 4 * k < n and largest and x.size >= _MANY and x.dtype.kind in "iuf":
            if not self.has_nan(x) and (places := _first_maxima(x, k, dim)) is not None:
                return places
        if x.size >= _LARGE and n < _LONG and k and _sortable(x):
            kernel = partial(_first, k)
            if (places := _of_rows(x, dim, largest, kernel, k)) is not None:
                return places
        if not 0 < 4 * k < n or x.dtype.kind not in "iuf" or self.has_nan(x):
            order = self.argsort(x, dim, largest)
            return order[:k] if dim == 0 else order[(*(slice(None),) * dim, slice(0, k))]
        if x.ndim == 1 and (few := _candidates(x, k, largest)) is not None:
            return few.take(self.topk(x.take(few), k, 0, largest))
        lead = (slice(None),) * dim
        if x.ndim == 1:
            picked = _beyond_rank(x, k, largest)
        elif largest:
            picked = np.argpartition(x, n - k, axis=dim)[(*lead, slice(n - k, None))]
        else:
            picked = np.argpartition(x, k - 1, axis=dim)[(*lead, slice(0, k))]
        # In order of place, so that equal elements come in their order.
        picked = np.sort(picked, axis=dim)
        order = self.argsort(np.take_along_axis(x, picked, axis=dim), dim, largest)
        return np.take_along_axis(picked, order, axis=dim)

    def arg_of_rank(self, x: Any, rank: int, dim: int) -> Any:
        """A partial sort."""
        if x.size >= _LARGE and x.shape[dim] < _LONG and _sortable(x):
            kernel = partial(_of_rank, rank)
            if (place := _of_rows(x, dim, False, kernel, 1)) is not None:
                return place
        if x.dtype.kind not in "iuf":
            return super().arg_of_rank(x, rank, dim)
        at = (*(slice(None),) * dim, slice(rank, rank + 1))
        return x.argpartition(rank, dim)[at]

    def has_nan(self, x: Any) -> bool:
        """Without a reduction, which takes 0.8 us to start."""
        return x.dtype.kind not in "biu" and bool(np.count_nonzero(x != x))

    def searchsorted(self, ordered: Any, values: Any, right: bool) -> Any:
        """NumPy's, for a row that is in order indeed; it has other results where one is not."""
        n = ordered.shape[-1]
        side: Any = "right" if right else "left"
        if 0 < n == ordered.size and ordered.dtype is values.dtype and ordered.dtype.kind in "iuf":
            row = ordered.reshape(-1)
            if np.count_nonzero(row[1:] >= row[:-1]) == n - 1:
                return row.searchsorted(values, side)
        if ordered.ndim > 1 or ordered.dtype.kind not in "iuf":
            return super().searchsorted(ordered, values, right)
        if values.size < _LARGE or n < _WIDE or values.dtype.kind not in "iuf":
            return np.searchsorted(ordered, values, side)
        # Many are searched for in order, so that what is read stays in the cache.
        flat = values.reshape(-1)
        order = _order(_keys(np.ascontiguousarray(flat)))
        found = np.empty(flat.shape, np.int64)
        found[order] = np.searchsorted(ordered, flat.take(order), side)
        return found.reshape(values.shape)


def _opposite(x: Any) -> Any:
    """Few numbers whose ascending order is the descending one of x: half the time of turning x around.

    None if there are many, or maybe a NaN, which comes first in the one and last in the other.
    """
    if x.size > _FEW_NUMBERS or x.dtype.char not in "fdil":
        return None
    if x.dtype.kind == "i":
        return np.invert(x)
    flat = x.ravel()
    return np.negative(x) if flat.dot(flat) < math.inf else None


def _order_of_many(x: Any, dim: int, descending: bool) -> Any:
    """The order of many numbers along a dimension, None if there is no faster way than NumPy's."""
    width = x.shape[dim]
    if not _sortable(x):
        return None
    if width < _LONG and (order := _of_rows(x, dim, descending, _sort)) is not None:
        return order
    if x.size > width < _WIDE:
        return None
    last = np.moveaxis(x, dim, -1)
    keys = _keys(np.ascontiguousarray(last).reshape(-1))
    order = _order(~keys if descending else keys)
    if x.size > width:
        order = counted(order // np.int32(width), x.size // width, order % np.int32(width))[1]
    order = order.astype(np.int64).reshape(last.shape)
    return order if last is x else np.ascontiguousarray(np.moveaxis(order, -1, dim))


def _sortable(x: Any) -> bool:
    """Whether there are keys for the order of x, and not too many for places of 32 bits."""
    if x.size >= 1 << 31 or x.dtype.kind == "c":
        return False
    return x.dtype.itemsize > 1 or x.dtype.kind in "biu"


def _sort(keys: Any) -> Any:
    keys.sort(1)
    return keys


def _first(k: int, keys: Any) -> Any:
    if k < keys.shape[1]:
        keys.partition(k - 1, 1)
    return _sort(np.ascontiguousarray(keys[:, :k]))


def _of_rank(rank: int, keys: Any) -> Any:
    keys.partition(rank, 1)
    return keys[:, rank : rank + 1]


def _of_rows(x: Any, dim: int, falling: bool, kernel: Any, count: int = 0) -> Any:
    """The places that a kernel leaves in rows of packed keys, so many of each row; None if these do not fit."""
    last = np.moveaxis(x, dim, -1)
    width = last.shape[-1]
    rows = np.ascontiguousarray(last).reshape(-1, width)
    places, base = (width - 1).bit_length(), 0
    if x.dtype.itemsize == 8:
        if x.dtype.kind != "i":
            return None
        base = int(rows.min())
        if (int(rows.max()) - base).bit_length() + places > 63:
            return None
    out = np.empty((len(rows), count or width), np.int64)
    row = np.arange(width)

    def part(x: Any, out: Any) -> None:
        keys = x - base if x.dtype.itemsize == 8 else _keys(x.reshape(-1)).astype(np.int64)
        packed = (~keys if falling else keys).reshape(x.shape)
        packed <<= places
        packed |= row
        np.bitwise_and(kernel(packed), (1 << places) - 1, out=out)

    rowwise(part, rows, out)
    out = out.reshape(*last.shape[:-1], -1)
    return out if last is x else np.ascontiguousarray(np.moveaxis(out, -1, dim))


def _candidates(x: Any, k: int, largest: bool) -> Any:
    """Places of few elements, the k largest or smallest among them, by the ranks of a sample; else None."""
    sample = x[::_APART]
    rank = 2 * k // _APART + 8
    if sample.size < _LARGE // _APART or rank > sample.size // 16:
        return None
    if largest:
        few = np.flatnonzero(x >= np.partition(sample, -rank)[-rank])
    else:
        few = np.flatnonzero(x <= np.partition(sample, rank)[rank])
    return few if k <= few.size <= x.size // 8 else None


def _beyond_rank(x: Any, k: int, largest: bool) -> Any:
    """The places of the k largest or smallest; values are partitioned in a tenth of places' time."""
    if largest:
        edge = np.partition(x, x.size - k)[x.size - k]
        beyond = np.flatnonzero(x > edge)
    else:
        edge = np.partition(x, k - 1)[k - 1]
        beyond = np.flatnonzero(x < edge)
    return np.concatenate((beyond, np.flatnonzero(x == edge)[: k - beyond.size]))


def _first_maxima(x: Any, k: int, dim: int) -> Any:
    """The places of the k largest elements, by as many searches; None if some are the least there is."""
    rest, places = x.copy(), []
    least = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    for _ in range(k):
        at = rest.argmax(dim, keepdims=True)
        if (np.take_along_axis(rest, at, dim) == least).any():
            return None
        np.put_along_axis(rest, at, least, dim)
        places.append(at)
    return np.concatenate(places, dim)


def counted(keys: Any, n: int, payload: Any) -> tuple[Any, Any]:
    """The places of int32 keys below n in the order of the keys, and the payload in that order."""
    from scipy.sparse import csc_array

    starts = np.arange(keys.size + 1, dtype=np.int32)
    rows = csc_array((payload, keys, starts), (n, keys.size)).tocsr()
    return rows.indices, rows.data


def _order(keys: Any) -> Any:
    """The places of unsigned keys in their order, as int32."""
    keys = keys - keys.min()
    order = None
    for shift in range(0, max(int(keys.max()).bit_length(), 1), _DIGIT):
        digit = (keys >> keys.dtype.type(shift)).astype(np.uint16).astype(np.int32)
        if order is None:
            order = counted(digit, 1 << _DIGIT, digit)[0]
        else:
            # By indices of another type, or with bounds to look at, `take` takes five times as long.
            digit = digit.take(order.astype(np.int64), mode="clip")
            order = counted(digit, 1 << _DIGIT, order)[1]
    return order


def _keys(x: Any) -> Any:
    """Unsigned integers in the order of a vector's elements, NaN the largest, both zeros equal."""
    kind, size = x.dtype.kind, x.dtype.itemsize
    unsigned, signed = np.dtype(f"u{size}"), np.dtype(f"i{size}")
    lowest = unsigned.type(1 << (8 * size - 1))
    if kind in "bu":
        return x.view(unsigned)
    if kind == "i":
        return x.view(unsigned) ^ lowest
    bits = (x + x.dtype.type(0)).view(signed)  # -0 + 0 is 0
    # The bits of negative numbers count from the largest down: all of them turn, else the sign does.
    keys = bits.view(unsigned) ^ ((bits >> signed.type(8 * size - 1)).view(unsigned) | lowest)
    if (nan := np.isnan(x)).any():
        keys[nan] = ~unsigned.type(0)
    return keys
