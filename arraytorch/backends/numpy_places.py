"""Kernels of NumPy that go through flat indices."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .compiled import MANY, in_use, kernels
from .sharing import PAIR, rowwise, share

_SHORT = 16  # elements of a row that are taken one by one rather than copied
_REPEATED = 4  # times up to which to write each number once for each is faster than in short runs
_FEW_LOOKED_AT = 16  # indices up to which Python compares them faster
_LOOKED_THROUGH = 1 << 16  # up to which one thread finds the largest before others have woken
_UNSIGNED = np.dtype(np.uint64)
_FEW_PLACES = 256  # elements of an index up to which what it has in common with others is kept
_MANY = 4096  # elements from which a sparse matrix is worth making
_RARE = 2  # how many more rows there have to be than are named, for a sum of the named ones alone


class NumpyPlaceKernels:
    """Gathers and scatters of NumPy arrays."""

    def gather(self, x: Any, dim: int, index: Any) -> Any:
        """One take from the flat memory, with no bounds to check: the op has done that."""
        if x.ndim == 1:
            return x.take(index, mode="clip")
        if 0 < index.size <= _FEW_PLACES and x.flags.c_contiguous:
            apart, starts = _starts(x.shape, dim, index.shape)
            return x.take(index * apart + starts if apart != 1 else index + starts, mode="clip")
        if (compiled := _along_rows(x, dim, index)) is not None:
            rows = compiled.gather(x.reshape(-1, x.shape[-1]), index.reshape(-1, index.shape[-1]))
            return rows.reshape(index.shape)
        if _within_rows(x, dim, index):
            out = np.empty(index.shape, x.dtype)
            _at_rows(_take_into, x, index, out)
            return out
        flat = (x if x.flags.c_contiguous else np.ascontiguousarray(x)).reshape(-1)
        return flat.take(_flat(x.shape, dim, index), mode="clip")

    def getitem(self, x: Any, index: tuple[Any, ...]) -> Any:
        """One vector of indices behind whole dimensions, x[:, i], is ten times as fast to take."""
        last = index[-1]
        if x.size <= _FEW_PLACES and last.__class__ is np.ndarray and last.dtype.char == "l":
            if len(index) <= x.ndim and (len(index) == 1 or _whole(index[:-1])):
                return x.take(last, len(index) - 1)  # a quarter of the time
        if (
            len(index) > 1
            and last.__class__ is np.ndarray
            and last.ndim == 1
            and last.dtype.kind == "i"
            and x.size >= MANY
            and _whole(index[:-1])
        ):
            return self.take(x, last, len(index) - 1)
        return x[index]

    def roll(self, x: Any, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Any:
        """Elements moved along dims; along short rows by taking them, as there is little to copy at once."""
        n = x.shape[-1] if x.ndim else 0
        if dims != (x.ndim - 1,) or not 0 < n <= _SHORT or x.size < MANY or not in_use():
            return super().roll(x, shifts, dims)  # type: ignore[misc]
        return self.take(x, (np.arange(n) - shifts[0]) % n, x.ndim - 1)

    def take(self, x: Any, index: Any, dim: int) -> Any:
        """A compiled loop along rows, where NumPy copies each element by itself."""
        if (
            x.size >= MANY
            and dim == x.ndim - 1
            and x.dtype.char in "fdil"
            and index.ndim == 1
            and x.flags.c_contiguous
            and index.size
            and -x.shape[dim] <= index.min() <= index.max() < x.shape[dim]
            and (compiled := kernels("places")) is not None
        ):
            rows = compiled.take(x.reshape(-1, x.shape[-1]), np.ascontiguousarray(index))
            return rows.reshape(*x.shape[:-1], index.size)
        width = prod(x.shape[1:])
        if dim == 0 and index.size * width >= PAIR and index.ndim and x.flags.c_contiguous:
            out = np.empty((*index.shape, *x.shape[1:]), x.dtype)
            rows, to = x.reshape(len(x), width), out.reshape(index.size, width)
            # "wrap" knows negative indices, and writes where it is told to without a buffer in between.
            rowwise(lambda to, at: rows.take(at, 0, to, "wrap"), to, index.reshape(-1))
            return out
        return np.take(x, index, dim)

    def first_outside(
        self, x: Any, least: int, size: int, op: str, ignored: int | None = None
    ) -> int | None:
        """A look at each of a few, and at the largest of more, where NumPy's reductions take longer."""
        if x.size > _FEW_LOOKED_AT or ignored is not None:
            if not least and ignored is None and x.size <= _LOOKED_THROUGH and x.dtype.char == "l":
                # Read as unsigned, negative indices are huge: half of the time of looking for both ends.
                far = x.ravel().view(_UNSIGNED)
                if far.item(far.argmax()) < size:
                    return None
            return super().first_outside(x, least, size, op, ignored)  # type: ignore[misc]
        for i in (x if x.ndim == 1 else x.reshape(-1)).tolist():
            if not least <= i < size:
                return i
        return None

    def scatter(self, x: Any, dim: int, index: Any, src: Any) -> Any:
        """One write through a flat index."""
        out = np.array(x, order="C")
        compiled = _along_rows(out, dim, index)
        if compiled is not None and src.dtype is out.dtype and src.flags.c_contiguous:
            width = index.shape[-1]
            rows = (out.reshape(-1, x.shape[-1]), index.reshape(-1, width), src.reshape(-1, width))
            compiled.scatter(*rows)
            return out
        if _within_rows(out, dim, index) and src.flags.c_contiguous:
            _at_rows(_write, out, index, src)
            return out
        out.reshape(-1)[_flat(x.shape, dim, index)] = src
        return out

    def assigned(self, x: Any, value: Any, index: tuple[Any, ...]) -> Any:
        """A compiled loop for whole columns, where NumPy writes each element by itself."""
        last = index[-1] if index else None
        value = np.asarray(value, x.dtype if value.__class__ in (int, float) else None)
        if (
            x.size < MANY or len(index) != x.ndim or x.ndim < 2 or x.dtype.char not in "fdil"
            or value.dtype is not x.dtype or last.__class__ is not np.ndarray or last.ndim != 1
            or last.dtype.kind != "i" or not last.size or not _whole(index[:-1])
            or not -x.shape[-1] <= last.min() <= last.max() < x.shape[-1]
        ):  # fmt: skip
            return super().assigned(x, value, index)  # type: ignore[misc]
        if (compiled := kernels("places")) is None:
            return _with_columns(x, value, last)
        out = np.array(x, order="C")
        rows = np.broadcast_to(value, (*x.shape[:-1], last.size)).reshape(-1, last.size)
        compiled.put(out.reshape(-1, x.shape[-1]), np.ascontiguousarray(last), rows)
        return out

    def scatter_add(self, x: Any, dim: int, index: Any, src: Any) -> Any:
        """add.at in one dimension, where it has a loop of its own."""
        out = np.array(x, order="C")
        compiled = _along_rows(out, dim, index)
        if compiled is not None and src.dtype is out.dtype and src.flags.c_contiguous:
            width = index.shape[-1]
            rows = (out.reshape(-1, x.shape[-1]), index.reshape(-1, width), src.reshape(-1, width))
            compiled.scatter_add(*rows)
            return out
        if _within_rows(out, dim, index) and src.dtype is out.dtype and out.dtype.char in "fdil":
            _add_within_rows(out, index, np.ascontiguousarray(src))
            return out
        places = _flat(x.shape, dim, index).reshape(-1)
        self.combine_at(out.reshape(-1), (places,), src.reshape(-1), np.add)
        return out

    def scatter_reduce(
        self, x: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool
    ) -> Any:
        """In one dimension, where there are compiled loops, and the ufunc's method is ten times as fast."""
        if index.shape != src.shape:
            return super().scatter_reduce(x, dim, index, src, reduce, include_self)  # type: ignore[misc]
        out = np.array(x, order="C")
        flat, places = out.reshape(-1), _flat(x.shape, dim, index).reshape(-1)
        if not include_self:
            flat[places] = self._neutral(reduce, x.dtype)  # type: ignore[attr-defined]
        function = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}[reduce]
        self.combine_at(flat, (places,), src.reshape(-1), function)
        return out

    def add_at(self, target: Any, index: tuple[Any, ...], value: Any) -> None:
        """Many rows named by one vector are added by a sparse matrix, 20 times as fast as add.at."""
        rows, n = index[-1], len(index)
        if n == 1 == target.ndim and rows.__class__ is np.ndarray and rows.size < MANY:
            np.add.at(target, rows, value)
            return
        numbers = isinstance(rows, np.ndarray) and rows.dtype.kind in "iu"
        if numbers and rows.ndim > 1 and _whole(index[:-1]):
            lead, rest = target.shape[: n - 1], target.shape[n:]
            value = np.broadcast_to(value, (*lead, *rows.shape, *rest))
            value = value.reshape(*lead, rows.size, *rest)
            index, rows = (*index[:-1], rows.reshape(-1)), rows.reshape(-1)
        if (
            not numbers or rows.ndim != 1
            or target.dtype.kind != "f" or target.dtype.itemsize < 4 or target.ndim == 1
            or not (n == 1 or n == target.ndim and target.flags.c_contiguous and _whole(index[:-1]))
            or target.size * rows.size < _MANY * target.shape[n - 1] or not target.size
        ):  # fmt: skip
            self.combine_at(target, index, value, np.add)
            return
        shape = (*target.shape[: n - 1], rows.size, *target.shape[n:])
        value, places = np.broadcast_to(value, shape), target.shape[n - 1]
        own = kernels("places") if target.dtype.char in "fd" else None
        if n == 1 and own is not None and target.flags.c_contiguous:
            at = np.where(rows < 0, rows + places, rows)
            own.add_rows(target.reshape(places, -1), at, value.reshape(rows.size, -1))
            return
        if n == 1 and rows.size * _RARE < places:  # what is not named shall cost nothing
            at = np.where(rows < 0, rows + places, rows)
            named, rows = np.unique(at, return_inverse=True)
            total = np.zeros((named.size, *target.shape[1:]), target.dtype)
            self.add_at(total, (rows,), value)
            target[named] += total
            return
        if n == 1:
            _add_rows(target, rows, value.reshape(rows.size, -1))
        elif own is not None:
            at = np.where(rows < 0, rows + places, rows)
            own.add_columns(target.reshape(-1, places), at, value.reshape(-1, rows.size))
        else:
            value = np.ascontiguousarray(value).reshape(-1, rows.size)
            at = np.broadcast_to(np.where(rows < 0, rows + places, rows), value.shape)
            _add_within_rows(target.reshape(-1, places), at, value)

    def coo_matmul(self, rows: Any, columns: Any, values: Any, n: int, y: Any) -> Any:
        """SciPy's product, 10 times as fast, unless there is little to do."""
        if values.size * y.shape[1] < _MANY or values.dtype.char not in "fdFDil":
            return super().coo_matmul(rows, columns, values, n, y)  # type: ignore[misc]
        from scipy.sparse import coo_array

        return coo_array((values, (rows, columns)), (n, y.shape[0])).tocsr() @ y

    def combine_at(self, target: Any, index: tuple[Any, ...], value: Any, function: Any) -> None:
        """The ufunc's own method, and of many numbers and a vector of indices a compiled loop."""
        at = index[0]
        if (
            len(index) == 1 and target.ndim == 1 and target.dtype.char in "fdil"
            and value.dtype is target.dtype and value.shape == at.shape and at.dtype.char == "l"
            and target.flags.c_contiguous and at.size >= MANY and at.min() >= 0
            and at.max() < target.size and (compiled := kernels("places")) is not None
        ):  # fmt: skip
            compiled.combine_at(target, at.reshape(-1), value.reshape(-1), function)
            return
        function.at(target, at if len(index) == 1 else index, value)


