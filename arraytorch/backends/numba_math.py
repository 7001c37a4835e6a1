"""Elementary functions of float32 for compiled loops, which vectorise where the C library's do not.

numba calls the C library for exp and tanh, one element at a time. These are polynomials after
Cody and Waite's reduction (W. J. Cody and W. Waite, Software Manual for the Elementary Functions,
1980), with coefficients fitted for this file; their errors are about one unit in the last place.
"""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, uuid5

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

f = np.float32

# Sums may be reordered, so that they are made in parallel; NaN and infinities keep their meaning.
FAST = {"reassoc", "contract", "arcp"}
EXACT = {"contract"}


def compiled(fastmath: Any = EXACT, **more: Any) -> Any:
    """Returns the decorator of kernels: compiled when first called, and kept on disk if that can be."""

    def decorate(function: Any) -> Any:
        options = {"nogil": True, "error_model": "numpy", "fastmath": fastmath, **more}
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # there is no folder that may be written
            return numba.njit(**options)(function)

    return decorate


def helper(function: Any) -> Any:
    """What kernels call in their innermost loops."""
    return _identified(compiled(EXACT, forceinline=True)(function), function)


def instruction(function: Any) -> Any:
    """A helper in LLVM's own code, see `numba.extending.intrinsic`."""
    return _identified(intrinsic(function), function)


def _identified(made: Any, function: Any) -> Any:
    """Gives a helper an identity that it has in the next process, too: that of its code.

    It contains the numbers and helpers that the code names. numba would choose one at random, and never
    find on disk what was compiled with the helper for a parameter.
    """
    code = function.__code__
    named = [_identity(function.__globals__.get(name)) for name in code.co_names]
    constants = [getattr(c, "co_code", c) for c in code.co_consts]
    parts = function.__module__, function.__qualname__, code.co_code, constants, named
    made._set_uuid(uuid5(NAMESPACE_OID, repr(parts)))
    return made


def _identity(named: Any) -> Any:
    if hasattr(named, "_set_uuid"):
        return named._uuid
    return repr(named) if isinstance(named, (float, tuple, np.generic)) else None


@instruction
def from_bits(typingctx: Any, bits: Any) -> Any:
    """The float32 of these bits."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), generate


@instruction
def to_bits(typingctx: Any, x: Any) -> Any:
    """The bits of a float32."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(32))

    return types.int32(types.float32), generate


@instruction
def from_bits64(typingctx: Any, bits: Any) -> Any:
    """The float64 of these bits."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), generate


@instruction
def to_bits64(typingctx: Any, x: Any) -> Any:
    """The bits of a float64."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), generate


_LOG2_E = f(1.4426950408889634)
_LN2_HIGH, _LN2_LOW = f(0.693359375), f(-2.12194440054690583e-4)  # the first has few digits
_LEAST, _MOST = f(-87.33654), f(88.72283)
_ZERO, _HALF, _ONE, _TWO, _INFINITY = f(0), f(0.5), f(1), f(2), f(np.inf)
# (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2, to 3e-9 of exp(r)
_E0, _E1, _E2, _E3, _E4 = (
    f(0.4999999341248123),
    f(0.16666520107742014),
    f(0.04166839421510348),
    f(0.008368780418357221),
    f(0.0013814466850789414),
)


@helper
def _reduced(x):  # type: ignore[no-untyped-def]
    """n, exp(r) - 1 for the rest r of x without n ln(2), and half of 2^n."""
    y = _LEAST if x < _LEAST else (_MOST if x > _MOST else x)
    n = np.floor(y * _LOG2_E + _HALF)
    r = y - n * _LN2_HIGH
    r = r - n * _LN2_LOW
    p = (((_E4 * r + _E3) * r + _E2) * r + _E1) * r + _E0
    # 2^128 has no bits of its own: half of it, twice.
    scale = from_bits(np.int32((np.int32(n) + np.int32(126)) << np.int32(23)))
    return p * r * r + r, scale


@helper
def exp(x):  # type: ignore[no-untyped-def]
    """e to the power x; 0 below the normal numbers."""
    rest, scale = _reduced(x)
    y = (rest + _ONE) * scale * _TWO
    return _ZERO if x < _LEAST else (_INFINITY if x > _MOST else y)


@helper
def expm1(x):  # type: ignore[no-untyped-def]
    """exp(x) - 1, as exact for small numbers."""
    rest, scale = _reduced(x)
    y = _TWO * (rest * scale + (scale - _HALF))
    return _INFINITY if x > _MOST else y


_L = tuple([f(2 / (2 * k + 1)) for k in range(6, 0, -1)])  # log((1 + s) / (1 - s)) / s, without 2


@helper
def log1p(x):  # type: ignore[no-untyped-def]
    """log(1 + x) of numbers that are not negative."""
    bits = to_bits(_ONE + x)
    n = np.int32(bits - np.int32(0x3F3504F3)) >> np.int32(23)  # from the root of a half on
    top = x if n == 0 else from_bits(np.int32(bits - (n << np.int32(23)))) - _ONE
    s = top / (_TWO + top)
    z = s * s
    p = ((((_L[0] * z + _L[1]) * z + _L[2]) * z + _L[3]) * z + _L[4]) * z + _L[5]
    y = f(n) * _LN2_HIGH + (f(n) * _LN2_LOW + (s * z * p + _TWO * s))
    return y if x < _INFINITY else x
