"""Running sums, products and extremes of large NumPy arrays.

NumPy's `accumulate` waits for each element to be stored before it goes on, which takes 3.4 ns. Here
an operation covers whole rows: after it has met the elements 1, 2, 4 ... further back each element holds
what twice as many up to it come to.
"""

from __future__ import annotations

import math
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .compiled import MANY
from .sharing import rowwise

_RUN = 32  # elements whose running sums a matrix product makes
_SHORT = 32  # elements of a row that are worth a few operations
_LONG = 4096  # elements of a row that take too many
_MOST_PRODUCTS = 256  # neighbours that are multiplied


def scanned(function: Any, x: Any, dim: int) -> Any:
    """`accumulate`, row after row; NumPy's goes down one column after the other."""
    last = dim == x.ndim - 1
    if x.size < MANY or prod(x.shape[:dim] if last else x.shape[dim + 1 :]) < (64 if last else 192):
        return function.accumulate(x, dim)
    out: Any = np.empty(x.shape, x.dtype)
    if last:
        n = x.shape[dim]
        rows, to = x.reshape(-1, n), out.reshape(-1, n)
        if function in _CHOICES and _SHORT <= n <= _LONG:
            rowwise(lambda x, y: _doubled(function, x, n, y), rows, to)
        elif function is np.multiply and x.dtype.char in "fd" and n > _SHORT:
            rowwise(_products_so_far, rows, to)
        else:
            rowwise(lambda x, y: function.accumulate(x, 1, None, y), rows, to)
        return out
    here, there = np.moveaxis(x, dim, 0), np.moveaxis(out, dim, 0)
    there[0] = here[0]
    for i in range(1, len(here)):
        function(there[i - 1], here[i], out=there[i])
    return out


_CHOICES = (np.maximum, np.minimum)  # whose results do not depend on what comes first


def _doubled(function: Any, x: Any, run: int, out: Any) -> None:
    """What each element and those before it in its row come to, a power of 2 or all of ``run``.

    Rows are taken for one, which is a quarter faster, and their beginnings are put right.
    """
    steps = [1 << i for i in range((run - 1).bit_length())]
    to, other = (out, np.empty_like(out)) if len(steps) % 2 else (np.empty_like(out), out)
    for step in steps:
        here = x.reshape(-1)
        function(here[step:], here[:-step], out=to.reshape(-1)[step:])
        to[:, :step] = x[:, :step]
        x, to, other = to, other, to


def _products_so_far(x: Any, out: Any) -> None:
    """Products of neighbours, so many that none can leave the type's range, and then products of these."""
    size = np.abs(x)
    least, most = float(size.min()), float(size.max())
    width, run = x.shape[1], 0
    if least > 0 and most < math.inf:
        bits = max(math.log2(most), -math.log2(least), 1e-9)
        fitting = min(int((np.finfo(x.dtype).maxexp - 2) / bits), _MOST_PRODUCTS, 2 * width)
        run = 1 << fitting.bit_length() >> 1
    if run < _SHORT:
        np.multiply.accumulate(x, 1, None, out)
        return
    _doubled(np.multiply, x, run, out)
    for i in range(run, width, run):
        n = min(run, width - i)
        out[:, i : i + n] *= out[:, i - run : i - run + n]


@lru_cache(64)
def _triangle(n: int, dtype: Any) -> Any:
    return np.triu(np.ones((n, n), dtype))


def running_sums(x: Any, dim: int) -> Any:
    """The running sums of a contiguous array: of short pieces by a product, and the pieces added up.

    None if there is infinity or NaN, of which a product with zeros would be NaN.
    """
    n, width = x.shape[dim], prod(x.shape[dim + 1 :])
    run = n if n <= 2 * _RUN else _RUN
    whole, triangle = n - n % run, _triangle(run, x.dtype)
    x3 = x.reshape(-1, n, width)
    pieces = x3[:, :whole].reshape(-1, run, width)
    if width == 1:
        sums = pieces.reshape(-1, run).dot(triangle)
    else:
        sums = np.matmul(triangle.T, pieces)
    sums = sums.reshape(len(x3), -1, run, width)
    totals = np.add.accumulate(sums[:, :, -1], 1)
    if not np.isfinite(totals).all():
        return None
    sums[:, 1:] += totals[:, :-1, None]
    out = sums.reshape(len(x3), whole, width)
    if whole < n:
        rest = np.add.accumulate(x3[:, whole:], 1)
        rest += totals[:, -1:]
        out = np.concatenate((out, rest), 1)
    return out.reshape(x.shape)
