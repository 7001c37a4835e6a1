"""Reductions of NumPy arrays by way of the matrix library, which sums three times as fast.

`np.sum` adds rows at 4 bytes a nanosecond or so; a product with a vector of ones reads memory as fast
as it comes. Its running sums are longer than those of NumPy's pairwise summation, so rows are cut into
pieces, whose sums are added pairwise.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .compiled import MANY, kernels
from .reduction import ReductionKernels

_add = np.add.reduce
_PIECE = 1024  # elements that a product adds up one after the other, at most
_MANY = 4096  # elements from which finding out how an array lies in memory pays


@lru_cache(256)
def ones(n: int, dtype: Any) -> Any:
    """A vector of ones: its products with rows or columns are their sums."""
    return np.ones(n, dtype)


class NumpyReductionKernels(ReductionKernels):
    """Overrides for real numbers of four or eight bytes; the rest goes the generic way."""

    def sum(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        kind = x.dtype.char
        if kind == "f" or kind == "d":
            size, ndim = x.size, x.ndim
            if size <= 1024 and not keepdim and len(dims) == ndim > 0:
                # 0.5 us against 1.4 for add.reduce.
                return ones(size, kind).dot(x if ndim == 1 else x.reshape(-1))
            if ndim == 2 and dims == (0,) and not keepdim and len(x) <= 1024:
                return ones(len(x), kind).dot(x)  # 0.6 us against 1.3 for a bias's gradient
            if size >= _MANY and (rows := as_rows(x, dims)) is not None:
                return _finished(row_sums(rows), x.shape, dims, keepdim)
        elif x.dtype.kind in "biu":  # where NumPy would widen what is narrower than its int
            return super().sum(x, dims, keepdim)
        elif x.dtype.itemsize == 2:
            return _add(x, dims, "f4", None, keepdim).astype(x.dtype)
        return _add(x, dims, None, None, keepdim)

    def mean(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        kind = x.dtype.char
        if kind != "f" and kind != "d":
            return super().mean(x, dims, keepdim)
        shape = x.shape
        count = x.size if len(dims) == len(shape) else prod([shape[d] for d in dims])
        return self.sum(x, dims, keepdim) / x.dtype.type(count)

    def vector_norm(self, x: Any, p: float, dims: tuple[int, ...], keepdim: bool) -> Any:
        if p == 2 and x.size >= _MANY and x.dtype.kind == "f" and x.dtype.itemsize != 2:
            rows = as_rows(x, dims)
            if rows is not None:
                return np.sqrt(_finished(row_dots(rows, rows), x.shape, dims, keepdim))
        return super().vector_norm(x, p, dims, keepdim)

    def prod(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        """By halves, as NumPy multiplies the elements of a row one after the other."""
        rows = as_rows(x, dims) if x.size >= _MANY and x.dtype.kind == "f" else None
        if rows is None or x.dtype.itemsize == 2:
            return super().prod(x, dims, keepdim)
        if (compiled := kernels("places")) is not None:
            products = compiled.products(rows)
            return _finished(products, x.shape, dims, keepdim, np.multiply.reduce)
        while rows.shape[1] >= 64:
            half = rows.shape[1] // 2
            odd = rows[:, 2 * half :]
            rows = rows[:, :half] * rows[:, half : 2 * half]
            if odd.shape[1]:
                rows[:, :1] *= odd
        return _finished(np.multiply.reduce(rows, 1), x.shape, dims, keepdim, np.multiply.reduce)

    def cumsum(self, x: Any, dim: int) -> Any:
        """Row by row where rows are long, as NumPy would go down one column after the other."""
        if x.size >= MANY and dim == x.ndim - 1 and x.dtype.char in "fdl" and x.flags.c_contiguous:
            if (compiled := kernels("places")) is not None:
                return compiled.cumsum(x.reshape(-1, x.shape[-1])).reshape(x.shape)
        if dim == x.ndim - 1 or x.dtype.itemsize < 4 or prod(x.shape[dim + 1 :]) < 64:
            return super().cumsum(x, dim)
        out = np.empty(x.shape, x.dtype)
        here, there = np.moveaxis(x, dim, 0), np.moveaxis(out, dim, 0)
        for i, row in enumerate(here):
            if i:
                np.add(there[i - 1], row, out=there[i])
            else:
                there[0] = row
        return out


def as_rows(x: Any, dims: tuple[int, ...]) -> Any:
    """x as a matrix with a row for each product of the last dimensions, those of them in ``dims``.

    None if these are none or few, or x is not contiguous.
    """
    lead = x.ndim
    while lead and lead - 1 in dims:
        lead -= 1
    width = prod(x.shape[lead:])
    if width < 16 or not x.size or not x.flags.c_contiguous:
        return None
    return x.reshape(-1, width)


def row_sums(rows: Any) -> Any:
    """The sum of each row of a contiguous matrix."""
    n, width = rows.shape
    if width <= _PIECE:
        return rows.dot(ones(width, rows.dtype))
    if not width % _PIECE:
        pieces = rows.reshape(-1, _PIECE).dot(ones(_PIECE, rows.dtype))
        return _add(pieces.reshape(n, -1), 1)
    whole = width - width % _PIECE
    if n == 1:
        return row_sums(rows[:, :whole]) + _add(rows[:, whole:], 1)
    starts = range(0, width, _PIECE)
    cuts = [rows[:, i : i + _PIECE] for i in starts]
    return _add(np.stack([c.dot(ones(c.shape[1], c.dtype)) for c in cuts], 1), 1)


def row_dots(x: Any, y: Any) -> Any:
    """The scalar product of each row of a contiguous matrix with that of another."""
    n, width = x.shape
    whole = width - width % _PIECE
    if width <= _PIECE:
        return np.vecdot(x, y)
    if whole == width:
        return _add(np.vecdot(x.reshape(n, -1, _PIECE), y.reshape(n, -1, _PIECE)), 1)
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
    if keepdim:
        out = np.reshape(out, [1 if d in dims else n for d, n in enumerate(shape)])
    return out