def _add_rows(target: Any, rows: Any, value: Any) -> None:
    """Adds the rows of a matrix to those that a vector names, by a product with a sparse matrix."""
    from scipy.sparse import csc_array

    n, value = len(target), np.ascontiguousarray(value)
    places = np.where(rows < 0, rows + n, rows)
    each = np.arange(rows.size + 1)
    spread = csc_array((np.ones(rows.size, value.dtype), places, each), (n, rows.size)).tocsr()
    target += (spread @ value).reshape(target.shape)


def _whole(index: Any) -> bool:
    """Whether an index takes whole dimensions."""
    return all(part.__class__ is slice and part == slice(None) for part in index)


def _along_rows(x: Any, dim: int, index: Any) -> Any:
    """The compiled kernels, if they serve: for rows of real numbers, and as many rows of indices."""
    if (
        index.size < MANY
        or dim != x.ndim - 1
        or x.shape[:-1] != index.shape[:-1]
        or x.dtype.char not in "fdil"
        or not (x.flags.c_contiguous and index.flags.c_contiguous)
    ):
        return None
    return kernels("places")


def _within_rows(x: Any, dim: int, index: Any) -> bool:
    """Whether a large index names places within rows, each row of it in a row of its own."""
    return (
        index.size >= MANY
        and dim == x.ndim - 1 > 0
        and x.shape[:-1] == index.shape[:-1]
        and x.flags.c_contiguous
        and index.flags.c_contiguous
    )


