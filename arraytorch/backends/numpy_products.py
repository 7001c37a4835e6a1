"""Products of many matrices on NumPy, shared by threads of ours rather than the matrix library's.

NumPy hands the library one matrix after the other. Its threads would be woken for each, and spin in
between, which takes longer than a small product does.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .compiled import MANY, kernels
from .sharing import run, share
from .threads import get_num_threads, library_alone

_WORTH = 1 << 23  # multiplications that are worth a thread, which wakes up late
_ENOUGH = 1 << 24  # multiplications of one product that keep all of the library's threads busy


def batched(x: Any, y: Any, out: Any = None) -> Any:
    """The products of x (n, rows, k) and y (n, k, columns), matrix by matrix."""
    if out is None:
        out = np.empty((*x.shape[:2], y.shape[2]), x.dtype)
    threads, each = get_num_threads(), prod(x.shape[1:]) * y.shape[2]
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
