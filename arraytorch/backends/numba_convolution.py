"""Convolution by `numba_columns`: where everything lies, and how threads share it.

What an output meets in the padded image is a start that belongs to the output plus an offset that
belongs to the kernel's element. A stride first splits the image into phases, its elements by position
modulo the stride, in which outputs that are neighbours have neighbouring starts. In the derivative by
the input it is the result that has phases: each is a convolution of its own, with stride 1 and the
kernel's elements that it meets.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from . import numba_columns as columns
from .convolution import Convolution
from .numba_tiles import BYTES, ROWS, VECTORS, lanes, parts
from .sharing import run, share

Ints = tuple[int, ...]
Array = np.ndarray[Any, Any]


def _steps(extent: Ints) -> Ints:
    return tuple([prod(extent[i + 1 :]) for i in range(len(extent))])


def _dot(x: Any, y: Any) -> int:
    return sum(i * j for i, j in zip(x, y, strict=True))


class _Image:
    """How an image is padded and split: element g of phase p is its element g stride + p - before."""

    def __init__(
        self, spatial: Ints, stride: Ints, before: Ints, phases: list[Ints], grid: Ints
    ) -> None:
        self.steps, self.area = _steps(grid), prod(grid)
        self.plane, self.size = prod(spatial), len(phases) * self.area
        self.whole = len(phases) == 1 and grid == spatial and set(stride) == {1} and not any(before)
        source, spans = [], []
        for phase in phases:
            p, s, lo, n, length = (t[-1] for t in (phase, stride, before, spatial, grid))
            first = min(max(-((p - lo) // s), 0), length)
            last = min(max(-((p - lo - n) // s), first), length)
            for line in product(*map(range, grid[:-1])):
                at = [g * s + p - lo for g, s, p, lo in zip(line, stride, phase, before)]
                inside = all(0 <= i < n for i, n in zip(at, spatial)) and first < last
                start = _dot((*at, first * s + p - lo), _steps(spatial))
                source.append(start if inside else -1)
                spans.append((first, last, length, s))
        self.source, self.spans = np.array(source, np.int64), np.array(spans, np.int64)

    def of(self, x: Array) -> Array:
        """The padded image in one row, with room behind it for a vector that is not used."""
        flat = np.ascontiguousarray(x).reshape(-1)
        if self.whole:
            return flat
        planes = x.shape[0] * x.shape[1]
        wide = np.empty(planes * self.size + BYTES, x.dtype)
        wide[planes * self.size :] = 0
        share(columns.padded, planes, planes * self.size, flat, self.plane, self.source, self.spans,
              lanes(x.itemsize), wide)  # fmt: skip
        return wide


class _Part:
    """Outputs whose lines have their starts at ``rows`` in the image and ``places`` in the result.

    ``chosen`` are the kernel's elements that they meet, ``taps`` the offsets of those, ``gap`` the
    distance of neighbours in the result. A ``plain`` result has no gaps at all.
    """

    def __init__(
        self, chosen: list[int], taps: list[int], extent: Ints, steps: Ints, start: int,
        to_steps: Ints, to_start: int,
    ) -> None:  # fmt: skip
        self.chosen, self.taps = np.array(chosen, np.int64), np.array(taps, np.int64)
        self.gap = to_steps[-1]
        d, self.length = len(extent) - 1, extent[-1]
        while d and steps[d - 1] == self.length and to_steps[d - 1] == self.length * self.gap:
            d -= 1
            self.length *= extent[d]
        lines = list(product(*map(range, extent[:d])))
        self.rows = np.array([start + _dot(i, steps[:d]) for i in lines], np.int64)
        self.places = np.array([to_start + _dot(i, to_steps[:d]) for i in lines], np.int64)
        self.area = len(lines) * self.length
        self.plain = to_start == 0 and to_steps == _steps(extent)

    @lru_cache(4096)  # noqa: B019  # parts live as long as the geometries
    def offsets(self, channels: int, size: int) -> Array:
        """Where each element of the kernel of each channel lies, from a start on."""
        return (np.arange(channels)[:, None] * size + self.taps).reshape(-1)


@lru_cache(4096)
def _forward(c: Convolution) -> tuple[_Image, _Part]:
    reach = [d * (k - 1) // s for d, k, s in zip(c.dilation, c.size, c.stride, strict=True)]
    grid = tuple([r + n for r, n in zip(reach, c.out, strict=True)])
    starts = [
        [i * d for i, d in zip(at, c.dilation, strict=True)] for at in product(*map(range, c.size))
    ]
    phase_of = [tuple([a % s for a, s in zip(at, c.stride, strict=True)]) for at in starts]
    phases = sorted(set(phase_of))
    image = _Image(c.spatial, c.stride, tuple([lo for lo, _ in c.padding]), phases, grid)
    taps = [
        phases.index(p) * image.area + _dot([a // s for a, s in zip(at, c.stride)], image.steps)
        for at, p in zip(starts, phase_of, strict=True)
    ]
    chosen = list(range(len(taps)))
    return image, _Part(chosen, taps, c.out, image.steps, 0, _steps(c.out), 0)


@lru_cache(4096)
def _backward(c: Convolution) -> tuple[_Image, list[_Part], bool]:
    """The padded gradient, the phases of the input, and whether they are all of it."""
    starts = [
        [i * d for i, d in zip(at, c.dilation, strict=True)] for at in product(*map(range, c.size))
    ]
    # Element i of the input is number i + lo of the padded one, which is q stride + phase. It meets
    # output q - (start - phase) / stride of each kernel element whose start is in its phase.
    los = [lo for lo, _ in c.padding]
    reach = [d * (k - 1) // s for d, k, s in zip(c.dilation, c.size, c.stride, strict=True)]
    first = [lo // s for lo, s in zip(los, c.stride, strict=True)]
    last = [(n - 1 + lo) // s for n, lo, s in zip(c.spatial, los, c.stride, strict=True)]
    before = tuple([max(r - q, 0) for r, q in zip(reach, first, strict=True)])
    grid = tuple([b + max(q + 1, n) for b, q, n in zip(before, last, c.out, strict=True)])
    image = _Image(c.out, (1,) * len(grid), before, [(0,) * len(grid)], grid)
    found, elements = [], 0
    for phase in product(*map(range, c.stride)):
        chosen = [
            t
            for t, at in enumerate(starts)
            if all((a - p) % s == 0 for a, p, s in zip(at, phase, c.stride))
        ]
        taps = [
            -_dot([(a - p) // s for a, p, s in zip(starts[t], phase, c.stride)], image.steps)
            for t in chosen
        ]
        low = [-((p - lo) // s) for p, lo, s in zip(phase, los, c.stride)]
        high = [-((p - lo - n) // s) for p, lo, n, s in zip(phase, los, c.spatial, c.stride)]
        extent = tuple([h - l for l, h in zip(low, high, strict=True)])
        if not chosen or min(extent) <= 0:
            continue
        start = _dot([b + q for b, q in zip(before, low)], image.steps)
        steps = _steps(c.spatial)
        to = _dot([q * s + p - lo for q, s, p, lo in zip(low, c.stride, phase, los)], steps)
        to_steps = tuple([s * step for s, step in zip(c.stride, steps)])
        found.append(_Part(chosen, taps, extent, image.steps, start, to_steps, to))
        elements += prod(extent)
    return image, found, elements == prod(c.spatial)


def _made(
    image: _Image, part: _Part, wide: Array, weight: Array, bias: Array, groups: int, channels: int, out: Array
) -> None:  # fmt: skip
    """Fills a part of the result; ``weight`` has a line of inputs and chosen elements per output."""
    sizes: tuple[Any, ...]
    samples, outputs = out.shape[:2]
    plane, work = prod(out.shape[2:]), weight.size * samples * part.area
    per, width = channels // groups, lanes(wide.itemsize)
    lines: tuple[Any, ...] = (part.rows, part.places, weight.reshape(-1), bias, out.reshape(-1))
    if groups == channels == outputs and not image.whole:
        sizes = (groups, part.length, image.size, plane, part.gap, part.plain, width)
        run(columns.planes, parts(samples * groups, work), sizes, wide, part.taps, *lines)
        return
    lines = (part.offsets(per, image.size), *lines)
    sizes = (samples, groups, part.length, channels * image.size, per * image.size, plane)
    shares = parts(groups * -(-samples * part.area // (VECTORS * width)), work)
    if part.plain and part.length % width == 0:  # no need to gather what lies in whole vectors
        run(columns.windowed, shares, (*sizes, width), wide, *lines)
    else:
        pieces = _balanced(shares, groups, outputs // groups)
        run(columns.convolved, pieces, (*sizes, part.gap, part.plain, width), wide, *lines)


def _balanced(shares: list[Any], groups: int, outputs: int) -> list[Any]:
    """Ranges of columns with all outputs, or few columns that cannot be divided well with some of these."""
    threads, few = len(shares), shares[-1][1]
    even = few % threads == 0 or few >= 4 * threads
    if even or groups > 1 or outputs < 8 * ROWS * threads:
        return [(start, stop, 0, outputs) for start, stop in shares]
    cuts = [outputs // ROWS * i // threads * ROWS for i in range(threads)]
    return [(0, few, low, top) for low, top in zip(cuts, [*cuts[1:], outputs])]


def conv(x: Array, w: Array, c: Convolution, bias: Array | None) -> Array:
    """Cross-correlates x (N, C, ...) with w (O, C / groups, ...)."""
    image, part = _forward(c)
    out = np.empty((x.shape[0], w.shape[0], *c.out), x.dtype)
    bias = np.zeros(w.shape[0], x.dtype) if bias is None else np.ascontiguousarray(bias)
    _made(image, part, image.of(x), np.ascontiguousarray(w), bias, c.groups, x.shape[1], out)
    return out


def conv_input(g: Array, w: Array, c: Convolution, bias: Array | None) -> Array:
    """The input that g (N, O, ...) pulls back to through w (O, C / groups, ...)."""
    image, phases, all_of_it = _backward(c)
    per, groups, outputs = w.shape[1], c.groups, w.shape[0] // c.groups
    out = np.empty((g.shape[0], groups * per, *c.spatial), g.dtype)
    if not all_of_it:
        out[...] = 0 if bias is None else bias.reshape((-1,) + (1,) * len(c.out))
    bias = np.zeros(groups * per, g.dtype) if bias is None else np.ascontiguousarray(bias)
    wide, w = image.of(g), np.ascontiguousarray(w).reshape(-1)
    for part in phases:
        turned = np.empty(groups * per * outputs * len(part.chosen), w.dtype)
        share(columns.exchanged, groups * per, turned.size, w, outputs, per, prod(c.size),
              part.chosen, lanes(w.itemsize), turned)  # fmt: skip
        _made(image, part, wide, turned, bias, groups, g.shape[1], out)
    return out


def conv_weight(x: Array, g: Array, c: Convolution) -> Array:
    """The weight that g (N, O, ...) pulls back to through x (N, C, ...)."""
    image, part = _forward(c)
    sizes: tuple[int, ...]
    samples, channels, groups = x.shape[0], x.shape[1], c.groups
    outputs, per = g.shape[1], channels // groups
    wide, g = image.of(x), np.ascontiguousarray(g).reshape(-1)
    w = np.empty((outputs, per, *c.size), x.dtype)
    work, flat = w.size * samples * part.area, w.reshape(-1)
    if groups == channels == outputs and not image.whole:
        sizes = (samples, channels, part.length, image.size, lanes(x.itemsize))
        shares = parts(channels, work)
        run(columns.plane_weights, shares, sizes, wide, part.taps, part.rows, g, flat)
        return w
    wide_as, each = lanes(x.itemsize), outputs // groups
    vectors = -(-each // wide_as)
    turned = np.empty(groups * vectors * wide_as * samples * part.area + wide_as, x.dtype)
    share(columns.turned, samples * groups * vectors, turned.size,
          g, samples, groups, each, part.area, wide_as, turned)  # fmt: skip
    sizes = (samples, groups, part.length, channels * image.size, per * image.size, each, wide_as)
    offsets = part.offsets(per, image.size)
    shares = [(a * ROWS, min(b * ROWS, groups * offsets.size))
              for a, b in parts(-(-groups * offsets.size // ROWS), work)]  # fmt: skip
    run(columns.weighed, shares, sizes, wide, offsets, part.rows, turned, flat)
    return w
