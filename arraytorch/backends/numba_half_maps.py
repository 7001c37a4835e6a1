"""Compiled arithmetic of contiguous float16 and bfloat16 in one pass, by the names of the kernels."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from . import numba_pointwise as pointwise
from .numba_maps import mapped
from .numba_math import EXACT, compiled, f, helper
from .numba_rounding import LOAD, STORE, itself
from .sharing import share

_ZERO, _ONE = f(0), f(1)
_INFINITY = float("inf")


@helper
def _add(x, y):  # type: ignore[no-untyped-def]
    return x + y


@helper
def _sub(x, y):  # type: ignore[no-untyped-def]
    return x - y


@helper
def _mul(x, y):  # type: ignore[no-untyped-def]
    return x * y


@helper
def _div(x, y):  # type: ignore[no-untyped-def]
    return x / y


@helper
def _maximum(x, y):  # type: ignore[no-untyped-def]
    return x if x > y or x != x else y


@helper
def _minimum(x, y):  # type: ignore[no-untyped-def]
    return x if x < y or x != x else y


@helper
def _eq(x, y):  # type: ignore[no-untyped-def]
    return x == y


@helper
def _ne(x, y):  # type: ignore[no-untyped-def]
    return x != y


@helper
def _lt(x, y):  # type: ignore[no-untyped-def]
    return x < y


@helper
def _le(x, y):  # type: ignore[no-untyped-def]
    return x <= y


@helper
def _gt(x, y):  # type: ignore[no-untyped-def]
    return x > y


@helper
def _ge(x, y):  # type: ignore[no-untyped-def]
    return x >= y


@helper
def _square(x):  # type: ignore[no-untyped-def]
    return x * x


@helper
def _sqrt(x):  # type: ignore[no-untyped-def]
    return np.sqrt(x)


@helper
def _floor(x, one):  # type: ignore[no-untyped-def]
    return np.floor(x * one)


@helper
def _ceil(x, one):  # type: ignore[no-untyped-def]
    return np.ceil(x * one)


@helper
def _trunc(x, one):  # type: ignore[no-untyped-def]
    return np.trunc(x * one)


@helper
def _relu(x):  # type: ignore[no-untyped-def]
    return _ZERO if x < _ZERO else x


@helper
def _relu_backward(g, out):  # type: ignore[no-untyped-def]
    return _ZERO if out <= _ZERO else g


@helper
def _step(x):  # type: ignore[no-untyped-def]
    return _ZERO if x <= _ZERO else _ONE


@helper
def _cube(x):  # type: ignore[no-untyped-def]
    return x * x * x


@helper
def _add_scaled(x, y, alpha):  # type: ignore[no-untyped-def]
    return x + y * alpha


POWERS = {
    2: mapped(_square),
    3: mapped(_cube),
    0.5: mapped(_sqrt),
    -0.5: pointwise.rsqrt,
    -1: pointwise.reciprocal,
}


def _times_one(expression: Any) -> Any:
    """Without a product LLVM would move the rounding before the conversion, where it is not vectorised."""
    kernel = mapped(expression)
    return lambda x: kernel(x, 1)


def _clamp(x: Any, low: Any, high: Any) -> Any:
    low, high = (-_INFINITY if low is None else low), (_INFINITY if high is None else high)
    if not (isinstance(low, (int, float)) and isinstance(high, (int, float)) and low <= high):
        return None
    return pointwise.clamp(x, low, high)


# Of one array, or of several and numbers. Those that return None leave their arguments to others.
MAPS = {
    "square": POWERS[2], "sqrt": POWERS[0.5], "floor": _times_one(_floor), "ceil": _times_one(_ceil),
    "trunc": _times_one(_trunc), "relu": mapped(_relu), "relu_backward": mapped(_relu_backward, 2), "step": mapped(_step), "clamp": _clamp,
    "add_scaled": mapped(_add_scaled, 2), "lerp": pointwise.lerp, "addcmul": pointwise.addcmul,
    "addcdiv": pointwise.addcdiv, "sigmoid": pointwise.sigmoids, "silu": pointwise.silu,
    "silu_backward": pointwise.silu_backward, "gelu": pointwise.gelu, "gelu_backward": pointwise.gelu_backward,
    "leaky_relu": pointwise.leaky_relu, "leaky_relu_backward": pointwise.leaky_relu_backward,
    "hardsigmoid": pointwise.hardsigmoid, "hardswish": pointwise.hardswish,
    "hardswish_backward": pointwise.hardswish_backward, "huber": pointwise.huber, "elu": pointwise.elu,
    "elu_backward": pointwise.elu_backward, "softplus": pointwise.softplus, "outside": pointwise.outside,
    "logsigmoid": pointwise.logsigmoid, "softshrink": pointwise.softshrink, "sign": pointwise.sign,
    "rsqrt": pointwise.rsqrt, "reciprocal": pointwise.reciprocal,
}  # fmt: skip
# Of two arrays, and of an array and a number.
_ARITHMETIC = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "maximum": _maximum, "minimum": _minimum
}  # fmt: skip
_COMPARISONS = {"eq": _eq, "ne": _ne, "lt": _lt, "le": _le, "gt": _gt, "ge": _ge}
PAIRS = {name: (mapped(e, 2), mapped(e)) for name, e in _ARITHMETIC.items()}
PAIRS |= {
    name: (mapped(e, 2, np.bool_), mapped(e, 1, np.bool_)) for name, e in _COMPARISONS.items()
}


def _of_rows(f: Any, load: Any, store: Any) -> Any:
    @compiled(EXACT)
    def loop(start, stop, x, y, out):  # type: ignore[no-untyped-def]
        for k in range(start, stop):
            row, to = x[k], out[k]
            for i in range(to.size):
                to[i] = store(f(load(row[i]), load(y[i])))

    return loop


def _of_columns(f: Any, load: Any, store: Any) -> Any:
    @compiled(EXACT)
    def loop(start, stop, x, y, out):  # type: ignore[no-untyped-def]
        for k in range(start, stop):
            row, to, number = x[k], out[k], load(y[k % y.size])
            for i in range(to.size):
                to[i] = store(f(load(row[i]), number))

    return loop


@lru_cache(64)
def _broadcast(name: str, kind: str, by_rows: bool) -> Any:
    truth = name in _COMPARISONS
    expression = (_COMPARISONS if truth else _ARITHMETIC)[name]
    store = itself if truth else STORE[kind]
    return (_of_rows if by_rows else _of_columns)(expression, LOAD[kind], store)


def broadcast(name: str, x: Any, y: Any, by_rows: bool) -> Any:
    """A pair's kernel of a matrix and a vector that belongs to each of its rows.

    Otherwise it has a number for each row, from the start again where it ends.
    """
    out = np.empty(x.shape, np.bool_ if name in _COMPARISONS else np.uint16)
    loop = _broadcast(name, x.dtype.char, by_rows)
    share(loop, len(x), x.size, x.view(np.uint16), y.view(np.uint16), out)
    return out if name in _COMPARISONS else out.view(x.dtype)
