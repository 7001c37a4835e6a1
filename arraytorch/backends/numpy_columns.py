"""Columns of a convolution on NumPy: blocks of them that stay in the cache.

Copying the columns (im2col) costs as much as the product when channels are few, since NumPy copies
windows in runs of one output row. So the padded input is seen as one long row per channel: the
element that kernel element (i, j) meets lies `i * width + j` further on for *every* output, and a
row of columns is one long copy. The price is that outputs are also computed for windows that
straddle the right border ("junk"), and dropped. A stride first splits the input into phases, its
elements by position modulo the stride, on which the stride is 1. Where the junk would cost more
than short copies do, the columns are exact.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from .convolution import Convolution

BLOCK = 1 << 19  # bytes of columns to work on at once: half of a usual second-level cache
PRODUCT = 256  # columns from which a matrix product pays for arranging the weight
_RUN = 8.0  # ns that each run of a strided copy costs
_FLOP = 0.02  # ns for a multiplication and an addition within a product

Array = np.ndarray[Any, Any]


class Layout:
    """Where things lie when the padded input, split into phases, is one row per channel.

    ``grid`` is the extent of a phase, ``steps`` its strides and ``area`` its size; ``taps`` are the
    phase and offset of each kernel element; ``fill`` tells which elements of the input go where.
    One sample's outputs, with junk, take ``length`` places and are kept in rows of ``pitch``.
    """

    def __init__(self, c: Convolution) -> None:
        reach = [d * (k - 1) // s for d, k, s in zip(c.dilation, c.size, c.stride, strict=True)]
        self.grid = tuple([r + n for r, n in zip(reach, c.out, strict=True)])
        self.steps = tuple([prod(self.grid[i + 1 :]) for i in range(len(self.grid))])
        self.area = prod(self.grid)
        self.pitch = c.out[0] * self.steps[0]
        self.length = sum((n - 1) * s for n, s in zip(c.out, self.steps, strict=True)) + 1
        starts = [
            tuple([i * d for i, d in zip(at, c.dilation, strict=True)])
            for at in product(*map(range, c.size))
        ]
        phase_of = [tuple([a % s for a, s in zip(at, c.stride, strict=True)]) for at in starts]
        self.phases = sorted(set(phase_of))
        self.taps = [
            (
                self.phases.index(p),
                sum(a // s * step for a, s, step in zip(at, c.stride, self.steps, strict=True)),
            )
            for at, p in zip(starts, phase_of, strict=True)
        ]
        self.fill = [
            tuple(zip(*map(_meeting, p, c.stride, c.padding, c.spatial, self.grid)))
            for p in self.phases
        ]
        self.whole = (
            len(self.phases) == 1
            and self.grid == c.spatial
            and not any(map(any, c.padding))
            and set(c.stride) == {1}
        )
        self.crop = tuple([slice(n) for n in c.out])


def _meeting(
    phase: int, s: int, padding: tuple[int, int], n: int, extent: int
) -> tuple[slice, slice]:
    """The slices of a phase and of the input that hold the same elements, in one dimension."""
    lo = padding[0] - phase
    first = max(-(-lo // s), 0)
    last = max(min(extent, -(-(n + lo) // s)), first)
    return slice(first, last), slice(first * s - lo, max(last * s - lo, 0), s)


layout_of = lru_cache(4096)(Layout)


@lru_cache(4096)
def _steps(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a contiguous array, in elements."""
    return tuple([prod(shape[i + 1 :]) for i in range(len(shape))])


def _view(x: Array, shape: tuple[int, ...], steps: tuple[int, ...], offset: int = 0) -> Array:
    """A view of a contiguous array, with strides in elements; as_strided would take 20 times as long."""
    item = x.itemsize
    return np.ndarray(shape, x.dtype, x, offset * item, tuple([s * item for s in steps]))


