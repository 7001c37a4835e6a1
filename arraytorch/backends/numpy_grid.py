"""Images read between their pixels: the cells of all points of a grid, and their corners, at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .numpy_numbers import ONE, Number

_BLOCK = 1 << 16  # corners of channels that are read at a time, in whole images
_HALF, _OUTSIDE = Number(0.5), Number(-2)
_UNSIGNED = np.dtype(np.uint64)


class NumpyGrid:
    """Kernels of `grid_sample` where it is linear between pixels, and zeros or the border lie beyond."""

    def grid_linear(self, x: Any, grid: Any, corners: bool, border: bool) -> Any:
        """x (N, C, ...) at points (N, ..., n), whose last coordinate is the first of the image."""
        cells = _Cells(grid, x.shape[2:], corners, border)
        out = np.empty((*x.shape[:2], cells.weight.shape[1] // len(x)), x.dtype)
        for images, places, weight in cells.blocks(out):
            pixels = x[images].reshape(-1).take(places)
            pixels *= weight
            np.add.reduce(pixels, 0, None, out[images])
        return out.reshape(*x.shape[:2], *grid.shape[1:-1])

    def grid_linear_input(
        self, g: Any, grid: Any, sizes: tuple[int, ...], corners: bool, border: bool
    ) -> Any:
        """The gradient for x, of these sizes."""
        cells = _Cells(grid, sizes, corners, border)
        g = g.reshape(*g.shape[:2], -1)
        out = np.empty((*g.shape[:2], *sizes), g.dtype)
        for images, places, weight in cells.blocks(g):
            part = out[images]
            sums = np.bincount(places.ravel(), (weight * g[images]).ravel(), part.size)
            part[...] = sums.reshape(part.shape)
        return out

    def grid_linear_points(self, g: Any, x: Any, grid: Any, corners: bool, border: bool) -> Any:
        """The gradient for the grid."""
        cells = _Cells(grid, x.shape[2:], corners, border)
        g = g.reshape(*g.shape[:2], -1)
        dots = np.empty((len(cells.weight), len(g), g.shape[2]), g.dtype)
        for images, places, _ in cells.blocks(g):
            pixels = x[images].reshape(-1).take(places)
            pixels *= g[images]
            np.add.reduce(pixels, 2, None, dots[:, images])
        return cells.slopes(dots.reshape(len(dots), -1)).reshape(grid.shape)


class _Cells:
    """What lies around points: a row for each corner of a cell, a column for each point."""

    def __init__(self, grid: Any, sizes: tuple[int, ...], corners: bool, border: bool) -> None:
        n = len(sizes)
        self.images, self.plane = len(grid), prod(sizes)
        size, last, apart, scale, bound = _measures(sizes, grid.dtype, corners)
        one = ONE[grid.dtype]
        at = grid.reshape(-1, n).T[::-1] + one
        if corners:
            at *= scale
        else:
            at *= size
            at -= one
            at *= _HALF[at.dtype]
        self.scale = scale
        if border:  # held points have no slope, those on the border neither
            moves = (at > 0) & (at < last)
            at = np.where(moves, at, np.fmin(np.fmax(at, 0), last))
            self.scale = scale * moves
        low = np.floor(at)
        at -= low
        ends, share = np.empty((2, *at.shape), np.int64), np.empty((2, *at.shape), at.dtype)
        # Two before the image or one behind it stand for all that is further away, or NaN.
        ends[0] = np.fmax(np.fmin(low, size), _OUTSIDE[low.dtype])
        np.add(ends[0], ONE[ends.dtype], ends[1])
        self.inside = ends.view(_UNSIGNED) < bound  # what is negative is huge
        ends *= self.inside
        ends *= apart
        np.subtract(one, at, share[0])
        share[1] = at
        share *= self.inside
        self.share = share
        self.places = _combined(np.add, [ends[:, d] for d in range(n)])
        self.weight = _combined(np.multiply, [share[:, d] for d in range(n)])

    def blocks(self, like: Any) -> Iterator[tuple[slice, Any, Any]]:
        """Some images, the places of corners in their memory, and the weights, (corner, N, C, point)."""
        channels, points = like.shape[1:]
        places = self.places.reshape(-1, self.images, 1, points)
        weight = self.weight.reshape(places.shape)
        step = max(1, _BLOCK // (len(places) * channels * points))
        for start in range(0, self.images, step):
            images = slice(start, start + step)
            here = places[:, images]
            planes = np.arange(0, here.shape[1] * channels * self.plane, self.plane)
            yield images, here + planes.reshape(-1, channels, 1), weight[:, images]

    def slopes(self, dots: Any) -> Any:
        """What the points' coordinates get, from sums over the channels for each corner."""
        n = self.share.shape[1]
        out = np.empty((dots.shape[1], n), dots.dtype)
        for d in range(n):
            factors = [self.share[:, e] for e in range(n)]
            factors[d] = self.inside[:, d] * np.array([[-1], [1]], dots.dtype)
            weight = _combined(np.multiply, factors)
            weight *= dots
            out[:, n - 1 - d] = np.add.reduce(weight, 0)
        out *= np.broadcast_to(self.scale, (n, len(out)))[::-1].T
        return out


def _combined(function: Any, ends: list[Any]) -> Any:
    """The sum or product of either end of each dimension, for all corners."""
    first, *rest = ends
    for other in rest:
        first = function(first[:, None], other).reshape(-1, other.shape[1])
    return first


@lru_cache(64)
def _measures(sizes: tuple[int, ...], dtype: Any, corners: bool) -> tuple[Any, ...]:
    """Columns of sizes, last pixels, distances in memory, pixels in a unit of the grid, and sizes again."""
    size = np.array(sizes, dtype)[:, None]
    apart = np.array([prod(sizes[d + 1 :]) for d in range(len(sizes))], np.int64)[:, None]
    scale = (size - 1) / 2 if corners else size / 2
    return size, size - 1, apart, scale, size.astype(_UNSIGNED)
