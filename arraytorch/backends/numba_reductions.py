"""Compiled sums and extremes of rows, and of what lies in between two dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import numba_halves as halves
from . import numba_planes as planes
from .numba_math import EXACT, FAST, compiled, helper
from .sharing import run, share, spans

PIECE = 4096  # elements that are added up in as many sums as registers hold, before sums are added
i = np.int32
_SIZE, _INFINITE, _NAN = i(0x7FFFFFFF), i(0x7F800000), i(0x7FC00000)


@compiled(FAST)
def _sums_between(start, stop, x, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        total = out[i]
        total[:] = 0
        for k in range(x.shape[1]):
            row = x[i, k]
            for j in range(row.size):
                total[j] += row[j]


@helper
def _turned(bits):  # type: ignore[no-untyped-def]
    """Bits of a float as an integer that is ordered as numbers are, and back."""
    return i(bits ^ i(i(bits >> i(31)) & _SIZE))


@compiled(EXACT)
def _extremes(start, stop, x, turn, out):  # type: ignore[no-untyped-def]
    for k in range(start, stop):
        best, size = i(-0x80000000), i(0)
        for j in range(x.shape[1]):
            bits = x[k, j]
            key, magnitude = i(_turned(bits) ^ turn), i(bits & _SIZE)
            best = best if best > key else key
            size = size if size > magnitude else magnitude
        out[k] = _turned(i(best ^ turn)) if size <= _INFINITE else _NAN


@compiled(EXACT)
def _places(start, stop, x, largest, best, places):  # type: ignore[no-untyped-def]
    top, at = best[start:stop], places[start:stop]
    for j in range(top.size):
        top[j], at[j] = x[0, start + j], 0
    for k in range(1, len(x)):
        row = x[k, start:stop]
        for j in range(row.size):
            v, b = row[j], top[j]
            better = (v > b if largest else v < b) or (v != v and b == b)
            top[j] = v if better else b
            at[j] = i(k) if better else at[j]


def places(x: Any, largest: bool) -> Any:
    """In which row each column of a contiguous matrix has its first extreme, or its first NaN."""
    width = x.shape[1]
    best, at = np.empty(width, x.dtype), np.empty(width, i)
    share(_places, width, x.size, x, largest, best, at)
    return at.astype(np.int64)


def sums(rows: Any) -> Any:
    """The sum of each row of a contiguous matrix, of pieces that are then added; of halves in float32."""
    own: Any = halves if rows.dtype.itemsize == 2 else planes
    n, width = rows.shape
    whole = width - width % PIECE
    if width <= 2 * PIECE or whole != width and n > 1:
        return own.sums(rows)
    total = np.add.reduce(own.sums(rows[:, :whole].reshape(-1, PIECE)).reshape(n, -1), 1)
    if whole < width:
        total += own.sums(rows[:, whole:])
    return total


def sums_between(x: Any) -> Any:
    """The sums over the middle one of three dimensions."""
    lead, n, width = x.shape
    if lead > 1:
        out = np.empty((lead, width), x.dtype)
        share(_sums_between, lead, x.size, x, out)
        return out
    parts = spans(n, x.size)
    out = np.empty((len(parts), 1, width), x.dtype)
    pieces = [(0, 1, x[:, a:b], t) for (a, b), t in zip(parts, out, strict=True)]
    run(_sums_between, pieces)
    return out.sum(0)


def extremes(rows: Any, largest: bool) -> Any:
    """The largest or smallest number in each row of contiguous float32, NaN if there is one."""
    n, width = rows.shape
    if n == 1 and width >= 2 * PIECE:  # pieces of it, which threads share
        whole = width - width % PIECE
        best = extremes(rows[:, :whole].reshape(-1, PIECE), largest)
        rest = rows[:, whole:] if whole < width else best[None, :1]
        return (np.max if largest else np.min)(np.append(best, rest))[None]
    out = np.empty(len(rows), i)
    share(_extremes, len(rows), rows.size, rows.view(i), i(0 if largest else -1), out)
    return out.view(rows.dtype)
