"""float16 to float32 and back by arithmetic on bits, as NumPy converts one number after the other.

A float16 has its exponent 112 lower than a float32 and 13 digits fewer: shifted by 13 and multiplied by
2^112 its bits are those of the float32. Back, half of the last digit is added, or a little less where
that is even, so that the nearest is chosen, the even one of two.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .sharing import blockwise

_DIGITS = 13  # bits that a float32 has more behind the point
_BITS = np.array(-0x70002000, np.int32)  # sign, exponent and digits of a float16 that was shifted
_REBASE = np.float32(2.0**112)
_LARGEST = 65520  # from here the nearest float16 is infinity
_NEARLY_HALF = np.array((1 << (_DIGITS - 1)) - 1 - (112 << 23), np.int32)
_HALF, _BITS_OF_HALF = np.float32(0.5), np.array(0x3F000000, np.int32)
_SIGN, _NORMAL = np.array(0x8000, np.uint16), np.float32(2.0**-14)


def convert(x: Any, dtype: Any) -> Any:
    """A large contiguous array of one of the two types as the other."""
    out = np.empty(x.shape, dtype)
    blockwise(_widen if dtype.itemsize == 4 else narrow, x, out)
    return out


def widened(x: Any) -> Any:
    """A block of float16 as float32: by a table in the second-level cache."""
    return _table().take(x.view(np.uint16), mode="clip")


@lru_cache(1)
def _table() -> Any:
    return np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)


def _widen(x: Any, out: Any) -> None:
    bits = out.view(np.int32)
    bits[...] = x.view(np.int16)
    bits <<= _DIGITS
    bits &= _BITS
    out *= _REBASE
    if out.max() >= 1 << 16 or out.min() <= -1 << 16:  # infinity or NaN
        out[...] = x


def narrow(x: Any, out: Any) -> None:
    """Writes a contiguous block of float32 as float16."""
    x, out = x.reshape(-1), out.reshape(-1)
    if not -_LARGEST < x.min() <= x.max() < _LARGEST:
        out[...] = x
        return
    given, bits = x.view(np.int32), out.view(np.uint16)
    s = given >> _DIGITS
    s &= 1
    s += given
    s += _NEARLY_HALF
    s >>= _DIGITS
    size = np.abs(x)
    small = size < _NORMAL
    few = np.flatnonzero(small)
    if few.size > x.size // 32:  # beside 1/2 their last digit is a float32's
        size += _HALF
        tiny = size.view(np.int32)
        tiny -= _BITS_OF_HALF
        tiny -= s
        tiny *= small
        s += tiny
    bits[...] = s
    bits |= x.view(np.uint16)[1::2] & _SIGN
    if 0 < few.size <= x.size // 32:
        out[few] = x.take(few)
