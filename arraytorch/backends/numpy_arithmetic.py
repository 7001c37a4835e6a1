"""Arithmetic of large NumPy arrays where NumPy's function calls the C library for each element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .compiled import MANY, kernels
from .sharing import blockwise

_EXACT = 2.0**28  # quotients of float32 up to here are on the right side of integers in float64


def floor_divide(x: Any, y: Any) -> Any:
    """np.floor_divide, by a division in float64."""
    return _of_pairs(_floor_divide, np.floor_divide, x, y)


def remainder(x: Any, y: Any) -> Any:
    """np.remainder, exact as well: the quotient's product with y has no more digits than float64."""
    return _of_pairs(_remainder, np.remainder, x, y)


def fmod(x: Any, y: Any) -> Any:
    """np.fmod, in the same way."""
    return _of_pairs(_fmod, np.fmod, x, y)


def hypot(x: Any, y: Any) -> Any:
    """np.hypot, in float64, where squares do not overflow."""
    return _of_pairs(_hypot, np.hypot, x, y)


def copysign(x: Any, y: Any) -> Any:
    """np.copysign, by two operations on bits."""
    return _of_pairs(_copysign, np.copysign, x, y)


def logaddexp(x: Any, y: Any) -> Any:
    """np.logaddexp, by vectorised functions."""
    return _of_pairs(_logaddexp, np.logaddexp, x, y)


def power(x: Any, y: Any) -> Any:
    """np.power, but by products, roots and quotients for the exponents that are one, as PyTorch's."""
    if y.__class__ not in (int, float) or x.__class__ is not np.ndarray or x.dtype.char not in "fd":
        return np.power(x, y)
    if y == 2:
        return np.square(x)
    if y == 3:  # pow takes 100 times as long for negative numbers
        z = x * x
        z *= x
        return z
    if y in _SPECIAL:
        return _SPECIAL[y](x)
    if x.size < MANY or y != int(y) or not 2 < y <= 64:
        return np.power(x, y)
    out = np.empty(x.shape, x.dtype)
    bits = bin(int(y))[3:]

    def part(x: Any, out: Any) -> None:
        np.multiply(x, x, out=out)
        for i, bit in enumerate(bits):
            if i:
                out *= out
            if bit == "1":
                out *= x

    blockwise(part, np.ascontiguousarray(x), out)
    return out


_SPECIAL: dict[float, Callable[[Any], Any]] = {
    0.5: np.sqrt,
    -0.5: lambda x: 1 / np.sqrt(x),
    -1: lambda x: 1 / x,
    -2: lambda x: 1 / (x * x),
}


def _of_pairs(part: Callable[..., bool], ufunc: Any, x: Any, y: Any) -> Any:
    """A function of large float32 arrays, block by block.

    ``part`` writes its result and returns whether that is right; else the ufunc computes the block.
    """
    if x.__class__ is not np.ndarray or x.size < MANY or x.dtype.char != "f":
        return ufunc(x, y)
    if y.__class__ in (int, float):
        other, many = np.array(y, np.float32), False
    elif y.dtype is x.dtype and y.flags.c_contiguous and (y.shape == x.shape or not y.ndim):
        other, many = y, y.ndim > 0
    else:
        return ufunc(x, y)
    if not x.flags.c_contiguous:
        return ufunc(x, y)
    if (own := kernels("pairs")) is not None:
        part = getattr(own, ufunc.__name__, part)
    out = np.empty(x.shape, x.dtype)

    def block(out: Any, x: Any, y: Any = other) -> None:
        if not part(x, y, out):
            ufunc(x, y, out)

    blockwise(block, out, x, *([other] if many else []))
    return out


def _quotient(x: Any, y: Any, rounding: Any) -> Any:
    """The rounded quotient in float64, None if it may be wrong."""
    # NaN is not below anything.
    if not np.abs(y).max() < np.inf:
        return None
    q = np.divide(x, y, dtype=np.float64)
    rounding(q, out=q)
    return q if max(q.max(), -q.min()) < _EXACT else None


def _floor_divide(x: Any, y: Any, out: Any) -> bool:
    q = _quotient(x, y, np.floor)
    if q is not None:
        out[...] = q
    return q is not None


def _remainder(x: Any, y: Any, out: Any, rounding: Any = np.floor) -> bool:
    q = _quotient(x, y, rounding)
    if q is not None:
        q *= y
        np.subtract(x, q, out=q)
        out[...] = q
    return q is not None


def _fmod(x: Any, y: Any, out: Any) -> bool:
    return _remainder(x, y, out, np.trunc)


def _hypot(x: Any, y: Any, out: Any) -> bool:
    s = np.multiply(x, x, dtype=np.float64)
    s += np.multiply(y, y, dtype=np.float64)
    np.sqrt(s, out=s)
    out[...] = s
    return bool(s.max() < np.inf)


def _copysign(x: Any, y: Any, out: Any) -> bool:
    bits = out.view(np.uint32)
    np.bitwise_and(x.view(np.uint32), np.uint32(0x7FFFFFFF), out=bits)
    bits |= y.view(np.uint32) & np.uint32(0x80000000)
    return True


def _logaddexp(x: Any, y: Any, out: Any) -> bool:
    d = x - y
    np.abs(d, out=d)
    np.negative(d, out=d)
    np.exp(d, out=d)
    np.log1p(d, out=d)
    np.maximum(x, y, out=out)
    out += d
    return bool(d.max() < np.inf)
