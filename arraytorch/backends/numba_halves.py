"""Compiled conversions: int64 to float32, and between that and floats of 16 bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_maps import mapped
from .numba_math import EXACT, FAST, compiled, helper
from .numba_rounding import LOAD, STORE
from .sharing import share


@helper
def _to_float32(x):  # type: ignore[no-untyped-def]
    return np.float32(x)


_TO = {kind: mapped(store, result=np.uint16) for kind, store in STORE.items()}
_FROM = {kind: mapped(load, result=np.float32) for kind, load in LOAD.items()}
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


_SUMS = {kind: _summing(load) for kind, load in LOAD.items()}


def _one_by_one(convert: Any) -> Any:
    @compiled(EXACT)
    def loop(x, out):  # type: ignore[no-untyped-def]
        for k in range(out.size):
            out[k] = convert(x[k])

    return loop


_WIDEN = {kind: _one_by_one(load) for kind, load in LOAD.items()}
_NARROW = {kind: _one_by_one(store) for kind, store in STORE.items()}


def widen(x: Any) -> Any:
    """A contiguous block as float32, by the calling thread."""
    out = np.empty(x.shape, np.float32)
    _WIDEN[x.dtype.char](x.reshape(-1).view(np.uint16), out.reshape(-1))
    return out


def narrow(x: Any, out: Any) -> None:
    """Writes a contiguous block of float32 as one of another type, by the calling thread."""
    _NARROW[out.dtype.char](x.reshape(-1), out.reshape(-1).view(np.uint16))


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
