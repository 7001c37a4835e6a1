"""Largest and smallest elements along dimensions of large NumPy arrays.

NumPy reduces each row by itself, which takes 70 ns however short it is, and adds to a result one short
row after the other. Here all rows are halved at once, by comparing the whole memory with itself some
elements further on, and many short rows are taken for a few long ones.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .compiled import MANY
from .sharing import PAIR, rowwise, run, spans

_FEW = 16  # columns that are compared one by one
_SHORT = 96  # elements of a row from which argmax is faster than halves
_WIDE = 1024  # elements of a row that are worth a call


def extremes(x: Any, dims: tuple[int, ...], largest: bool) -> Any:
    """The largest or smallest elements over the first or last dims of a large array; else None."""
    n, count = x.ndim, len(dims)
    if x.size < MANY or count == n or not x.flags.c_contiguous or not _real(x.dtype):
        return None
    if dims == tuple(range(n - count, n)):
        return row_extremes(x.reshape(-1, prod(x.shape[n - count :])), largest).reshape(
            x.shape[: n - count]
        )
    width = prod(x.shape[count:])
    if dims == tuple(range(count)) and width <= _WIDE // 2:
        function = np.maximum if largest else np.minimum
        return of_columns(function, x.reshape(-1, width)).reshape(x.shape[count:])
    return None


def of_all(reduce: Any, x: Any) -> Any:
    """An extreme of all elements, of which threads take some each; None of what is not worth that."""
    if x.size < PAIR or not x.flags.c_contiguous or x.dtype.char not in "fd":
        return None
    flat, cuts = x.reshape(-1), spans(x.size, x.size)
    found = np.empty(len(cuts), x.dtype)
    run(
        lambda start, stop, k: reduce(flat[start:stop], 0, None, found[k : k + 1], True),
        [(*cut, k) for k, cut in enumerate(cuts)],
    )
    return reduce(found)


def row_extremes(x: Any, largest: bool) -> Any:
    """The largest or smallest element of each row of a contiguous matrix; NaN if there is one."""
    out = np.empty(len(x), x.dtype)
    kernel = _of_argmax if x.shape[1] > _SHORT else _of_halves
    rowwise(lambda x, out: kernel(x, out, largest), x, out)
    return out


def _real(dtype: Any) -> bool:
    return dtype.kind in "biu" or dtype.char in "fd"


def _of_argmax(x: Any, out: Any, largest: bool) -> None:
    at = x.argmax(1) if largest else x.argmin(1)
    at += np.arange(0, x.size, x.shape[1])
    x.reshape(-1).take(at, out=out, mode="clip")


def _of_halves(x: Any, out: Any, largest: bool) -> None:
    function = np.maximum if largest else np.minimum
    rest, left, width = x.reshape(-1), x.shape[1], x.shape[1]
    while left > _FEW:
        half = left // 2
        rest = function(rest[:-half], rest[half:])
        left -= half
    out[...] = rest[::width]
    for i in range(1, left):
        function(out, rest[i::width], out=out)


def of_columns(function: Any, x: Any) -> Any:
    """A reduction of the columns of a contiguous matrix, several of whose rows are taken for one."""
    rows = min(max(_WIDE // x.shape[1], 1), len(x))
    whole = len(x) - len(x) % rows
    long = function.reduce(x[:whole].reshape(-1, rows * x.shape[1]), 0).reshape(rows, -1)
    return function.reduce(np.concatenate((long, x[whole:])), 0)
