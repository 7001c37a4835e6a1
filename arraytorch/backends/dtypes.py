"""The element types of array libraries, which all of them take from NumPy and ml_dtypes."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from .. import _dtypes

_NUMPY = {
    d: np.dtype(ml_dtypes.bfloat16 if d is _dtypes.bfloat16 else d.name) for d in _dtypes.ALL
}
_OURS: dict[Any, _dtypes.dtype] = {n: d for d, n in _NUMPY.items()}
BFLOAT16 = _NUMPY[_dtypes.bfloat16]


def numpy_dtype(d: _dtypes.dtype) -> np.dtype[Any]:
    """Returns the array libraries' dtype object."""
    return _NUMPY[d]


def dtype_of(array: Any) -> _dtypes.dtype:
    """Returns the dtype of an array.

    Raises TypeError for one that no tensor can have, such as strings.
    """
    try:
        return _OURS[array.dtype]
    except KeyError:
        return _unusual(array.dtype)


def largest(dtype: Any) -> float:
    """Returns the largest finite number of a floating-point type."""
    return float(ml_dtypes.finfo(dtype).max)


def _unusual(d: Any) -> _dtypes.dtype:
    for native, ours in _OURS.items():
        if d == native or d.newbyteorder("=") == native:  # np.longlong; big-endian data
            return ours
    raise TypeError(
        f"can't convert np.ndarray of type {d}. The only supported types are: "
        + ", ".join(x.name for x in _dtypes.ALL)
    )
