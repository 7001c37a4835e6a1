"""Activations of few numbers, for which NumPy's calls count and not its passes.

A call takes 0.35 us, and 0.3 if it is told where to write; a Python number as an operand takes 0.3 more
than a 0-d array, a choice by `where` 0.9. The arrays are of float32 or float64 and have a dimension:
of 0-d ones NumPy makes scalars, into which nothing can be written.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .numpy_numbers import ONE, ZERO, Number, nonzero, number

try:
    # What ndarray.clip calls in the end, in half of its time. It has no public name.
    from numpy._core.umath import clip
except ImportError:

    def clip(x: Any, low: Any, high: Any, out: Any = None) -> Any:
        """x within bounds."""
        return np.minimum(np.maximum(x, low, out=out), high, out=out)


_LEAST, _MOST = Number(-100), Number(0)  # between which the logarithms of probabilities are held
_THREE, _SIX, INFINITY = Number(3), Number(6), Number(float("inf"))
_SOME = 200  # numbers from which a call of NumPy costs less than a slow function of each
# exp is taken of -2 sqrt(2 / pi) (x + 0.044715 x^3), as (1 + tanh(u)) / 2 = 1 / (1 + exp(-2 u)).
_CUBIC, _LINEAR = Number(-0.07135481627260025), Number(-1.5957691216057308)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    e = np.negative(x)
    np.exp(e, e)
    e += ONE[e.dtype]
    return np.reciprocal(e, e)


def silu(x: Any) -> Any:
    """x / (1 + exp(-x))."""
    e = np.negative(x)
    np.exp(e, e)
    e += ONE[e.dtype]
    return np.divide(x, e, e)


def gelu_tanh(x: Any) -> Any:
    """x times the approximate distribution function."""
    e = np.multiply(x, x)
    e *= _CUBIC[e.dtype]
    e += _LINEAR[e.dtype]
    e *= x
    np.exp(e, e)
    e += ONE[e.dtype]
    return np.divide(x, e, e)


def mish(x: Any) -> Any:
    """x tanh(log(1 + exp(x)))."""
    e = _softened(x)
    np.tanh(e, e)
    e *= x
    return e


def _softened(x: Any) -> Any:
    """log(1 + exp(x)); of more than a few numbers by functions that NumPy has vectors for."""
    if x.size < _SOME:
        return np.logaddexp(x, ZERO[x.dtype])
    e = np.abs(x)
    np.negative(e, e)
    np.exp(e, e)
    np.log1p(e, e)
    e += clip(x, ZERO[x.dtype], INFINITY[x.dtype])  # a third of maximum's time
    return e


def softplus(x: Any, beta: float, threshold: float) -> Any:
    """log(1 + exp(beta x)) / beta, and x itself where beta x exceeds the threshold."""
    scale = None if beta == 1 else nonzero(beta, x.dtype) if beta else number(beta, x.dtype)
    scaled = x if scale is None else x * scale
    soft = _softened(scaled)
    if scale is not None:
        soft /= scale
    if not scaled.item(scaled.argmax()) <= threshold:
        np.copyto(soft, x, where=np.greater(scaled, number(threshold, x.dtype)))
    return soft


def logsigmoid(x: Any) -> Any:
    """-log(1 + exp(-x))."""
    e = _softened(np.negative(x))
    return np.subtract(ZERO[x.dtype], e, e)  # which makes 0 of 0, and not -0


def hardsigmoid(x: Any) -> Any:
    """min(max(x + 3, 0), 6) / 6."""
    e, six = np.add(x, _THREE[x.dtype]), _SIX[x.dtype]
    clip(e, ZERO[e.dtype], six, e)
    e /= six
    return e


def hardswish(x: Any) -> Any:
    """x times hardsigmoid(x)."""
    e, six = np.add(x, _THREE[x.dtype]), _SIX[x.dtype]
    clip(e, ZERO[e.dtype], six, e)
    e *= x
    e /= six
    return e


def leaky_relu(x: Any, slope: float) -> Any:
    """x where positive, else x times a slope."""
    e = np.multiply(x, number(slope, x.dtype))
    if 0 < slope <= 1:
        return np.maximum(x, e)
    np.putmask(e, np.greater(x, ZERO[x.dtype]), x)
    return e


def elu(x: Any, alpha: float, scale: float, rate: float) -> Any:
    """scale * x where positive, else scale * alpha * (exp(rate * x) - 1)."""
    zero = ZERO[x.dtype]
    inner, outer, slope, convex = _elu_numbers(alpha, scale, rate, x.dtype)
    e = np.minimum(zero, x)
    if inner is not None:
        e *= inner
    np.expm1(e, e)
    if outer is not None:
        e *= outer
    if convex:
        return np.maximum(x, e)
    right = np.maximum(x, zero)
    if slope is not None:
        right *= slope
    right += e
    return right


@lru_cache(256)
def _elu_numbers(alpha: float, scale: float, rate: float, dtype: Any) -> tuple[Any, Any, Any, bool]:
    """The factors of elu, None for 1, and whether it is convex: then the left part lies above x."""
    factors = [None if v == 1 else np.array(v, dtype) for v in (rate, alpha * scale, scale)]
    return *factors, scale == 1 and alpha > 0 and 0 < alpha * rate <= 1  # type: ignore


def softshrink(x: Any, size: float) -> Any:
    """x moved towards 0 by ``size`` at most."""
    e = clip(x, number(-size, x.dtype), number(size, x.dtype))
    return np.subtract(x, e, e)


def hardshrink(x: Any, size: float) -> Any:
    """x where its magnitude exceeds ``size``, else 0."""
    e = np.absolute(x)
    small = np.less_equal(e, number(size, x.dtype))
    np.copyto(e, x)
    np.putmask(e, small, ZERO[x.dtype])
    return e


def binary_cross_entropy(x: Any, target: Any) -> Any:
    """-(t log x + (1 - t) log(1 - x)), with logarithms held at -100 and above."""
    least, most = _LEAST[x.dtype], _MOST[x.dtype]
    right = np.negative(x)
    np.log1p(right, right)
    clip(right, least, most, right)
    left = np.log(x)
    clip(left, least, most, left)
    left -= right
    left *= target  # t log(1 - x) - t log x - log(1 - x), of which none is infinite
    left += right
    return np.negative(left, left)


def threshold(x: Any, least: float, value: float) -> Any:
    """x, but a value where x is at most ``least``."""
    e = x.copy()
    np.putmask(e, np.less_equal(x, number(least, x.dtype)), number(value, x.dtype))
    return e
