"""Sorting, selection and bisection of large NumPy arrays, by compiled kernels where numba is installed."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiled import MANY, kernels

_ENOUGH = 256  # values that are worth a call
_MOST = 1 << 31  # elements of a row, whose places are numbers of 32 bits


class CompiledSorting:
    """What comes before the kernels of NumPy and, where numba is not or there are few elements, calls them."""

    def argsort(self, x: Any, dim: int, descending: bool) -> Any:
        """The indices that sort x along dim, equal elements in their order."""
        if x.size < MANY or (own := _own(x, dim)) is None:
            return super().argsort(x, dim, descending)  # type: ignore[misc]
        return _along(x, dim, lambda rows: own.argsort(rows, descending))

    def topk(self, x: Any, k: int, dim: int, largest: bool) -> Any:
        """The indices of the k largest or smallest elements along dim, in order."""
        if x.size < MANY or not k or (own := _own(x, dim)) is None:
            return super().topk(x, k, dim, largest)  # type: ignore[misc]
        return _along(x, dim, lambda rows: own.places_of_ranks(rows, 0, k, largest))

    def arg_of_rank(self, x: Any, rank: int, dim: int) -> Any:
        """Where the element of a rank in ascending order stands along dim, which keeps size 1."""
        if x.size < MANY or (own := _own(x, dim)) is None:
            return super().arg_of_rank(x, rank, dim)  # type: ignore[misc]
        return _along(x, dim, lambda rows: own.places_of_ranks(rows, rank, rank + 1, False))

    def searchsorted(self, ordered: Any, values: Any, right: bool) -> Any:
        """Where in each sorted row of ``ordered`` the values of the same row belong."""
        if values.size < MANY:
            return super().searchsorted(ordered, values, right)  # type: ignore[misc]
        n = ordered.shape[-1]
        own = _own(values, values.ndim - 1) if 0 < n < _MOST and values.ndim else None
        few = ordered.size > n and ordered.size > n * values.size // _ENOUGH  # a call for each row
        if own is None or ordered.dtype is not values.dtype or few:
            return super().searchsorted(ordered, values, right)  # type: ignore[misc]
        rows = np.ascontiguousarray(ordered).reshape(-1, n)
        columns = np.ascontiguousarray(values).reshape(len(rows), -1)
        return own.bisect(rows, columns, right).reshape(values.shape)


def _own(x: Any, dim: int) -> Any:
    """The compiled kernels for the numbers of x, None if they do not serve."""
    if x.dtype.char not in "fdil" or not 0 < x.shape[dim] < _MOST:
        return None
    return kernels("sorting")


def _along(x: Any, dim: int, kernel: Any) -> Any:
    """What a kernel makes of the rows of a matrix, along one dimension."""
    turned = np.ascontiguousarray(np.moveaxis(x, dim, -1))
    out = kernel(turned.reshape(-1, x.shape[dim]))
    return np.ascontiguousarray(np.moveaxis(out.reshape(*turned.shape[:-1], -1), -1, dim))
