"""Elementwise kernels of NumPy arrays where there is a faster way than the obvious ufunc."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from .activation import ActivationKernels
from .compiled import MANY as _MANY
from .compiled import kernels
from .numpy_numbers import ONE, ZERO, number
from .pointwise import PointwiseKernels

_BLOCK = 1 << 14  # elements of which a few arrays stay in the cache

# erf(x) = tanh(x P(x^2)): a polynomial of low degree, whose errors tanh damps, and which needs no
# limits. Coefficients from the highest on, fitted to SciPy's erf by least squares, reweighted until
# the relative error of the result was level; with the rounding of float32 it is at most 3e-7.
ERF_TERMS = (
    1.4185218381943134e-07,
    -5.6684750871057935e-06,
    8.763732542763527e-05,
    -0.0006197846576585254,
    -0.00019183079866145325,
    0.10276905578854494,
    1.1283792743069496,
)
_ROOT_2_PI = math.sqrt(2 / math.pi)


def _numbers(*values: float) -> list[Any]:
    """Operands of float32: 0-d arrays, which take less time than Python's numbers."""
    return [np.array(v, np.float32) for v in values]


_ERF = _numbers(*ERF_TERMS)
_GELU = _numbers(*[c * 0.5 ** (6.5 - k) for k, c in enumerate(ERF_TERMS)])  # erf(x / sqrt(2))
_GELU_TANH = _numbers(0.044715 * _ROOT_2_PI, _ROOT_2_PI)
_INNER = _numbers(3 * 0.044715 * _ROOT_2_PI, _ROOT_2_PI)  # the slope of what tanh is taken of
_ONE, _HALF, _MINUS_HALF = _numbers(1, 0.5, -0.5)


@lru_cache(32)
def _limits(dtype: Any) -> tuple[Any, Any]:
    """Minus infinity and infinity, 0-d."""
    return np.array(-np.inf, dtype), np.array(np.inf, dtype)


def _plain(x: Any) -> bool:
    """Whether x is a large contiguous array of float32."""
    return x.dtype.char == "f" and x.size >= _MANY and x.flags.c_contiguous


class NumpyPointwiseKernels(ActivationKernels, PointwiseKernels):
    """Overrides for large arrays; what is small or of other types mostly goes the generic way."""

    def __init__(self, xp: Any) -> None:
        super().__init__(xp)
        self.pow, self.where = _pow, _where

    def relu(self, x: Any) -> Any:
        zero = ZERO[x.dtype]
        if x.size >= _MANY and x.dtype.kind == "f" and x.dtype.itemsize != 2:
            return x.clip(zero, _limits(x.dtype)[1])  # a third of maximum's time
        return np.maximum(x, zero)

    def clamp(self, x: Any, low: Any, high: Any) -> Any:
        if not x.ndim:  # NumPy makes scalars of 0-d arrays, which cannot be written to
            return np.asarray(super().clamp(x, low, high))
        if x.dtype.char not in "fd":
            return super().clamp(x, low, high)
        if x.size < _MANY:
            low, high = _operand(low, x.dtype), _operand(high, x.dtype)
            return super().clamp(x, low, high)
        bounds = [b for b in (low, high) if b is not None]
        if not all(isinstance(b, (int, float)) for b in bounds):
            return super().clamp(x, low, high)
        least, most = _limits(x.dtype)
        return x.clip(least if low is None else low, most if high is None else high)

    def masked_fill(self, x: Any, mask: Any, value: Any) -> Any:
        return self.settled(_where(mask, np.asarray(value, x.dtype), x))

    def sigmoid(self, x: Any) -> Any:
        if not x.ndim or x.size < _MANY and x.dtype.char not in "fd":
            return super().sigmoid(x)
        if _plain(x) and (compiled := kernels("pointwise")) is not None:
            return compiled.sigmoids(x)
        e = np.negative(x)
        np.exp(e, out=e)
        e += ONE[e.dtype]
        return np.reciprocal(e, out=e)

    def elu(self, x: Any, alpha: float, scale: float, rate: float) -> Any:
        if not x.ndim or x.dtype.char not in "fd":
            return super().elu(x, alpha, scale, rate)
        left, right = self.clamp(x, None, 0), self.clamp(x, 0, None)
        if rate != 1:
            left *= rate
        np.expm1(left, out=left)
        if alpha * scale != 1:
            left *= number(alpha * scale, x.dtype)
        if scale != 1:
            right *= number(scale, x.dtype)
        right += left
        return right

    def softplus(self, x: Any, beta: float, threshold: float) -> Any:
        if not x.ndim or x.dtype.char not in "fd":
            return super().softplus(x, beta, threshold)
        top = number(threshold, x.dtype)
        scaled = x if beta == 1 else x * number(beta, x.dtype)
        soft = np.minimum(scaled, top)
        np.exp(soft, out=soft)
        np.log1p(soft, out=soft)
        if beta != 1:
            soft /= number(beta, x.dtype)
        np.copyto(soft, x, where=np.greater(scaled, top))
        return soft

    def leaky_relu(self, x: Any, slope: float) -> Any:
        if _plain(x) and (compiled := kernels("pointwise")) is not None:
            return compiled.leaky_relu(x, x, slope)
        if x.dtype.char in "fd" and x.ndim and 0 < slope <= 1:
            return np.maximum(x, x * number(slope, x.dtype))
        return super().leaky_relu(x, slope)

    def leaky_relu_backward(self, g: Any, x: Any, slope: float) -> Any:
        if _plain(x) and _plain(g) and (compiled := kernels("pointwise")) is not None:
            return compiled.leaky_relu(g, x, slope)
        return super().leaky_relu_backward(g, x, slope)

    def silu(self, x: Any) -> Any:
        if _plain(x) and (compiled := kernels("pointwise")) is not None:
            return compiled.silu(x)
        return super().silu(x)

    def silu_backward(self, g: Any, x: Any) -> Any:
        if _plain(x) and _plain(g) and (compiled := kernels("pointwise")) is not None:
            return compiled.silu_backward(g, x)
        return super().silu_backward(g, x)

    def erf(self, x: Any) -> Any:
        if not _plain(x):
            return super().erf(x)
        out = np.empty_like(x)
        for u, y, t in _blocks(x, out):
            _tanh_of(u, _ERF, y, t)
        return out

    def gelu(self, x: Any, approximate: str) -> Any:
        if not _plain(x):
            return super().gelu(x, approximate)
        if (compiled := kernels("pointwise")) is not None:
            return compiled.gelu(x, approximate)
        out = np.empty_like(x)
        for u, y, t in _blocks(x, out):
            _tanh_of(u, _GELU if approximate == "none" else _GELU_TANH, y, t)
            y += _ONE
            y *= u
            y *= _HALF
        return out

    def gelu_backward(self, g: Any, x: Any, approximate: str) -> Any:
        if not (_plain(x) and _plain(g)):
            return super().gelu_backward(g, x, approximate)
        if (compiled := kernels("pointwise")) is not None:
            return compiled.gelu_backward(g, x, approximate)
        out = np.empty_like(x)
        for u, h, y, t in _blocks(x, g, out):
            if approximate == "tanh":  # (1 + tanh) / 2 has the slope (1 - tanh) (1 + tanh) / 2
                _tanh_of(u, _GELU_TANH, y, t)
                np.multiply(u, u, out=t)
                t *= _INNER[0]
                t += _INNER[1]
                t *= u
                t -= t * y
            else:
                _tanh_of(u, _GELU, y, t)
                np.multiply(u, u, out=t)
                t *= _MINUS_HALF
                np.exp(t, out=t)
                t *= u
                t *= _INNER[1]
            y += _ONE
            if approximate == "tanh":
                t += _ONE
                y *= t
            else:
                y += t
            y *= h
            y *= _HALF
        return out


