"""Compiled loops over the lines of arrays, one pass each: what is copied, repeated or mixed by lines."""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_math import EXACT, compiled
from .numba_pointwise import sigmoid
from .sharing import share

one = np.float32(1)
u = np.uint64  # an index that cannot be negative: loops with others do not vectorise


@compiled(EXACT)
def _fill(start, stop, out, value):  # type: ignore[no-untyped-def]
    out = out[start:stop]
    for i in range(out.size):
        out[i] = value


@compiled(EXACT)
def _spread(start, stop, x, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        value, to = x[i], out[i]
        for j in range(to.size):
            to[j] = value


@compiled(EXACT)
def _outer(start, stop, x, y, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        factor, line, to = x[i], y[i // (x.size // len(y))], out[i]
        for j in range(to.size):
            to[j] = factor * line[j]


@compiled(EXACT)
def _reversed(start, stop, x, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        line, to = x[i], out[i]
        last = u(to.size - 1)
        for j in range(to.size):
            to[j] = line[last - u(j)]


@compiled(EXACT)
def _larger_of_pairs(start, stop, x, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        line, to = x[i], out[i]
        for j in range(to.size):
            first, second = line[u(2) * u(j)], line[u(2) * u(j) + u(1)]
            to[j] = second if second > first or second != second else first


@compiled(EXACT)
def _mixed_lines(start, stop, x, index, weight, out):  # type: ignore[no-untyped-def]
    n = out.shape[1]
    for i in range(start, stop):
        plane, at, to = x[i // n], i % n, out[i // n, i % n]
        line, share = plane[index[0, at]], weight[0, at]
        for j in range(to.size):
            to[j] = line[j] * share
        for k in range(1, len(index)):
            line, share = plane[index[k, at]], weight[k, at]
            for j in range(to.size):
                to[j] += line[j] * share


@compiled(EXACT)
def _mixed(start, stop, x, index, weight, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        line, to = x[i], out[i]
        to[:] = 0
        for k in range(len(index)):
            places, shares = index[k], weight[k]
            for j in range(to.size):
                to[j] += line[places[j]] * shares[j]


@compiled(EXACT)
def _bags(start, stop, x, index, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        to = out[i]
        to[:] = 0
        for at in index[i]:
            line = x[at]
            for j in range(to.size):
                to[j] += line[j]


@compiled(EXACT)
def _glu(start, stop, x, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        first, second, to = x[i, 0], x[i, 1], out[i]
        for j in range(to.size):
            to[j] = first[j] * sigmoid(second[j])


@compiled(EXACT)
def _glu_backward(start, stop, g, x, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        first, second, slopes, to, beyond = x[i, 0], x[i, 1], g[i], out[i, 0], out[i, 1]
        for j in range(to.size):
            s = sigmoid(second[j])
            to[j] = slopes[j] * s
            beyond[j] = slopes[j] * s * first[j] * (one - s)


def fill(out: Any, value: Any) -> None:
    """Writes one number everywhere in a vector: NumPy's stores are narrower, and take twice as long."""
    share(_fill, out.size, out.size, out, value)


def spread(x: Any, out: Any) -> None:
    """Writes each number of a vector everywhere in a row."""
    share(_spread, len(x), out.size, x, out)


def glu(x: Any, out: Any) -> None:
    """Writes the first half of each row times the sigmoid of the second."""
    share(_glu, len(x), x.size, x, out)


def glu_backward(g: Any, x: Any, out: Any) -> None:
    """Writes g times the slopes of `glu`."""
    share(_glu_backward, len(x), x.size, g, x, out)


def bags(x: Any, index: Any) -> Any:
    """The sum of the rows of x that each row of index names."""
    out = np.empty((len(index), x.shape[1]), x.dtype)
    share(_bags, len(index), index.size * x.shape[1], x, index, out)
    return out


def outer(x: Any, y: Any) -> Any:
    """The products of each element of a row of x with all of the same row of y."""
    out = np.empty((*x.shape, y.shape[1]), x.dtype)
    share(_outer, x.size, out.size, x.reshape(-1), y, out.reshape(x.size, -1))
    return out


def flipped(x: Any) -> Any:
    """The rows of a matrix from their ends on."""
    out = np.empty(x.shape, x.dtype)
    share(_reversed, len(x), x.size, x, out)
    return out


def larger_of_pairs(x: Any) -> Any:
    """The larger one of each two neighbours in a row, or NaN; of an odd number the last is left out."""
    out = np.empty((*x.shape[:-1], x.shape[-1] // 2), x.dtype)
    rows = x.reshape(-1, x.shape[-1])
    share(_larger_of_pairs, len(rows), x.size, rows, out.reshape(len(rows), -1))
    return out


def mixed(x: Any, index: Any, weight: Any) -> Any:
    """Weighted sums along the middle one of three dimensions: a column of unsigned taps for each."""
    n = index.shape[1]
    out = np.empty((len(x), n, x.shape[2]), x.dtype)
    if x.shape[2] == 1:
        share(_mixed, len(x), out.size, x[..., 0], index, weight, out[..., 0])
    else:
        share(_mixed_lines, len(x) * n, out.size, x, index, weight, out)
    return out
