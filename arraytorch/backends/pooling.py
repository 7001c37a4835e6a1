"""Pooling over any number of spatial dimensions, for any array namespace.

Windows are boxes, so maxima and sums are taken dimension by dimension, by a slice per element of
the window's edge. The geometry is a `Convolution`'s: a pool meets its input as a kernel does.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

from .convolution import Convolution, Ints

Divisor = int | tuple[Ints, ...]  # one for all, or a factor for each output of each dimension
_MANY = 32  # elements of a window from which going through indices beats a slice for each


def _at(dim: int, index: Any) -> tuple[Any, ...]:
    """An index along a spatial dimension of (N, C, ...)."""
    return (slice(None),) * (2 + dim) + (index,)


@lru_cache(1024)
def slices_of(c: Convolution, dim: int) -> list[tuple[Any, ...]]:
    """For each element of the window's edge, the index of what the outputs meet there."""
    s, d, n = c.stride[dim], c.dilation[dim], c.out[dim]
    return [_at(dim, slice(i * d, i * d + s * (n - 1) + 1, s)) for i in range(c.size[dim])]


class PoolingKernels:
    """Pooling of (N, C, ...) over the namespace ``xp``; `ConvolutionKernels` brings the padding."""

    xp: Any
    _padded: Any
    _unpadded: Any
    _computed_in: Any
    _columns: Any
    _gathered: Any
    scatter_add: Any

    # maxima; NaN is larger than any number, and padding smaller

    def max_pool(self, x: Any, c: Convolution) -> Any:
        """The largest element of each window."""
        y = self._padded(x, c, self._lowest(x))
        for dim in range(len(c.size)):
            slices = slices_of(c, dim)
            best = y[slices[0]]
            for at in slices[1:]:
                best = self.xp.maximum(best, y[at])
            y = best
        return self.xp.copy(y) if prod(c.size) == 1 else y

    def max_pool_arg(self, x: Any, c: Convolution) -> tuple[Any, Any]:
        """The maxima, and where in its window each is: the first in C order, but the last NaN."""
        xp, kind = self.xp, "u1" if prod(c.size) <= 256 else "i4"
        y = self._padded(x, c, self._lowest(x))
        arg, count = None, 1
        for dim in reversed(range(len(c.size))):
            slices = slices_of(c, dim)
            best = y[slices[0]]
            where = xp.zeros(best.shape, dtype=kind) if arg is None else arg[slices[0]]
            for i, at in enumerate(slices[1:], 1):
                y_i = y[at]
                better = self._replaces(y_i, best)
                best = xp.where(better, y_i, best)
                here = i * count if arg is None else arg[at] + xp.asarray(i * count, dtype=kind)
                where = xp.where(better, here, where).astype(kind, copy=False)
            y, arg, count = best, where, count * c.size[dim]
        if any(map(any, c.padding)):
            # Where nothing exceeded the padding, the first real element is meant.
            arg = xp.maximum(arg, xp.asarray(self._first_real(c, kind)))
        return (xp.copy(y) if prod(c.size) == 1 else y), arg

    def _replaces(self, candidate: Any, best: Any) -> Any:
        better = candidate > best
        return better if candidate.dtype.kind in "iu" else better | (candidate != candidate)

    def _lowest(self, x: Any) -> Any:
        if x.dtype.kind in "iu":
            return self.xp.iinfo(x.dtype).min
        return -self.xp.inf

    def _first_real(self, c: Convolution, kind: str) -> Any:
        """The first element of each window that lies in the input, as `max_pool_arg` counts."""
        total: Any = 0
        for dim, (lo, _) in enumerate(c.padding):
            starts = self.xp.arange(c.out[dim]) * c.stride[dim] - lo
            firsts = self.xp.maximum(-(starts // c.dilation[dim]), 0) * prod(c.size[dim + 1 :])
            total = total + firsts.reshape((-1,) + (1,) * (len(c.out) - dim - 1))
        return total.astype(kind)

    def max_pool_indices(self, arg: Any, c: Convolution) -> Any:
        """Where in the flattened input the maxima are, as int64."""
        places: Any = 0
        rest = arg.astype("i8")
        for dim in reversed(range(len(c.size))):
            here = rest % c.size[dim] * c.dilation[dim]
            rest = rest // c.size[dim]
            starts = self.xp.arange(c.out[dim], dtype="i8") * c.stride[dim] - c.padding[dim][0]
            here = here + starts.reshape((-1,) + (1,) * (len(c.out) - dim - 1))
            places = places + here * prod(c.spatial[dim + 1 :])
        return places

    def max_pool_input(self, g: Any, arg: Any, c: Convolution) -> Any:
        """Zeros of the input's shape with g added where the maxima were."""
        if len(c.taps) > _MANY and not hollow(c):
            return self.max_pool_scatter(g, self.max_pool_indices(arg, c), c.spatial)
        xp = self.xp
        zero = xp.zeros((), dtype=g.dtype)
        wide = xp.zeros((*g.shape[:2], *c.padded), dtype=g.dtype)
        apart = disjoint(c)
        for t, tap in enumerate(c.taps):
            at = (slice(None), slice(None), *tap)
            part = xp.where(arg == t, g, zero)
            wide[at] = part if apart else wide[at] + part
        return self._unpadded(wide, c)

    def max_pool_gather(self, x: Any, arg: Any, c: Convolution) -> Any:
        """The elements of x at the places where the maxima of another input were."""
        if len(c.taps) > _MANY and not hollow(c):
            return self.max_pool_pick(x, self.max_pool_indices(arg, c))
        wide = self._padded(x, c)
        out = wide[(slice(None), slice(None), *c.taps[0])]
        for t, tap in enumerate(c.taps[1:], 1):
            out = self.xp.where(arg == t, wide[(slice(None), slice(None), *tap)], out)
        return self.xp.copy(out) if len(c.taps) == 1 else out

    def max_pool_scatter(self, g: Any, indices: Any, spatial: Ints) -> Any:
        """Zeros with g added at indices into the flattened spatial dimensions."""
        lead = g.shape[:2]
        zeros = self.xp.zeros((*lead, prod(spatial)), dtype=g.dtype)
        if not g.size:
            return zeros.reshape((*lead, *spatial))
        flat = prod(g.shape[2:])
        out = self.scatter_add(zeros, 2, indices.reshape((*lead, flat)), g.reshape((*lead, flat)))
        return out.reshape((*lead, *spatial))

    def max_unpool(self, x: Any, indices: Any, spatial: Ints) -> Any:
        """Zeros with the elements of x written at indices into the flattened spatial dimensions."""
        lead, flat = x.shape[:2], prod(x.shape[2:])
        out = self.xp.zeros((*lead, prod(spatial)), dtype=x.dtype)
        if x.size:
            index, x = indices.reshape((*lead, flat)), x.reshape((*lead, flat))
            self.xp.put_along_axis(out, index, x, axis=2)
        return out.reshape((*lead, *spatial))

    def max_pool_pick(self, x: Any, indices: Any) -> Any:
        """The elements of x at indices into its flattened spatial dimensions."""
        lead, flat = x.shape[:2], prod(indices.shape[2:])
        if not indices.size:
            return self.xp.zeros(indices.shape, dtype=x.dtype)
        x = x.reshape((*lead, prod(x.shape[2:])))
        out = self.xp.take_along_axis(x, indices.reshape((*lead, flat)), axis=2)
        return out.reshape(indices.shape)

    # means

    def avg_pool(self, x: Any, c: Convolution, divisor: Divisor) -> Any:
        """The sum of each window divided by ``divisor``; 16-bit floats are summed in float32."""
        y = self._padded(self._computed_in(x), c)
        for dim in range(len(c.size)):
            slices = slices_of(c, dim)
            total = y[slices[0]]
            for at in slices[1:]:
                total = total + y[at]
            y = total
        return self._divided(y, divisor).astype(x.dtype, copy=False)

    def avg_pool_input(self, g: Any, c: Convolution, divisor: Divisor) -> Any:
        """The input that g pulls back to through `avg_pool`."""
        y = self._divided(self._computed_in(g), divisor)
        extent = list(c.out)
        for dim in reversed(range(len(c.size))):
            extent[dim] = c.padded[dim]
            wide = self.xp.zeros((*g.shape[:2], *extent), dtype=y.dtype)
            for at in slices_of(c, dim):
                wide[at] += y
            y = wide
        return self._unpadded(y, c).astype(g.dtype, copy=False)

    def _divided(self, x: Any, divisor: Divisor) -> Any:
        by: Any = divisor
        if isinstance(divisor, tuple):
            counts: Any = 1
            for factors in divisor:
                counts = self.xp.expand_dims(self.xp.asarray(counts), -1) * self.xp.asarray(factors)
            by = counts.astype(x.dtype)
        if x.dtype.kind not in "iu":
            return x / by
        quotient = self.xp.abs(x) // abs(by)  # integers round to zero
        return (self.xp.sign(x) * ((by > 0) * 2 - 1) * quotient).astype(x.dtype)

    # windows that differ so that there are as many as asked for

    def adaptive_avg_pool(self, x: Any, out: Ints) -> Any:
        """The means of ``out`` windows as equal as possible along each spatial dimension."""
        y = self._computed_in(x)
        for dim, n in enumerate(out):
            parts = [
                self.xp.sum(y[_at(dim, slice(*span))], axis=2 + dim, keepdims=True, dtype=y.dtype)
                for span in adaptive_spans(x.shape[2 + dim], n)
            ]
            y = self.xp.concatenate(parts, axis=2 + dim) if parts else y[_at(dim, slice(0))]
        return self._divided(y, adaptive_counts(x.shape[2:], out)).astype(x.dtype, copy=False)

    def adaptive_avg_pool_input(self, g: Any, spatial: Ints) -> Any:
        """The input of extent ``spatial`` that g pulls back to through `adaptive_avg_pool`."""
        y = self._divided(self._computed_in(g), adaptive_counts(spatial, g.shape[2:]))
        for dim, n in enumerate(spatial):
            shape = (*y.shape[: 2 + dim], n, *y.shape[3 + dim :])
            wide = self.xp.zeros(shape, dtype=y.dtype)
            for i, span in enumerate(adaptive_spans(n, y.shape[2 + dim])):
                wide[_at(dim, slice(*span))] += y[_at(dim, slice(i, i + 1))]
            y = wide
        return y.astype(g.dtype, copy=False)

    def adaptive_max_pool(self, x: Any, out: Ints) -> tuple[Any, Any]:
        """The maxima of ``out`` windows along each dimension, and where they are in the flat input."""
        xp, spatial = self.xp, x.shape[2:]
        y, places = x, None
        for dim in reversed(range(len(out))):
            spans = adaptive_spans(spatial[dim], out[dim])
            longest = max((stop - start for start, stop in spans), default=1)
            best = where = None
            for i in range(longest):
                # A shorter window repeats its last element, which changes nothing.
                index = xp.asarray([min(start + i, stop - 1) for start, stop in spans], dtype="i8")
                y_i = xp.take(y, index, axis=2 + dim)
                here = (index * prod(spatial[dim + 1 :])).reshape(
                    (-1,) + (1,) * (len(out) - dim - 1)
                )
                here = here + (0 if places is None else xp.take(places, index, axis=2 + dim))
                if best is None:
                    best, where = y_i, xp.broadcast_to(here, y_i.shape)
                    continue
                better = self._replaces(y_i, best)
                best, where = xp.where(better, y_i, best), xp.where(better, here, where)
            y, places = best, where
        return y, xp.ascontiguousarray(places)

    # windows as columns

    def im2col(self, x: Any, c: Convolution) -> Any:
        """The windows of (N, C, ...) as (N, C * elements of the window, windows)."""
        cols = self._columns(x, c)
        return cols.reshape((x.shape[0], x.shape[1] * len(c.taps), prod(c.out)))

    def col2im(self, cols: Any, c: Convolution) -> Any:
        """The input that `im2col` would spread, with what met in one place added up."""
        cols = cols.reshape((cols.shape[0], cols.shape[1] // len(c.taps), len(c.taps), *c.out))
        return self._gathered(cols, c)


def disjoint(c: Convolution) -> bool:
    """Whether no element of the input is in two windows."""
    return all(s > d * (k - 1) for s, d, k in zip(c.stride, c.dilation, c.size, strict=True))


@lru_cache(4096)
def hollow(c: Convolution) -> bool:
    """Whether some window meets padding only, as one of few, distant elements can."""
    for n, (lo, _), s, d, k, out in zip(
        c.spatial, c.padding, c.stride, c.dilation, c.size, c.out, strict=True
    ):
        starts = [i * s - lo for i in range(out)]
        if d > 1 and any(all(not 0 <= at + j * d < n for j in range(k)) for at in starts):
            return True
    return False


@lru_cache(4096)
def adaptive_spans(n: int, out: int) -> tuple[tuple[int, int], ...]:
    """The windows of an adaptive pool along a dimension: from i n / out, rounded down, to up."""
    return tuple([(i * n // out, -(-(i + 1) * n // out)) for i in range(out)])


@lru_cache(4096)
def adaptive_counts(spatial: Ints, out: Ints) -> Divisor:
    """How many elements the windows of an adaptive pool have."""
    counts = tuple(
        [tuple([b - a for a, b in adaptive_spans(n, k)]) for n, k in zip(spatial, out, strict=True)]
    )
    if all(len(set(c)) == 1 for c in counts):
        return prod([c[0] for c in counts])
    return counts
