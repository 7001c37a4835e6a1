"""Reductions of NumPy arrays by way of the matrix library, which sums three times as fast.

`np.sum` adds rows at 4 bytes a nanosecond or so; a product with a vector of ones reads memory as fast
as it comes. Its running sums are longer than those of NumPy's pairwise summation, so rows are cut into
pieces, whose sums are added pairwise.
"""

from __future__ import annotations

import math
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .compiled import MANY, kernels
from .numpy_extremes import extremes, of_all, of_columns
from .numpy_numbers import number
from .numpy_scans import running_sums, scanned
from .reduction import ReductionKernels
from .sharing import share
from .threads import library_alone, library_is_alone

_add, _multiply = np.add.reduce, np.multiply.reduce
_max, _min = np.maximum.reduce, np.minimum.reduce
_all, _any = np.logical_and.reduce, np.logical_or.reduce
_SINGLE = np.dtype(np.float32)
_WORTH = 16  # elements that are worth a compiled loop
_PIECE = 1024  # elements that a product adds up one after the other, at most
_COLUMNS = 4096  # elements of which as many products stay in the cache
_NARROW = 64  # elements of a row up to which several are summed as one
_THIN = 16  # elements of a row from which products of its columns pay
_SMALL = 128  # elements of a matrix from which a call of the matrix library pays
_CACHED = (
    1 << 16
)  # elements that are worked on at a time where several arrays shall stay in the cache
_SHARED = 1 << 21  # elements whose sums are worth a thread
_MANY = 4096  # elements from which finding out how an array lies in memory pays


@lru_cache(256)
def ones(n: int, dtype: Any) -> Any:
    """A vector of ones: its products with rows or columns are their sums."""
    return np.ones(n, dtype)


def _few_variances(x: Any, lead: int, count: int, free: float, keepdim: bool) -> Any:
    """Variances of few numbers over all dimensions but ``lead``, by products: half of the time."""
    shape = x.shape[:lead] + (1,) * (x.ndim - lead) if keepdim else x.shape[:lead]
    if not lead:
        row = x.reshape(-1)
        off = row - row.dot(_ONES[x.dtype.char][count]) / count  # scalars take 0.05 us
        z = off.dot(off) / free
        return z.reshape(shape) if keepdim else z
    square, divisor, column = _shares(count, free, x.dtype)
    rows = x if x.ndim == 2 else x.reshape(-1, count)
    mean = rows.dot(square)
    if divisor is not None:
        mean /= divisor
    off = np.subtract(rows, mean, mean)
    off *= off
    z = off.dot(column)
    return z if z.shape == shape else z.reshape(shape)


@lru_cache(64)
def _shares(count: int, free: float, dtype: Any) -> tuple[Any, Any, Any]:
    """What makes means of rows, or sums that have yet to be divided, and variances of squares."""
    # A product with a third is no division by 3: equal numbers would deviate from their mean.
    exact = not count & (count - 1)
    square = np.full((count, count), 1 / count if exact else 1, dtype)
    return square, None if exact else number(count, dtype), np.full(count, 1 / free, dtype)


