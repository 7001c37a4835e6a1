"""Compiled softmax along a dimension that others follow: for as many columns at a time as fit the cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_math import EXACT, FAST, compiled, exp
from .sharing import share

COLUMNS = 512
f = np.float32


@compiled(EXACT)
def _raise(line, tops):  # type: ignore[no-untyped-def]
    for k in range(tops.size):
        tops[k] = line[k] if line[k] > tops[k] else tops[k]


@compiled(FAST)
def _exp_less(line, tops, totals, out):  # type: ignore[no-untyped-def]
    for k in range(tops.size):
        e = exp(line[k] - tops[k])
        out[k] = e
        totals[k] += e


@compiled(FAST)
def _finish(line, tops, totals, logarithm, out):  # type: ignore[no-untyped-def]
    if logarithm:
        for k in range(totals.size):
            out[k] = line[k] - tops[k] - totals[k]
    else:
        for k in range(totals.size):
            out[k] *= totals[k]


@compiled(FAST)
def _softmax(start, stop, blocks, x, logarithm, out):  # type: ignore[no-untyped-def]
    tops, totals = np.empty(COLUMNS, f), np.empty(COLUMNS, f)
    for unit in range(start, stop):
        given, to, at = x[unit // blocks], out[unit // blocks], unit % blocks * COLUMNS
        end = min(at + COLUMNS, given.shape[1])
        top, total = tops[: end - at], totals[: end - at]
        top[:], total[:] = -np.inf, 0
        for i in range(given.shape[0]):
            _raise(given[i][at:end], top)
        for i in range(given.shape[0]):
            _exp_less(given[i][at:end], top, total, to[i][at:end])
        for k in range(total.size):
            total[k] = np.log(total[k]) if logarithm else f(1) / total[k]
        for i in range(given.shape[0]):
            _finish(given[i][at:end], top, total, logarithm, to[i][at:end])


@compiled(FAST)
def _add(g, y, logarithm, totals):  # type: ignore[no-untyped-def]
    if logarithm:
        for k in range(totals.size):
            totals[k] += g[k]
    else:
        for k in range(totals.size):
            totals[k] += g[k] * y[k]


@compiled(FAST)
def _slope(g, y, logarithm, totals, out):  # type: ignore[no-untyped-def]
    if logarithm:
        for k in range(totals.size):
            out[k] = g[k] - exp(y[k]) * totals[k]
    else:
        for k in range(totals.size):
            out[k] = (g[k] - totals[k]) * y[k]


@compiled(FAST)
def _slopes(start, stop, blocks, g, y, logarithm, out):  # type: ignore[no-untyped-def]
    totals = np.empty(COLUMNS, f)
    for unit in range(start, stop):
        plane, at = unit // blocks, unit % blocks * COLUMNS
        a, b, to = g[plane], y[plane], out[plane]
        end = min(at + COLUMNS, a.shape[1])
        total = totals[: end - at]
        total[:] = 0
        for i in range(a.shape[0]):
            _add(a[i][at:end], b[i][at:end], logarithm, total)
        for i in range(a.shape[0]):
            _slope(a[i][at:end], b[i][at:end], logarithm, total, to[i][at:end])


def softmax(x: Any, logarithm: bool) -> Any:
    """The softmax along the middle one of three dimensions of contiguous float32, or its logarithm."""
    out = np.empty(x.shape, x.dtype)
    blocks = -(-x.shape[2] // COLUMNS)
    share(_softmax, len(x) * blocks, x.size, blocks, x, logarithm, out)
    return out


def softmax_backward(g: Any, y: Any, logarithm: bool) -> Any:
    """The gradient of `softmax`, whose result is ``y``."""
    out = np.empty(y.shape, y.dtype)
    blocks = -(-y.shape[2] // COLUMNS)
    share(_slopes, len(y) * blocks, y.size, blocks, g, y, logarithm, out)
    return out
