"""NumPy as the host's memory: types and conversions for code outside the backends."""

from __future__ import annotations

import mmap
import os
import sys
from typing import Any

import numpy as np
from numpy import bool_, ndarray, number

from .._dtypes import named
from .dtypes import dtype_of, numpy_dtype
from .float8 import decoded, encoded, is_float8, labelled

SCALARS = (bool_, number)

__all__ = [
    "SCALARS",
    "as_native",
    "bin_edges",
    "castable",
    "converted",
    "decoded",
    "element_type",
    "from_nested",
    "frombuffer",
    "home_of",
    "is_float8",
    "map_array",
    "ndarray",
    "share_memory",
    "viewed",
    "write",
]


def as_native(data: Any) -> Any:
    """Returns an array, or an object that converts to one, as an array of native byte order."""
    x = np.asarray(data)
    return _typed(x, numpy_dtype(dtype_of(x)))


def bin_edges(x: Any, bins: Any) -> Any:
    """Returns edges as they are, or those of a number of bins or a rule of NumPy's for their width."""
    return np.histogram_bin_edges(x, bins)


def from_nested(data: Any, native: Any) -> Any:
    """Returns nested sequences of numbers as an array."""
    if is_float8(native):
        return encoded(from_nested(data, np.dtype("f4")), native)
    if native.kind in "iu":
        # By way of Python's own rules: floats are truncated, and what does not fit raises.
        x = np.array(data)
        if x.dtype is native and x.size:
            return x
        if x.dtype.kind in "biuf" and x.size:
            return _whole(x, native)
        if x.dtype.kind == "c":
            raise TypeError("a complex number does not convert to an integer")
    if native.kind == "f" and np.array(data).dtype.kind == "c":
        raise TypeError("a complex number does not convert to a real one")
    return np.array(data, dtype=native, order="C")


def integers(numbers: list[int]) -> Any:
    """Returns a list of integers as a vector of int64; OverflowError if one is larger."""
    return np.array(numbers, np.int64)


def _whole(x: Any, native: Any) -> Any:
    """Numbers as integers: truncated, and negative ones wrapped around in an unsigned type."""
    bits = 8 * native.itemsize
    low, end = (-(1 << (bits - 1)), 1 << (bits - 1)) if native.kind == "i" else (0, 1 << bits)
    if native.kind == "u" and x.dtype.kind == "i":
        low = 1 - end
    least, most = x.min().item(), x.max().item()  # Python's comparisons of int and float are exact
    if not (low <= least and most < end):
        raise OverflowError(f"{least if least < low else most} is out of bounds")
    return x.astype(native)


def frombuffer(buffer: Any, native: Any, count: int, offset: int) -> Any:
    """Returns a 1-d array over the memory of a buffer."""
    return labelled(np.frombuffer(buffer, native, count, offset))


def share_memory(x: Any, y: Any) -> bool:
    """Returns whether two arrays overlap in memory."""
    return np.may_share_memory(x, y)


def converted(x: Any, dtype: Any, copy: bool | None) -> Any:
    """Returns an array as NumPy's ``__array__`` protocol asks for it."""
    return np.array(x, dtype=dtype, copy=copy)


def map_array(filename: str, shared: bool, count: int, native: Any) -> Any:
    """Returns the first elements of a file as an array in its memory.

    With ``shared`` writes reach the file, which grows to the size wanted; else they do not.
    """
    wanted = count * native.itemsize
    if wanted < 0:
        raise RuntimeError(
            f"unable to mmap {wanted} bytes from file <{filename}>: Cannot allocate memory (12)"
        )
    if not wanted and not shared:
        return np.empty(0, native)
    try:
        descriptor = os.open(filename, os.O_RDWR | os.O_CREAT if shared else os.O_RDONLY, 0o600)
    except OSError as error:
        how = "read-write" if shared else "read-only"
        raise RuntimeError(
            f"unable to open file <{filename}> in {how} mode: {error.strerror} ({error.errno})"
        ) from None
    try:
        have = os.fstat(descriptor).st_size
        if have < wanted:
            if not shared:
                raise RuntimeError(
                    f"file <{filename}> size <{have}> is smaller than the required mapping size "
                    f"<{wanted}>"
                )
            os.truncate(descriptor, wanted)
        if not wanted:
            return np.empty(0, native)
        access = mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY
        return np.frombuffer(mmap.mmap(descriptor, wanted, access=access), native)
    finally:
        os.close(descriptor)


def write(target: Any, x: Any) -> None:
    """Writes an array into another, converted, whatever the types."""
    np.copyto(target, x, casting="unsafe")


def write_where(target: Any, value: Any, mask: Any) -> None:
    """Writes a number into an array where a mask is true; ValueError if that is not broadcast to it."""
    np.copyto(target, value, where=mask)


def castable(source: Any, target: Any, rule: str) -> bool:
    """Returns whether NumPy's rule, such as "same_kind", lets one type become another."""
    return np.can_cast(source, target, casting=rule)  # type: ignore[arg-type]


def element_type(dtype: Any) -> Any:
    """Returns the dtype that NumPy means by a dtype, a class or a name."""
    return dtype_of(np.empty(0, dtype))


def home_of(function: Any) -> str | None:
    """Returns which library's public function or ufunc of its name something is, or None.

    A ufunc does not know its module, and others than NumPy may call theirs ``add``.
    """
    if not isinstance(function, np.ufunc):
        return getattr(function, "__module__", None)
    for library in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(library), function.__name__, None) is function:
            return library
    return None


def viewed(x: Any, name: str) -> Any:
    """Returns an array under the dtype of a name; pickled ml_dtypes arrays keep theirs."""
    return _typed(x, numpy_dtype(named(name)))


def _typed(x: Any, native: Any) -> Any:
    x = x.astype(native, copy=False)
    # Unpickled arrays have an equal dtype object of their own; ops compare dtypes by identity.
    return labelled(x if x.dtype is native else x.view(native))
