"""The norm of rows by NumPy: all that is standardised together lies together, with a weight for each element."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .compiled import MANY, kernels
from .numpy_reduction import ones, row_dots, row_sums
from .sharing import rowwise

_NARROW = 384  # elements of a row up to which arithmetic with rows takes twice as long as without
_OFF = 3.0  # standard deviations up to which a mean may be off 0, for sums of squares to lose no digits


def one_over_std(squares: Any, count: int, eps: float) -> Any:
    """One over the root of a mean square and eps, in place."""
    squares /= count
    squares += eps
    np.sqrt(squares, out=squares)
    return np.reciprocal(squares, out=squares)


class Sums:
    """Sums over parts of rows, which are added in their order, whichever was ready first."""

    def __init__(self) -> None:
        self.parts: dict[int, Any] = {}

    def total(self) -> Any:
        """The sum of all parts."""
        return sum([self.parts[row] for row in sorted(self.parts)])


def norm_rows(
    x: Any, dims: tuple[int, ...], count: int, weight: Any, bias: Any, eps: float
) -> tuple[Any, Any, Any]:
    """The norm over the last dims, with the means and the inverse standard deviations."""
    rows, kept = x.reshape(-1, count), x.shape[: dims[0]] + (1,) * len(dims)
    w, b = (None if t is None else t.reshape(count) for t in (weight, bias))
    if (compiled := kernels("rows")) is not None:
        out, mean, rstd = compiled.layer_norm(rows, w, b, eps)
        return out.reshape(x.shape), mean.reshape(kept), rstd.reshape(kept)
    n = len(rows)
    out, mean, rstd = np.empty(rows.shape, x.dtype), np.empty(n, x.dtype), np.empty(n, x.dtype)
    both = None if w is None or b is None or count > _NARROW else np.stack((w, b))

    def part(x: Any, out: Any, mean: Any, rstd: Any) -> None:
        np.divide(row_sums(x), count, out=mean)
        if both is not None and _by_products(x, both, eps, mean, rstd, out):
            return
        np.subtract(x, mean[:, None], out=out)
        rstd[...] = one_over_std(row_dots(out, out), count, eps)
        out *= rstd[:, None]
        if w is not None:
            out *= w
        if b is not None:
            out += b

    rowwise(part, rows, out, mean, rstd)
    return out.reshape(x.shape), mean.reshape(kept), rstd.reshape(kept)


def _by_products(x: Any, both: Any, eps: float, mean: Any, rstd: Any, out: Any) -> bool:
    """x times one product of columns and rows, and plus another: y = x (r w) + (b - m r w).

    Returns False if means are so large that their squares hide the variances.
    """
    count, square = x.shape[1], mean * mean
    rstd[...] = row_dots(x, x)
    rstd /= count
    rstd -= square
    square /= _OFF * _OFF
    if not (square <= rstd).all():
        return False
    one_over_std(rstd, 1, eps)
    np.dot(rstd[:, None], both[:1], out=out)
    out *= x
    columns = np.ones((len(x), 2), x.dtype)
    np.multiply(mean, -rstd, out=columns[:, 0])
    out += columns.dot(both)
    return True


def rows_backward(
    g: Any,
    x: Any,
    dims: tuple[int, ...],
    weight: Any,
    mean: Any,
    rstd: Any,
    needs: tuple[bool, bool, bool],
) -> tuple[Any, Any, Any]:
    """The gradients of what is standardised, of weight and bias."""
    count = prod([x.shape[d] for d in dims])
    x, given = x.reshape(-1, count), g.reshape(-1, count)
    w = None if weight is None else weight.reshape(count)
    if x.size >= MANY and (compiled := kernels("rows")) is not None:
        out, gw = compiled.layer_norm_backward(given, x, w, mean.reshape(-1), rstd.reshape(-1))
        gw = gw.reshape(weight.shape) if needs[1] else None
        return out.reshape(g.shape) if needs[0] else None, gw, g if needs[2] else None
    out, sums = np.empty(x.shape, x.dtype), Sums()

    def part(x: Any, g: Any, out: Any, mean: Any, rstd: Any, row: Any) -> None:
        off = mean * rstd
        kernel = _slopes if max(off.max(), -off.min()) <= _OFF else _slopes_of_deviations
        gw = kernel(g, x, w, mean, rstd, needs, out)
        if needs[1]:
            sums.parts[row[0]] = gw

    rowwise(part, x, given, out, mean.reshape(-1), rstd.reshape(-1), np.arange(len(x)))
    gw = sums.total().reshape(weight.shape) if needs[1] else None
    return out.reshape(g.shape) if needs[0] else None, gw, g if needs[2] else None


def _slopes(g: Any, x: Any, w: Any, m: Any, r: Any, needs: Any, out: Any) -> Any:
    """With y = r x - r m, from sums over g and over g x, which are products with vectors.

    The gradient is r (w g - mean(w g) - y mean(w g y)).
    """
    count, product, offset = x.shape[1], g * x, m * r
    gw = None
    if needs[1]:
        gw = r.dot(product)
        gw -= offset.dot(g)
    if needs[0]:
        along = ones(count, x.dtype) if w is None else w
        total, inner = g.dot(along), product.dot(along)
        inner *= r
        inner -= offset * total
        if w is not None and count <= _NARROW:
            np.dot(r[:, None], w[None], out=out)
            out *= g
        else:
            np.multiply(g, r[:, None], out=out)
            if w is not None:
                out *= w
        np.multiply(x, (r * r * inner / -count)[:, None], out=product)
        product += ((offset * inner - total) * r / count)[:, None]
        out += product
    return gw


def _slopes_of_deviations(g: Any, x: Any, w: Any, m: Any, r: Any, needs: Any, out: Any) -> Any:
    """The same where means are so large that sums with x itself would lose digits."""
    count, m, r = x.shape[1], m[:, None], r[:, None]
    np.subtract(x, m, out=out)
    out *= r
    gw = np.einsum("ij,ij->j", g, out) if needs[1] else None
    if needs[0]:
        h = g if w is None else g * w
        out *= row_dots(h, out)[:, None] / -count
        out += h
        out -= row_sums(h)[:, None] / count
        out *= r
    return gw
