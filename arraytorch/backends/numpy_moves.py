"""Filling, copying and joining NumPy arrays: threads share what is large, and nothing is computed."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .compiled import MANY, kernels
from .float8 import filling, labelled
from .numpy_places import rearranged
from .sharing import run
from .threads import get_num_threads

_TURNED = 1 << 14  # elements from which a transposed matrix is copied piece by piece
_MUCH = 1 << 21  # bytes from which threads share what moves memory
_PART = 1 << 20  # bytes of a part
_CODES = np.dtypes.VoidDType  # the class of element types of eight bits


class NumpyMoves:
    """Copies and their kin."""

    def full(self, shape: Any, value: Any, dtype: Any, index: int | None = None) -> Any:
        # numpy.full would warn of overflow from a module of NumPy's, where it is not filtered.
        x = np.empty(shape, dtype)
        if x.size >= MANY and x.dtype.char in "eE":
            self._meet_halves()  # type: ignore[attr-defined]
        if dtype.__class__ is _CODES:
            x.fill(filling(value, dtype))
            return labelled(x)
        fill(x, value)
        return x

    def ones_like(self, x: Any) -> Any:
        """Ones of x's shape and dtype, laid out in C order."""
        return self.full(x.shape, 1, x.dtype)

    def write(self, target: Any, value: Any) -> None:
        """Copies value, broadcast and cast, into the memory of target."""
        if target.nbytes < _MUCH:
            target[...] = value
        elif value.__class__ is not np.ndarray or not value.ndim:
            fill(target, value)
        elif np.may_share_memory(target, value):
            target[...] = value
        else:
            copy(value, target)

    def copy(self, x: Any) -> Any:
        if x.size >= _TURNED and (made := rearranged(x)) is not None:
            return made
        return np.array(x, order="C") if x.nbytes < _MUCH else copied(x, x.dtype)

    def contiguous(self, x: Any) -> Any:
        if x.flags.c_contiguous and x.__class__ is np.ndarray:
            return x
        if x.size >= _TURNED and (made := rearranged(x)) is not None:
            return made
        return (
            np.ascontiguousarray(x)
            if x.nbytes < _MUCH or x.flags.c_contiguous
            else copied(x, x.dtype)
        )

    def reshape(self, x: Any, shape: tuple[int, ...]) -> Any:
        """x in another shape: a view where that is possible, else a copy."""
        if x.nbytes < _MUCH or x.flags.c_contiguous:
            return x.reshape(shape)
        from .meta_array import strides_for  # which CPU programs do without otherwise

        if strides_for(x.shape, x.strides, shape, x.itemsize) is None:
            x = self.contiguous(x)
        return x.reshape(shape)

    def cat(self, arrays: list[Any], dim: int) -> Any:
        joined = _joined(arrays, dim) if arrays[0].nbytes * len(arrays) >= _MUCH else None
        if joined is None:
            return self.settled(np.concatenate(arrays, dim))  # type: ignore[attr-defined]
        return joined

    def stack(self, arrays: list[Any], dim: int) -> Any:
        shape = arrays[0].shape  # that of all: the op has seen to that
        if not dim and shape:
            return self.cat(arrays, 0).reshape(len(arrays), *shape)
        at = (*(slice(None),) * dim, None)  # half of what np.stack takes
        return self.contiguous(self.cat([a[at] for a in arrays], dim))

    def repeat_tile(self, x: Any, repeats: tuple[int, ...]) -> Any:
        """x tiled: what is large is copied once for each new place."""
        lead = len(repeats) - x.ndim
        shape = (*repeats[:lead], *[n * m for n, m in zip(repeats[lead:], x.shape)])
        if prod(shape) * x.itemsize < _MUCH or not x.ndim:
            return super().repeat_tile(x, repeats)  # type: ignore[misc]
        out = np.empty(shape, x.dtype)
        # Dimensions of the result, each a number of times and a size.
        sizes = [k for n, m in zip(repeats[lead:], x.shape) for k in (n, m)]
        copy(x.reshape([k for m in x.shape for k in (1, m)]), out.reshape(*repeats[:lead], *sizes))
        return out


def _spread(x: Any) -> Any:
    """A copy of rows that have one number each, again and again; None where nothing is compiled for it."""
    if x.itemsize not in (1, 2, 4, 8) or (own := kernels("lines")) is None:
        return None
    whole = f"u{x.itemsize}"
    each = np.ascontiguousarray(x[..., 0])
    out = np.empty(x.shape, x.dtype)
    own.spread(each.reshape(-1).view(whole), out.reshape(each.size, -1).view(whole))
    return out


def fill(x: Any, value: Any) -> None:
    """Writes one number everywhere."""
    if x.nbytes < _MUCH:
        if value.__class__ is np.ndarray:
            x[...] = value
        else:
            x.fill(value)
        return
    bits = np.empty((), x.dtype)
    bits[...] = value
    if x.flags.c_contiguous and x.itemsize in (1, 2, 4, 8):
        if (own := kernels("lines")) is not None:
            whole = np.dtype(f"u{x.itemsize}")
            own.fill(x.reshape(-1).view(whole), bits.view(whole)[()])
            return
    copy(bits, x)


def copy(x: Any, out: Any) -> None:
    """Writes x, broadcast and converted, into an array that has no memory in common with it."""
    if max(out.nbytes, x.nbytes) < _MUCH or get_num_threads() == 1:
        np.copyto(out, x, casting="unsafe")
    else:
        run(_copy, _cut(out, x))


def _copy(out: Any, x: Any) -> None:
    np.copyto(out, x, casting="unsafe")


def copied(x: Any, dtype: Any) -> Any:
    """A copy in C order as elements of a type."""
    if x.ndim and not x.strides[-1] and x.dtype is dtype and (made := _spread(x)) is not None:
        return made
    out = np.empty(x.shape, dtype)
    copy(x, out)
    return out


def _joined(arrays: list[Any], dim: int) -> Any:
    """The arrays one behind the other, if they are of one type and in C order."""
    first = arrays[0]
    if not all(a.dtype is first.dtype and a.flags.c_contiguous for a in arrays):
        return None
    if get_num_threads() == 1:
        return None
    shape = list(first.shape)
    shape[dim] = sum([a.shape[dim] for a in arrays])
    out, parts, start = np.empty(shape, first.dtype), [], 0
    for a in arrays:
        here = (*(slice(None),) * dim, slice(start, start := start + a.shape[dim]))
        parts += _cut(out[here], a)
    run(_copy, parts)
    return out


def _cut(out: Any, x: Any) -> list[tuple[Any, Any]]:
    """Parts of an array, and of one that is broadcast to it, along the first dimension that is long enough."""
    threads = get_num_threads()
    count = max(-(-max(out.nbytes, x.nbytes) // _PART), 1)
    count = -(-count // threads) * threads
    d = next((d for d, n in enumerate(out.shape) if n >= count), None)
    if d is None:
        d = max(range(out.ndim), key=lambda d: out.shape[d])
    n, x = out.shape[d], np.broadcast_to(x, out.shape)
    step, lead = -(-n // min(count, n)), (slice(None),) * d
    return [(out[at], x[at]) for i in range(0, n, step) for at in [(*lead, slice(i, i + step))]]
