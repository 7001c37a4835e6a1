"""Convolution on NumPy: matrix products over columns that stay in the cache.

`numpy_columns` tells how they are made. Threads of ours share the samples, each with a matrix library
that has no threads of its own meanwhile. Where numba is, large arrays go to `numba_convolution`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .compiled import MANY, kernels
from .convolution import Convolution, ConvolutionKernels, convolution
from .numpy_columns import BLOCK, PRODUCT, Blocks, layout_of
from .numpy_few_windows import columns_of
from .sharing import run
from .threads import get_num_threads, library_alone

_WORTH = 1 << 21  # multiplications that are worth a thread

Array = np.ndarray[Any, Any]


class NumpyConvolutionKernels(ConvolutionKernels):
    """The convolutions of `ConvolutionKernels`, arranged for a CPU's caches."""

    def conv(self, x: Any, w: Any, c: Convolution, bias: Any = None) -> Any:
        few = columns_of(x, w, c, len(x), x.shape[1], len(w)) if x.size < MANY else None
        if few is not None and (bias is None or bias.dtype is x.dtype):
            return few.conv(x, w, bias)
        dtype = x.dtype
        x, w = self._computed_in(x), self._computed_in(w)
        if bias is not None:
            bias = self._computed_in(bias)
        if (own := _compiled(x, w, x.shape[0] * w.shape[0] * prod(c.out))) is not None:
            return own.conv(x, w, c, bias).astype(dtype, copy=False)
        out = np.empty((x.shape[0], w.shape[0], *c.out), x.dtype)
        if not out.size or not w.size:
            out[...] = 0 if bias is None else _upright(bias, c)
        else:
            work = w.size * len(x) * prod(c.out)
            _shared(_some_conv, _samples(len(x), work), x, w, c, bias, out)
        return out.astype(dtype, copy=False)

    def conv_input(self, g: Any, w: Any, c: Convolution, bias: Any = None) -> Any:
        few = columns_of(g, w, c, len(g), w.shape[1], len(w)) if g.size < MANY else None
        if few is not None:
            z = few.conv_input(g, w)
            return z if bias is None else z + _upright(bias, c)
        dtype = g.dtype
        g, w = self._computed_in(g), self._computed_in(w)
        channels = w.shape[1] * c.groups
        size = g.shape[0] * channels * prod(c.spatial)
        # The rows of a product of a few channels do not fill the registers.
        if (w.shape[1] > 3 or c.groups > 1) and (own := _compiled(g, w, size)) is not None:
            if bias is not None:
                bias = self._computed_in(bias)
            return own.conv_input(g, w, c, bias).astype(dtype, copy=False)
        out = np.zeros((g.shape[0], channels, *c.spatial), g.dtype)
        if g.size and w.size and out.size:
            if _turns(c, len(g), channels, w.shape[0]):
                return self.conv(g, _turned_weight(w, c), _turned(c), bias).astype(
                    dtype, copy=False
                )
            work = w.size * len(g) * prod(c.out)
            _shared(_some_conv_input, _samples(len(g), work), g, w, c, out)
        if bias is not None:
            out += _upright(self._computed_in(bias), c)
        return out.astype(dtype, copy=False)

    def conv_weight(self, x: Any, g: Any, c: Convolution) -> Any:
        few = columns_of(x, g, c, len(x), x.shape[1], g.shape[1]) if x.size < MANY else None
        if few is not None:
            return few.conv_weight(x, g)
        dtype = x.dtype
        x, g = self._computed_in(x), self._computed_in(g)
        if (own := _compiled(x, g, x.size)) is not None:
            return own.conv_weight(x, g, c).astype(dtype, copy=False)
        w = np.zeros((g.shape[1], x.shape[1] // c.groups, *c.size), x.dtype)
        if x.size and g.size:
            spans = _samples(len(x), w.size * len(x) * prod(c.out))
            sums = [w, *[np.empty_like(w) for _ in spans[1:]]]
            _shared(_some_conv_weight, list(zip(spans, sums, strict=True)), x, g, c)
            for more in sums[1:]:
                w += more
        return w.astype(dtype, copy=False)


def _compiled(x: Array, y: Array, made: int) -> Any:
    """The module that convolves arrays of this size, None if this one is to."""
    if max(x.size, made) < MANY or x.dtype.char not in "fd" or not (x.size and y.size and made):
        return None
    return kernels("convolution")


def _samples(count: int, work: int) -> list[slice]:
    """The slices of samples that threads of ours work on: one where the matrix library's can."""
    threads = get_num_threads()
    if threads == 1 or count < threads or work < threads * _WORTH:
        return [slice(0, count)]
    return [slice(count * i // threads, count * (i + 1) // threads) for i in range(threads)]


def _shared(task: Callable[..., None], parts: list[Any], *args: Any) -> None:
    """Calls ``task`` for each part, a slice or slice and more, with a thread each."""
    if len(parts) == 1:
        task(parts[0], *args)
    else:  # else the library's threads and ours would fight for the processor
        with library_alone():
            run(task, [(part,) for part in parts], *args)


def _some_conv(
    span: slice, x: Array, w: Array, c: Convolution, bias: Array | None, out: Array
) -> None:
    if _is_product(c):
        _product(x[span], w, c, bias, out[span])
        return
    for ins, outs, part in _parts(x.shape[1], w.shape[0], x.itemsize, c):
        some = None if bias is None else bias[outs]
        _conv(x[span, ins], w[outs], part, some, out[span, outs])


def _some_conv_input(span: slice, g: Array, w: Array, c: Convolution, out: Array) -> None:
    for ins, outs, part in _parts(out.shape[1], w.shape[0], g.itemsize, c):
        _conv_input(g[span, outs], w[outs], part, out[span, ins])


def _some_conv_weight(at: tuple[slice, Array], x: Array, g: Array, c: Convolution) -> None:
    span, w = at
    for ins, outs, part in _parts(x.shape[1], g.shape[1], x.itemsize, c):
        w[outs] = _conv_weight(x[span, ins], g[span, outs], part).reshape(w[outs].shape)


def _upright(bias: Array, c: Convolution) -> Array:
    return bias.reshape((-1,) + (1,) * len(c.out))


@lru_cache(4096)
def _parts(
    channels: int, outputs: int, itemsize: int, c: Convolution
) -> list[tuple[slice, slice, Convolution]]:
    """Slices of the input's and the output's channels, whole groups, whose columns fit the cache."""
    row = channels // c.groups * prod(c.size) * layout_of(c).pitch * itemsize
    groups = max(min(BLOCK // max(row, 1), c.groups), 1)
    if groups == c.groups:
        return [(slice(None), slice(None), c)]
    parts = []
    for start in range(0, c.groups, groups):
        stop = min(start + groups, c.groups)
        part = convolution(c.stride, c.padding, c.dilation, stop - start, c.size, c.spatial)
        into, out = channels // c.groups, outputs // c.groups
        parts.append((slice(start * into, stop * into), slice(start * out, stop * out), part))
    return parts


@lru_cache(4096)
def _turned(c: Convolution) -> Convolution:
    """The geometry by which a gradient and the turned weight give the input of a stride of 1."""
    padding = tuple(
        [
            (d * (k - 1) - lo, d * (k - 1) - hi)
            for d, k, (lo, hi) in zip(c.dilation, c.size, c.padding, strict=True)
        ]
    )
    return convolution(c.stride, padding, c.dilation, c.groups, c.size, c.out)


def _turned_weight(w: Array, c: Convolution) -> Array:
    """The weight with input and output channels exchanged and the kernel turned around."""
    w = w.reshape((c.groups, w.shape[0] // c.groups, *w.shape[1:])).swapaxes(1, 2)
    w = np.flip(w, tuple(range(3, w.ndim)))
    return np.ascontiguousarray(w).reshape((w.shape[0] * w.shape[1], *w.shape[2:]))


def _turns(c: Convolution, samples: int, channels: int, outputs: int) -> bool:
    """Whether an input is better computed as a convolution than by adding up columns."""
    if set(c.stride) != {1}:
        return False
    if samples * prod(c.out) < PRODUCT:  # it would take longer to turn the weight
        return False
    return prod(c.size) == 1 or prod(c.spatial) <= 1.2 * prod(c.out) and outputs <= 2 * channels


def _is_product(c: Convolution) -> bool:
    return set(c.size) == set(c.stride) == {1} and c.out == c.spatial and prod(c.out) >= PRODUCT


def _product(x: Array, w: Array, c: Convolution, bias: Array | None, out: Array) -> None:
    """A kernel of one element: products of the weight with each sample as it is."""
    n, area, groups = x.shape[0], prod(c.out), c.groups
    y = out.reshape(n, groups, -1, area)
    np.matmul(w.reshape(groups, -1, w.shape[1]), x.reshape(n, groups, -1, area), out=y)
    if bias is not None:
        y += bias.reshape(groups, -1, 1)


def _conv(x: Array, w: Array, c: Convolution, bias: Array | None, out: Array) -> None:
    blocks = Blocks(x.shape[1], w.shape[0], len(x), x.dtype, c)
    w = w.reshape(c.groups, w.shape[0] // c.groups, -1)
    if bias is not None:
        bias = _upright(bias, c)
    for span in blocks.columns_of(x):
        if blocks.direct:
            y = out[span.start]
            np.matmul(w, blocks.columns, out=y.reshape(c.groups, w.shape[1], -1))
            if bias is not None:
                y += bias
            continue
        np.matmul(w, blocks.columns, out=blocks.outputs)
        y = blocks.cropped[: span.stop - span.start]
        if bias is None:
            out[span] = y
        else:
            np.add(y, bias, out=out[span])


def _conv_weight(x: Array, g: Array, c: Convolution) -> Array:
    blocks = Blocks(x.shape[1], g.shape[1], len(x), x.dtype, c)
    # BLAS takes up to 1.8 times as long for outputs times columns as for columns times outputs,
    # but that has to be turned around in the end, which a large weight makes dear.
    turned = blocks.samples * blocks.pitch >= PRODUCT
    total = part = None
    for span in blocks.columns_of(x):
        y = blocks.taken(g, span)
        left, right = (blocks.columns, y) if turned else (y, blocks.columns)
        if total is None:
            total = np.matmul(left, right.swapaxes(1, 2))
        else:
            part = np.matmul(left, right.swapaxes(1, 2), out=part)
            total += part
    assert total is not None
    return total.swapaxes(1, 2) if turned else total


def _conv_input(g: Array, w: Array, c: Convolution, out: Array) -> None:
    """Columns of gradients, added up where they meet in the input."""
    blocks = Blocks(out.shape[1], w.shape[0], len(g), g.dtype, c)
    layout = blocks.layout
    w = w.reshape(c.groups, w.shape[0] // c.groups, -1).swapaxes(1, 2)
    # NumPy has no fast product for a column by a row.
    product = np.multiply if w.shape[2] == 1 else np.matmul
    wide = blocks.wide_buffer()
    pairs = blocks.pairs(wide, by_tap=True)
    for span in blocks.spans():
        n = span.stop - span.start
        product(w, blocks.taken(g, span), out=blocks.columns)
        wide[:n] = 0
        for column, place in pairs:
            place[:n] += column[:n]
        for phase, (there, here) in enumerate(layout.fill):
            out[(span, slice(None), *here)] = wide[(slice(n), slice(None), phase, *there)]
