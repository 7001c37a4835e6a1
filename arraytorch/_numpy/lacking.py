"""NumPy's reductions of what is not NaN."""

from __future__ import annotations

from typing import Any

from .. import ops
from . import ufuncs
from .arguments import counterpart, floating, like, tensor
from .reductions import (
    all,
    argmax_of,
    argmin_of,
    cumprod,
    cumsum,
    ddof_of,
    mean,
    prod_of,
    quantiles,
    std,
    sum_of,
    var,
)

Tensor = Any


def _numbers(a: Any, fill: Any) -> Tensor:
    """The tensor with ``fill`` for NaN."""
    x = tensor(a)
    return x if x._data.dtype.kind in "biu" else x.masked_fill(ops.isnan(x), fill)


@counterpart()
def nansum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
           initial: Any = None, where: Any = True) -> Any:  # fmt: skip
    """Sums with NaN as 0."""
    return sum_of(_numbers(a, 0), axis, dtype, out, keepdims, initial, where)


@counterpart()
def nanprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
            initial: Any = None, where: Any = True) -> Any:  # fmt: skip
    """Products with NaN as 1."""
    return prod_of(_numbers(a, 1), axis, dtype, out, keepdims, initial, where)


@counterpart()
def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """Running sums with NaN as 0."""
    return cumsum(_numbers(a, 0), axis, dtype, out)


@counterpart()
def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """Running products with NaN as 1."""
    return cumprod(_numbers(a, 1), axis, dtype, out)


def _present(x: Tensor, where: Any) -> Tensor:
    there = ops.logical_not(ops.isnan(x))
    return there if where is True else ops.logical_and(there, tensor(where))


@counterpart()
def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
            *, where: Any = True) -> Any:  # fmt: skip
    """The average of what is not NaN."""
    x = floating(a, dtype)
    return mean(_numbers(x, 0), axis, None, out, keepdims, where=_present(x, where))


@counterpart()
def nanvar(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
           keepdims: Any = False, *, where: Any = True, mean: Any = None,
           correction: Any = None) -> Any:  # fmt: skip
    """The variance of what is not NaN."""
    x = floating(a, dtype)
    there = _present(x, where)
    return var(_numbers(x, 0), axis, None, out, ddof_of(ddof, correction), keepdims, where=there)


@counterpart()
def nanstd(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
           keepdims: Any = False, *, where: Any = True, mean: Any = None,
           correction: Any = None) -> Any:  # fmt: skip
    """The standard deviation of what is not NaN."""
    x = floating(a, dtype)
    there = _present(x, where)
    return std(_numbers(x, 0), axis, None, out, ddof_of(ddof, correction), keepdims, where=there)


@counterpart()
def nanmax(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False,
           initial: Any = None, where: Any = True) -> Any:  # fmt: skip
    """The greatest of what is not NaN."""
    return ufuncs.reduce("fmax", ops.fmax, a, axis, None, out, keepdims, initial, where)


@counterpart()
def nanmin(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False,
           initial: Any = None, where: Any = True) -> Any:  # fmt: skip
    """The least of what is not NaN."""
    return ufuncs.reduce("fmin", ops.fmin, a, axis, None, out, keepdims, initial, where)


@counterpart()
def nanargmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    """Where the greatest of what is not NaN is."""
    return argmax_of(_checked(a, axis, float("-inf")), axis, out, keepdims=keepdims)


@counterpart()
def nanargmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    """Where the least of what is not NaN is."""
    return argmin_of(_checked(a, axis, float("inf")), axis, out, keepdims=keepdims)


def _checked(a: Any, axis: Any, fill: float) -> Tensor:
    x = tensor(a)
    if bool(all(ops.isnan(x), axis).any()):
        raise ValueError("All-NaN slice encountered")
    return _numbers(x, fill)


@counterpart()
def nanquantile(a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
                method: str = "linear", keepdims: Any = False, *, weights: Any = None) -> Any:  # fmt: skip
    """Quantiles of what is not NaN."""
    if weights is not None:
        return NotImplemented
    return quantiles(ops.nanquantile, a, q, axis, out, method, keepdims)


@counterpart()
def nanpercentile(a: Any, q: Any, *args: Any, **kwargs: Any) -> Any:
    """Quantiles by percents, of what is not NaN."""
    x = floating(a)
    return nanquantile(x, ops.true_divide(like(q, x), 100), *args, **kwargs)


@counterpart()
def nanmedian(a: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
              keepdims: Any = False) -> Any:  # fmt: skip
    """The median of what is not NaN."""
    return quantiles(ops.nanquantile, a, 0.5, axis, out, "linear", keepdims)