class Blocks:
    """The convolution of an input, block of samples by block, in buffers that are used again.

    ``columns`` is (groups, channels * kernel elements, samples * pitch) and ``outputs``, a place for
    what the columns make or are made from, (groups, outputs / groups, samples * pitch).
    """

    def __init__(self, channels: int, outputs: int, count: int, dtype: Any, c: Convolution) -> None:
        self.c, self.layout, self.channels = c, layout_of(c), channels
        layout, area, taps = self.layout, prod(c.out), len(self.layout.taps)
        junk = layout.pitch / area - 1
        # Junk costs products, exact columns cost short copies.
        self.exact = junk > 0 and junk * outputs / c.groups * _FLOP > _RUN / c.out[-1]
        self.pitch = area if self.exact else layout.pitch
        self.inner = c.out if self.exact else (layout.length,)
        most = max(
            BLOCK // (channels * taps * self.pitch * dtype.itemsize), -(-PRODUCT // self.pitch), 1
        )
        self.count, self.samples = count, -(-count // -(-count // most))
        # Junk must be finite: it meets zeros.
        make = np.empty if self.pitch == prod(self.inner) else np.zeros
        self.columns = make(
            (c.groups, channels // c.groups * taps, self.samples * self.pitch), dtype
        )
        self.direct = self.samples == 1 and self.pitch == area
        shape = (outputs, self.samples, self.pitch // layout.steps[0], *layout.grid[1:])
        if self.exact:
            shape = (outputs, self.samples, *c.out)
        self.outputs = np.zeros((c.groups, outputs // c.groups, self.samples * self.pitch), dtype)
        self.cropped = self.outputs.reshape(shape)[
            (slice(None), slice(None), *layout.crop)
        ].swapaxes(0, 1)

    def spans(self) -> Any:
        """The blocks, as slices of the samples."""
        return [
            slice(i, min(i + self.samples, self.count)) for i in range(0, self.count, self.samples)
        ]

    def wide_buffer(self) -> Array:
        """A place for the padded input of a block, zero at first."""
        layout = self.layout
        return np.zeros(
            (self.samples, self.channels, len(layout.phases), *layout.grid), self.columns.dtype
        )

    def pairs(self, wide: Array, by_tap: bool = False) -> list[tuple[Array, Array]]:
        """Pairs of views of the columns and of the padded input, samples first, of equal elements.

        With ``by_tap``, no two elements of a view of the input are the same.
        """
        layout, c, taps = self.layout, self.c, len(self.layout.taps)
        row = self.samples * self.pitch
        steps = layout.steps if self.exact else (1,)
        to_steps = _steps(self.inner)
        channel = len(layout.phases) * layout.area
        lead = (len(wide), self.channels)
        to_lead = (self.samples, self.channels)
        if (
            set(c.stride) == {1} and not by_tap
        ):  # then the offsets of the kernel's elements are strides themselves
            kernel = tuple([d * s for d, s in zip(c.dilation, layout.steps, strict=True)])
            to_kernel = tuple([s * row for s in _steps(c.size)])
            to = _view(
                self.columns,
                (*to_lead, *c.size, *self.inner),
                (self.pitch, taps * row, *to_kernel, *to_steps),
            )
            source = _view(
                wide,
                (*lead, *c.size, *self.inner),
                (self.channels * channel, channel, *kernel, *steps),
            )
            return [(to, source)]
        return [
            (
                _view(
                    self.columns,
                    (*to_lead, *self.inner),
                    (self.pitch, taps * row, *to_steps),
                    t * row,
                ),
                _view(
                    wide,
                    (*lead, *self.inner),
                    (self.channels * channel, channel, *steps),
                    phase * layout.area + offset,
                ),
            )
            for t, (phase, offset) in enumerate(layout.taps)
        ]

    def taken(self, g: Array, span: slice) -> Array:
        """A block of what the columns are multiplied with: ``outputs``, or a view of g that is as good."""
        if self.direct and g[0].flags.c_contiguous:
            return g[span.start].reshape(self.outputs.shape)
        n = span.stop - span.start
        self.cropped[:n] = g[span]
        if n < self.samples:
            self.cropped[n:] = 0
        return self.outputs

    def columns_of(self, x: Array) -> Any:
        """Fills the columns for one block after the other, and yields its slice of the samples."""
        whole = self.layout.whole and x.flags.c_contiguous
        wide = x if whole else self.wide_buffer()
        pairs = self.pairs(wide)
        for span in self.spans():
            n = span.stop - span.start
            if not whole:
                fill(wide, x[span], self.layout)
            for to, source in pairs:
                np.copyto(to[:n], source[span] if whole else source[:n])
            yield span


def fill(wide: Array, x: Array, layout: Layout) -> None:
    """Copies a block of samples into its padded form; the padding is there."""
    for phase, (there, here) in enumerate(layout.fill):
        wide[(slice(len(x)), slice(None), phase, *there)] = x[(slice(None), slice(None), *here)]
