"""Sorting of large NumPy arrays by counting, digit after digit.

A key for each place is a sparse matrix with one element in each column, in the row that the key names.
Written row by row it holds the places in the order of their keys, equal ones in their own order. SciPy
does that in 6 ns an element, where NumPy's stable sort of a million takes 100.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .sorting import SortingKernels

_LARGE = 1 << 15  # elements from which it pays
_WIDE = 128  # elements of a row from which it pays, where rows are many
_DIGIT = 16  # bits that are counted at a time


class NumpySortingKernels(SortingKernels):
    """Overrides for large arrays of real numbers."""

    def argsort(self, x: Any, dim: int, descending: bool) -> Any:
        width = x.shape[dim]
        if (
            not _LARGE <= x.size < 1 << 31
            or x.size > width < _WIDE
            or x.dtype.kind == "c"
            or (x.dtype.itemsize == 1 and x.dtype.kind not in "biu")
        ):
            return super().argsort(x, dim, descending)
        last = np.moveaxis(x, dim, -1)
        keys = _keys(np.ascontiguousarray(last).reshape(-1))
        order = _order(~keys if descending else keys)
        if x.size > width:
            order = counted(order // np.int32(width), x.size // width, order % np.int32(width))[1]
        order = order.astype(np.int64).reshape(last.shape)
        return order if last is x else np.ascontiguousarray(np.moveaxis(order, -1, dim))

    def searchsorted(self, ordered: Any, values: Any, right: bool) -> Any:
        """A search for each; many are searched for in order, so that what is read stays in the cache."""
        if ordered.ndim > 1 or ordered.dtype.kind not in "iuf":
            return super().searchsorted(ordered, values, right)
        side: Any = "right" if right else "left"
        if values.size < _LARGE or ordered.size < _WIDE or values.dtype.kind not in "iuf":
            return np.searchsorted(ordered, values, side)
        flat = values.reshape(-1)
        order = _order(_keys(np.ascontiguousarray(flat)))
        found = np.empty(flat.shape, np.int64)
        found[order] = np.searchsorted(ordered, flat.take(order), side)
        return found.reshape(values.shape)


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
            order = counted(digit.take(order), 1 << _DIGIT, order)[1]
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
