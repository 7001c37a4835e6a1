"""NumPy's own softmax, cross entropy and norms: ufunc methods, few temporaries."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .normalization import NormalizationKernels

_add, _max = np.add.reduce, np.maximum.reduce


@lru_cache(64)
def _starts(n: int, width: int) -> Any:
    """Where each row of an n by width matrix starts, counted in elements."""
    return np.arange(0, n * width, width)


@lru_cache(256)
def ones(n: int, dtype: Any) -> Any:
    """A vector of ones: its products with short rows or columns are sums at half the overhead."""
    return np.ones(n, dtype)


class NumpyNormalization(NormalizationKernels):
    """Overrides for contiguous float32 and float64; the rest goes the generic way."""

    def softmax(self, x: Any, dim: int) -> Any:
        if x.dtype.itemsize == 2 or not x.size:
            return super().softmax(x, dim)
        e = np.subtract(x, _max(x, dim, None, None, True))
        np.exp(e, out=e)
        e /= _add(e, dim, None, None, True)
        return e

    def log_softmax(self, x: Any, dim: int) -> Any:
        if x.dtype.itemsize == 2 or not x.size:
            return super().log_softmax(x, dim)
        shifted = np.subtract(x, _max(x, dim, None, None, True))
        shifted -= np.log(_add(np.exp(shifted), dim, None, None, True))
        return shifted

    def cross_entropy(self, x: Any, target: Any, ignore: int, mean: bool) -> tuple[Any, Any, Any]:
        n, classes = x.shape
        # Read as unsigned, negative labels are huge: one maximum finds every label out of range,
        # and the label to ignore where that is negative.
        if (
            x.dtype.itemsize == 2
            or target.dtype.itemsize != 8
            or 0 <= ignore < classes
            or not n
            or _max(target.view(np.uint64)) >= classes
        ):
            return super().cross_entropy(x, target, ignore, mean)
        e = np.subtract(x, _max(x, 1, None, None, True), order="C")  # for flat indices
        rows = ones(n, x.dtype)
        at = _starts(n, classes) + target  # a flat index is found twice as fast as a pair
        picked = e.take(at).dot(rows)
        np.exp(e, out=e)
        total = e.dot(ones(classes, x.dtype))
        e /= total[:, None]
        loss = np.log(total).dot(rows) - picked
        return loss / n if mean else loss, e, at

    def cross_entropy_backward(
        self, g: Any, x: Any, target: Any, ignore: int, mean: bool, p: Any, kept: Any
    ) -> Any:
        if kept.dtype.kind == "b":
            return super().cross_entropy_backward(g, x, target, ignore, mean, p, kept)
        share = g / x.shape[0] if mean else g
        out = p * share
        out.reshape(-1)[kept] -= share
        return out

    def norm_affine(
        self, x: Any, dims: tuple[int, ...], weight: Any, bias: Any, eps: float
    ) -> tuple[Any, Any, Any]:
        if x.dtype.itemsize == 2:
            return super().norm_affine(x, dims, weight, bias, eps)
        count = prod([x.shape[d] for d in dims])
        mean = _add(x, dims, None, None, True)
        mean /= count
        off = x - mean
        rows = _as_rows(off, dims, count)
        if rows is None or count > 8192:  # einsum adds one by one, which loses digits in long rows
            rstd = _add(off * off, dims, None, None, True)
        else:
            rstd = np.einsum("ij,ij->i", rows, rows).reshape(mean.shape)
        rstd /= count
        rstd += eps
        np.sqrt(rstd, out=rstd)
        np.reciprocal(rstd, out=rstd)
        off *= rstd
        if weight is not None:
            off *= weight
        if bias is not None:
            off += bias
        return off, mean, rstd

    def norm_affine_backward(
        self,
        g: Any,
        x: Any,
        dims: tuple[int, ...],
        weight: Any,
        mean: Any,
        rstd: Any,
        needs: tuple[bool, bool, bool],
    ) -> tuple[Any, Any, Any]:
        count = prod([x.shape[d] for d in dims])
        y = x - mean if x.dtype.itemsize != 2 and g.dtype is x.dtype else None
        rows, given = _as_rows(y, dims, count), _as_rows(g, dims, count)
        # A weight may also lie across the rows, as in a group norm.
        along = weight is None or weight.shape == (1,) * dims[0] + x.shape[dims[0] :]
        if rows is None or given is None or not along:
            return super().norm_affine_backward(g, x, dims, weight, mean, rstd, needs)
        # The same formula on rows: sums of products without the products, the rest in place.
        scale = rstd.reshape(-1, 1)
        rows *= scale
        gw = None
        if needs[1]:
            gw = np.einsum("ij,ij->j", given, rows).reshape(weight.shape)
        if needs[0]:
            h = given if weight is None else given * weight.reshape(1, count)
            rows *= np.einsum("ij,ij->i", h, rows)[:, None] / -count
            rows += h
            rows -= _add(h, 1, None, None, True) / count
            rows *= scale
        return y if needs[0] else None, gw, g if needs[2] else None


def _as_rows(x: Any, dims: tuple[int, ...], count: int) -> Any:
    """x as a matrix whose rows are what dims span, None if its memory is not so."""
    if x is None or dims[0] + len(dims) != x.ndim or not x.flags.c_contiguous:
        return None
    return x.reshape(-1, count)
