"""NumPy's sums, extremes, averages, quantiles and running totals."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..ops._promote import broadcast_shape
from . import ufuncs
from .arguments import (
    axes_of,
    counterpart,
    dtype_like,
    floating,
    like,
    masked,
    merged,
    tensor,
    tensors,
    typed,
    written,
)
from .elementwise import TWO

Tensor = Any


def _reduction(name: str, ufunc: str) -> Any:
    """Makes a function of a ufunc's reduction, over everything unless told otherwise."""

    def function(a: Any, axis: Any = None, dtype: Any = None, out: Any = None,
                 keepdims: Any = False, initial: Any = None, where: Any = True) -> Any:  # fmt: skip
        return ufuncs.reduce(ufunc, TWO[ufunc], a, axis, dtype, out, keepdims, initial, where)

    function.__name__ = name
    return counterpart()(function)


sum_of = _reduction("sum", "add")
prod_of = _reduction("prod", "multiply")


@counterpart("max", "amax")
def greatest(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False,
             initial: Any = None, where: Any = True) -> Any:  # fmt: skip
    """The greatest elements; equal ones share the gradient."""
    return ufuncs.reduce("maximum", ops.maximum, a, axis, None, out, keepdims, initial, where)


@counterpart("min", "amin")
def least(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False,
          initial: Any = None, where: Any = True) -> Any:  # fmt: skip
    """The least elements; equal ones share the gradient."""
    return ufuncs.reduce("minimum", ops.minimum, a, axis, None, out, keepdims, initial, where)


@counterpart()
def all(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *,
        where: Any = True) -> Any:  # fmt: skip
    """Whether all elements are true."""
    x = tensor(a).bool()
    return ufuncs.reduce("logical_and", ops.logical_and, x, axis, None, out, keepdims, None, where)


@counterpart()
def any(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *,
        where: Any = True) -> Any:  # fmt: skip
    """Whether some element is true."""
    x = tensor(a).bool()
    return ufuncs.reduce("logical_or", ops.logical_or, x, axis, None, out, keepdims, None, where)


@counterpart()
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    """The range from the least to the greatest element."""
    result = greatest(a, axis, keepdims=keepdims) - least(a, axis, keepdims=keepdims)
    return written(result, out, name="ptp")


def _extreme_place(name: str, op: Any) -> Any:
    def function(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        x, kept = merged(tensor(a), axis)
        result = op(x, -1)
        return written(result.reshape(kept) if keepdims else result, out, name=name)

    return counterpart(name)(function)


argmax_of = _extreme_place("argmax", ops.argmax)
argmin_of = _extreme_place("argmin", ops.argmin)


@counterpart()
def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None,
         keepdims: Any = False, *, where: Any = True) -> Any:  # fmt: skip
    """The average; that of integers in the default dtype."""
    x, mask, kept = _flat(floating(a, dtype), axis, where)
    return _kept(_mean(x, mask), kept, keepdims, out, "mean")


def _flat(x: Tensor, axis: Any, where: Any) -> tuple[Tensor, Any, Any]:
    """The tensor with what is reduced as its last dimension, its mask likewise, the kept shape."""
    if where is True:
        return (*_with_mask(*merged(x, axis)),)
    mask = tensor(where)
    shape = broadcast_shape("where", x.shape, mask.shape)
    x, kept = merged(x.broadcast_to(shape), axis)
    return x, merged(mask.broadcast_to(shape), axis)[0], kept


def _with_mask(x: Tensor, kept: Any) -> tuple[Tensor, Any, Any]:
    return x, True, kept


def _kept(result: Tensor, kept: Any, keepdims: Any, out: Any, name: str) -> Any:
    return written(result.reshape(kept) if keepdims else result, out, name=name)


def _mean(x: Tensor, mask: Any) -> Tensor:
    if mask is True:
        return ops.mean(x, -1)
    return ops.sum(masked(x, mask, 0), -1) / mask.sum(-1)


def _var(x: Tensor, mask: Any, ddof: Any) -> Tensor:
    if mask is True:
        return ops.var(x, -1, correction=ddof)
    away = masked(ops.abs(x - _mean(x, mask).unsqueeze(-1)).square(), mask, 0)
    return ops.sum(away, -1) / (mask.sum(-1) - ddof).clamp(min=0)


def ddof_of(ddof: Any, correction: Any) -> Any:
    return ddof if correction is None else correction


@counterpart()
def var(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
        keepdims: Any = False, *, where: Any = True, mean: Any = None,
        correction: Any = None) -> Any:  # fmt: skip
    """The variance: of the elements themselves, unlike `Tensor.var`, whose correction is 1."""
    x, mask, kept = _flat(floating(a, dtype), axis, where)
    return _kept(_var(x, mask, ddof_of(ddof, correction)), kept, keepdims, out, "var")


@counterpart()
def std(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
        keepdims: Any = False, *, where: Any = True, mean: Any = None,
        correction: Any = None) -> Any:  # fmt: skip
    """The standard deviation: of the elements themselves, unlike `Tensor.std`."""
    x, mask, kept = _flat(floating(a, dtype), axis, where)
    ddof = ddof_of(ddof, correction)
    result = ops.std(x, -1, correction=ddof) if mask is True else _var(x, mask, ddof).sqrt()
    return _kept(result, kept, keepdims, out, "std")


