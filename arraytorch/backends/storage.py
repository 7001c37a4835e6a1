"""The memory under arrays: what a file keeps once, however many views there are, and makes anew."""

from __future__ import annotations

import mmap
import sys
from typing import Any, NamedTuple

import numpy as np

from .._dtypes import dtype
from . import backend_of
from .dtypes import numpy_dtype
from .float8 import labelled


class Placed(NamedTuple):
    """Where an array lies: in which bytes on the host, and how (in elements) within them."""

    key: object  # the same for all arrays of one memory
    memory: Any  # the flat array of the memory, still on its device
    offset: int
    strides: tuple[int, ...]


def place(array: Any) -> Placed:
    """Returns where an array lies in the memory that it shares with its views.

    An array that no PyTorch tensor could be (negative or odd strides, foreign byte order) is
    placed in memory of its own, a contiguous copy.
    """
    ours = np.asarray(array) if isinstance(array, np.generic) else array
    return _shared(ours) or _alone(ours, id(array))


def _shared(array: Any) -> Placed | None:
    size = array.dtype.itemsize
    if not array.size or not array.dtype.isnative or _address(array) is None:
        return None
    memory = _allocation(array)
    if memory is None:
        return None
    base = _address(memory)
    offset, odd = divmod(_address(array) - base, size)
    regular = _contiguous(array.shape)
    # The step of a dimension of one element is anybody's guess.
    steps = [r * size if n == 1 else s for n, s, r in zip(array.shape, array.strides, regular)]
    if odd or offset < 0 or any(s < 0 or s % size for s in steps):
        return None
    strides = tuple(s // size for s in steps)
    last = offset + sum((n - 1) * s for n, s in zip(array.shape, strides))
    if (last + 1) * size > memory.nbytes:
        return None
    return Placed((base, memory.nbytes), memory, offset, strides)


def _alone(array: Any, key: int) -> Placed:
    native = array.astype(array.dtype.newbyteorder("=")) if not array.dtype.isnative else array
    memory = native.reshape(-1)
    memory = memory if memory.flags.c_contiguous else memory.copy()
    return Placed(key, memory, 0, _contiguous(array.shape))


def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides = []
    step = 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


def _address(array: Any) -> Any:
    """The address of the first element on whatever device, or None if the library does not tell."""
    if isinstance(array, np.ndarray):
        return array.__array_interface__["data"][0]
    return backend_of(array).data_ptr(array) or None


def _allocation(array: Any) -> Any:
    """All of an array's memory as a flat array, without copying; None if that cannot be."""
    told = getattr(backend_of(array), "allocation", None)
    return _flat(_owner(array)) if told is None else told(array)


def _owner(array: Any) -> Any:
    """The outermost array whose memory this one views."""
    kind = np.ndarray if isinstance(array, np.ndarray) else type(array)
    owner = holder = array
    # as_strided puts a holder that is no array between a view and its base.
    while (holder := getattr(holder, "base", None)) is not None:
        if isinstance(holder, kind):
            owner = holder
    return owner


def _flat(owner: Any) -> Any:
    """The elements of ``owner`` in the order of memory, without copying; None if there are gaps."""
    axes = sorted(range(owner.ndim), key=lambda i: -owner.strides[i])
    ordered = owner.transpose(axes)
    return ordered.reshape(-1) if ordered.flags.c_contiguous else None


def bytes_under(array: Any) -> Any:
    """Returns the memory that an array shares with its views as a vector of unsigned bytes.

    Raises RuntimeError where that is no one piece, as the library hands it out.
    """
    memory = _flat(_owner(array)) if array.size else array.reshape(-1)
    if memory is None:
        raise RuntimeError("the tensor's memory has gaps: it is foreign, and no storage of its own")
    return (memory.view(np.ndarray) if isinstance(memory, np.ndarray) else memory).view(np.uint8)


# -------------------------------------------------------------------------------- plain bytes


def as_bytes(host: Any) -> Any:
    """Returns the memory of a flat contiguous host array as unsigned bytes."""
    return np.asarray(host).view(np.uint8)


def allocate(count: int) -> Any:
    """Returns that many bytes of host memory, not set to anything."""
    return np.empty(count, np.uint8)


def from_bytes(data: bytes) -> Any:
    """Returns a writable copy of ``data`` on the host."""
    return np.frombuffer(bytearray(data), np.uint8)


def map_file(file: Any) -> Any:
    """Returns a mapping of an open file; writing to it changes memory only, never the file."""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def from_map(mapping: Any, offset: int, count: int) -> Any:
    """Returns ``count`` bytes of a mapping as an array of its own."""
    return np.frombuffer(mapping, np.uint8, count, offset)


def swap_bytes(memory: Any, d: dtype) -> Any:
    """Returns a copy of bytes that hold elements of ``d`` in the other byte order."""
    width = d.itemsize // 2 if d.is_complex else d.itemsize
    return memory.view(f"u{width}").byteswap().view(np.uint8)


def strided(
    memory: Any, d: dtype, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> Any:
    """Returns a view of host bytes; offset and strides count elements, and must stay inside."""
    size = d.itemsize
    if not all(shape):
        return labelled(np.empty(shape, numpy_dtype(d)))
    return labelled(
        np.ndarray(shape, numpy_dtype(d), memory, offset * size, [s * size for s in strides])
    )


BYTE_ORDER = sys.byteorder
