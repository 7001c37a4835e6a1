"""Compiled gathers, scatters and running sums along rows; indices are in bounds and not negative."""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_math import EXACT, FAST, compiled, helper
from .sharing import share

TILE = 16  # rows and columns of a matrix that are turned around at a time
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


@compiled(EXACT)
def _scatter(start, stop, x, index, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for j in range(index.shape[1]):
            out[i, index[i, j]] = x[i, j]


@compiled(EXACT)
def _put(start, stop, x, index, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for j in range(index.size):
            out[i, index[j]] = x[i, j]


@compiled(EXACT)
def _add_columns(start, stop, x, index, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for j in range(index.size):
            out[i, index[j]] += x[i, j]


@compiled(EXACT)
def _add_rows(start, stop, x, index, out):  # type: ignore[no-untyped-def]
    for k in range(index.size):
        line, to = x[k, start:stop], out[index[k], start:stop]
        for j in range(to.size):
            to[j] += line[j]


@compiled(EXACT)
def _turn(start, stop, x, out):  # type: ignore[no-untyped-def]
    """Transposes matrices, a tile at a time by way of a buffer; of all, some bands of tiles."""
    rows, columns = x.shape[1], x.shape[2]
    bands = (rows + TILE - 1) // TILE
    tile = np.empty((TILE, TILE), x.dtype)
    for unit in range(start, stop):
        plane, first = unit // bands, unit % bands * TILE
        high = min(TILE, rows - first)
        for at in range(0, columns, TILE):
            wide = min(TILE, columns - at)
            for i in range(high):
                line = x[plane, first + i, at : at + wide]
                for j in range(wide):
                    tile[i, j] = line[j]
            for j in range(wide):
                line = out[plane, at + j, first : first + high]
                for i in range(high):
                    line[i] = tile[i, j]


def _combining(combine: Any) -> Any:
    @compiled(EXACT)
    def loop(out, index, x):  # type: ignore[no-untyped-def]
        for k in range(index.size):
            at = index[k]
            out[at] = combine(out[at], x[k])

    return loop


@helper
def _sum(x, y):  # type: ignore[no-untyped-def]
    return x + y


@helper
def _product(x, y):  # type: ignore[no-untyped-def]
    return x * y


@helper
def _larger(x, y):  # type: ignore[no-untyped-def]
    return y if y > x or y != y else x


@helper
def _smaller(x, y):  # type: ignore[no-untyped-def]
    return y if y < x or y != y else x


_COMBINING = {
    np.add: _combining(_sum), np.multiply: _combining(_product),
    np.maximum: _combining(_larger), np.minimum: _combining(_smaller),
}  # fmt: skip


def combine_at(out: Any, index: Any, x: Any, function: Any) -> None:
    """What the ufunc's `at` does to a vector."""
    _COMBINING[function](out, index, x)


def scatter(out: Any, index: Any, x: Any) -> None:
    """Writes x to the elements of each row of a matrix that a row of indices names."""
    share(_scatter, len(index), index.size, x, index, out)


def put(out: Any, index: Any, x: Any) -> None:
    """Writes x to the columns of a matrix that a vector of indices names."""
    share(_put, len(out), x.size, x, index, out)


def add_columns(out: Any, index: Any, x: Any) -> None:
    """Adds x to the columns of a matrix that a vector of indices names."""
    share(_add_columns, len(out), x.size, x, index, out)


def add_rows(out: Any, index: Any, x: Any) -> None:
    """Adds x to the rows of a matrix that a vector of indices names; threads take columns."""
    share(_add_rows, out.shape[1], x.size, np.ascontiguousarray(x), index, out)


def turn(x: Any, out: Any) -> None:
    """Writes the transposes of matrices."""
    share(_turn, len(x) * -(-x.shape[1] // TILE), x.size, x, out)


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
