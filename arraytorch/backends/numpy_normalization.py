"""NumPy's own norms: by rows or by planes, in blocks that stay in the cache, with few temporaries."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .compiled import MANY as _MANY
from .compiled import kernels
from .normalization import NormalizationKernels
from .numpy_few_norms import plan_of
from .numpy_layer_norm import Sums, norm_rows, one_over_std, rows_backward
from .numpy_numbers import number
from .numpy_reduction import row_dots, row_sums
from .sharing import rowwise

_add = np.add.reduce
_FEW = min(1024, _MANY - 1)  # elements up to which few calls count more than few passes
_PLANE = 48  # elements of a plane from which one more pass of Python over planes is worth it


class NumpyNormalization(NormalizationKernels):
    """Overrides for contiguous float32 and float64; the rest goes the generic way."""

    def norm_affine(
        self, x: Any, dims: tuple[int, ...], weight: Any, bias: Any, eps: float
    ) -> tuple[Any, Any, Any]:
        if x.size <= _FEW and (plan := plan_of(x, dims, weight, bias)) is not None:
            return plan.norm(x, weight, bias, eps)
        if x.dtype.itemsize == 2:
            return super().norm_affine(x, dims, weight, bias, eps)
        x = self.settled(x)
        count = prod([x.shape[d] for d in dims])
        if x.size >= _MANY and x.flags.c_contiguous:
            lead = _lead(x, dims, weight, bias)
            if prod(x.shape[lead:]) >= _PLANE:
                return _planes(x, dims, lead, weight, bias, eps)
            if _along(x, dims, weight) and _along(x, dims, bias):
                return norm_rows(x, dims, count, weight, bias, eps)
            if _across(x, dims, weight) and _across(x, dims, bias):
                return _columns(x, weight, bias, eps)
        mean = _add(x, dims, None, None, True)
        mean /= count
        off = x - mean
        rows = _as_rows(off, dims, count)
        if rows is None or count > 8192:  # einsum adds one by one, which loses digits in long rows
            squares = _add(off * off, dims, None, None, True)
        else:
            squares = np.einsum("ij,ij->i", rows, rows).reshape(mean.shape)
        rstd = one_over_std(squares, count, eps)
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
        if x.size <= _FEW and g.dtype is x.dtype:
            if (plan := plan_of(x, dims, weight, None)) is not None:
                return plan.backward(g, x, weight, mean, rstd, needs)
        usual = x.size and x.dtype.itemsize != 2 and g.dtype is x.dtype
        if not usual or not g.flags.c_contiguous:
            return super().norm_affine_backward(g, x, dims, weight, mean, rstd, needs)
        if x.size >= _MANY and x.flags.c_contiguous:
            lead = _lead(x, dims, weight, None)
            if prod(x.shape[lead:]) >= _PLANE:
                return _planes_backward(g, x, dims, lead, weight, mean, rstd, needs)
            if _across(x, dims, weight):
                return _columns_backward(g, x, weight, mean, rstd, needs)
        if not x.flags.c_contiguous or not _along(x, dims, weight):
            return super().norm_affine_backward(g, x, dims, weight, mean, rstd, needs)
        return rows_backward(g, x, dims, weight, mean, rstd, needs)

    def rms_norm(self, x: Any, dims: tuple[int, ...], weight: Any, eps: float) -> Any:
        if x.dtype.char not in "fd" or x.size < _MANY:
            return super().rms_norm(x, dims, weight, eps)
        columns = prod(x.shape[dims[0] :])
        rows = self.contiguous(x).reshape(-1, columns)
        w = None if weight is None else np.ascontiguousarray(weight).reshape(-1)
        if (own := kernels("rows")) is not None:
            return own.rms_norm(rows, w, eps).reshape(x.shape)
        out = np.empty(rows.shape, x.dtype)

        def part(x: Any, out: Any) -> None:
            scale = row_dots(x, x)
            one_over_std(scale, columns, eps)
            np.multiply(x, scale[:, None], out=out)
            if w is not None:
                out *= w

        rowwise(part, rows, out)
        return out.reshape(x.shape)

    def _slope_and_shift(
        self, mean: Any, variance: Any, weight: Any, bias: Any, eps: float
    ) -> tuple[Any, Any]:
        if variance.dtype.char not in "fd" or variance.dtype is not mean.dtype:
            return super()._slope_and_shift(mean, variance, weight, bias, eps)
        slope = variance + number(eps, variance.dtype)
        np.sqrt(slope, slope)
        slope = np.reciprocal(slope, slope) if weight is None else weight / slope
        shift = mean * slope
        return slope, np.negative(shift, shift) if bias is None else bias - shift

    def scaled(self, x: Any, slope: Any, shift: Any) -> Any:
        if x.size <= _FEW and x.dtype is slope.dtype is shift.dtype:
            if (plan := plan_of(x, (x.ndim - 1,), slope, shift)) is not None:
                return plan.scaled(x, slope, shift)
        if x.size < _MANY or x.ndim < 2 or not x.flags.c_contiguous or x.dtype.char not in "fd":
            return super().scaled(x, slope, shift)
        if x.ndim == 2 and slope.size == x.shape[1] == shift.size:
            if (own := kernels("planes")) is not None:
                each = (np.zeros(slope.size, x.dtype), slope.reshape(-1), shift.reshape(-1))
                return own.column_scaled(x, *map(np.ascontiguousarray, each))
        compiled = kernels("planes") if x.ndim > 2 and prod(x.shape[2:]) >= 16 else None
        if compiled is None:
            return super().scaled(x, slope, shift)
        p = _Planes(x, (), 2)
        middle = np.zeros(len(p.x), x.dtype)
        slope, shift = (p.each(t).reshape(-1) for t in (slope, shift))
        return compiled.scaled(p.x, middle, slope, shift).reshape(x.shape)


def _as_rows(x: Any, dims: tuple[int, ...], count: int) -> Any:
    """x as a matrix whose rows are what dims span, None if its memory is not so."""
    if dims[0] + len(dims) != x.ndim or not x.flags.c_contiguous:
        return None
    return x.reshape(prod(x.shape[: dims[0]]), count)


def _along(x: Any, dims: tuple[int, ...], weight: Any) -> bool:
    """Whether dims span rows that a weight, if any, lies along; that of a group norm lies across."""
    if dims[0] + len(dims) != x.ndim:
        return False
    return weight is None or weight.shape == (1,) * dims[0] + x.shape[dims[0] :]


def _across(x: Any, dims: tuple[int, ...], weight: Any) -> bool:
    """Whether it is the columns of a matrix that are standardised, with a weight each."""
    return dims == (0,) and x.ndim == 2 and (weight is None or weight.shape == (1, x.shape[1]))


# planes: the last dimensions have one weight, so that all else is known once they are summed


def _lead(x: Any, dims: tuple[int, ...], weight: Any, bias: Any) -> int:
    """How many dimensions come before those that are standardised with one weight and bias."""
    lead = x.ndim
    while lead and lead - 1 in dims:
        if any(t is not None and t.shape[lead - 1] != 1 for t in (weight, bias)):
            break
        lead -= 1
    return lead


class _Planes:
    """x as a matrix of planes, and how what is known of planes is summed to what dims span."""

    def __init__(self, x: Any, dims: tuple[int, ...], lead: int) -> None:
        self.shape, self.ndim = x.shape[:lead], x.ndim
        self.x = self.of(x)
        self.rest = tuple([d for d in dims if d < lead])

    def of(self, x: Any) -> Any:
        return x.reshape(prod(self.shape), -1)

    def total(self, by_plane: Any) -> Any:
        """Sums of numbers per plane, in as many dimensions as the array has."""
        out = by_plane.reshape(self.shape)
        if self.rest:
            out = _add(out, self.rest, None, None, True)
        return out.reshape(out.shape + (1,) * (self.ndim - out.ndim))

    def each(self, x: Any) -> Any:
        """A number for each plane, as a column."""
        thin = x.reshape(x.shape[: len(self.shape)])
        return np.ascontiguousarray(np.broadcast_to(thin, self.shape)).reshape(-1, 1)


def _planes(
    x: Any, dims: tuple[int, ...], lead: int, weight: Any, bias: Any, eps: float
) -> tuple[Any, Any, Any]:
    p, count = _Planes(x, dims, lead), prod([x.shape[d] for d in dims])
    mean = p.total(row_sums(p.x))
    mean /= count
    if (compiled := kernels("planes")) is not None:
        middle = p.each(mean).reshape(-1)
        rstd = one_over_std(p.total(compiled.squares(p.x, middle)), count, eps)
        scale = p.each(rstd if weight is None else rstd * weight).reshape(-1)
        shift = np.zeros(len(p.x), x.dtype) if bias is None else p.each(bias).reshape(-1)
        out = compiled.scaled(p.x, middle, scale, shift)
        return out.reshape(x.shape), mean, rstd
    off, squares, middle = np.empty_like(p.x), np.empty(len(p.x), x.dtype), p.each(mean)

    def part(x: Any, middle: Any, off: Any, squares: Any) -> None:
        np.subtract(x, middle, out=off)
        squares[...] = row_dots(off, off)

    rowwise(part, p.x, middle, off, squares)
    rstd = one_over_std(p.total(squares), count, eps)
    scale = p.each(rstd if weight is None else rstd * weight)
    shift = None if bias is None else p.each(bias)
    rowwise(_scaled, off, scale, *([] if shift is None else [shift]))
    return off.reshape(x.shape), mean, rstd


def _planes_backward(
    g: Any,
    x: Any,
    dims: tuple[int, ...],
    lead: int,
    weight: Any,
    mean: Any,
    rstd: Any,
    needs: tuple[bool, bool, bool],
) -> tuple[Any, Any, Any]:
    """With d the deviation from the mean, the gradient is a + b d + c g, alike within a plane."""
    p, count = _Planes(x, dims, lead), prod([x.shape[d] for d in dims])
    given, middle = p.of(g), p.each(mean)
    compiled = kernels("planes")
    if compiled is not None:
        middle = middle.reshape(-1)
        totals, dots = compiled.dots(given, p.x, middle)
    else:
        off, dots = np.empty_like(p.x), np.empty(len(p.x), x.dtype)
        rowwise(_distances, p.x, given, middle, off, dots)
    gw = None
    if needs[1]:
        wide = (dots[:, None] * p.each(rstd)).reshape(p.shape + (1,) * (x.ndim - lead))
        spread = tuple([d for d in range(lead) if weight.shape[d] == 1])
        gw = _add(wide, spread, None, None, True)
    if not needs[0]:
        return None, gw, g if needs[2] else None
    if compiled is None:
        totals = row_sums(given)
    w = 1 if weight is None else p.each(weight)[:, 0]
    a = p.each(p.total(totals * w) * rstd / -count)
    b = p.each(p.total(dots * w) * rstd * rstd * rstd / -count)
    c = p.each(rstd if weight is None else rstd * weight)
    if compiled is not None:
        out = compiled.combined(given, p.x, middle, *(t.reshape(-1) for t in (a, b, c)))
        return out.reshape(x.shape), gw, g if needs[2] else None
    rowwise(_combined, off, given, a, b, c)
    return off.reshape(x.shape), gw, g if needs[2] else None


def _scaled(off: Any, scale: Any, shift: Any = None) -> None:
    off *= scale
    if shift is not None:
        off += shift


def _distances(x: Any, g: Any, middle: Any, off: Any, dots: Any) -> None:
    np.subtract(x, middle, out=off)
    dots[...] = row_dots(g, off)


def _combined(off: Any, g: Any, a: Any, b: Any, c: Any) -> None:
    off *= b
    off += a
    off += g * c


# columns: the batch norm of a matrix, whose sums are those of the rows


def _columns(x: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, Any, Any]:
    n, columns = x.shape
    if x.dtype.char == "f" and (own := kernels("planes")) is not None:
        mean = kernels("reductions").sums_between(x[None])[0] / x.dtype.type(n)
        rstd = one_over_std(own.column_squares(x, mean).reshape(1, columns), n, eps)
        scale = (rstd if weight is None else rstd * weight).reshape(-1)
        shift = np.zeros(columns, x.dtype) if bias is None else bias.reshape(-1)
        return own.column_scaled(x, mean, scale, shift), mean.reshape(1, columns), rstd
    row, out, sums, squares = np.arange(n), np.empty(x.shape, x.dtype), Sums(), Sums()

    def add(x: Any, row: Any) -> None:
        sums.parts[row[0]] = _add(x, 0, keepdims=True)

    def center(x: Any, out: Any, row: Any) -> None:
        np.subtract(x, mean, out=out)
        squares.parts[row[0]] = np.einsum("ij,ij->j", out, out)

    rowwise(add, x, row)
    mean = sums.total() / x.dtype.type(n)
    rowwise(center, x, out, row)
    rstd = one_over_std(squares.total().reshape(1, columns), n, eps)
    scale = rstd if weight is None else rstd * weight
    rowwise(lambda out: _scaled(out, scale, bias), out)
    return out, mean, rstd


def _columns_backward(
    g: Any, x: Any, weight: Any, mean: Any, rstd: Any, needs: tuple[bool, bool, bool]
) -> tuple[Any, Any, Any]:
    """As of planes: a + b d + c g, with d the deviation from the mean."""
    own = kernels("planes") if x.dtype.char == "f" and g.flags.c_contiguous else None
    if own is not None:
        middle = np.ascontiguousarray(mean.reshape(-1))
        total, dot = (t.reshape(1, -1) for t in own.column_dots(g, x, middle))
        gw = dot * rstd if needs[1] else None
        if not needs[0]:
            return None, gw, g if needs[2] else None
        c = rstd if weight is None else rstd * weight
        each = (total * c / -len(x), dot * c * rstd * rstd / -len(x), c)
        gx = own.column_combined(g, x, middle, *[np.ascontiguousarray(t.reshape(-1)) for t in each])
        return gx, gw, g if needs[2] else None
    n, row, out, sums, dots = (
        len(x),
        np.arange(len(x)),
        np.empty(x.shape, x.dtype),
        Sums(),
        Sums(),
    )

    def add(x: Any, g: Any, out: Any, row: Any) -> None:
        np.subtract(x, mean, out=out)
        sums.parts[row[0]] = _add(g, 0, keepdims=True)
        dots.parts[row[0]] = np.einsum("ij,ij->j", g, out)[None]

    rowwise(add, x, g, out, row)
    dot = dots.total()
    gw = dot * rstd if needs[1] else None
    if not needs[0]:
        return None, gw, g if needs[2] else None
    c = rstd if weight is None else rstd * weight
    a, b = sums.total() * c / -n, dot * c * rstd * rstd / -n
    rowwise(lambda out, g: _combined(out, g, a, b, c), out, g)
    return out, gw, g if needs[2] else None
