"""Large arrays of integers computed in float64, which holds them exactly and has the faster functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiled import MANY

_EXACT = (
    1 << 52
)  # integers up to here are floats, and quotients of them on the right side of others


def trunc_divide(x: Any, y: Any) -> Any:
    """The quotients rounded to zero, None if they are few or may be too large."""
    if x.size < MANY or x.dtype.kind not in "iu" or _size(x) > _EXACT or _size(y) > _EXACT:
        return None
    return _narrowed(np.divide(x, y, dtype=np.float64), x.dtype)


def matmul(x: Any, y: Any) -> Any:
    """The product of matrices, None if it is small or its elements may be too large."""
    if x.dtype.kind not in "iu" or min(x.ndim, y.ndim) < 2 or x.size * y.shape[-1] < MANY:
        return None
    if x.dtype is not y.dtype or _size(x) * _size(y) * x.shape[-1] > _EXACT:
        return None
    return _narrowed(np.matmul(x.astype(np.float64), y.astype(np.float64)), x.dtype)


def _narrowed(z: Any, dtype: Any) -> Any:
    """Floats as integers; what these cannot hold wraps around, as in arithmetic with them."""
    return z.astype(np.int64).astype(dtype, copy=False)


def _size(x: Any) -> int:
    """The largest absolute value."""
    if x.__class__ is int:
        return abs(x)
    return max(int(x.max()), -int(x.min())) if x.size else 0
