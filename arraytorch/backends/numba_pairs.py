"""Compiled parts of `numpy_arithmetic`, by the names that they have there."""

from __future__ import annotations

import numpy as np

from .numba_maps import of_pairs
from .numba_math import f, from_bits, helper, to_bits

d = np.float64
_EXACT = d(2.0**28)  # quotients below it, times a float32, have no more digits than a float64
_INFINITY = f(np.inf)


@helper
def _remainder(x, y):  # type: ignore[no-untyped-def]
    q = np.floor(d(x) / d(y))
    return f(d(x) - q * d(y)), abs(q) < _EXACT and abs(y) < _INFINITY


@helper
def _fmod(x, y):  # type: ignore[no-untyped-def]
    q = np.trunc(d(x) / d(y))
    return f(d(x) - q * d(y)), abs(q) < _EXACT and abs(y) < _INFINITY


@helper
def _floor_divide(x, y):  # type: ignore[no-untyped-def]
    q = np.floor(d(x) / d(y))
    return f(q), abs(q) < _EXACT and abs(y) < _INFINITY


@helper
def _hypot(x, y):  # type: ignore[no-untyped-def]
    square = d(x) * d(x) + d(y) * d(y)
    return f(np.sqrt(square)), square < np.inf


@helper
def _copysign(x, y):  # type: ignore[no-untyped-def]
    size, sign = to_bits(x) & np.int32(0x7FFFFFFF), to_bits(y) & np.int32(-0x80000000)
    return from_bits(np.int32(size | sign)), True


remainder, fmod, floor_divide = of_pairs(_remainder), of_pairs(_fmod), of_pairs(_floor_divide)
hypot, copysign = of_pairs(_hypot), of_pairs(_copysign)