class _Ones(dict[int, Any]):
    """Vectors of ones by their length: found in a third of the time that `ones` takes."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def __missing__(self, n: int) -> Any:
        return self.setdefault(n, np.ones(n, self.dtype))


_SINGLE = np.dtype(np.float32)
_ONES = {"f": _Ones("f"), "d": _Ones("d")}


class NumpyReductionKernels(ReductionKernels):
    """Overrides for real numbers of four or eight bytes; the rest goes the generic way."""

    cast: Any

    def sum(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        kind, size = x.dtype.char, x.size
        if kind == "f" or kind == "d":
            if size <= 1024:  # short sums are products too, at 0.3 us against 0.8 for add.reduce
                ndim = x.ndim
                if len(dims) == ndim and not keepdim:
                    return (x if ndim == 1 else x.reshape(-1)).dot(_ONES[kind][size])
                if len(dims) == 1 and dims[0] == ndim - 1:
                    z = x.dot(_ONES[kind][x.shape[-1]])
                    return z[..., None] if keepdim else z
            elif size < MANY and len(dims) == x.ndim and not keepdim and (n := _even_piece(size)):
                return x.reshape(-1, n).dot(_ONES[kind][n]).dot(_ONES[kind][size // n])
            if dims == (0,) and x.ndim == 2 and not keepdim and len(x) <= 1024 and size < MANY:
                return ones(len(x), kind).dot(x)  # 0.6 us against 1.3 for a bias's gradient
            if size >= _MANY and (rows := as_rows(x, dims)) is not None:
                return _finished(row_sums(rows), x.shape, dims, keepdim)
            if size >= MANY and len(dims) == 1 and kind == "f" and x.flags.c_contiguous:
                many = x.shape[dims[0]] >= _WORTH <= prod(x.shape[dims[0] + 1 :])
                if many and (own := kernels("reductions")) is not None:
                    return self._sums_between(own, x, dims[0], keepdim)
            if size >= _MANY and (z := _alone(_column_sums, x, dims)) is not None:
                return _kept(z, x.shape, dims) if keepdim else z
        elif x.dtype.kind in "biu":  # where NumPy would widen what is narrower than its int
            return _add(x, dims, x.dtype, None, keepdim)
        elif x.dtype.itemsize == 2:
            if size >= MANY and (own := kernels("reductions")) is not None:
                if x.dtype.char in "eE" and (rows := as_rows(x, dims)) is not None:
                    return self.cast(_finished(own.sums(rows), x.shape, dims, keepdim), x.dtype)
            return self.cast(self.sum(self.cast(x, _SINGLE), dims, keepdim), x.dtype)
        return _add(x, dims, None, None, keepdim)

    def _sums_between(self, own: Any, x: Any, dim: int, keepdim: bool) -> Any:
        lead, n, rest = prod(x.shape[:dim]), x.shape[dim], x.shape[dim + 1 :]
        z = own.sums_between(x.reshape(lead, n, -1))
        return z.reshape(*x.shape[:dim], *((1,) if keepdim else ()), *rest)

    def mean(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        kind = x.dtype.char
        if kind != "f" and kind != "d":
            return super().mean(x, dims, keepdim)
        shape, size = x.shape, x.size
        if len(dims) == len(shape):
            if 0 < size <= 1024 and not keepdim:
                total = x.reshape(-1).dot(_ONES[kind][size])
                return np.asarray(total / size)  # a scalar is divided in a quarter of the time
            count = size
        else:
            count = prod([shape[d] for d in dims])
        return self.sum(x, dims, keepdim) / (number(count, x.dtype) if count else 0.0)

    def var(self, x: Any, dims: tuple[int, ...], correction: float, keepdim: bool) -> Any:
        count = x.shape[dims[0]] if len(dims) == 1 else prod([x.shape[d] for d in dims])
        if x.dtype.char not in "fd" or count <= correction or not x.ndim:
            return super().var(x, dims, correction, keepdim)
        few = x.size <= 1024 and (count <= 32 or count == x.size)
        if few and dims == tuple(range(dims[0], x.ndim)):
            return _few_variances(x, dims[0], count, count - correction, keepdim)
        off = x - self.sum(x, dims, True) / number(count, x.dtype)
        off *= off
        return self.sum(off, dims, keepdim) / number(count - correction, x.dtype)

    # The functions of NumPy's namespace take 0.6 us to get to these.

    def amax(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        if len(dims) == x.ndim and _short(x) and not keepdim:
            flat = x.reshape(-1)
            return flat[flat.argmax()]  # of few elements a third of the time of a reduction
        if x.size >= MANY:
            if (rows := _compiled_rows(x, dims)) is not None:
                largest = kernels("reductions").extremes(rows, True)
                return _finished(largest, x.shape, dims, keepdim, _max)
            if (found := extremes(x, dims, True)) is not None:
                return _kept(found, x.shape, dims) if keepdim else found
            if len(dims) == x.ndim and (whole := of_all(_max, x)) is not None:
                return _kept(whole, x.shape, dims) if keepdim else whole
        return _max(x, dims, None, None, keepdim)

    def amin(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        if len(dims) == x.ndim and _short(x) and not keepdim:
            flat = x.reshape(-1)
            return flat[flat.argmin()]
        if x.size >= MANY:
            if (rows := _compiled_rows(x, dims)) is not None:
                least = kernels("reductions").extremes(rows, False)
                return _finished(least, x.shape, dims, keepdim, _min)
            if (found := extremes(x, dims, False)) is not None:
                return _kept(found, x.shape, dims) if keepdim else found
            if len(dims) == x.ndim and (whole := of_all(_min, x)) is not None:
                return _kept(whole, x.shape, dims) if keepdim else whole
        return _min(x, dims, None, None, keepdim)

    def all(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        if x.size <= 1024 and x.dtype.char == "?" and len(dims) == x.ndim and not keepdim:
            return np.count_nonzero(x) == x.size  # 0.2 us against 0.8
        if (
            x.size >= MANY
            and x.dtype.char == "?"
            and (found := extremes(x, dims, False)) is not None
        ):
            return _kept(found, x.shape, dims) if keepdim else found
        return _all(x, dims, None, None, keepdim)

    def any(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        if x.size <= 1024 and x.dtype.char == "?" and len(dims) == x.ndim and not keepdim:
            return np.count_nonzero(x) > 0
        if (
            x.size >= MANY
            and x.dtype.char == "?"
            and (found := extremes(x, dims, True)) is not None
        ):
            return _kept(found, x.shape, dims) if keepdim else found
        return _any(x, dims, None, None, keepdim)

    def count_nonzero(self, x: Any, dims: tuple[int, ...]) -> Any:
        if len(dims) == x.ndim and x.dtype.kind in "biufc":
            return np.asarray(
                np.count_nonzero(x)
            )  # a loop of its own, a fifth of the time of a sum
        return super().count_nonzero(x, dims)

    def argmax(self, x: Any, dim: int | None, keepdim: bool) -> Any:
        if dim == 0 and (found := _rows_of_extremes(x, True, keepdim)) is not None:
            return found
        return x.argmax(dim, keepdims=True) if keepdim else x.argmax(dim)

    def argmin(self, x: Any, dim: int | None, keepdim: bool) -> Any:
        if dim == 0 and (found := _rows_of_extremes(x, False, keepdim)) is not None:
            return found
        return x.argmin(dim, keepdims=True) if keepdim else x.argmin(dim)

    def bounds(self, x: Any) -> tuple[Any, Any] | None:
        if x.size > 1024:
            return x.min().item(), x.max().item()
        return (x.item(x.argmin()), x.item(x.argmax())) if x.size else None

    def distances(self, x: Any, y: Any, p: float) -> Any:
        """A few rows of x at a time, whose differences from all of y stay in the cache."""
        if x.ndim != 2 or y.ndim != 2 or len(x) * y.size < MANY:
            return super().distances(x, y, p)
        out = np.empty((len(x), len(y)), x.dtype)

        def part(start: int, stop: int) -> None:
            few = max(_CACHED // y.size, 1)
            for i in range(start, stop, few):
                rows = x[i : min(i + few, stop)]
                out[i : i + len(rows)] = super(NumpyReductionKernels, self).distances(rows, y, p)

        share(part, len(x), len(x) * y.size)
        return out

    def vector_norm(self, x: Any, p: float, dims: tuple[int, ...], keepdim: bool) -> Any:
        if p == 2 and x.size >= _MANY and x.dtype.kind == "f" and x.dtype.itemsize != 2:
            rows = as_rows(x, dims)
            if rows is not None:
                return np.sqrt(_finished(row_dots(rows, rows), x.shape, dims, keepdim))
        if p == 2 and x.dtype.char in "fd" and x.ndim:
            if len(dims) == x.ndim and not keepdim and x.size <= 1024:
                flat = x.reshape(-1)
                return np.sqrt(flat.dot(flat))
            return np.sqrt(self.sum(x * x, dims, keepdim))
        if p not in (0, math.inf, -math.inf) and x.size >= MANY and x.dtype.char in "fd":
            size = np.abs(x)
            return (
                self.sum(size, dims, keepdim)
                if p == 1
                else self.sum(size**p, dims, keepdim) ** (1 / p)
            )
        return super().vector_norm(x, p, dims, keepdim)

    def prod(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        """By halves, as NumPy multiplies the elements of a row one after the other."""
        rows = as_rows(x, dims) if x.size >= _MANY and x.dtype.kind == "f" else None
        if (
            dims == (0,)
            and x.size >= MANY
            and x.dtype.char in "fd"
            and x.flags.c_contiguous
            and x.ndim > 1
        ):
            z = of_columns(np.multiply, x.reshape(len(x), -1)).reshape(x.shape[1:])
            return _kept(z, x.shape, dims) if keepdim else z
        if rows is None or x.dtype.itemsize == 2:
            z = _multiply(x, dims, self._wide(x), None, keepdim)
            return z.astype(x.dtype) if x.dtype.itemsize == 2 else z
        if (compiled := kernels("places")) is not None:
            products = compiled.products(rows)
            return _finished(products, x.shape, dims, keepdim, _multiply)
        return _finished(_row_products(rows), x.shape, dims, keepdim, _multiply)

    def cumsum(self, x: Any, dim: int) -> Any:
        """By a compiled loop along rows, else by products."""
        if _along_rows(x, dim) and (compiled := kernels("places")) is not None:
            return compiled.cumsum(x.reshape(-1, x.shape[-1])).reshape(x.shape)
        if x.size >= MANY and x.dtype.char in "fd" and x.flags.c_contiguous:
            width = prod(x.shape[dim + 1 :])
            if (width == 1 or width >= _THIN) and (sums := running_sums(x, dim)) is not None:
                return sums
        elif x.ndim and dim == x.ndim - 1 and _along_rows(x[..., ::-1], dim):
            # As the derivative of a running sum wants it: from the end, the memory's way.
            if (compiled := kernels("places")) is not None:
                rows = x[..., ::-1].reshape(-1, x.shape[-1])[:, ::-1]
                return compiled.cumsum(rows)[:, ::-1].reshape(x.shape)[..., ::-1]
        if x.dtype.char in "fdl":
            if x.size >= MANY:
                return scanned(np.add, x, dim)
            if x.flags.c_contiguous:
                return x.cumsum(dim)
        return super().cumsum(x, dim)

    def cumprod(self, x: Any, dim: int) -> Any:
        if _along_rows(x, dim) and (compiled := kernels("places")) is not None:
            return compiled.cumprod(x.reshape(-1, x.shape[-1])).reshape(x.shape)
        if x.dtype.char in "fdl":
            if x.size >= MANY:
                return scanned(np.multiply, x, dim)
            if x.flags.c_contiguous:
                return x.cumprod(dim)
        return super().cumprod(x, dim)

    def cummax(self, x: Any, dim: int) -> tuple[Any, Any]:
        return self._best_so_far(x, dim, True) or super().cummax(x, dim)

    def cummin(self, x: Any, dim: int) -> tuple[Any, Any]:
        return self._best_so_far(x, dim, False) or super().cummin(x, dim)

    def _best_so_far(self, x: Any, dim: int, largest: bool) -> tuple[Any, Any] | None:
        if not _along_rows(x, dim):
            return None
        rows = x.reshape(-1, x.shape[-1])
        if (compiled := kernels("places")) is not None:
            values, places = compiled.running(rows, largest)
            return values.reshape(x.shape), places.reshape(x.shape)
        values = scanned(np.maximum if largest else np.minimum, rows, 1)
        # Between two places where an element is the best so far, the first of them holds.
        best = rows == values
        best |= rows != rows
        starts = np.flatnonzero(best)
        places = np.repeat(starts % rows.shape[1], np.diff(starts, append=x.size))
        return values.reshape(x.shape), places.reshape(x.shape)


def _along_rows(x: Any, dim: int) -> bool:
    """Whether there are compiled kernels for running sums and the like."""
    return x.size >= MANY and dim == x.ndim - 1 and x.dtype.char in "fdl" and x.flags.c_contiguous


def _compiled_rows(x: Any, dims: tuple[int, ...]) -> Any:
    """The rows of `as_rows`, if there are compiled kernels for their elements."""
    if x.dtype.char != "f" or kernels("reductions") is None:
        return None
    return as_rows(x, dims)


def _row_products(rows: Any) -> Any:
    n, width = rows.shape
    if n == 1 and width >= 4 * _COLUMNS:
        whole = width - width % _COLUMNS
        columns = _multiply(rows[:, :whole].reshape(-1, _COLUMNS), 0)
        return _row_products(np.concatenate((columns, rows[0, whole:]))[None])
    out = np.empty(n, rows.dtype)

    def part(start: int, stop: int) -> None:
        _products(rows[start:stop], out[start:stop])

    share(part, n, rows.size)
    return out


def _products(rows: Any, out: Any) -> None:
    while rows.shape[1] >= 64:
        half = rows.shape[1] // 2
        odd = rows[:, 2 * half :]
        rows = rows[:, :half] * rows[:, half : 2 * half]
        if odd.shape[1]:
            rows[:, :1] *= odd
    if len(rows) < 512:
        np.multiply.reduce(rows, 1, None, out)
        return
    out[...] = rows[:, 0]
    for column in rows.T[1:]:
        out *= column


def _short(x: Any) -> bool:
    """Whether x holds few, and ordinary, real numbers."""
    return 0 < x.size <= 1024 and x.dtype.char in "fdlib"


def as_rows(x: Any, dims: tuple[int, ...]) -> Any:
    """x as a matrix with a row for each product of the last dimensions, those of them in ``dims``.

    None if these are none or few, or x is not contiguous.
    """
    lead = x.ndim
    while lead and lead - 1 in dims:
        lead -= 1
    width = prod(x.shape[lead:])
    if width < 2 or not x.size or not x.flags.c_contiguous:
        return None
    return x.reshape(-1, width)


def _alone(kernel: Any, x: Any, dims: tuple[int, ...]) -> Any:
    """What a kernel makes of products, by one thread of the library if they are large."""
    if x.size < MANY or library_is_alone():
        return kernel(x, dims)
    with library_alone():
        return kernel(x, dims)


def _column_sums(x: Any, dims: tuple[int, ...]) -> Any:
    """The sums over neighbouring dims that are not the last ones, of a contiguous array; else None.

    Products with ones: 2 to 10 times as fast as to add one row after the other, and more exact.
    """
    lead, last = dims[0], dims[0] + len(dims)
    if dims != tuple(range(lead, last)) or last == x.ndim or not x.flags.c_contiguous or not x.size:
        return None
    shape = x.shape[:lead] + x.shape[last:]
    count, width = prod(x.shape[lead:last]), prod(x.shape[last:])
    matrices = x.reshape(-1, count, width)
    pieces = -(-count // _PIECE)
    if len(matrices) == 1:
        rows = matrices[0]
        fold = _NARROW // width
        if fold > 1 and not count % fold:  # few long rows take less time than many short ones
            sums = _column_sums(rows.reshape(count // fold, -1), (0,))
            return _add(sums.reshape(fold, width), 0).reshape(shape)
        if pieces == 1:
            return ones(count, x.dtype).dot(rows).reshape(shape)
        cuts = [rows[i : i + _PIECE] for i in range(0, count, _PIECE)]
        return _add(np.stack([ones(len(c), x.dtype).dot(c) for c in cuts]), 0).reshape(shape)
    if pieces > 1 or count * width < _SMALL:  # a call of the library for each matrix
        return None
    return np.matmul(ones(count, x.dtype), matrices).reshape(shape)


def _rows_of_extremes(x: Any, largest: bool, keepdim: bool) -> Any:
    """Where along the first dimension large arrays have extremes, by a compiled kernel; None of others."""
    if x.size < MANY or x.ndim < 2 or x.dtype.char not in "fd" or not x.flags.c_contiguous:
        return None
    if len(x) < 2 or x.size < _NARROW * len(x) or (own := kernels("reductions")) is None:
        return None
    places = own.places(x.reshape(len(x), -1), largest)
    return places.reshape((1, *x.shape[1:]) if keepdim else x.shape[1:])


@lru_cache(256)
def _even_piece(width: int) -> int:
    """The length of the largest pieces that rows can be cut into, all alike; 0 if these are short."""
    return next((n for n in range(_PIECE, _PIECE // 8, -1) if not width % n), 0)


def row_sums(rows: Any) -> Any:
    """The sum of each row of a contiguous matrix."""
    if rows.size < MANY:
        return _row_sums(rows)
    if rows.dtype.char == "f" and (own := kernels("reductions")) is not None:
        return own.sums(rows)
    if library_is_alone():
        return _row_sums(rows)
    # The library's threads would save 30 us of a million sums, and spin on the cores that ours need next.
    if rows.size < _SHARED:
        with library_alone():
            return _row_sums(rows)
    if len(rows) == 1 and not rows.size % _PIECE:
        return _add(row_sums(rows.reshape(_PIECE, -1)), keepdims=True)
    out = np.empty(len(rows), rows.dtype)
    share(_row_sums_into, len(rows), rows.size, rows, out)
    return out


def _row_sums_into(start: int, stop: int, rows: Any, out: Any) -> None:
    out[start:stop] = _row_sums(rows[start:stop])


def _row_sums(rows: Any) -> Any:
    n, width = rows.shape
    if width <= _PIECE:
        return rows.dot(ones(width, rows.dtype))
    if piece := _even_piece(width):
        pieces = rows.reshape(-1, piece).dot(ones(piece, rows.dtype))
        return _add(pieces.reshape(n, -1), 1)
    whole = width - width % _PIECE
    if n == 1:
        return _row_sums(rows[:, :whole]) + _add(rows[:, whole:], 1)
    starts = range(0, width, _PIECE)
    cuts = [rows[:, i : i + _PIECE] for i in starts]
    return _add(np.stack([c.dot(ones(c.shape[1], c.dtype)) for c in cuts], 1), 1)


def row_dots(x: Any, y: Any) -> Any:
    """The scalar product of each row of a contiguous matrix with that of another."""
    n, width = x.shape
    whole = width - width % _PIECE
    if width < 32:  # where a call of the matrix library takes longer than the products
        return row_sums(x * y)
    if width <= _PIECE:
        return np.vecdot(x, y)
    if whole == width:
        return _add(np.vecdot(x.reshape(n, -1, _PIECE), y.reshape(n, -1, _PIECE)), 1)
    if n == 1:
        return row_dots(x[:, :whole], y[:, :whole]) + np.vecdot(x[:, whole:], y[:, whole:])
    parts = [np.vecdot(x[:, i : i + _PIECE], y[:, i : i + _PIECE]) for i in range(0, width, _PIECE)]
    return _add(np.stack(parts, 1), 1)


def _finished(
    totals: Any, shape: tuple[int, ...], dims: tuple[int, ...], keepdim: bool, reduce: Any = _add
) -> Any:
    """What is left to do after the last dimensions: those of ``dims`` that are not among them."""
    lead = len(shape)
    while lead and lead - 1 in dims:
        lead -= 1
    rest = tuple([d for d in dims if d < lead])
    out = totals.reshape(shape[:lead])
    if rest:
        out = reduce(out, rest)
    return _kept(out, shape, dims) if keepdim else out


def _kept(x: Any, shape: tuple[int, ...], dims: tuple[int, ...]) -> Any:
    """A result with the dimensions that were reduced, at size 1."""
    return np.reshape(x, [1 if d in dims else n for d, n in enumerate(shape)])
