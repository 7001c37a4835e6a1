"""Windows of few numbers: convolutions and pools that take elements by places known beforehand.

NumPy takes 0.25 us for some elements by their places, and 0.4 for the product of small matrices; slices
of each window's elements, and blocks of columns, take several times that.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .convolution import Convolution
from .numpy_numbers import number

_MOST = 1024  # elements of an array
_COLUMNS = 4096  # elements of all windows together


def _places(c: Convolution, planes: int) -> Any:
    """Where the windows' elements are in flattened planes (planes, taps, windows), padding behind all.

    None if these are too many.
    """
    taps, windows = prod(c.size), prod(c.out)
    if not 0 < planes * taps * windows <= _COLUMNS or not prod(c.spatial):
        return None
    at: Any = np.zeros((), np.intp)
    inside: Any = np.ones((), np.bool_)
    for n, s, (lo, _), d, k, out in zip(
        c.spatial, c.stride, c.padding, c.dilation, c.size, c.out, strict=True
    ):
        here = np.arange(k)[:, None] * d + np.arange(out) * s - lo
        at = at[..., None, None] * n + here
        inside = inside[..., None, None] & (here >= 0) & (here < n)
    dims = len(c.size)
    order = (*range(0, 2 * dims, 2), *range(1, 2 * dims, 2))
    at, inside = (v.transpose(order).reshape(taps, windows) for v in (at, inside))
    size = prod(c.spatial)
    at = at + np.arange(0, planes * size, size)[:, None, None]
    return np.where(inside, at, planes * size)


class Pool:
    """A pool of so many samples and channels: rows of the windows' elements."""

    def __init__(self, c: Convolution, dtype: Any, lead: tuple[int, int], at: Any) -> None:
        taps = at.shape[1]
        self.at = np.ascontiguousarray(at.swapaxes(1, 2).reshape(-1, taps))
        self.padded = bool((self.at == prod(lead) * prod(c.spatial)).any())
        self.starts = np.arange(0, self.at.size, taps)
        self.shape = lead + c.out
        self.nothing, self.lowest = np.zeros(1, dtype), np.full(1, -np.inf, dtype)
        self.weights: dict[int, Any] = {}

    def _rows(self, x: Any, padding: Any) -> Any:
        flat = x.ravel()
        return (np.concatenate((flat, padding)) if self.padded else flat)[self.at]

    def largest(self, x: Any) -> tuple[Any, Any]:
        """The largest element of each window, and which it is; NaN is the largest."""
        rows = self._rows(x, self.lowest)
        arg = rows.argmax(1)
        return rows.ravel()[self.starts + arg].reshape(self.shape), arg

    def mean(self, x: Any, divisor: int) -> Any:
        """The sum of each window over a divisor."""
        exact = not divisor & (divisor - 1)  # a product with a third is no division by 3
        if divisor not in self.weights:
            one = 1 / divisor if exact else 1
            self.weights[divisor] = np.full(self.at.shape[1], one, x.dtype)
        means = self._rows(x, self.nothing).dot(self.weights[divisor])
        if not exact:
            means /= number(divisor, x.dtype)
        return means.reshape(self.shape)


@lru_cache(256)
def _pool(c: Convolution, dtype: Any, lead: tuple[int, int]) -> Pool | None:
    at = _places(c, prod(lead))
    return None if at is None else Pool(c, dtype, lead, at)


def pool_of(x: Any, c: Convolution) -> Pool | None:
    """The pool for few numbers that lie in order, None if it is not so."""
    if x.size > _MOST or x.dtype.char not in "fd" or not x.flags.c_contiguous:
        return None
    return _pool(c, x.dtype, x.shape[:2])


class Columns:
    """A convolution of so many samples and channels: windows as columns of a matrix."""

    def __init__(self, c: Convolution, samples: int, channels: int, outputs: int, at: Any) -> None:
        rows, windows = channels * at.shape[1], at.shape[2]
        at = at.reshape(samples, rows, windows).swapaxes(0, 1)
        self.at = np.ascontiguousarray(at.reshape(rows, samples * windows))
        self.shape = (samples, channels, *c.spatial)
        self.size = prod(self.shape)
        self.padded = bool((self.at == self.size).any())
        self.out = (outputs, samples, *c.out)
        self.kernel, self.weight = (outputs, rows), (outputs, channels, *c.size)
        self.bias = np.repeat(np.arange(outputs), samples * windows).reshape(outputs, -1)
        order = (1, 0, *range(2, len(self.out)))
        self.order = None if samples == 1 else order
        self.result = (samples, outputs, *c.out)

    def _of(self, x: Any) -> Any:
        flat = x.ravel()
        if self.padded:
            flat = np.concatenate((flat, np.zeros(1, x.dtype)))
        return flat[self.at]

    def _turned(self, g: Any) -> Any:
        """A gradient with a row for each output channel."""
        if self.order is not None:
            g = g.transpose(self.order)
        return g.reshape(self.kernel[0], -1)

    def conv(self, x: Any, w: Any, bias: Any) -> Any:
        """The convolution."""
        out = w.reshape(self.kernel).dot(self._of(x))
        if bias is not None:
            out += bias[self.bias]
        if self.order is None:
            return out.reshape(self.result)
        return out.reshape(self.out).transpose(self.order).copy()

    def conv_weight(self, x: Any, g: Any) -> Any:
        """The gradient of a weight."""
        return self._turned(g).dot(self._of(x).T).reshape(self.weight)

    def conv_input(self, g: Any, w: Any) -> Any:
        """The gradient of an input: columns, added up where they meet."""
        columns = w.reshape(self.kernel).T.dot(self._turned(g))
        sums = np.bincount(self.at.ravel(), columns.ravel(), self.size + 1)
        return sums[: self.size].astype(g.dtype).reshape(self.shape)


@lru_cache(256)
def _columns(c: Convolution, samples: int, channels: int, outputs: int) -> Columns | None:
    at = _places(c, samples * channels)
    return None if at is None else Columns(c, samples, channels, outputs, at)


def columns_of(
    x: Any, y: Any, c: Convolution, samples: int, channels: int, outputs: int
) -> Columns | None:
    """The columns of a convolution of few numbers in one group, None if it is not so."""
    if x.size > _MOST or y.size > _COLUMNS or x.dtype.char not in "fd" or c.groups != 1:
        return None
    if x.dtype is not y.dtype or not outputs:
        return None
    return _columns(c, samples, channels, outputs)
