"""Compiled sorting by digits, selection and bisection.

What is sorted are keys: unsigned integers in the order of the numbers, with NaN behind everything. A
pass for each digit of the range that keys span needs no comparisons, and keeps equal ones in their order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_maps import mapped
from .numba_math import EXACT, compiled, helper, to_bits, to_bits64
from .sharing import share

_NARROW = 1 << 13  # elements up to which counting fewer digits takes less time than more passes
_STEP = 64  # values that are searched for at a time
_TOP = 11  # digits by which elements are selected before they are sorted


@helper
def _key32(x):  # type: ignore[no-untyped-def]
    bits = to_bits(x + np.float32(0))  # of which -0 becomes 0
    key = np.uint32(bits) ^ np.uint32(0xFFFFFFFF if bits < 0 else 0x80000000)
    return np.uint32(0xFFFFFFFF) if x != x else np.uint32(key)


@helper
def _key64(x):  # type: ignore[no-untyped-def]
    bits = to_bits64(x + 0.0)
    key = np.uint64(bits) ^ np.uint64(0xFFFFFFFFFFFFFFFF if bits < 0 else 0x8000000000000000)
    return np.uint64(0xFFFFFFFFFFFFFFFF) if x != x else key


_KEYS = {"f": mapped(_key32, result=np.uint32), "d": mapped(_key64, result=np.uint64)}


def keys(x: Any, descending: bool) -> Any:
    """Unsigned integers in the order of contiguous numbers, or against it."""
    kind = x.dtype.char
    if kind in _KEYS:
        made = _KEYS[kind](x)
    else:
        unsigned = np.dtype(f"u{x.dtype.itemsize}")
        made = x.view(unsigned) ^ unsigned.type(1 << (8 * x.dtype.itemsize - 1))
    return np.invert(made, out=made) if descending else made


@compiled(EXACT)
def _sorted_places(key, place, bits, span):  # type: ignore[no-untyped-def]
    """Sorts keys that do not exceed span, and their places, by digits of so many bits."""
    n = key.size
    other_key, other_place = np.empty_like(key), np.empty_like(place)
    counts = np.empty(1 << bits, np.int64)
    one = key.dtype.type(1)
    mask, shift = key.dtype.type((one << key.dtype.type(bits)) - one), 0
    while span:
        counts[:] = 0
        by = key.dtype.type(shift)
        for j in range(n):
            counts[np.int64(key.dtype.type(key[j] >> by) & mask)] += 1
        total = 0
        for k in range(counts.size):
            here = counts[k]
            counts[k] = total
            total += here
        for j in range(n):
            digit = np.int64(key.dtype.type(key[j] >> by) & mask)
            at = counts[digit]
            counts[digit] = at + 1
            other_key[at] = key[j]
            other_place[at] = place[j]
        key, other_key = other_key, key
        place, other_place = other_place, place
        shift += bits
        span = key.dtype.type(span >> key.dtype.type(bits))
    return place


@compiled(EXACT)
def _argsort(start, stop, keys, bits, out):  # type: ignore[no-untyped-def]
    n = keys.shape[1]
    for i in range(start, stop):
        row = keys[i]
        low, high = row.min(), row.max()
        key, place = np.empty(n, keys.dtype), np.empty(n, np.int32)
        for j in range(n):
            key[j] = row[j] - low
            place[j] = j
        place = _sorted_places(key, place, bits, keys.dtype.type(high - low))
        for j in range(n):
            out[i, j] = place[j]


@compiled(EXACT)
def _first(start, stop, keys, first, last, out):  # type: ignore[no-untyped-def]
    """The places of the elements of ranks first to last in each row.

    Counting the leading digits of all tells which of them may be among these; those alone are sorted.
    """
    n = keys.shape[1]
    counts = np.empty((1 << _TOP) + 1, np.int64)
    for i in range(start, stop):
        row = keys[i]
        low, high = row.min(), row.max()
        span = np.uint64(high - low)
        shift = 0
        while span >> np.uint64(shift) >= np.uint64(1 << _TOP):
            shift += 1
        by = keys.dtype.type(shift)
        counts[:] = 0
        for j in range(n):
            counts[np.int64(keys.dtype.type(row[j] - low) >> by)] += 1
        begin, before = 0, 0
        while before + counts[begin] <= first:
            before += counts[begin]
            begin += 1
        end, some = begin, counts[begin]
        while before + some < last:
            end += 1
            some += counts[end]
        key, place = np.empty(some, keys.dtype), np.empty(some, np.int32)
        at = 0
        least = keys.dtype.type(low + (keys.dtype.type(begin) << by))
        most = np.int64(end - begin)
        for j in range(n):
            if row[j] >= least and np.int64(keys.dtype.type(row[j] - least) >> by) <= most:
                key[at] = row[j] - least
                place[at] = j
                at += 1
        place = _sorted_places(key, place, 8, key.max())
        for k in range(first, last):
            out[i, k - first] = place[k - before]


@compiled(EXACT)
def _bisect(start, stop, row, values, right, out):  # type: ignore[no-untyped-def]
    """Halves the row for many values in step, which vectorises: what is left of it has one length."""
    low = np.empty(_STEP, np.int32)
    for i in range(start, stop, _STEP):
        v, places = values[i : min(i + _STEP, stop)], out[i : min(i + _STEP, stop)]
        low[:] = 0
        n = row.size
        while n > 0:
            half = (n + 1) >> 1
            part = row[half - 1 :]
            if right:
                for k in range(v.size):
                    low[k] += np.int32(half) if part[np.uint32(low[k])] <= v[k] else np.int32(0)
            else:
                for k in range(v.size):
                    low[k] += np.int32(half) if part[np.uint32(low[k])] < v[k] else np.int32(0)
            n -= half
        for k in range(v.size):
            places[k] = low[k]


def argsort(rows: Any, descending: bool) -> Any:
    """The places that sort each row of a contiguous matrix, equal elements in their order."""
    out = np.empty(rows.shape, np.int64)
    bits = 8 if rows.shape[1] <= _NARROW else 11
    share(_argsort, len(rows), rows.size, keys(rows, descending), bits, out)
    return out


def places_of_ranks(rows: Any, first: int, last: int, descending: bool) -> Any:
    """The places of the elements of these ranks in each row of a contiguous matrix, in order."""
    out = np.empty((len(rows), last - first), np.int64)
    share(_first, len(rows), rows.size, keys(rows, descending), first, last, out)
    return out


def bisect(table: Any, values: Any, right: bool) -> Any:
    """Where in each sorted row the values of the same row belong; NaN behind everything."""
    out = np.empty(values.shape, np.int64)
    for row, v, places in zip(keys(table, False), keys(values, False), out, strict=True):
        share(_bisect, v.size, 8 * v.size, row, v, right, places)
    return out
