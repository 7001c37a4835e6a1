"""float16 to float32 and back by arithmetic on bits, as NumPy converts one number after the other.

A float16 has its exponent 112 lower than a float32 and 13 digits fewer: shifted by 13 and multiplied by
2^112 its bits are those of the float32. Back, half of the last digit is added, or a little less where
that is even, so that the nearest is chosen, the even one of two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .sharing import blockwise

_DIGITS = 13  # bits that a float32 has more behind the point
_BITS = np.array(-0x70002000, np.int32)  # sign, exponent and digits of a float16 that was shifted
_REBASE = np.float32(2.0**112)
_LARGEST = 65520  # from here the nearest float16 is infinity
_NEARLY_HALF = np.array((1 << (_DIGITS - 1)) - 1 - (112 << 23), np.int32)
_SIGN, _NORMAL = np.array(0x8000, np.uint16), np.float32(2.0**-14)


def convert(x: Any, dtype: Any) -> Any:
    """A large contiguous array of one of the two types as the other."""
    out = np.empty(x.shape, dtype)
    blockwise(_widen if dtype.itemsize == 4 else _narrow, x, out)
    return out


def _widen(x: Any, out: Any) -> None:
    bits = out.view(np.int32)
    bits[...] = x.view(np.int16)
    bits <<= _DIGITS
    bits &= _BITS
    out *= _REBASE
    if out.max() >= 1 << 16 or out.min() <= -1 << 16:  # infinity or NaN
        out[...] = x


def _narrow(x: Any, out: Any) -> None:
    if not -_LARGEST < x.min() <= x.max() < _LARGEST:
        out[...] = x
        return
    given, bits = x.view(np.int32), out.view(np.uint16)
    s = given >> _DIGITS
    s &= 1
    s += given
    s += _NEARLY_HALF
    s >>= _DIGITS
    bits[...] = s
    few = np.flatnonzero(np.abs(x) < _NORMAL)
    bits |= x.view(np.uint16)[1::2] & _SIGN
    if few.size > x.size // 8:
        out[...] = x
    else:
        out[few] = x.take(few)
