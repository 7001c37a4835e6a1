"""NumPy's own softmax and cross entropy: block by block, with few temporaries."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .compiled import MANY as _MANY
from .compiled import kernels
from .normalization import NormalizationKernels
from .numpy_extremes import row_extremes
from .numpy_reduction import ones, row_dots, row_sums, spread_sums
from .sharing import rowwise

_MODERATE = 30  # numbers whose exponentials, and sums of them, are far from the ends of float32
_add, _max = np.add.reduce, np.maximum.reduce


@lru_cache(64)
def _starts(n: int, width: int) -> Any:
    """Where each row of an n by width matrix starts, counted in elements."""
    return np.arange(0, n * width, width)


class NumpySoftmax(NormalizationKernels):
    """Overrides for contiguous float32 and float64; the rest goes the generic way."""

    def softmax(self, x: Any, dim: int) -> Any:
        if x.dtype.itemsize == 2 or not x.size:
            return super().softmax(x, dim)
        x = self.settled(x)
        if x.size < _MANY or dim != x.ndim - 1 or not x.flags.c_contiguous:
            if _moderate(x):
                e = np.exp(x)
            else:
                e = np.subtract(x, _max(x, dim, None, None, True))
                np.exp(e, out=e)
            e /= _total(e, dim)
            return e
        if x.dtype.char == "f" and (compiled := kernels("rows")) is not None:
            return compiled.softmax(x)
        return _by_row(_softmax, x)

    def softmax_backward(self, g: Any, out: Any, dim: int) -> Any:
        if not _by_rows(g, out, dim):
            return super().softmax_backward(g, out, dim)
        if (compiled := kernels("rows")) is not None:
            return compiled.softmax_backward(g, out)
        return _by_row(_softmax_backward, g, out)

    def log_softmax(self, x: Any, dim: int) -> Any:
        if x.dtype.itemsize == 2 or not x.size:
            return super().log_softmax(x, dim)
        x = self.settled(x)
        if x.size < _MANY or dim != x.ndim - 1 or not x.flags.c_contiguous:
            shifted = np.subtract(x, _max(x, dim, None, None, True))
            shifted -= np.log(_total(np.exp(shifted), dim))
            return shifted
        if x.dtype.char == "f" and (compiled := kernels("rows")) is not None:
            return compiled.log_softmax(x)
        return _by_row(_log_softmax, x)

    def log_softmax_backward(self, g: Any, out: Any, dim: int) -> Any:
        if not _by_rows(g, out, dim):
            return super().log_softmax_backward(g, out, dim)
        if g.dtype.char == "f" and (compiled := kernels("rows")) is not None:
            return compiled.log_softmax_backward(g, out)
        return _by_row(_log_softmax_backward, g, out)

    def cross_entropy(self, x: Any, target: Any, ignore: int, mean: bool) -> tuple[Any, Any, Any]:
        n, classes = x.shape
        # Read as unsigned, negative labels are huge: one maximum finds every label out of range,
        # and the label to ignore where that is negative.
        if (
            x.dtype.itemsize == 2
            or target.dtype.itemsize != 8
            or 0 <= ignore < classes
            or not n
            or _largest(target.view(np.uint64)) >= classes
        ):
            return super().cross_entropy(x, target, ignore, mean)
        rows = ones(n, x.dtype)
        at = _starts(n, classes) + target  # a flat index is found twice as fast as a pair
        if x.size >= _MANY and x.dtype.char == "f" and x.flags.c_contiguous:
            if (compiled := kernels("rows")) is not None:
                losses, p = compiled.cross_entropy(x, np.ascontiguousarray(target))
                loss = losses.dot(rows)
                return loss / n if mean else loss, p, at
        if x.size < _MANY or not x.flags.c_contiguous:
            e = np.subtract(x, _max(x, 1, None, None, True), order="C")  # for flat indices
            picked = e.take(at)
            np.exp(e, out=e)
            if (spread := spread_sums(e)) is not None:
                total = spread[:, 0]
                e /= spread
            else:
                total = e.dot(ones(classes, x.dtype))
                e /= total[:, None]
        else:
            e = np.empty(x.shape, x.dtype)
            picked, total = np.empty(n, x.dtype), np.empty(n, x.dtype)
            rowwise(_shifted_softmax, x, target, e, picked, total)
        loss = np.log(total).dot(rows) - picked.dot(rows)
        return loss / n if mean else loss, e, at

    def cross_entropy_backward(
        self, g: Any, x: Any, target: Any, ignore: int, mean: bool, p: Any, kept: Any
    ) -> Any:
        if kept.dtype.kind == "b":
            return super().cross_entropy_backward(g, x, target, ignore, mean, p, kept)
        share = g / x.shape[0] if mean else g
        if p.size >= _MANY and (compiled := kernels("rows")) is not None:
            return compiled.cross_entropy_backward(p, np.ascontiguousarray(target), share)
        out = p * share
        out.reshape(-1)[kept] -= share
        return out


def _largest(x: Any) -> Any:
    """The largest element: of few the one at argmax, in a quarter of the time of a reduction."""
    return x.item(x.argmax()) if x.size <= 1024 else _max(x)


def _moderate(x: Any) -> bool:
    """Whether exp(x) is sure to stay in range unshifted, of few numbers.

    To find two places takes 0.4 us; the largest number of each row, and to subtract it, 1.4.
    """
    if not 0 < x.size <= 1024:
        return False
    return x.item(x.argmin()) > -_MODERATE and x.item(x.argmax()) < _MODERATE  # type: ignore[no-any-return]


def _total(x: Any, dim: int) -> Any:
    """The sums along a dimension, to be broadcast; of short rows by a product, at a third of the time."""
    if dim == 1 and (total := spread_sums(x)) is not None:
        return total
    n = x.shape[dim]
    if dim == x.ndim - 1 <= 1 and n <= 1024:
        total = x.dot(ones(n, x.dtype.char))
        return total[:, None] if dim else total
    return _add(x, dim, None, None, True)


def _by_rows(g: Any, out: Any, dim: int) -> bool:
    """Whether both are large and lie in memory row by row, each of which is reduced."""
    return (
        out.size >= _MANY
        and dim == out.ndim - 1
        and g.dtype is out.dtype
        and out.dtype.itemsize != 2
        and g.flags.c_contiguous
        and out.flags.c_contiguous
    )


def _by_row(kernel: Any, *arrays: Any) -> Any:
    """What a kernel of rows, the arrays' last dimension, writes into its last argument."""
    width = arrays[0].shape[-1]
    out = np.empty(arrays[0].shape, arrays[0].dtype)
    rowwise(kernel, *[x.reshape(-1, width) for x in (*arrays, out)])
    return out


