"""Pooling on NumPy: maxima in place, their gradients by one indexed write."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .compiled import MANY, kernels
from .convolution import Convolution
from .numpy_few_windows import pool_of
from .pooling import (
    Divisor,
    PoolingKernels,
    adaptive_counts,
    adaptive_spans,
    disjoint,
    hollow,
    slices_of,
)


class NumpyPoolingKernels(PoolingKernels):
    """The maxima of `PoolingKernels`, faster."""

    gather: Any
    combine_at: Any

    def max_pool(self, x: Any, c: Convolution) -> Any:
        if (pool := pool_of(x, c)) is not None:
            return pool.largest(x)[0]
        y = self._padded(x, c, self._lowest(x))
        for dim in range(len(c.size)):  # rows first: they are contiguous
            if (own := _pairs(y, c, dim)) is not None:
                y = own.larger_of_pairs(y)
                continue
            first, *others = slices_of(c, dim)
            best = y[first]
            for i, at in enumerate(others):
                best = np.maximum(best, y[at], out=best if i else None)
            y = best
        return y.copy() if prod(c.size) == 1 else y

    def adaptive_avg_pool(self, x: Any, out: tuple[int, ...]) -> Any:
        """By products with matrices of zeros and ones, unless there is infinity, which 0 makes NaN."""
        if x.size < MANY or x.dtype.char not in "fd" or not prod(out) or not x.flags.c_contiguous:
            return super().adaptive_avg_pool(x, out)
        y = x
        for dim in range(len(out) - 1, -1, -1):  # rows first: they are contiguous
            y = _spread(y, _windows(x.shape[2 + dim], out[dim], x.dtype).T, 2 + dim)
        if not np.isfinite(y).all():
            return super().adaptive_avg_pool(x, out)
        return self._divided(y, adaptive_counts(x.shape[2:], out))

    def adaptive_avg_pool_input(self, g: Any, spatial: tuple[int, ...]) -> Any:
        many = g.size and prod(g.shape[:2]) * prod(spatial) >= MANY and g.dtype.char in "fd"
        if not many or not np.isfinite(g).all():
            return super().adaptive_avg_pool_input(g, spatial)
        y = np.ascontiguousarray(self._divided(g, adaptive_counts(spatial, g.shape[2:])))
        for dim, n in enumerate(spatial):
            y = _spread(y, _windows(n, g.shape[2 + dim], g.dtype), 2 + dim)
        return y

    def max_pool_arg(self, x: Any, c: Convolution) -> tuple[Any, Any]:
        if prod(c.size) > 256 or x.dtype.kind not in "iuf":
            return super().max_pool_arg(x, c)
        if (pool := pool_of(x, c)) is not None:
            y, arg = pool.largest(x)
            flat = y.ravel()
            if (square := flat.dot(flat)) == square:  # without a NaN, of which the last one counts
                arg = arg.astype(np.uint8).reshape(y.shape)
                return y, np.maximum(arg, self._first_real(c, "u1")) if pool.padded else arg
        y = self._padded(x, c, self._lowest(x))
        arg, count = None, 1
        for dim in reversed(range(len(c.size))):
            first, *others = slices_of(c, dim)
            best = y[first]
            where = None if arg is None else arg[first]
            for i, at in enumerate(others, 1):
                y_i = y[at]
                better = np.greater(y_i, best).view(np.uint8)
                best = np.maximum(best, y_i, out=best if i > 1 else None)
                # What comes later has a larger number: the largest is the last improvement.
                if arg is None:
                    better *= np.uint8(i)
                else:
                    better *= arg[at] + np.uint8(i * count)
                where = better if where is None else np.maximum(where, better, out=better)
            y, arg, count = best, where, count * c.size[dim]
        if x.dtype.kind == "f" and y.size and np.isnan(y.max()):
            return super().max_pool_arg(x, c)
        if arg is None:
            return y.copy(), np.zeros(y.shape, np.uint8)
        if any(map(any, c.padding)):
            arg = np.maximum(arg, self._first_real(c, "u1"))
        return y, arg

    def avg_pool(self, x: Any, c: Convolution, divisor: Divisor) -> Any:
        if divisor.__class__ is not int or (pool := pool_of(x, c)) is None:
            return super().avg_pool(x, c, divisor)
        return pool.mean(x, divisor)

    def max_pool_input(self, g: Any, arg: Any, c: Convolution) -> Any:
        if hollow(c):
            return super().max_pool_input(g, arg, c)
        wide = self._computed_in(g)
        x = np.zeros((*g.shape[:2], *c.spatial), wide.dtype)
        places = _places(arg, c)
        if disjoint(c):
            x.reshape(-1)[places] = wide.reshape(-1)
        else:
            self.combine_at(x.reshape(-1), (places,), wide.reshape(-1), np.add)
        return x.astype(g.dtype, copy=False)

    def max_pool_gather(self, x: Any, arg: Any, c: Convolution) -> Any:
        if hollow(c):
            return super().max_pool_gather(x, arg, c)
        return x.reshape(-1).take(_places(arg, c)).reshape(arg.shape)

    def max_pool_pick(self, x: Any, indices: Any) -> Any:
        planes = x.shape[0] * x.shape[1]
        if not indices.size:
            return super().max_pool_pick(x, indices)
        rows = np.ascontiguousarray(x).reshape(planes, -1)
        places = np.ascontiguousarray(indices).reshape(planes, -1)
        return self.gather(rows, 1, places).reshape(indices.shape)

    def max_pool_scatter(self, g: Any, indices: Any, spatial: Any) -> Any:
        wide, planes = self._computed_in(g), g.shape[0] * g.shape[1]
        x = np.zeros((planes, prod(spatial)), wide.dtype)
        places = (
            indices.reshape(planes, prod(indices.shape[2:]))
            + np.arange(0, x.size, prod(spatial))[:, None]
        )
        self.combine_at(x.reshape(-1), (places.reshape(-1),), wide.reshape(-1), np.add)
        return x.reshape((*g.shape[:2], *spatial)).astype(g.dtype, copy=False)


def _pairs(x: Any, c: Convolution, dim: int) -> Any:
    """The compiled kernels, if windows are pairs of neighbours, which NumPy reads one by one."""
    if dim + 1 < len(c.size) or not (c.size[dim] == 2 == c.stride[dim] and c.dilation[dim] == 1):
        return None
    fits = x.shape[-1] // 2 == c.out[dim] and x.flags.c_contiguous
    return kernels("lines") if fits and x.size >= MANY and x.dtype.char in "fd" else None


def _places(arg: Any, c: Convolution) -> Any:
    """Where the maxima are in all of the flattened input."""
    within, starts = _offsets(c)
    planes = arg.shape[0] * arg.shape[1]
    places = within.take(arg.reshape(planes, prod(c.out)))
    places += starts
    places += np.arange(0, planes * prod(c.spatial), prod(c.spatial))[:, None]
    return places.reshape(-1)


@lru_cache(256)
def _offsets(c: Convolution) -> tuple[Any, Any]:
    """Where the elements of a window are, from its start, and where the windows start."""
    within, starts = np.zeros((), np.intp), np.zeros((), np.intp)
    for dim in range(len(c.size)):
        step = prod(c.spatial[dim + 1 :])
        edge = np.arange(c.size[dim]) * c.dilation[dim]
        first = np.arange(c.out[dim]) * c.stride[dim] - c.padding[dim][0]
        within = within[..., None] + edge * step
        starts = starts[..., None] + first * step
    return within.reshape(-1), starts.reshape(-1)


@lru_cache(64)
def _windows(n: int, count: int, dtype: Any) -> Any:
    """A matrix with a column for each of so many adaptive windows: one where it reaches, else zero."""
    matrix = np.zeros((n, count), dtype)
    for k, (start, stop) in enumerate(adaptive_spans(n, count)):
        matrix[start:stop, k] = 1
    return matrix


def _spread(x: Any, matrix: Any, dim: int) -> Any:
    """The products of a matrix with all lines along a dimension of a contiguous array."""
    shape, n = x.shape, x.shape[dim]
    width = prod(shape[dim + 1 :])
    lines = x.reshape(-1, n, width)
    out = lines.reshape(-1, n).dot(matrix.T) if width == 1 else np.matmul(matrix, lines)
    return out.reshape(*shape[:dim], len(matrix), *shape[dim + 1 :])
