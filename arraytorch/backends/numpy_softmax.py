"""NumPy's own softmax and cross entropy: block by block, with few temporaries."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .compiled import MANY as _MANY
from .compiled import kernels
from .normalization import NormalizationKernels
from .numpy_extremes import row_extremes
from .numpy_reduction import ones, row_dots, row_sums
from .sharing import rowwise

_MODERATE = 30  # numbers whose exponentials, and sums of them, are far from the ends of float32
_PLANE = 256  # elements of a plane from which each is reduced by itself
_WIDE = 8  # columns from which a loop over them is worth a call
_add, _max = np.add.reduce, np.maximum.reduce
_FEW = min(1024, _MANY - 1)  # elements up to which calls count, and not passes


@lru_cache(64)
def _starts(n: int, width: int) -> Any:
    """Where each row of an n by width matrix starts, counted in elements."""
    return np.arange(0, n * width, width)


class NumpySoftmax(NormalizationKernels):
    """Overrides for contiguous float32 and float64; the rest goes the generic way."""

    def softmax(self, x: Any, dim: int) -> Any:
        if (plan := _plan(x.dtype, x.shape, dim)) and (p := _few(x, plan, 80.0**2)) is not None:
            return p
        if x.dtype.itemsize == 2 or not x.size:
            return super().softmax(x, dim)
        x = self.settled(x)
        if (own := _between(x, dim)) is not None:
            return own.softmax(_middle(x, dim), False).reshape(x.shape)
        if _in_planes(x, dim):
            return _by_plane(_softmax_between, dim, x)
        if x.size < _MANY or dim != x.ndim - 1 or not x.flags.c_contiguous:
            e = np.subtract(x, _max(x, dim, None, None, True))
            np.exp(e, e)
            e /= _total(e, dim)
            return e
        if x.dtype.char == "f" and (compiled := kernels("rows")) is not None:
            return compiled.softmax(x)
        return _by_row(_softmax, x)

    def softmax_backward(self, g: Any, out: Any, dim: int) -> Any:
        if not _by_rows(g, out, dim):
            if g.dtype is out.dtype and (own := _between(out, dim)) is not None:
                y, slope = _middle(out, dim), _middle(self.contiguous(g), dim)
                return own.softmax_backward(slope, y, False).reshape(out.shape)
            if g.dtype is out.dtype and _in_planes(out, dim):
                return _by_plane(_slopes_between, dim, np.ascontiguousarray(g), out)
            return super().softmax_backward(g, out, dim)
        if (compiled := kernels("rows")) is not None:
            return compiled.softmax_backward(g, out)
        return _by_row(_softmax_backward, g, out)

    def log_softmax(self, x: Any, dim: int) -> Any:
        if (plan := _plan(x.dtype, x.shape, dim)) and (p := _few(x, plan, 40.0**2)) is not None:
            return np.log(p, p)
        if x.dtype.itemsize == 2 or not x.size:
            return super().log_softmax(x, dim)
        x = self.settled(x)
        if (own := _between(x, dim)) is not None:
            return own.softmax(_middle(x, dim), True).reshape(x.shape)
        if _in_planes(x, dim):
            return _by_plane(_log_softmax_between, dim, x)
        if x.size < _MANY or dim != x.ndim - 1 or not x.flags.c_contiguous:
            shifted = np.subtract(x, _max(x, dim, None, None, True))
            shifted -= np.log(_total(np.exp(shifted), dim))
            return shifted
        if x.dtype.char == "f" and (compiled := kernels("rows")) is not None:
            return compiled.log_softmax(x)
        return _by_row(_log_softmax, x)

    def log_softmax_backward(self, g: Any, out: Any, dim: int) -> Any:
        if not _by_rows(g, out, dim):
            if g.dtype is out.dtype and (own := _between(out, dim)) is not None:
                y, slope = _middle(out, dim), _middle(self.contiguous(g), dim)
                return own.softmax_backward(slope, y, True).reshape(out.shape)
            if g.dtype is out.dtype and _in_planes(out, dim):
                return _by_plane(_log_slopes_between, dim, np.ascontiguousarray(g), out)
            return super().log_softmax_backward(g, out, dim)
        if g.dtype.char == "f" and (compiled := kernels("rows")) is not None:
            return compiled.log_softmax_backward(g, out)
        return _by_row(_log_softmax_backward, g, out)

    def cross_entropy(self, x: Any, target: Any, ignore: int, mean: bool) -> tuple[Any, Any, Any]:
        n, classes = x.shape
        if x.dtype.itemsize == 2 or _unusual(target, n, classes, ignore):
            plain = x.size >= _MANY and x.dtype.char in "fd" and x.flags.c_contiguous
            if plain and target.dtype.char == "l":
                return self._cross_entropy_of_some(x, target, ignore, mean)
            return super().cross_entropy(x, target, ignore, mean)
        plan, rows = _plan(x.dtype, x.shape, 1), ones(n, x.dtype)
        at = _starts(n, classes) + target  # a flat index is found twice as fast as a pair
        if plan and (p := _few(x, plan, 40.0**2)) is not None:
            picked = p.ravel()[at]
            loss = -np.log(picked, picked).dot(rows)
            return loss / n if mean else loss, p, at
        if x.size >= _MANY and x.dtype.char == "f" and x.flags.c_contiguous:
            if (compiled := kernels("rows")) is not None:
                losses, p = compiled.cross_entropy(x, np.ascontiguousarray(target))
                loss = losses.dot(rows)
                return loss / n if mean else loss, p, at
        if x.size < _MANY or not x.flags.c_contiguous:
            e = np.subtract(x, _max(x, 1, None, None, True), order="C")  # for flat indices
            picked = e.take(at)
            np.exp(e, e)
            total = e.dot(ones(classes, x.dtype))
            e /= total[:, None]
        else:
            e, picked, total = _softmax_at(x, target)
        loss = np.log(total).dot(rows) - picked.dot(rows)
        return loss / n if mean else loss, e, at

    def nll_loss(self, x: Any, target: Any, weight: Any, ignore: int, reduction: str) -> Any:
        n, classes = x.shape
        if x.dtype.itemsize == 2 or _unusual(target, n, classes, ignore):
            return super().nll_loss(x, target, weight, ignore, reduction)
        picked = x.take(_starts(n, classes) + target)
        if weight is None:
            if reduction == "none":
                return np.negative(picked, picked)
            return picked.dot(ones(n, x.dtype)) / (-n if reduction == "mean" else -1)
        factor = weight.take(target).astype(x.dtype, copy=False)
        if reduction == "none":
            picked *= factor
            return np.negative(picked, picked)
        loss = -picked.dot(factor)
        return loss / factor.dot(ones(n, x.dtype)) if reduction == "mean" else loss

    def nll_loss_backward(
        self, g: Any, shape: Any, target: Any, weight: Any, ignore: int, reduction: str
    ) -> Any:
        n, classes = shape
        if _unusual(target, n, classes, ignore):
            return super().nll_loss_backward(g, shape, target, weight, ignore, reduction)
        share = -self._widened(g)
        if weight is not None:
            factor = weight.take(target).astype(share.dtype, copy=False)
            if reduction == "mean":
                share = share / factor.dot(ones(n, share.dtype))
            share = share * factor
        elif reduction == "mean":
            share = share / n
        out = np.zeros(n * classes, g.dtype)
        out[_starts(n, classes) + target] = share
        return out.reshape(n, classes)

    def _cross_entropy_of_some(
        self, x: Any, target: Any, ignore: int, mean: bool
    ) -> tuple[Any, Any, Any]:
        """Where some rows do not count, or may not."""
        kept = target != ignore
        safe = np.where(kept, target, 0)
        if not 0 <= safe.min() <= safe.max() < x.shape[1]:
            return super().cross_entropy(x, target, ignore, mean)  # which says what is wrong
        if (own := _for_rows(x)) is not None:
            losses, p = own.cross_entropy(x, safe)
        else:
            p, picked, total = _softmax_at(x, safe)
            losses = np.subtract(np.log(total, out=total), picked, out=total)
        losses[~kept] = 0
        loss = _add(losses, None, None, None, False)
        return np.asarray(loss / x.dtype.type(np.count_nonzero(kept)) if mean else loss), p, kept

    def cross_entropy_backward(
        self, g: Any, x: Any, target: Any, ignore: int, mean: bool, p: Any, kept: Any
    ) -> Any:
        if kept.dtype.kind == "b" and p.size >= _MANY and p.dtype is x.dtype:
            share = g / x.dtype.type(np.count_nonzero(kept)) if mean else g
            safe = np.where(kept, target, 0)
            if (own := _for_rows(p)) is not None:
                out = own.cross_entropy_backward(p, safe, share)
            else:
                out = np.empty(p.shape, p.dtype)
                rowwise(lambda *rows: _slopes_at(share, *rows), p, safe, out)
            out[~kept] = 0
            return out
        if kept.dtype.kind == "b":
            return super().cross_entropy_backward(g, x, target, ignore, mean, p, kept)
        share = g / x.shape[0] if mean else g
        if p.size >= _MANY and (compiled := kernels("rows")) is not None:
            return compiled.cross_entropy_backward(p, np.ascontiguousarray(target), share)
        out = p * share
        out.reshape(-1)[kept] -= share
        return out


def _unusual(target: Any, n: int, classes: int, ignore: int) -> bool:
    """Whether a label is out of range or may be one to ignore, is narrow, or there is none."""
    if target.dtype.itemsize != 8 or 0 <= ignore < classes or not n:
        return True
    # Read as unsigned, negative labels are huge, so that one maximum finds all. Of few labels the one
    # at argmax is found in a quarter of the time of a reduction.
    t = target.view(_UNSIGNED)
    return (t.item(t.argmax()) if n <= 1024 else _max(t)) >= classes


def _for_rows(x: Any) -> Any:
    """The compiled kernels of rows, if they serve."""
    plain = x.size >= _MANY and x.dtype.char == "f" and x.flags.c_contiguous
    return kernels("rows") if plain else None


_UNSIGNED = np.dtype(np.uint64)


@lru_cache(256)
def _plan(dtype: Any, shape: tuple[int, ...], dim: int) -> tuple[Any, Any, bool] | None:
    """How to sum few numbers along a dimension: as what matrix, by what square of ones, from the left?

    The product has the sums in all places. NumPy takes 0.35 us for two arrays of one shape, and 0.9
    if one has to be broadcast. None if there are many numbers, or not of rows or of columns.
    """
    if not shape or not 0 < prod(shape) <= _FEW or shape[dim] > 32:
        return None
    last = dim == len(shape) - 1
    if dtype.char not in "fd" or not last and (dim or len(shape) != 2):
        return None
    square = np.ones((shape[dim], shape[dim]), dtype)
    return None if len(shape) == 2 else (-1, shape[dim]), square, not last


def _few(x: Any, plan: tuple[Any, Any, bool], most: float) -> Any:
    """The softmax of few numbers whose sum of squares is below ``most``: none exceeds the root of that.

    Finding that out takes 0.5 us; to subtract the largest number of each row, so that no exp can
    overflow, takes 2. None if there is a larger number, or x does not lie in memory row by row.
    """
    if not x.flags.c_contiguous:
        return None
    flat = x.ravel()
    if not flat.dot(flat) < most:
        return None
    matrix, square, left = plan
    e = np.exp(x) if matrix is None else np.exp(flat).reshape(matrix)
    e /= square.dot(e) if left else e.dot(square)
    return e if matrix is None else e.reshape(x.shape)


def _total(x: Any, dim: int) -> Any:
    """The sums along a dimension, to be broadcast; of short rows by a product, at a third of the time."""
    n = x.shape[dim]
    if dim == x.ndim - 1 <= 1 and n <= 1024:
        total = x.dot(ones(n, x.dtype))
        return total[:, None] if dim else total
    return _add(x, dim, None, None, True)


def _between(x: Any, dim: int) -> Any:
    """The compiled kernels along a dimension that others follow, if they serve."""
    if x.size < _MANY or x.dtype.char != "f" or not x.flags.c_contiguous:
        return None
    return kernels("between") if prod(x.shape[dim + 1 :]) >= _WIDE else None


def _middle(x: Any, dim: int) -> Any:
    return x.reshape(-1, x.shape[dim], prod(x.shape[dim + 1 :]))


def _in_planes(x: Any, dim: int) -> bool:
    """Whether a large array is reduced along a dimension that many elements follow, and others precede."""
    return (
        x.size >= _MANY
        and x.dtype.char in "fd"
        and x.flags.c_contiguous
        and prod(x.shape[dim + 1 :]) >= _PLANE
        and prod(x.shape[:dim]) > 1
    )


def _by_plane(kernel: Any, dim: int, *arrays: Any) -> Any:
    """What a kernel of three dimensions, of which it reduces the second, writes into its last argument."""
    out = np.empty(arrays[0].shape, arrays[0].dtype)
    rowwise(kernel, *[_middle(x, dim) for x in (*arrays, out)])
    return out


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


def _softmax_between(x: Any, e: Any) -> None:
    np.subtract(x, _max(x, 1, keepdims=True), out=e)
    np.exp(e, out=e)
    e /= _add(e, 1, keepdims=True)


def _log_softmax_between(x: Any, out: Any) -> None:
    np.subtract(x, _max(x, 1, keepdims=True), out=out)
    out -= np.log(_add(np.exp(out), 1, keepdims=True))


def _slopes_between(g: Any, y: Any, out: Any) -> None:
    np.multiply(g, y, out=out)
    out -= y * _add(out, 1, keepdims=True)


def _log_slopes_between(g: Any, y: Any, out: Any) -> None:
    np.exp(y, out=out)
    out *= _add(g, 1, keepdims=True)
    np.subtract(g, out, out=out)


def _softmax_at(x: Any, target: Any) -> tuple[Any, Any, Any]:
    e, n = np.empty(x.shape, x.dtype), len(x)
    picked, total = np.empty(n, x.dtype), np.empty(n, x.dtype)
    rowwise(_shifted_softmax, x, target, e, picked, total)
    return e, picked, total


def _slopes_at(share: Any, p: Any, target: Any, out: Any) -> None:
    np.multiply(p, share, out=out)
    out.reshape(-1)[_starts(*out.shape) + target] -= share


def _shifted_softmax(x: Any, target: Any, e: Any, picked: Any, total: Any) -> None:
    """The softmax, with what goes into the loss: the target's logit less the largest, and the sum."""
    np.subtract(x, row_extremes(x, True)[:, None], out=e)
    picked[...] = e.take(_starts(*e.shape) + target)
    np.exp(e, out=e)
    total[...] = row_sums(e)
    e *= np.reciprocal(total)[:, None]