def _at_rows(kernel: Any, x: Any, index: Any, y: Any) -> None:
    """Calls ``kernel(memory of x, places in it, part of y)`` for some rows at a time, which threads share."""
    n, width, flat = prod(x.shape[:-1]), index.shape[-1], x.reshape(-1)
    starts = np.arange(0, x.size, x.shape[-1]).reshape(n, 1)
    rowwise(
        lambda at, start, y: kernel(flat, at + start, y),
        index.reshape(n, width),
        starts,
        y.reshape(n, width),
    )


def _take_into(flat: Any, at: Any, out: Any) -> None:
    flat.take(at, mode="clip", out=out)


def _write(flat: Any, at: Any, src: Any) -> None:
    flat[at] = src


def _add_within_rows(x: Any, index: Any, src: Any) -> None:
    """Adds numbers to x at places within its rows: SciPy's sparse matrix, written out, adds what coincides.

    That takes a third of the time of `add.at`, which holds the interpreter's lock besides.
    """
    from scipy.sparse import csr_array

    def part(index: Any, src: Any, x: Any) -> None:
        ends = np.arange(0, index.size + 1, index.shape[1])
        x += csr_array((src.reshape(-1), index.reshape(-1), ends), x.shape).toarray()

    width = index.shape[-1]
    rowwise(part, index.reshape(-1, width), src.reshape(-1, width), x.reshape(-1, x.shape[-1]))


