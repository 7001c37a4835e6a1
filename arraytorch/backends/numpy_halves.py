"""Floats of 16 bits by arithmetic on their bits, as NumPy converts float16 one number after the other.

A float16 has its exponent 112 lower than a float32 and 13 digits fewer: shifted by 13 and multiplied by
2^112 its bits are those of the float32. Back, c - (c - x) with c = 2^13 x rounds x to float16's 11 digits,
to even between two, as c - x has no room for more. Numbers that a float16 has fewer digits for take the
least c, for which c - x ends where they do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .sharing import blockwise

_DIGITS, _HALFWAY = np.array(13, np.int32), np.array(16, np.int32)
_BITS = np.array(-0x70002000, np.int32)  # sign, exponent and digits of a float16 that was shifted
_SIGN = np.array(-0x80000000, np.int32)
_REBASE, _REBASE_BACK = np.array(2.0**112, np.float32), np.array(2.0**-112, np.float32)
_TWO_TO_13, _LEAST, _MOST = np.array([8192, 0.75, 1e9], np.float32).reshape(3, 1)
_LARGEST = 65520  # from here the nearest float16 is infinity


def convert(x: Any, dtype: Any) -> Any:
    """A large contiguous array of a type of 16 bits as float32, or the other way."""
    out = np.empty(x.shape, dtype)
    if "E" in (x.dtype.char, dtype.char):
        blockwise(lambda x, out: np.copyto(out, x, casting="unsafe"), x, out)
    else:
        blockwise(_widen if dtype.itemsize == 4 else narrow, x, out)
    return out


def widened(x: Any) -> Any:
    """A contiguous block of float16 as float32."""
    out = np.empty(x.shape, np.float32)
    _widen(x, out)
    return out


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
    size = np.abs(x)
    if not size.max() < _LARGEST:
        out[...] = x
        return
    c = size * _TWO_TO_13
    np.clip(c, _LEAST, _MOST, out=c)
    np.subtract(c, size, out=size)
    c -= size
    c *= _REBASE_BACK
    h, sign = c.view(np.int32), size.view(np.int32)
    h >>= _DIGITS
    np.bitwise_and(x.view(np.int32), _SIGN, out=sign)
    sign >>= _HALFWAY
    h |= sign
    np.copyto(out.view(np.uint16), h, casting="unsafe")


ALL = 1 << 16  # numbers that there are of a type
_tables: dict[Any, Any] = {}
_KEPT = 64  # tables, of 128 kB each


def looked_up(x: Any, make: Any, key: Any) -> Any:
    """What a function makes of each number of an array, from a table of what it makes of all of them.

    ``make`` makes that table of an array of all numbers; the key tells the function from others.
    """
    key = key, x.dtype.char
    if (table := _tables.get(key)) is None:
        if len(_tables) >= _KEPT:
            _tables.clear()
        table = _tables[key] = make(np.arange(ALL, dtype=np.uint16).view(x.dtype))
    out = np.empty(x.shape, table.dtype)
    # In this mode it needs no buffer.
    blockwise(lambda x, out: table.take(x, mode="wrap", out=out), x.view(np.uint16), out)
    return out


# What chooses among numbers may look at their bits as integers: these are in the same order, if negative
# ones are counted from the other end. Where there is NaN such functions return None.

_LAST_BIT, _ALL_BUT_SIGN = np.array([15, 0x7FFF], np.int16).reshape(2, 1)
_INFINITIES = {"e": 0x7C00, "E": 0x7F80}


def relu(x: Any) -> Any:
    """max(x, 0) of a contiguous array of a type of 16 bits."""
    return clamp(x, 0.0, None)


def relu_backward(g: Any, out: Any) -> Any:
    """g where the result is positive, else 0."""
    unordered: list[Any] = []

    def part(to: Any, g: Any, bits: Any) -> None:
        if bits.view(np.uint16).max() > infinity:
            unordered.append(to)
            return
        to[...] = np.greater(bits, 0).view(np.int8)
        np.negative(to, out=to)
        to &= g

    infinity = _INFINITIES[out.dtype.char]
    z = np.empty(g.shape, g.dtype)
    blockwise(part, *[x.view(np.int16) for x in (z, g, out)])
    return None if unordered else z


def clamp(x: Any, low: float | None, high: float | None) -> Any:
    """A contiguous array of a type of 16 bits, limited by two numbers."""
    limits = [-np.inf if low is None else low, np.inf if high is None else high]
    if limits[0] != limits[0] or limits[1] != limits[1]:
        return None
    bits = np.array(limits, np.float32).astype(x.dtype).view(np.int16)
    least, most = _ordered(bits).reshape(2, 1)
    return _chosen(lambda x, out: x.clip(least, most, out), x)


def maximum(x: Any, y: Any) -> Any:
    """The larger numbers of two contiguous arrays of a type of 16 bits."""
    return _chosen(np.maximum, x, y)


def minimum(x: Any, y: Any) -> Any:
    """The smaller ones."""
    return _chosen(np.minimum, x, y)


def _chosen(choose: Any, *given: Any) -> Any:
    out = np.empty(given[0].shape, given[0].dtype)
    infinity = _INFINITIES[out.dtype.char]
    unordered: list[Any] = []

    def part(to: Any, *bits: Any) -> None:
        numbers = [_ordered(x) for x in bits]
        if any(x.max() > infinity or x.min() < ~infinity for x in numbers):
            unordered.append(to)
        else:
            _ordered(choose(*numbers, out=numbers[0]), to)

    blockwise(part, out.view(np.int16), *[x.view(np.int16) for x in given])
    return None if unordered else out


def _ordered(bits: Any, out: Any = None) -> Any:
    """Integers in the order of the numbers that have these bits; and back."""
    changed = bits >> _LAST_BIT
    changed &= _ALL_BUT_SIGN
    return np.bitwise_xor(bits, changed, out=out)
