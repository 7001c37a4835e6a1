"""Products with a matrix that is packed once, in the order in which `numba_tiles` wants it.

The matrix library packs both factors anew in each product, which takes as long as the product itself
where a few rows meet the same weights again and again, as they do in a recurrent layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiled import MANY
from .numba_math import EXACT, compiled
from .numba_tiles import BYTES, ROWS, VECTORS, WIDE, lanes, move, parts, tiles, turn
from .sharing import run, share

_DEPTH = 384  # elements that are summed up in registers at once
_FEW = 16  # rows from which packing pays
_MUCH = 1 << 20  # multiplications from which calling takes no time
_HIGH = 96  # rows that stay in the second-level cache meanwhile


@compiled(EXACT)
def _packed(start, stop, w, k, n, turned, lanes, to):  # type: ignore[no-untyped-def]
    """Panels number ``start`` to ``stop`` of k x n numbers; ``turned`` lie transposed in w."""
    wider = VECTORS * lanes
    for first in range(start * wider, min(stop * wider, n), wider):
        at = first * k
        width = min(VECTORS, -(-(n - first) // lanes)) * lanes
        whole = k // lanes * lanes if turned else k
        if first + width > n:
            whole = 0
        if turned:
            for j in range(first, first + width, lanes):
                for i in range(0, whole, lanes):
                    turn(w, j * k + i, k, to, at + i * width + j - first, width)
        else:
            for i in range(whole):
                for j in range(first, first + width, lanes):
                    move(w, i * n + j, to, at + i * width + j - first)
        for i in range(whole, k):
            for j in range(width):
                inside, place = first + j < n, (first + j) * k + i if turned else i * n + first + j
                to[at + i * width + j] = w[place] if inside else 0


@compiled(EXACT)
def product(m, n, k, lanes, a, a0, row, step, b, b0, c, c0, pitch, none, adding):  # type: ignore[no-untyped-def]
    """Makes c[c0 + i pitch + j], or adds to it, of a[a0 + i row + l step] times packed b.

    ``none`` holds a zero for each row.
    """
    rest = np.empty(ROWS * lanes * VECTORS, c.dtype)
    for i in range(0, m, _HIGH):
        for l in range(0, k, _DEPTH):
            deep, first = min(_DEPTH, k - l), l == 0 and not adding
            for j in range(0, n, VECTORS * lanes):
                vectors = min(VECTORS, -(-(n - j) // lanes))
                width = vectors * lanes
                whole = j + width <= n
                high = min(_HIGH, m - i)
                for r in range(i, i + high, _HIGH if whole else ROWS):
                    to = c0 + r * pitch + j
                    few = high if whole else min(ROWS, i + high - r)
                    result, place, gap = (c, to, pitch) if whole else (rest, 0, width)
                    tiles(few, vectors, a, a0 + r * row + l * step, row, step, b, b0 + j * k + l * width,
                          deep, result, place, gap, none, r, first or not whole)  # fmt: skip
                    if not whole:
                        for q in range(few):
                            for s in range(n - j):
                                at = to + q * pitch + s
                                c[at] = rest[q * width + s] + (0 if first else c[at])


@compiled(EXACT)
def _multiplied(start, stop, across, m, n, k, lanes, a, row, step, b, c, none):  # type: ignore[no-untyped-def]
    """Rows of the product, tiles number ``start`` to ``stop``; panels of it, if shared ``across``."""
    wider, pitch, left, up = VECTORS * lanes, n, 0, 0
    if across:
        left = start * wider
        n = min(stop * wider, n) - left
    else:
        up = start * ROWS
        m = min(stop * ROWS, m) - up
    product(
        m,
        n,
        k,
        lanes,
        a,
        up * row,
        row,
        step,
        b,
        left * k,
        c,
        up * pitch + left,
        pitch,
        none,
        False,
    )


def packed(w: Any, turned: bool) -> Any:
    """The panels of a matrix, or of its transpose if it is to be ``turned``."""
    n, k = w.shape if turned else w.shape[::-1]
    width = lanes(w.itemsize)
    to = np.empty(k * -(-n // width) * width, w.dtype)
    panels = -(-n // (VECTORS * width))
    share(_packed, panels, to.size, np.ascontiguousarray(w).reshape(-1), k, n, turned, width, to)
    return to


def _laid(x: Any) -> tuple[Any, int, int]:
    """A matrix in a row, and the distances of its rows and columns; a copy if neither is 1."""
    if x.flags.c_contiguous:
        return x.reshape(-1), x.shape[1], 1
    if x.flags.f_contiguous:
        return x.T.reshape(-1), 1, x.shape[0]
    return np.ascontiguousarray(x).reshape(-1), x.shape[1], 1


def is_faster(x: Any, y: Any) -> bool:
    """Whether two matrices are better multiplied here than by the matrix library.

    Where vectors have no more than 16 bytes it knows its processors (on Apple's it even has a unit
    of its own for this). Elsewhere what decides is how often a packed number is used.
    """
    if x.dtype is not y.dtype or x.dtype.char not in "fd" or not WIDE or x.shape[1] != len(y):
        return False
    rows, work = len(x), x.size * y.shape[1]
    if MANY == 2:  # for tests
        return work > 0
    if y.flags.f_contiguous:  # the library is slow with these
        return work >= _MUCH and rows >= _FEW
    return BYTES == 64 and work >= 8 * _MUCH and rows >= 2 * _FEW


def matmul(x: Any, y: Any) -> Any:
    """The product of two matrices."""
    (m, k), n = x.shape, y.shape[1]
    a, row, step = _laid(x)
    b = packed(y.T, True) if y.flags.f_contiguous and not y.flags.c_contiguous else packed(y, False)
    c = np.empty((m, n), x.dtype)
    width = lanes(x.itemsize)
    panels, rows = -(-n // (VECTORS * width)), -(-m // ROWS)
    across = panels > rows
    shares = parts(panels if across else rows, m * n * k)
    run(
        _multiplied,
        shares,
        across,
        m,
        n,
        k,
        width,
        a,
        row,
        step,
        b,
        c.reshape(-1),
        np.zeros(m, x.dtype),
    )
    return c


def times(w: Any) -> Any:
    """What multiplies matrices with w, which is packed once."""
    k, n = w.shape
    turned = not w.flags.c_contiguous
    b, width = packed(w.T if turned else w, turned), lanes(w.itemsize)
    panels = -(-n // (VECTORS * width))
    none = np.zeros(ROWS, w.dtype)

    def multiply(x: Any) -> Any:
        nonlocal none
        m = len(x)
        a, row, step = _laid(x)
        c = np.empty((m, n), x.dtype)
        if len(none) < m:
            none = np.zeros(m, w.dtype)
        run(
            _multiplied,
            parts(panels, m * n * k),
            True,
            m,
            n,
            k,
            width,
            a,
            row,
            step,
            b,
            c.reshape(-1),
            none,
        )
        return c

    return multiply
