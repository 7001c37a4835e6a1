"""Compiled pools of two dimensions: windows too large, or too different, for slices of the whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_math import EXACT, compiled
from .sharing import share


@compiled(EXACT)
def _maxima(start, stop, x, size, stride, first, dilation, out, places):  # type: ignore[no-untyped-def]
    rows, columns = x.shape[1], x.shape[2]
    for p in range(start, stop):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                best, fresh = x.dtype.type(-np.inf), True
                for a in range(size[0]):
                    row = i * stride[0] + first[0] + a * dilation[0]
                    if row < 0 or row >= rows:
                        continue
                    for b in range(size[1]):
                        column = j * stride[1] + first[1] + b * dilation[1]
                        if column < 0 or column >= columns:
                            continue
                        v = x[p, row, column]
                        # Writing at once makes this a branch, seldom taken, and not a chain of choices.
                        if v > best or fresh or v != v:
                            best, fresh = v, False
                            out[p, i, j] = v
                            places[p, i, j] = a * size[1] + b


@compiled(EXACT)
def _means(start, stop, x, rows, columns, out):  # type: ignore[no-untyped-def]
    sums = np.empty(x.shape[2], x.dtype)  # of rows, many columns at a time
    for p in range(start, stop):
        for i in range(out.shape[1]):
            sums[:] = 0
            for a in range(rows[i, 0], rows[i, 1]):
                line = x[p, a]
                for k in range(sums.size):
                    sums[k] += line[k]
            for j in range(out.shape[2]):
                total = x.dtype.type(0)
                for b in range(columns[j, 0], columns[j, 1]):
                    total += sums[b]
                count = (rows[i, 1] - rows[i, 0]) * (columns[j, 1] - columns[j, 0])
                out[p, i, j] = total / x.dtype.type(count)


@compiled(EXACT)
def _spread(start, stop, g, rows, columns, out):  # type: ignore[no-untyped-def]
    for p in range(start, stop):
        out[p] = 0
        for i in range(g.shape[1]):
            for j in range(g.shape[2]):
                count = (rows[i, 1] - rows[i, 0]) * (columns[j, 1] - columns[j, 0])
                each = g[p, i, j] / g.dtype.type(count)
                for a in range(rows[i, 0], rows[i, 1]):
                    for b in range(columns[j, 0], columns[j, 1]):
                        out[p, a, b] += each


def _planes(x: Any) -> Any:
    return x.reshape(-1, *x.shape[2:])


def maxima(x: Any, c: Any) -> tuple[Any, Any]:
    """The maxima of the windows of a geometry, and which of a window's elements they are."""
    out = np.empty((*x.shape[:2], *c.out), x.dtype)
    places = np.empty(out.shape, np.uint8)
    first = (-c.padding[0][0], -c.padding[1][0])
    geometry = c.size, c.stride, first, c.dilation
    share(
        _maxima,
        x.shape[0] * x.shape[1],
        x.size,
        _planes(x),
        *geometry,
        _planes(out),
        _planes(places),
    )
    return out, places


def means(x: Any, spans: Any) -> Any:
    """The means of windows that are given by pairs along each dimension."""
    rows, columns = (np.array(s, np.int64) for s in spans)
    out = np.empty((*x.shape[:2], len(rows), len(columns)), x.dtype)
    share(_means, x.shape[0] * x.shape[1], x.size, _planes(x), rows, columns, _planes(out))
    return out


def spread(g: Any, spans: Any, spatial: Any) -> Any:
    """The gradient of `means`."""
    rows, columns = (np.array(s, np.int64) for s in spans)
    out = np.empty((*g.shape[:2], *spatial), g.dtype)
    share(_spread, g.shape[0] * g.shape[1], out.size, _planes(g), rows, columns, _planes(out))
    return out
