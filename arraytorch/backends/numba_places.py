"""Compiled gathers, scatters and running sums along rows; indices are in bounds and not negative."""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_math import EXACT, FAST, compiled
from .sharing import share

RUN = 32  # elements of which one look tells whether one of them is a new extreme


@compiled(EXACT)
def _gather(start, stop, x, index, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for j in range(index.shape[1]):
            out[i, j] = x[i, index[i, j]]


@compiled(EXACT)
def _scatter_add(start, stop, x, index, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for j in range(index.shape[1]):
            out[i, index[i, j]] += x[i, j]


@compiled(EXACT)
def _take(start, stop, x, index, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for j in range(index.size):
            out[i, j] = x[i, index[j]]


@compiled(EXACT)
def _cumsum(start, stop, x, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        total = x[i, 0]
        out[i, 0] = total
        for j in range(1, x.shape[1]):
            total += x[i, j]
            out[i, j] = total


@compiled(EXACT)
def _cumprod(start, stop, x, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        total = x[i, 0]
        out[i, 0] = total
        for j in range(1, x.shape[1]):
            total *= x[i, j]
            out[i, j] = total


@compiled(EXACT)
def _running(start, stop, x, largest, out, places):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        best, place = x[i, 0], 0
        for at in range(0, x.shape[1], RUN):
            row, to, to_place = x[i, at : at + RUN], out[i, at : at + RUN], places[i, at : at + RUN]
            better = 0
            for j in range(row.size):
                v = row[j]
                better += 1 if v != v or (v >= best if largest else v <= best) else 0
            if not better:  # as it mostly is: two vectors of copies
                to[:] = best
                to_place[:] = place
                continue
            for j in range(row.size):
                v = row[j]
                if v != v or (v >= best if largest else v <= best):
                    best, place = v, at + j
                to[j] = best
                to_place[j] = place


@compiled(FAST)
def _prod(start, stop, x, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        total = x[i, 0]
        for j in range(1, x.shape[1]):
            total *= x[i, j]
        out[i] = total


def gather(x: Any, index: Any) -> Any:
    """The elements of each row of a matrix that a row of indices names."""
    out = np.empty(index.shape, x.dtype)
    share(_gather, len(index), index.size, x, index, out)
    return out


def scatter_add(out: Any, index: Any, x: Any) -> None:
    """Adds x to the elements of each row of a matrix that a row of indices names."""
    share(_scatter_add, len(index), index.size, x, index, out)


def take(x: Any, index: Any) -> Any:
    """The columns of a matrix that a vector of indices names."""
    out = np.empty((len(x), index.size), x.dtype)
    share(_take, len(x), out.size, x, index, out)
    return out


def cumsum(x: Any) -> Any:
    """Running sums along the rows of a matrix, which lie in memory as those of x do."""
    out = np.empty(x.shape, x.dtype)[:, :: 1 if x.strides[1] > 0 else -1]
    share(_cumsum, len(x), x.size, x, out)
    return out


def products(x: Any) -> Any:
    """The product of each row of a matrix."""
    out = np.empty(len(x), x.dtype)
    share(_prod, len(x), x.size, x, out)
    return out


def cumprod(x: Any) -> Any:
    """Running products along the rows of a matrix."""
    out = np.empty(x.shape, x.dtype)
    share(_cumprod, len(x), x.size, x, out)
    return out


def running(x: Any, largest: bool) -> tuple[Any, Any]:
    """The largest or smallest element so far along rows, and the last place where it stood."""
    out, places = np.empty(x.shape, x.dtype), np.empty(x.shape, np.int64)
    share(_running, len(x), x.size, x, largest, out, places)
    return out, places