def _with_columns(x: Any, value: Any, columns: Any) -> Any:
    """x with some of its columns written over: each row by a mask of bits, where NumPy writes one by one."""
    n = x.shape[-1]
    source = np.full(n, -1)
    source[columns] = np.arange(columns.size)
    whole = np.dtype(f"i{x.itemsize}")
    mask = -(source >= 0).astype(whole)
    rows, out = x.reshape(-1, n), np.empty(x.shape, x.dtype)
    value = np.broadcast_to(value, (*x.shape[:-1], columns.size)) if value.size > 1 else value

    def part(x: Any, to: Any, *given: Any) -> None:
        new = given[0].take(source, 1, mode="clip") if given else value.reshape(())
        new = new.view(whole)
        np.bitwise_xor(x.view(whole), new, out=to)
        to &= mask
        to ^= x.view(whole)

    given = [value.reshape(-1, columns.size)] if value.size > 1 else []
    rowwise(part, rows, out.reshape(-1, n).view(whole), *given)
    return out


@lru_cache(64)
def _starts(shape: tuple[int, ...], dim: int, places: tuple[int, ...]) -> tuple[int, Any]:
    """How far apart elements along a dimension are, and where the rows of an index begin."""
    starts: Any = np.zeros((1,) * len(places), np.int64)
    for d, n in enumerate(places):
        if d != dim:
            step = np.arange(n) * prod(shape[d + 1 :])
            starts = starts + step.reshape([-1 if k == d else 1 for k in range(len(places))])
    return prod(shape[dim + 1 :]), starts


