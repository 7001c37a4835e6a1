"""Compiled passes over planes, the rows of a matrix that have one mean and one weight each."""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_math import FAST, compiled
from .sharing import run, share

_ROWS = 512  # rows that are summed one after the other


@compiled(FAST)
def _sums(start, stop, x, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        total = x.dtype.type(0)
        for j in range(x.shape[1]):
            total += x[i, j]
        out[i] = total


@compiled(FAST)
def _squares(start, stop, x, middle, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        total, m = x.dtype.type(0), middle[i]
        for j in range(x.shape[1]):
            d = x[i, j] - m
            total += d * d
        out[i] = total


@compiled(FAST)
def _scaled(start, stop, x, middle, scale, shift, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        m, a, b = middle[i], scale[i], shift[i]
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - m) * a + b


@compiled(FAST)
def _dots(start, stop, g, x, middle, sums, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        total, dot, m = x.dtype.type(0), x.dtype.type(0), middle[i]
        for j in range(x.shape[1]):
            total += g[i, j]
            dot += g[i, j] * (x[i, j] - m)
        sums[i] = total
        out[i] = dot


@compiled(FAST)
def _combined(start, stop, g, x, middle, a, b, c, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        m, p, q, r = middle[i], a[i], b[i], c[i]
        for j in range(x.shape[1]):
            out[i, j] = p + (x[i, j] - m) * q + g[i, j] * r


def sums(x: Any) -> Any:
    """The sum of each row."""
    out = np.empty(len(x), x.dtype)
    share(_sums, len(x), x.size, x, out)
    return out


def squares(x: Any, middle: Any) -> Any:
    """The sum of the squared distances to a number per row."""
    out = np.empty(len(x), x.dtype)
    share(_squares, len(x), x.size, x, middle, out)
    return out


def scaled(x: Any, middle: Any, scale: Any, shift: Any) -> Any:
    """(x - middle) * scale + shift, with numbers per row."""
    out = np.empty(x.shape, x.dtype)
    share(_scaled, len(x), x.size, x, middle, scale, shift, out)
    return out


def dots(g: Any, x: Any, middle: Any) -> tuple[Any, Any]:
    """For each row the sum of g, and of g times the distances of x to a number per row."""
    total, dot = np.empty(len(x), x.dtype), np.empty(len(x), x.dtype)
    share(_dots, len(x), x.size, g, x, middle, total, dot)
    return total, dot


def combined(g: Any, x: Any, middle: Any, a: Any, b: Any, c: Any) -> Any:
    """a + (x - middle) * b + g * c, with numbers per row."""
    out = np.empty(x.shape, x.dtype)
    share(_combined, len(x), x.size, g, x, middle, a, b, c, out)
    return out


# columns of a matrix, that have one mean and one weight each: threads take rows


@compiled(FAST)
def _column_squares(start, stop, x, middle, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for j in range(x.shape[1]):
            d = x[i, j] - middle[j]
            out[j] += d * d


@compiled(FAST)
def _column_scaled(start, stop, x, middle, scale, shift, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - middle[j]) * scale[j] + shift[j]


@compiled(FAST)
def _column_dots(start, stop, g, x, middle, sums, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for j in range(x.shape[1]):
            sums[j] += g[i, j]
            out[j] += g[i, j] * (x[i, j] - middle[j])


@compiled(FAST)
def _column_combined(start, stop, g, x, middle, a, b, c, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for j in range(x.shape[1]):
            out[i, j] = a[j] + (x[i, j] - middle[j]) * b[j] + g[i, j] * c[j]


def _by_rows(kernel: Any, x: Any, sums: int, *args: Any) -> list[Any]:
    """Vectors of sums over the rows of x, to which each part of rows adds its own."""
    starts = range(0, len(x), _ROWS)
    parts = np.zeros((sums, len(starts), x.shape[1]), x.dtype)
    work = [(i, min(i + _ROWS, len(x)), k) for k, i in enumerate(starts)]
    run(lambda start, stop, k: kernel(start, stop, *args, *parts[:, k]), work)
    return [np.add.reduce(p, 0) for p in parts]


def column_squares(x: Any, middle: Any) -> Any:
    """The sum of the squared distances to a number per column."""
    return _by_rows(_column_squares, x, 1, x, middle)[0]


def column_dots(g: Any, x: Any, middle: Any) -> list[Any]:
    """For each column the sum of g, and of g times the distances of x to a number per column."""
    return _by_rows(_column_dots, x, 2, g, x, middle)


def column_scaled(x: Any, middle: Any, scale: Any, shift: Any) -> Any:
    """(x - middle) * scale + shift, with numbers per column."""
    out = np.empty(x.shape, x.dtype)
    share(_column_scaled, len(x), x.size, x, middle, scale, shift, out)
    return out


def column_combined(g: Any, x: Any, middle: Any, a: Any, b: Any, c: Any) -> Any:
    """a + (x - middle) * b + g * c, with numbers per column."""
    out = np.empty(x.shape, x.dtype)
    share(_column_combined, len(x), x.size, g, x, middle, a, b, c, out)
    return out