def _softmax(x: Any, e: Any) -> None:
    if x.max() < _MODERATE and x.min() > -_MODERATE:
        np.exp(x, out=e)
    else:
        np.subtract(x, row_extremes(x, True)[:, None], out=e)
        np.exp(e, out=e)
    e *= np.reciprocal(row_sums(e))[:, None]


def _softmax_backward(g: Any, y: Any, out: Any) -> None:
    np.subtract(g, row_dots(g, y)[:, None], out=out)
    out *= y


def _log_softmax(x: Any, out: Any) -> None:
    np.subtract(x, row_extremes(x, True)[:, None], out=out)
    out -= np.log(row_sums(np.exp(out)))[:, None]


def _log_softmax_backward(g: Any, y: Any, out: Any) -> None:
    np.exp(y, out=out)
    out *= row_sums(g)[:, None]
    np.subtract(g, out, out=out)


def _shifted_softmax(x: Any, target: Any, e: Any, picked: Any, total: Any) -> None:
    """The softmax, with what goes into the loss: the target's logit less the largest, and the sum."""
    np.subtract(x, row_extremes(x, True)[:, None], out=e)
    picked[...] = e.take(_starts(*e.shape) + target)
    np.exp(e, out=e)
    total[...] = row_sums(e)
    e *= np.reciprocal(total)[:, None]
