"""Compiled walks of LSTM layers: each thread takes some sequences through all steps.

Loops read and write few arrays each, so that LLVM can see that these do not overlap, and vectorise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_math import EXACT, compiled, exp, f, helper
from .numba_products import packed, product
from .numba_tiles import lanes, parts
from .sharing import run

_ZERO, _ONE, _TWO, _NEAR = f(0), f(1), f(2), f(0.65)
# (tanh(x) / x - 1) / x^2 for |x| <= 0.65
_T0, _T1, _T2, _T3, _T4 = (
    f(-0.33333258991522985),
    f(0.13330818407152534),
    f(-0.05368747108175844),
    f(0.020468397230247015),
    f(-0.005514525051063808),
)


@helper
def _sigmoid(x):  # type: ignore[no-untyped-def]
    return _ONE / (_ONE + exp(-x))


@helper
def _tanh(x):  # type: ignore[no-untyped-def]
    t = x * x
    near = x + x * t * ((((_T4 * t + _T3) * t + _T2) * t + _T1) * t + _T0)
    far = _ONE - _TWO / (exp(_TWO * x) + _ONE)
    return near if t < _NEAR * _NEAR else far


@compiled(EXACT)
def _walk(start, stop, z, w, none, bounds, lanes, size, h, c, out, cells):  # type: ignore[no-untyped-def]
    """Takes sequences ``start`` to ``stop`` forward: c' = f c + i g, h' = o tanh(c')."""
    wide = 4 * size
    for t in range(len(bounds)):
        first = bounds[t, 0]
        many = min(stop, bounds[t, 1] - first) - start
        if many <= 0:
            continue
        row = first + start
        product(many, wide, size, lanes, h, start * size, size, 1,
                w, 0, z, row * wide, wide, none, True)  # fmt: skip
        for i in range(many):
            gates = z[(row + i) * wide : (row + i + 1) * wide]
            last = slice((start + i) * size, (start + i + 1) * size)
            here = slice((row + i) * size, (row + i + 1) * size)
            cell, state = c[last], h[last]
            for part in (gates[: 2 * size], gates[3 * size :]):
                for j in range(part.size):  # from 0 on, or it would not be vectorised
                    part[j] = _sigmoid(part[j])
            part = gates[2 * size : 3 * size]
            for j in range(size):
                part[j] = _tanh(part[j])
            for j in range(size):
                cell[j] = gates[size + j] * cell[j] + gates[j] * gates[2 * size + j]
            for j in range(size):
                state[j] = gates[3 * size + j] * _tanh(cell[j])
            out[here], cells[here] = state, cell


@compiled(EXACT)
def _walk_back(start, stop, g, z, w, none, bounds, lanes, size, dh, dc, earlier, cells, d):  # type: ignore[no-untyped-def]
    """Takes sequences back: the gradients of the gates before their functions, of state and cell."""
    wide, y = 4 * size, np.empty(size, z.dtype)
    for t in range(len(bounds) - 1, -1, -1):
        first = bounds[t, 0]
        many = min(stop, bounds[t, 1] - first) - start
        if many <= 0:
            continue
        row = first + start
        for i in range(many):
            last = slice((start + i) * size, (start + i + 1) * size)
            here = slice((row + i) * size, (row + i + 1) * size)
            gates = z[(row + i) * wide : (row + i + 1) * wide]
            slopes = d[(row + i) * wide : (row + i + 1) * wide]
            state, cell, now, before = dh[last], dc[last], cells[here], earlier[here]
            for j in range(size):
                y[j] = _tanh(now[j])
            if g.size:
                more = g[here]
                for j in range(size):
                    state[j] += more[j]
            for j in range(size):
                cell[j] += state[j] * gates[3 * size + j] * (_ONE - y[j] * y[j])
            for j in range(size):
                o = gates[3 * size + j]
                slopes[3 * size + j] = state[j] * y[j] * o * (_ONE - o)
            for j in range(size):
                slopes[j] = cell[j] * gates[2 * size + j] * gates[j] * (_ONE - gates[j])
            for j in range(size):
                n = gates[2 * size + j]
                slopes[2 * size + j] = cell[j] * gates[j] * (_ONE - n * n)
            for j in range(size):
                k = gates[size + j]
                slopes[size + j] = cell[j] * before[j] * k * (_ONE - k)
            for j in range(size):
                cell[j] *= gates[size + j]
        product(many, size, wide, lanes, d, row * wide, wide, 1,
                w, 0, dh, start * size, size, none, False)  # fmt: skip


def _flat(x: Any) -> Any:
    return np.ascontiguousarray(x).reshape(-1)


def _bounds(steps: Any) -> Any:
    return np.array(steps.spans, np.int64).reshape(-1, 2)


def lstm(z: Any, h: Any, c: Any, w: Any, steps: Any) -> tuple[Any, Any, Any, Any]:
    """The states of all steps, the last state and cell, and gates (in place of z) and cells.

    z holds the input's part of the gates, w (4 n, n) what the state is multiplied with.
    """
    sequences, size = c.shape
    z, h, c = np.ascontiguousarray(z), np.array(h, order="C"), np.array(c, order="C")
    out, cells = np.empty((2, len(z), size), z.dtype)
    run(
        _walk, parts(sequences, len(z) * w.size), z.reshape(-1), packed(w, True),
        np.zeros(sequences, z.dtype), _bounds(steps), lanes(z.itemsize), size,
        h.reshape(-1), c.reshape(-1), out.reshape(-1), cells.reshape(-1),
    )  # fmt: skip
    return out, h, c, (z, cells)


def lstm_backward(g: Any, dh: Any, dc: Any, earlier: Any, w: Any, steps: Any, kept: Any) -> Any:
    """The gates' gradients; those of the first state and cell take the places of the last ones'.

    ``earlier`` holds the cell before each step.
    """
    gates, cells = kept
    size = cells.shape[1]
    d = np.empty(gates.shape, gates.dtype)
    g = np.empty(0, gates.dtype) if g is None else _flat(g)
    run(
        _walk_back, parts(len(dh), d.size * size), g, _flat(gates), packed(w, False),
        np.zeros(len(dh), d.dtype), _bounds(steps), lanes(d.itemsize), size,
        dh.reshape(-1), dc.reshape(-1), _flat(earlier), _flat(cells), d.reshape(-1),
    )  # fmt: skip
    return d
