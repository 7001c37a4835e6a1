"""The element types of array libraries, which all of them take from NumPy and ml_dtypes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .. import _dtypes

# All but bfloat16: ml_dtypes, which defines that, is imported when it is first met.
_NUMPY: dict[Any, np.dtype[Any]] = {
    d: np.dtype([(d.name, "u1")] if d in _dtypes.EIGHT_BITS else d.name)  # see float8.py
    for d in _dtypes.ALL
    if d is not _dtypes.bfloat16
}
_OURS: dict[Any, _dtypes.dtype] = {n: d for d, n in _NUMPY.items()}
_NUMPY |= {kind: _NUMPY[d] for kind, d in _dtypes.PYTHON.items()}


def numpy_dtype(d: _dtypes.dtype) -> np.dtype[Any]:
    """Returns the array libraries' dtype object."""
    try:
        return _NUMPY[d]
    except KeyError:
        if d is _dtypes.complex32:
            raise RuntimeError(
                "complex32 is a name alone: no array library has that type"
            ) from None
        if d is not _dtypes.bfloat16:
            raise TypeError(f"dtype must be torch.dtype, not {type(d).__name__}") from None
        return _load_bfloat16()


def dtype_of(array: Any) -> _dtypes.dtype:
    """Returns the dtype of an array.

    Raises TypeError for one that no tensor can have, such as strings.
    """
    try:
        return _OURS[array.dtype]
    except KeyError:
        return _unusual(array.dtype)


@lru_cache(64)
def largest(dtype: Any) -> float:
    """Returns the largest finite number of a floating-point type."""
    import ml_dtypes

    return float(ml_dtypes.finfo(dtype).max)


def is_bfloat16(scalar_type: type) -> bool:
    """Returns whether a class is that of ml_dtypes' bfloat16 scalars, which has no NumPy base."""
    return scalar_type is _load_bfloat16().type


def _load_bfloat16() -> np.dtype[Any]:
    import ml_dtypes

    native = np.dtype(ml_dtypes.bfloat16)
    _NUMPY[_dtypes.bfloat16], _OURS[native] = native, _dtypes.bfloat16
    return native


def _unusual(d: Any) -> _dtypes.dtype:
    if d.name == "bfloat16":
        _load_bfloat16()
    for native, ours in _OURS.items():
        if d == native or d.newbyteorder("=") == native:  # np.longlong; big-endian data
            return ours
    raise TypeError(
        f"can't convert np.ndarray of type {d}. The only supported types are: "
        + ", ".join(x.name for x in _dtypes.ALL)
    )


def epsilon(dtype: Any) -> float:
    """Returns the distance from 1 to the next number of a floating-point type."""
    import ml_dtypes

    return float(ml_dtypes.finfo(dtype).eps)
