"""Compiled conversions: int64 to float32, and between that and floats of 16 bits by arithmetic on bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_maps import mapped
from .numba_math import FAST, compiled, from_bits, helper, to_bits
from .sharing import share

i = np.int32
_SHIFT = np.float32(2.0**112)  # from float16's exponents to float32's
_LEAST = np.float32(0.5)  # whose last digit is float16's smallest number


# numba's integers grow to 64 bits with each operation, of which half as many fit a register.


@helper
def _from_float16(h):  # type: ignore[no-untyped-def]
    size = i(i(h) & i(0x7FFF))
    bits = i(size << i(13))
    x = to_bits(from_bits(bits) * _SHIFT)
    x = i(bits | i(0x7F800000)) if size >= i(0x7C00) else x
    return from_bits(i(x | i(i(i(h) & i(0x8000)) << i(16))))


@helper
def _to_float16(x):  # type: ignore[no-untyped-def]
    bits = to_bits(x)
    size = i(bits & i(0x7FFFFFFF))
    tie = i(i(size >> i(13)) & i(1))  # to even
    h = i(i(size - i(0x37FFF001) + tie) >> i(13))
    tiny = i(to_bits(from_bits(size) + _LEAST) - i(0x3F000000))
    h = tiny if size < i(0x38800000) else h
    h = i(0x7C00) if size >= i(0x47800000) else h
    h = i(0x7E00) if size > i(0x7F800000) else h
    return np.uint16(i(h | i(i(bits >> i(16)) & i(0x8000))))


@helper
def _from_bfloat16(h):  # type: ignore[no-untyped-def]
    return from_bits(i(i(h) << i(16)))


@helper
def _to_bfloat16(x):  # type: ignore[no-untyped-def]
    bits = to_bits(x)
    tie = i(i(bits >> i(16)) & i(1))
    h = i(i(bits + i(0x7FFF + tie)) >> i(16))
    return np.uint16(i(i(bits >> i(16)) | i(0x40)) if x != x else h)


@helper
def _to_float32(x):  # type: ignore[no-untyped-def]
    return np.float32(x)


_TO = {"e": mapped(_to_float16, result=np.uint16), "E": mapped(_to_bfloat16, result=np.uint16)}
_FROM = {
    "e": mapped(_from_float16, result=np.float32),
    "E": mapped(_from_bfloat16, result=np.float32),
}


_FROM_INT64 = mapped(_to_float32, result=np.float32)


def _summing(widened: Any) -> Any:
    @compiled(FAST)
    def loop(start, stop, x, out):  # type: ignore[no-untyped-def]
        for k in range(start, stop):
            total = np.float32(0)
            for j in range(x.shape[1]):
                total += widened(x[k, j])
            out[k] = total

    return loop


_SUMS = {"e": _summing(_from_float16), "E": _summing(_from_bfloat16)}


def sums(rows: Any) -> Any:
    """The sum of each row of a contiguous matrix, in float32."""
    out = np.empty(len(rows), np.float32)
    share(_SUMS[rows.dtype.char], len(rows), rows.size, rows.view(np.uint16), out)
    return out


def cast(x: Any, dtype: Any) -> Any:
    """A contiguous array as one of another type: from or to float32."""
    if x.dtype.char == "l":
        return _FROM_INT64(x)
    if x.dtype.char == "f":
        return _TO[dtype.char](x).view(dtype)
    return _FROM[x.dtype.char](x.view(np.uint16))