def _operand(bound: Any, dtype: Any) -> Any:
    """A bound as an array, unless it is None."""
    return number(bound, dtype) if bound.__class__ is int or bound.__class__ is float else bound


def _blocks(*arrays: Any) -> Iterator[tuple[Any, ...]]:
    """The arrays' elements in pieces that fit the cache, and scratch of that size."""
    flat = [x.reshape(-1) for x in arrays]
    scratch = np.empty(_BLOCK, np.float32)
    for start in range(0, flat[0].size, _BLOCK):
        parts = [x[start : start + _BLOCK] for x in flat]
        yield *parts, scratch[: parts[0].size]


def _tanh_of(x: Any, coefficients: list[Any], out: Any, scratch: Any) -> None:
    """tanh(x P(x^2))."""
    np.multiply(x, x, out=scratch)
    np.multiply(scratch, coefficients[0], out=out)
    for c in coefficients[1:-1]:
        out += c
        out *= scratch
    out += coefficients[-1]
    out *= x
    np.tanh(out, out=out)


def _pow(x: Any, y: Any) -> Any:
    if y.__class__ is int and x.__class__ is np.ndarray and x.dtype.char in "fd":
        if y == 2:
            return np.square(x)
        if y == 3:  # as PyTorch does; pow takes 100 times as long for negative numbers
            z = x * x
            z *= x
            return z
    return np.power(x, y)


def _where(condition: Any, x: Any, y: Any) -> Any:
    """np.where, but by masks of bits: branches that nothing predicts take ten times as long."""
    if (
        condition.size < _MANY
        or condition.dtype.char != "?"
        or not condition.flags.c_contiguous
        or not (z := _alike(condition, x, y))
    ):
        return np.where(condition, x, y)
    x, y = z
    whole = np.int32 if x.dtype.itemsize == 4 else np.int64
    out: Any = np.empty(condition.shape, x.dtype)
    to, chosen = out.reshape(-1).view(whole), condition.reshape(-1).view(np.int8)
    x, y = x.reshape(-1).view(whole), y.reshape(-1).view(whole)
    mask: Any = np.empty(_BLOCK, whole)
    for start in range(0, to.size, _BLOCK):
        at = slice(start, start + _BLOCK)
        here, m = to[at], mask[: to.size - start]
        m[...] = chosen[at]
        np.negative(m, out=m)
        b = y if y.size == 1 else y[at]
        np.bitwise_xor(x if x.size == 1 else x[at], b, out=here)
        here &= m
        here ^= b
    return out


def _alike(condition: Any, x: Any, y: Any) -> tuple[Any, Any] | None:
    """x and y as arrays of one type, contiguous and as large as the condition, or of one element."""
    kinds = [v.dtype for v in (x, y) if isinstance(v, np.ndarray)]
    if not kinds or kinds[0].itemsize not in (4, 8) or kinds[0].kind not in "fi":
        return None
    made = []
    for v in (x, y):
        if not isinstance(v, np.ndarray):
            # A number takes on the array's type, unless it is of a higher kind or does not fit.
            if v.__class__ not in (int, float) or kinds[0].kind != "f":
                return None
            v = np.array(v, kinds[0])
        if v.dtype is not kinds[0] or not v.flags.c_contiguous:
            return None
        if v.size != 1 and v.shape != condition.shape or v.ndim > condition.ndim:
            return None
        made.append(v)
    return made[0], made[1]
