"""Pooling on CuPy arrays: a kernel for a whole window, forward and backward."""

from __future__ import annotations

from math import prod
from typing import Any

import cupy

from .convolution import Convolution
from .cupy_source import wide
from .cupy_windows import WINDOWS, fits, window
from .pooling import Divisor, PoolingKernels, hollow


class CupyPooling(PoolingKernels):
    """Pools of up to three spatial dimensions."""

    def max_pool(self, x: Any, c: Convolution) -> Any:
        return self._max(x, c, None) if fits(c, x) and not hollow(c) else super().max_pool(x, c)

    def max_pool_arg(self, x: Any, c: Convolution) -> tuple[Any, Any]:
        if not fits(c, x) or hollow(c):
            return super().max_pool_arg(x, c)
        kind = "u1" if prod(c.size) <= 256 else "i4"
        arg = cupy.empty((*x.shape[:2], *c.out), kind)
        return self._max(x, c, arg), arg

    def _max(self, x: Any, c: Convolution, arg: Any) -> Any:
        x = cupy.ascontiguousarray(x)
        out = cupy.empty((*x.shape[:2], *c.out), x.dtype)
        far = int(arg is not None and arg.dtype.itemsize > 1)
        WINDOWS.each("max_pool", x, out.size, x, out, 0 if arg is None else arg, far, window(c),
                     x.shape[0] * x.shape[1])  # fmt: skip
        return out

    def max_pool_input(self, g: Any, arg: Any, c: Convolution) -> Any:
        if not fits(c, g) or hollow(c):
            return super().max_pool_input(g, arg, c)
        g, arg = cupy.ascontiguousarray(g), cupy.ascontiguousarray(arg)
        out = cupy.empty((*g.shape[:2], *c.spatial), g.dtype)
        far = int(arg.dtype.itemsize > 1)
        WINDOWS.each("max_pool_input", g, out.size, g, arg, far, out, window(c),
                     g.shape[0] * g.shape[1])  # fmt: skip
        return out

    def avg_pool(self, x: Any, c: Convolution, divisor: Divisor) -> Any:
        if not fits(c, x):
            return super().avg_pool(x, c, divisor)
        x = cupy.ascontiguousarray(x)
        out = cupy.empty((*x.shape[:2], *c.out), wide(x.dtype))
        by = 1.0 if isinstance(divisor, tuple) else float(divisor)
        WINDOWS.each("window_sum", x, out.size, x, out, by, window(c), x.shape[0] * x.shape[1])
        if isinstance(divisor, tuple):
            out = self._divided(out, divisor)
        return out.astype(x.dtype, copy=False)

    def avg_pool_input(self, g: Any, c: Convolution, divisor: Divisor) -> Any:
        if not fits(c, g):
            return super().avg_pool_input(g, c, divisor)
        y = cupy.ascontiguousarray(self._divided(self._computed_in(g), divisor))
        out = cupy.empty((*g.shape[:2], *c.spatial), g.dtype)
        WINDOWS.each("window_spread", g, out.size, y, out, window(c), g.shape[0] * g.shape[1])
        return out

    def im2col(self, x: Any, c: Convolution) -> Any:
        if not fits(c, x):
            return super().im2col(x, c)
        x = cupy.ascontiguousarray(x)
        cols = cupy.empty((x.shape[0], x.shape[1] * len(c.taps), prod(c.out)), x.dtype)
        WINDOWS.each("im2col", x, cols.size, x, cols, window(c), x.shape[0] * x.shape[1], 0)
        return cols

    def col2im(self, cols: Any, c: Convolution) -> Any:
        if not fits(c, cols):
            return super().col2im(cols, c)
        cols = cupy.ascontiguousarray(cols)
        lead = (cols.shape[0], cols.shape[1] // len(c.taps))
        out = cupy.empty((*lead, *c.spatial), cols.dtype)
        WINDOWS.each("col2im", cols, out.size, cols, out, window(c), prod(lead))
        return out
