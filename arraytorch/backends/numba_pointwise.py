"""Compiled elementwise kernels of contiguous float32: one pass where NumPy takes a dozen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .numba_math import EXACT, compiled, exp, f, helper
from .numpy_pointwise import ERF_TERMS
from .sharing import share

_ZERO, _HALF, _ONE, _TWO, _THREE = f(0), f(0.5), f(1), f(2), f(3)
_SIX, _SIXTH, _THIRD = f(6), f(1 / 6), f(1 / 3)
_G6, _G5, _G4, _G3, _G2, _G1, _G0 = (f(c * 0.5 ** (6.5 - k)) for k, c in enumerate(ERF_TERMS))
_ROOT = f(math.sqrt(2 / math.pi))
_CUBIC = f(0.044715)


@helper
def sigmoid(x):  # type: ignore[no-untyped-def]
    """1 / (1 + exp(-x))."""
    return _ONE / (_ONE + exp(-x))


@helper
def _weight(x):  # type: ignore[no-untyped-def]
    """(1 + erf(x / sqrt(2))) / 2 = 1 / (1 + exp(-2 u)), where erf is tanh(u)."""
    t = x * x
    p = (((((_G6 * t + _G5) * t + _G4) * t + _G3) * t + _G2) * t + _G1) * t + _G0
    return sigmoid(_TWO * x * p)


@compiled(EXACT)
def _sigmoid(start, stop, x, out):  # type: ignore[no-untyped-def]
    x, out = x[start:stop], out[start:stop]
    for i in range(out.size):
        out[i] = sigmoid(x[i])


@compiled(EXACT)
def _leaky_relu(start, stop, g, x, slope, out):  # type: ignore[no-untyped-def]
    g, x, out = g[start:stop], x[start:stop], out[start:stop]
    for i in range(out.size):
        out[i] = g[i] if x[i] > 0 else g[i] * slope


@compiled(EXACT)
def _silu(start, stop, x, out):  # type: ignore[no-untyped-def]
    x, out = x[start:stop], out[start:stop]
    for i in range(out.size):
        out[i] = x[i] * sigmoid(x[i])


@compiled(EXACT)
def _silu_backward(start, stop, g, x, out):  # type: ignore[no-untyped-def]
    g, x, out = g[start:stop], x[start:stop], out[start:stop]
    for i in range(out.size):
        s = sigmoid(x[i])
        out[i] = g[i] * (s * (_ONE + x[i] * (_ONE - s)))


@compiled(EXACT)
def _gelu(start, stop, x, out):  # type: ignore[no-untyped-def]
    x, out = x[start:stop], out[start:stop]
    for i in range(out.size):
        out[i] = x[i] * _weight(x[i])


@compiled(EXACT)
def _gelu_backward(start, stop, g, x, out):  # type: ignore[no-untyped-def]
    g, x, out = g[start:stop], x[start:stop], out[start:stop]
    for i in range(out.size):
        density = exp(-_HALF * x[i] * x[i]) * (_HALF * _ROOT)
        out[i] = g[i] * (_weight(x[i]) + x[i] * density)


@compiled(EXACT)
def _gelu_tanh(start, stop, x, out):  # type: ignore[no-untyped-def]
    x, out = x[start:stop], out[start:stop]
    for i in range(out.size):
        u = _ROOT * x[i] * (_ONE + _CUBIC * x[i] * x[i])
        out[i] = x[i] * sigmoid(_TWO * u)


@compiled(EXACT)
def _gelu_tanh_backward(start, stop, g, x, out):  # type: ignore[no-untyped-def]
    g, x, out = g[start:stop], x[start:stop], out[start:stop]
    for i in range(out.size):
        t = x[i] * x[i]
        s = sigmoid(_TWO * _ROOT * x[i] * (_ONE + _CUBIC * t))
        slope = _TWO * _ROOT * (_ONE + _THREE * _CUBIC * t)
        out[i] = g[i] * (s + x[i] * s * (_ONE - s) * slope)


@compiled(EXACT)
def _hardsigmoid(start, stop, x, out):  # type: ignore[no-untyped-def]
    x, out = x[start:stop], out[start:stop]
    for i in range(out.size):
        y = x[i] + _THREE
        y = _ZERO if y < _ZERO else (_SIX if y > _SIX else y)
        out[i] = y * _SIXTH


@compiled(EXACT)
def _hardswish(start, stop, x, out):  # type: ignore[no-untyped-def]
    x, out = x[start:stop], out[start:stop]
    for i in range(out.size):
        y = x[i] + _THREE
        y = _ZERO if y < _ZERO else (_SIX if y > _SIX else y)
        out[i] = x[i] * y * _SIXTH


@compiled(EXACT)
def _hardswish_backward(start, stop, g, x, out):  # type: ignore[no-untyped-def]
    g, x, out = g[start:stop], x[start:stop], out[start:stop]
    for i in range(out.size):
        inside = g[i] * (x[i] * _THIRD + _HALF)
        out[i] = _ZERO if x[i] <= -_THREE else (inside if x[i] < _THREE else g[i])


@compiled(EXACT)
def _huber(start, stop, x, delta, scale, out):  # type: ignore[no-untyped-def]
    x, out = x[start:stop], out[start:stop]
    for i in range(out.size):
        size = abs(x[i])
        near = delta if size > delta else size
        out[i] = near * (size - near * _HALF) * scale


@compiled(EXACT)
def _where(start, stop, c, x, y, out):  # type: ignore[no-untyped-def]
    c, x, y, out = c[start:stop], x[start:stop], y[start:stop], out[start:stop]
    for i in range(out.size):
        out[i] = x[i] if c[i] else y[i]


@compiled(EXACT)
def _where_or_number(start, stop, c, x, y, out):  # type: ignore[no-untyped-def]
    c, x, out = c[start:stop], x[start:stop], out[start:stop]
    for i in range(out.size):
        out[i] = x[i] if c[i] else y


@compiled(EXACT)
def _number_where(start, stop, c, x, y, out):  # type: ignore[no-untyped-def]
    c, y, out = c[start:stop], y[start:stop], out[start:stop]
    for i in range(out.size):
        out[i] = x if c[i] else y[i]


def _mapped(kernel: Any, *arrays: Any) -> Any:
    out = np.empty(arrays[0].shape, np.float32)
    share(kernel, out.size, out.size, *(x.reshape(-1) for x in arrays), out.reshape(-1))
    return out


def sigmoids(x: Any) -> Any:
    """1 / (1 + exp(-x)), elementwise."""
    return _mapped(_sigmoid, x)


def leaky_relu(g: Any, x: Any, slope: float) -> Any:
    """g where x is positive, else g times the slope."""
    out = np.empty(x.shape, np.float32)
    flat = (g.reshape(-1), x.reshape(-1), f(slope), out.reshape(-1))
    share(_leaky_relu, x.size, x.size, *flat)
    return out


def silu(x: Any) -> Any:
    """x * sigmoid(x)."""
    return _mapped(_silu, x)


def silu_backward(g: Any, x: Any) -> Any:
    """g times the slope of `silu`."""
    return _mapped(_silu_backward, g, x)


def gelu(x: Any, approximate: str) -> Any:
    """x times the normal distribution function."""
    return _mapped(_gelu if approximate == "none" else _gelu_tanh, x)


def gelu_backward(g: Any, x: Any, approximate: str) -> Any:
    """g times the slope of `gelu`."""
    return _mapped(_gelu_backward if approximate == "none" else _gelu_tanh_backward, g, x)


def hardsigmoid(x: Any) -> Any:
    """min(max(x + 3, 0), 6) / 6."""
    return _mapped(_hardsigmoid, x)


def hardswish(x: Any) -> Any:
    """x * hardsigmoid(x)."""
    return _mapped(_hardswish, x)


def hardswish_backward(g: Any, x: Any) -> Any:
    """g times the slope of `hardswish`."""
    return _mapped(_hardswish_backward, g, x)


def huber(x: Any, delta: float, scale: float) -> Any:
    """scale times (half the square up to ``delta``, and ``delta`` times the rest beyond)."""
    out = np.empty(x.shape, np.float32)
    share(_huber, x.size, x.size, x.reshape(-1), f(delta), f(scale), out.reshape(-1))
    return out


def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition is true, else y; arrays as large as the condition, or of one element."""
    kernel = _where if x.size == y.size else _number_where if x.size == 1 else _where_or_number
    out = np.empty(condition.shape, x.dtype)
    x, y = (v.reshape(-1) if v.size == out.size else v.reshape(())[()] for v in (x, y))
    share(kernel, out.size, out.size, condition.reshape(-1), x, y, out.reshape(-1))
    return out