def _flat(shape: tuple[int, ...], dim: int, index: Any) -> Any:
    """Where in C order the elements are that ``index`` names along a dimension."""
    if len(shape) == 1:
        return index
    if index.size <= _FEW_PLACES:
        apart, starts = _starts(shape, dim, index.shape)
        return index * apart + starts if apart != 1 else index + starts
    apart = prod(shape[dim + 1 :])
    flat = index * apart if apart != 1 else index
    for d, n in enumerate(index.shape):
        if d != dim:
            step = np.arange(n) * prod(shape[d + 1 :])
            flat = flat + step.reshape([-1 if k == d else 1 for k in range(index.ndim)])
    return flat


def rearranged(x: Any) -> Any:
    """A copy in C order of transposed matrices, reversed rows, or what is repeated; None of others."""
    if x.ndim > 2 and len(shape := _run_together(x.shape, x.strides)) < x.ndim:
        made = rearranged(x.reshape(shape))
        return None if made is None else made.reshape(x.shape)
    if x.ndim > 1 and x.strides[-2] == x.itemsize < x.strides[-1]:
        return turned(x)
    if x.ndim and x.strides[-1] == -x.itemsize and x.itemsize in (4, 8):
        return _from_behind(x)
    if x.ndim > 1 and not x.strides[-1] and 1 < x.shape[-1] <= _REPEATED:
        out = np.empty(x.shape, x.dtype)
        for k in range(x.shape[-1]):
            out[..., k] = x[..., 0]
        return out
    return None


def _run_together(shape: tuple[int, ...], strides: tuple[int, ...]) -> list[int]:
    """The shape of a view in which dimensions that lie in memory as one are one: images are often matrices."""
    sizes, last = [1], 0
    for n, step in zip(shape, strides):
        if n == 1:
            continue
        if last == n * step and sizes[-1] > 1:
            sizes[-1] *= n
        else:
            sizes.append(n)
        last = step
    return sizes[1:]


def turned(x: Any) -> Any:
    """A copy of a transposed matrix, a few columns at a time, whose lines stay in the cache."""
    out = np.empty(x.shape, x.dtype)
    source = x.swapaxes(-1, -2)
    if x.dtype.char in "fdl" and source.flags.c_contiguous:
        if (own := kernels("places")) is not None:
            own.turn(source.reshape(-1, *source.shape[-2:]), out.reshape(-1, *out.shape[-2:]))
            return out
    for i in range(0, x.shape[-1], 8):
        out[..., i : i + 8] = x[..., i : i + 8]
    return out


def _from_behind(x: Any) -> Any:
    """A copy of rows that run backwards: NumPy reads these one number at a time."""
    rows = x[..., ::-1]
    if not rows.flags.c_contiguous or (own := kernels("lines")) is None:
        return None
    bits = rows.view(f"i{x.itemsize}").reshape(-1, x.shape[-1])
    return own.flipped(bits).view(x.dtype).reshape(x.shape)


_BAND = 64  # rows of a triangle that are written at a time


def triangles(x: Any, diagonal: int, upper: bool) -> Any:
    """The triangles of large matrices: bands of rows, each a copy with zeros at one end.

    NumPy's own choose element by element, by a mask as large as a matrix.
    """
    out = np.empty(x.shape, x.dtype)
    share(_bands, -(-x.shape[-2] // _BAND), x.size, x, diagonal, upper, out)
    return out


def _bands(start: int, stop: int, x: Any, diagonal: int, upper: bool, out: Any) -> None:
    rows, columns = x.shape[-2:]
    zero = np.zeros((), x.dtype)
    for i in range(start * _BAND, min(stop * _BAND, rows), _BAND):
        band = out[..., i : i + _BAND, :]
        band[...] = x[..., i : i + _BAND, :]
        n = band.shape[-2]
        # The upper triangle's first row begins there, and the lower's ends; further rows, one by one.
        first = i + diagonal + (not upper)
        low, high = (min(max(at, 0), columns) for at in (first, first + n - 1))
        if upper:
            band[..., :low] = zero
        else:
            band[..., high:] = zero
        below = np.tri(n, high - low, i + diagonal - upper - low, dtype=np.bool_)
        np.copyto(band[..., low:high], zero, where=below if upper else ~below)
