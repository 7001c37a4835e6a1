"""Products of matrices on NumPy, shared by threads of ours rather than the matrix library's.

After each product the library's threads spin for some milliseconds, on the cores that ours need for the
next operation: a training step of a recurrent network took half as long again. Of many small matrices
NumPy hands the library one after the other, and its threads would be woken for each.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .compiled import MANY, in_use, kernels
from .sharing import run, share
from .threads import get_num_threads, library_alone

_WORTH = 1 << 23  # multiplications that are worth a thread, which wakes up late
_ENOUGH = 1 << 24  # multiplications of one product that keep all threads busy
_EACH = 1 << 20  # multiplications of a thread's part of a product
_TURN = 1 << 17  # multiplications from which the order of the factors matters
_WIDE = 1 << 18  # elements of a matrix for which it matters with a single row


def dot(x: Any, y: Any) -> Any:
    """The product of two matrices that are not small.

    For 5 to 64 rows and a transposed matrix, such as a layer's weight, the library takes less time for
    the product of the transposes: 8 rows by 256 x 256 take 42 microseconds, and 21 turned.
    """
    rows, columns = len(x), y.shape[1]
    work = x.size * columns
    if work < _TURN or x.dtype.char not in "fd" or y.dtype is not x.dtype:
        return x.dot(y)
    if (rows > 4 or y.size >= _WIDE) and rows <= 64 < columns >= 3 * rows:
        if y.flags.f_contiguous and x.flags.c_contiguous and not y.flags.c_contiguous:
            return np.ascontiguousarray(_shared(y.T, x.T, work).T)
    return _shared(x, y, work)


def _shared(x: Any, y: Any, work: int) -> Any:
    """With numba each thread computes a tile; otherwise the library's threads do as they like."""
    if work < 2 * _EACH or not in_use() or get_num_threads() == 1 or x.shape[1] != len(y):
        return x.dot(y)
    out = np.empty((len(x), y.shape[1]), x.dtype)
    run(_tile, _tiles(x, y, out))
    return out


def _tiles(x: Any, y: Any, out: Any) -> list[tuple[Any, Any, Any]]:
    """A product's parts, as few as threads."""
    rows, columns = out.shape
    down, across = _grid(rows, columns, min(get_num_threads(), x.size * columns // _EACH))
    if down * across == 1:
        return [(x, y, out)]
    high, wide = -(-rows // down), -(-columns // across)
    return [
        (x[i : i + high], y[:, j : j + wide], out[i : i + high, j : j + wide])
        for i in range(0, rows, high)
        for j in range(0, columns, wide)
    ]


def _grid(rows: int, columns: int, tiles: int) -> tuple[int, int]:
    """How many tiles down and across have the least to read, of at most so many."""
    cuts = [(i, tiles // i) for i in range(1, tiles + 1) if not tiles % i]
    return min(cuts, key=lambda c: rows / c[0] + columns / c[1], default=(1, 1))


def _tile(x: Any, y: Any, out: Any) -> None:
    np.matmul(x, y, out=out)


def batched(x: Any, y: Any, out: Any = None) -> Any:
    """The products of x (n, rows, k) and y (n, k, columns), matrix by matrix."""
    if out is None:
        out = np.empty((*x.shape[:2], y.shape[2]), x.dtype)
    threads, each = get_num_threads(), prod(x.shape[1:]) * y.shape[2]
    if threads > 1 and (len(x) == 1 or each >= _ENOUGH) and in_use():
        run(_tile, [tile for matrices in zip(x, y, out) for tile in _tiles(*matrices)])
        return out
    if threads == 1 or len(x) == 1 or each >= _ENOUGH:
        return np.matmul(x, y, out=out)
    with library_alone():
        if len(x) < threads or each * len(x) < threads * _WORTH:
            return np.matmul(x, y, out=out)
        parts = [(len(x) * i // threads, len(x) * (i + 1) // threads) for i in range(threads)]
        run(_some, parts, x, y, out)
    return out


def _some(start: int, stop: int, x: Any, y: Any, out: Any) -> None:
    np.matmul(x[start:stop], y[start:stop], out=out[start:stop])


def matmul(x: Any, y: Any) -> Any:
    """The product of arrays of matrices, in C order."""
    lead = x.shape[:-2]
    if x.ndim > 1 < y.ndim and x.shape[-1] == 1 == y.shape[-2] and x.dtype is y.dtype:
        return _outer(x, y)
    if (
        lead
        and y.shape[:-2] == lead
        and x.size + y.size > _WORTH >> 8
        and x.dtype is y.dtype
        and x.dtype.char in "fd"
        and x.shape[-1] == y.shape[-2]
        and 0 not in y.shape
    ):
        first, second = (a if a.ndim == 3 else _joined(a) for a in (x, y))
        if first is not None and second is not None:
            return batched(first, second).reshape(*lead, x.shape[-2], y.shape[-1])
    # The result would follow the order of the first operand.
    return np.matmul(x, y, order="C")


def _outer(x: Any, y: Any) -> Any:
    """Products of columns and rows, for which the library takes five times as long as a loop."""
    first, second = _joined(x), _joined(y)
    many = x.shape[-2] * y.size >= MANY and x.dtype.char in "fd" and x.shape[:-2] == y.shape[:-2]
    if not many or first is None or second is None:
        return np.multiply(x, y, order="C")
    columns, rows = np.ascontiguousarray(first[..., 0]), second[:, 0]
    if (own := kernels("lines")) is not None:
        out = own.outer(columns, rows)
    else:
        out = np.empty((*columns.shape, rows.shape[1]), x.dtype)
        share(_some_outer, len(out), out.size, columns, rows, out)
    return out.reshape(*x.shape[:-1], y.shape[-1])


def _some_outer(start: int, stop: int, x: Any, y: Any, out: Any) -> None:
    # Two thirds of the time of `multiply`, whose rows take longer to begin.
    np.einsum("bi,bj->bij", x[start:stop], y[start:stop], out=out[start:stop])


def _joined(x: Any) -> Any:
    """x with one leading dimension, None if that takes a copy."""
    if x.flags.c_contiguous:
        return x.reshape(-1, *x.shape[-2:])
    turned = x.swapaxes(-1, -2)
    return (
        turned.reshape(-1, *turned.shape[-2:]).swapaxes(1, 2) if turned.flags.c_contiguous else None
    )