@counterpart()
def average(a: Any, axis: Any = None, weights: Any = None, returned: Any = False, *,
            keepdims: Any = False) -> Any:  # fmt: skip
    """The average with weights."""
    x = floating(a)
    if weights is None:
        w = ops.ones_like(x)
    else:
        w = tensors((weights, x))[0]
        if w.shape != x.shape:
            (dim,) = axes_of(axis, x.ndim)
            w = w.reshape(*(w.numel() if i == dim else 1 for i in range(x.ndim)))
        w = w.broadcast_to(x.shape)
    total = sum_of(w, axis, keepdims=keepdims)
    result = sum_of(x * w, axis, keepdims=keepdims) / total
    return (result, total.broadcast_to(result.shape)) if returned else result


@counterpart()
def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    """How many elements are not 0."""
    return sum_of(tensor(a) != 0, axis, keepdims=keepdims)


@counterpart()
def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """Running sums, of all elements in a row unless an axis is given."""
    x = typed(a, dtype)
    return written(ops.cumsum(x.ravel(), 0) if axis is None else ops.cumsum(x, axis), out)


@counterpart()
def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """Running products, of all elements in a row unless an axis is given."""
    x = typed(a, dtype)
    return written(ops.cumprod(x.ravel(), 0) if axis is None else ops.cumprod(x, axis), out)


@counterpart()
def cumulative_sum(x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None,
                   include_initial: Any = False) -> Any:  # fmt: skip
    """Running sums, with a 0 in front if asked for."""
    return _from(cumsum, x, axis, dtype, out, include_initial, 0)


@counterpart()
def cumulative_prod(x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None,
                    include_initial: Any = False) -> Any:  # fmt: skip
    """Running products, with a 1 in front if asked for."""
    return _from(cumprod, x, axis, dtype, out, include_initial, 1)


def _from(running: Any, x: Any, axis: Any, dtype: Any, out: Any, initial: Any, value: Any) -> Any:
    x = tensor(x)
    if axis is None and x.ndim > 1:
        raise ValueError(
            "For arrays which have more than one dimension ``axis`` argument is required."
        )
    dim = 0 if axis is None else axis
    result = running(x, dim, dtype)
    if initial:
        first = ops.full_like(result.narrow(dim, 0, 1), value)
        result = ops.cat([first, result], dim)
    return written(result, out)


_RANKS = {"linear", "lower", "higher", "midpoint", "nearest"}


def quantiles(op: Any, a: Any, q: Any, axis: Any, out: Any, method: str, keepdims: Any) -> Any:
    if method not in _RANKS:
        return NotImplemented
    x, kept = merged(floating(a), axis)
    wanted = like(q, x)
    found = op(x, wanted.reshape(-1), -1, interpolation=method)
    rest = kept if keepdims else x.shape[:-1]
    return written(found.reshape(*wanted.shape, *rest), out, name=op.__name__)


@counterpart()
def quantile(a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
             method: str = "linear", keepdims: Any = False, *, weights: Any = None) -> Any:  # fmt: skip
    """Quantiles by five of NumPy's methods; the others are NumPy's own."""
    if weights is not None:
        return NotImplemented
    return quantiles(ops.quantile, a, q, axis, out, method, keepdims)


@counterpart()
def percentile(a: Any, q: Any, *args: Any, **kwargs: Any) -> Any:
    """Quantiles by percents."""
    x = floating(a)
    return quantile(x, ops.true_divide(like(q, x), 100), *args, **kwargs)


@counterpart()
def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
           keepdims: Any = False) -> Any:  # fmt: skip
    """The median, between the two in the middle of an even number, unlike `Tensor.median`."""
    return quantiles(ops.quantile, a, 0.5, axis, out, "linear", keepdims)


@counterpart()
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Any:
    """The integral by trapezoids."""
    if x is not None:
        return ops.trapezoid(tensor(y), tensor(x), dim=axis)
    return ops.trapezoid(tensor(y), dx=dx, dim=axis)


@counterpart()
def corrcoef(x: Any, y: Any = None, rowvar: Any = True, *, dtype: Any = None) -> Any:
    """Correlations of variables, each a row unless ``rowvar`` is False."""
    return ops.corrcoef(_variables(x, y, rowvar, dtype))


@counterpart()
def cov(m: Any, y: Any = None, rowvar: Any = True, bias: Any = False, ddof: Any = None,
        fweights: Any = None, aweights: Any = None, *, dtype: Any = None) -> Any:  # fmt: skip
    """Covariances of variables, each a row unless ``rowvar`` is False."""
    correction = int(not bias) if ddof is None else ddof
    weights = [None if w is None else tensor(w) for w in (fweights, aweights)]
    return ops.cov(
        _variables(m, y, rowvar, dtype),
        correction=correction, fweights=weights[0], aweights=weights[1],
    )  # fmt: skip


def _variables(x: Any, y: Any, rowvar: Any, dtype: Any) -> Tensor:
    rows = [floating(m, dtype_like(dtype)) for m in (x, y) if m is not None]
    rows = [m.mT if not rowvar and m.ndim == 2 else m for m in rows]
    return rows[0] if y is None else ops.cat([ops.atleast_2d(m) for m in rows])
