"""Elementary functions of float32 for compiled loops, which vectorise where the C library's do not.

numba calls the C library for exp and tanh, one element at a time. These are polynomials after
Cody and Waite's reduction (W. J. Cody and W. Waite, Software Manual for the Elementary Functions,
1980), with coefficients fitted for this file; their errors are about one unit in the last place.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

f = np.float32

# Sums may be reordered, so that they are made in parallel; NaN and infinities keep their meaning.
FAST = {"reassoc", "contract", "arcp"}
EXACT = {"contract"}


def compiled(fastmath: Any = EXACT) -> Any:
    """Returns the decorator of kernels: compiled when first called, and kept on disk if that can be."""

    def decorate(function: Any) -> Any:
        options = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # there is no folder that may be written
            return numba.njit(**options)(function)

    return decorate


helper = compiled(EXACT)  # of what kernels call in their innermost loops


@intrinsic
def from_bits(typingctx: Any, bits: Any) -> Any:
    """The float32 of these bits."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def to_bits(typingctx: Any, x: Any) -> Any:
    """The bits of a float32."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(32))

    return types.int32(types.float32), generate


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
def exp(x):  # type: ignore[no-untyped-def]
    """e to the power x; 0 below the normal numbers."""
    y = _LEAST if x < _LEAST else (_MOST if x > _MOST else x)
    n = np.floor(y * _LOG2_E + _HALF)
    r = y - n * _LN2_HIGH
    r = r - n * _LN2_LOW
    p = (((_E4 * r + _E3) * r + _E2) * r + _E1) * r + _E0
    # 2^128 has no bits of its own: half of it, twice.
    scale = from_bits(np.int32((np.int32(n) + np.int32(126)) << np.int32(23)))
    y = (p * r * r + r + _ONE) * scale * _TWO
    return _ZERO if x < _LEAST else (_INFINITY if x > _MOST else y)
