"""Compiled elementwise kernels of contiguous float32: one pass where NumPy takes a dozen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .numba_maps import in_place, mapped
from .numba_math import exp, expm1, f, helper, log1p
from .numpy_passes import ERF_TERMS

_ZERO, _HALF, _ONE, _TWO, _THREE = f(0), f(0.5), f(1), f(2), f(3)
_SIX, _SIXTH, _THIRD = f(6), f(1 / 6), f(1 / 3)
_G6, _G5, _G4, _G3, _G2, _G1, _G0 = (f(c * 0.5 ** (6.5 - k)) for k, c in enumerate(ERF_TERMS))
_ROOT = f(math.sqrt(2 / math.pi))
_CUBIC = f(0.044715)
_LOW, _HIGH = f(-87.0), f(88.0)  # of what exp is taken
_INFINITY = f(np.inf)


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


@helper
def _leaky_relu(g, x, slope):  # type: ignore[no-untyped-def]
    return g if x > 0 else g * slope


@helper
def _silu(x):  # type: ignore[no-untyped-def]
    return x * sigmoid(x)


@helper
def _silu_backward(g, x):  # type: ignore[no-untyped-def]
    s = sigmoid(x)
    return g * (s * (_ONE + x * (_ONE - s)))


@helper
def _gelu(x):  # type: ignore[no-untyped-def]
    return x * _weight(x)


@helper
def _gelu_backward(g, x):  # type: ignore[no-untyped-def]
    density = exp(-_HALF * x * x) * (_HALF * _ROOT)
    return g * (_weight(x) + x * density)


@helper
def _gelu_tanh(x):  # type: ignore[no-untyped-def]
    return x * sigmoid(_TWO * _ROOT * x * (_ONE + _CUBIC * x * x))


@helper
def _gelu_tanh_backward(g, x):  # type: ignore[no-untyped-def]
    t = x * x
    s = sigmoid(_TWO * _ROOT * x * (_ONE + _CUBIC * t))
    slope = _TWO * _ROOT * (_ONE + _THREE * _CUBIC * t)
    return g * (s + x * s * (_ONE - s) * slope)


@helper
def _clamp(x, low, high):  # type: ignore[no-untyped-def]
    return low if x < low else (high if x > high else x)


@helper
def _hardsigmoid(x):  # type: ignore[no-untyped-def]
    return _clamp(x + _THREE, _ZERO, _SIX) * _SIXTH


@helper
def _hardswish(x):  # type: ignore[no-untyped-def]
    return x * _clamp(x + _THREE, _ZERO, _SIX) * _SIXTH


@helper
def _hardswish_backward(g, x):  # type: ignore[no-untyped-def]
    inside = g * (x * _THIRD + _HALF)
    return _ZERO if x <= -_THREE else (inside if x < _THREE else g)


@helper
def _huber(x, delta, scale):  # type: ignore[no-untyped-def]
    size = abs(x)
    near = delta if size > delta else size
    return near * (size - near * _HALF) * scale


@helper
def _sign(x):  # type: ignore[no-untyped-def]
    return _ONE if x > 0 else (-_ONE if x < 0 else _ZERO)


@helper
def _squared_gap(x, y):  # type: ignore[no-untyped-def]
    return (x - y) * (x - y)


@helper
def _gap(x, y):  # type: ignore[no-untyped-def]
    return abs(x - y)


@helper
def _huber_gap(x, y, delta, scale):  # type: ignore[no-untyped-def]
    return _huber(x - y, delta, scale)


@helper
def _slope_of_gap(x, y, g):  # type: ignore[no-untyped-def]
    return g * _sign(x - y)


@helper
def _slope_of_huber_gap(x, y, g, delta, scale):  # type: ignore[no-untyped-def]
    return g * (_clamp(x - y, -delta, delta) * scale)


@helper
def _lerp(x, y, weight):  # type: ignore[no-untyped-def]
    span = y - x
    return x + span * weight if abs(weight) < _HALF else y - span * (_ONE - weight)


@helper
def _addcmul(x, y, z, value):  # type: ignore[no-untyped-def]
    return x + y * z * value


@helper
def _addcdiv(x, y, z, value):  # type: ignore[no-untyped-def]
    return x + y / z * value


@helper
def _frac(x):  # type: ignore[no-untyped-def]
    return x - np.trunc(x)


@helper
def _within(g, x, low, high, scale):  # type: ignore[no-untyped-def]
    return g * scale if low < x < high else _ZERO


@helper
def _elu(x, alpha, scale, rate):  # type: ignore[no-untyped-def]
    left = expm1((x if x < _ZERO else _ZERO) * rate) * (alpha * scale)
    return left if x < _ZERO else x * scale


@helper
def _elu_backward(g, x, alpha, scale, rate):  # type: ignore[no-untyped-def]
    left = exp((x if x < _ZERO else _ZERO) * rate) * (alpha * scale * rate)
    return g * (left if x <= _ZERO else scale)


@helper
def _softplus(x, beta, threshold):  # type: ignore[no-untyped-def]
    y = x * beta
    soft = log1p(exp(threshold if y > threshold else y)) / beta
    return x if y > threshold else soft


@helper
def _logsigmoid(x):  # type: ignore[no-untyped-def]
    return (x if x < _ZERO else _ZERO) - log1p(exp(-abs(x)))


@helper
def _softshrink(x, size):  # type: ignore[no-untyped-def]
    return x - _clamp(x, -size, size)


@helper
def _outside(g, x, low, high, value):  # type: ignore[no-untyped-def]
    return value if low <= x <= high else g


@helper
def _nan_to_num(x, nan, posinf, neginf):  # type: ignore[no-untyped-def]
    y = posinf if x == _INFINITY else (neginf if x == -_INFINITY else x)
    return nan if x != x else y


@helper
def _rsqrt(x):  # type: ignore[no-untyped-def]
    return _ONE / np.sqrt(x)


@helper
def _reciprocal(x):  # type: ignore[no-untyped-def]
    return _ONE / x


@helper
def _where(x, y, condition):  # type: ignore[no-untyped-def]
    return x if condition else y


@helper
def _where_or_number(x, condition, y):  # type: ignore[no-untyped-def]
    return x if condition else y


@helper
def _number_where(y, condition, x):  # type: ignore[no-untyped-def]
    return x if condition else y


sigmoids, silu, silu_backward = mapped(sigmoid), mapped(_silu), mapped(_silu_backward, 2)
leaky_relus = mapped(_leaky_relu, 2)
exact_gelu, exact_gelu_backward = mapped(_gelu), mapped(_gelu_backward, 2)
tanh_gelu, tanh_gelu_backward = mapped(_gelu_tanh), mapped(_gelu_tanh_backward, 2)
clamp, hardsigmoid, hardswish = mapped(_clamp), mapped(_hardsigmoid), mapped(_hardswish)
hardswish_backward, huber = mapped(_hardswish_backward, 2), mapped(_huber)
squared_gap, gap, huber_gap = mapped(_squared_gap, 2), mapped(_gap, 2), mapped(_huber_gap, 2)
slope_of_gap, slope_of_huber_gap = mapped(_slope_of_gap, 2), mapped(_slope_of_huber_gap, 2)
lerp, addcmul, addcdiv = mapped(_lerp, 2), mapped(_addcmul, 3), mapped(_addcdiv, 3)
frac, within = mapped(_frac), mapped(_within, 2)
elu, elu_backward = mapped(_elu), mapped(_elu_backward, 2)
softplus = mapped(_softplus)
logsigmoid, softshrink, outside = mapped(_logsigmoid), mapped(_softshrink), mapped(_outside, 2)
nan_to_num, sign, rsqrt = mapped(_nan_to_num), mapped(_sign), mapped(_rsqrt)
reciprocal, clamp_in_place = mapped(_reciprocal), in_place(_clamp)
_wheres = mapped(_where, 3), mapped(_where_or_number, 2), mapped(_number_where, 2)


def leaky_relu(x: Any, slope: float) -> Any:
    """x where positive, else x times the slope."""
    return leaky_relus(x, x, slope)


def leaky_relu_backward(g: Any, x: Any, slope: float) -> Any:
    """g where x is positive, else g times the slope."""
    return leaky_relus(g, x, slope)


def gelu(x: Any, approximate: str) -> Any:
    """x times the normal distribution function."""
    return exact_gelu(x) if approximate == "none" else tanh_gelu(x)


def gelu_backward(g: Any, x: Any, approximate: str) -> Any:
    """g times the slope of `gelu`."""
    return exact_gelu_backward(g, x) if approximate == "none" else tanh_gelu_backward(g, x)


def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition is true, else y; arrays as large as the condition, or of one element."""
    of_both, or_number, number_where = _wheres
    if x.size == y.size:
        return of_both(x, y, condition)
    if y.size == 1:
        return or_number(x.reshape(condition.shape), condition, y.reshape(())[()])
    return number_where(y.reshape(condition.shape), condition, x.reshape(())[()])
