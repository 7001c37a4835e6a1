"""Convolution on CuPy arrays: cuDNN where it is installed, else columns and matrix products."""

from __future__ import annotations

from math import prod
from typing import Any

import cupy

from . import cupy_cudnn as cudnn
from .convolution import Convolution, ConvolutionKernels
from .cupy_windows import WINDOWS, fits, window

ROOM = 1 << 28  # bytes of columns at a time


class CupyConvolution(ConvolutionKernels):
    """Convolutions of up to three spatial dimensions."""

    deterministic: bool
    product: Any
    im2col: Any
    col2im: Any

    def cudnn_version(self) -> int | None:
        """The version of cuDNN, None where it is not installed."""
        return cudnn.version()

    def conv(self, x: Any, w: Any, c: Convolution, bias: Any = None) -> Any:
        if not fits(c, x, w):
            return super().conv(x, w, c, bias)
        out = cudnn.forward(x, w, c, self.deterministic)
        if out is None:
            out = cupy.empty((x.shape[0], w.shape[0], *c.out), x.dtype)
            for some in _portions(x.shape[0], x.shape[1], c, x.dtype.itemsize):
                out[some] = self._convolved(x[some], w, c)
        if bias is not None:
            out += bias.reshape((-1,) + (1,) * len(c.out))
        return out

    def conv_input(self, g: Any, w: Any, c: Convolution, bias: Any = None) -> Any:
        if not fits(c, g, w):
            return super().conv_input(g, w, c, bias)
        channels = w.shape[1] * c.groups
        out = cudnn.backward_input(g, w, c, self.deterministic)
        if out is None:
            out = cupy.empty((g.shape[0], channels, *c.spatial), g.dtype)
            for some in _portions(g.shape[0], channels, c, g.dtype.itemsize):
                out[some] = self._pulled(g[some], w, c)
        if bias is not None:
            out += bias.reshape((-1,) + (1,) * len(c.out))
        return out

    def conv_weight(self, x: Any, g: Any, c: Convolution) -> Any:
        if not fits(c, x, g):
            return super().conv_weight(x, g, c)
        found = cudnn.backward_weight(x, g, c, self.deterministic)
        if found is not None:
            return found
        parts = [
            self._weight(x[some], g[some], c)
            for some in _portions(x.shape[0], x.shape[1], c, x.dtype.itemsize)
        ]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def _convolved(self, x: Any, w: Any, c: Convolution) -> Any:
        n, o = x.shape[0], w.shape[0]
        cols = x if _plain(c) else self.im2col(x, c)
        cols = cols.reshape((n, c.groups, prod(w.shape[1:]), prod(c.out)))
        z = self.product(w.reshape((c.groups, o // c.groups, prod(w.shape[1:]))), cols)
        return z.reshape((n, o, *c.out))

    def _pulled(self, g: Any, w: Any, c: Convolution) -> Any:
        n, o = g.shape[:2]
        turned = w.reshape((c.groups, o // c.groups, prod(w.shape[1:]))).swapaxes(1, 2)
        cols = self.product(turned, g.reshape((n, c.groups, o // c.groups, prod(c.out))))
        if _plain(c):
            return cols.reshape((n, w.shape[1] * c.groups, *c.spatial))
        return self.col2im(cols.reshape((n, prod(w.shape[1:]) * c.groups, prod(c.out))), c)

    def _weight(self, x: Any, g: Any, c: Convolution) -> Any:
        """One product over all samples, whose columns therefore lie in one row."""
        (n, channels), o, area = x.shape[:2], g.shape[1], prod(c.out)
        x = cupy.ascontiguousarray(x)
        rows = channels // c.groups * len(c.taps)
        cols = cupy.empty((c.groups, rows, n * area), x.dtype)
        WINDOWS.each("im2col", x, cols.size, x, cols, window(c), n * channels, n)
        g = g.reshape((n, o, area)).transpose(1, 0, 2).reshape((c.groups, o // c.groups, n * area))
        w = self.product(g, cols.swapaxes(1, 2))
        return w.reshape((o, channels // c.groups, *c.size))


def _plain(c: Convolution) -> bool:
    """Whether the input is its own columns."""
    return len(c.taps) == 1 and c.spatial == c.out and not any(map(any, c.padding))


def _portions(n: int, channels: int, c: Convolution, itemsize: int) -> list[slice]:
    """Samples whose columns fit into the room, at least one at a time."""
    one = channels * len(c.taps) * prod(c.out) * itemsize
    step = max(1, ROOM // max(one, 1))
    return [slice(i, i + step) for i in range(0, n, step)]
