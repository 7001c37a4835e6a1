"""Reductions along dimensions."""

from __future__ import annotations

from functools import lru_cache
from math import prod as product
from typing import Any

from .. import _dtypes
from .._dtypes import dtype
from ..autograd.tape import TensorBase, taped, wrap
from ..backends import BACKENDS, backend_of, dtype_of, numpy_dtype
from ._declare import cast, derivative, renamed
from ._promote import axis_instead, dim_of, dims_of
from ._results import (
    as_array,
    check_tensor,
    dtype_to_reduce_in,
    finished,
    floating,
    native,
    refuse,
)
from ._write import write_result
from .comparison import isnan
from .shape import reshape

Tensor = Any


@lru_cache(4096)
def reduced(shape: tuple[int, ...], dim: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns the reduced dimensions, normalised, and the shape with them kept as ones."""
    dims = dims_of(dim, len(shape))
    return dims, tuple([1 if i in dims else n for i, n in enumerate(shape)])


def over(shape: tuple[int, ...], dim: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """`reduced` for whatever a user gives as ``dim``."""
    if dim.__class__ is int:
        return reduced(shape, dim)
    if dim is None:
        return EVERY[len(shape)]
    if isinstance(dim, (tuple, list)):
        dim = tuple(dim)
        if not dim or dim[0].__class__ is int:
            return reduced(shape, dim)
    return reduced.__wrapped__(shape, dim)  # the table would take 1.0 and True for 1


# What `reduced` says of all dimensions, by their number: most reductions are over everything.
EVERY = [(tuple(range(n)), (1,) * n) for n in range(65)]


def _summable(input: Tensor, dtype: dtype | None) -> Tensor:
    """The input in the type that its sums have: the one asked for, or int64 for integers."""
    x = input._data
    if dtype is not None:
        native = numpy_dtype(dtype)
        return input if x.dtype is native else cast(input, native)
    return cast(input, numpy_dtype(_dtypes.int64)) if x.dtype.kind in "biu" else input


@derivative(
    saves=("shape", "kept"),
    d_input=lambda B, g, shape, kept: B.expand(B.reshape(g, kept), shape),
)
def sum(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    dtype: dtype | None = None,
    axis: Any = None,
    keepdims: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Sums over ``dim``, one or several, or over everything; integers are summed as int64.

    >>> torch.sum(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 0)
    tensor([4., 6.])
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    try:
        x = input._data
    except AttributeError:
        check_tensor("sum", input)
        raise
    if out is not None:
        dtype = dtype_to_reduce_in(dtype, out)
    if dtype is not None or x.dtype.kind in "biu":
        input = _summable(input, dtype)
        x = input._data
    dims, kept = EVERY[x.ndim] if dim is None else over(x.shape, dim)
    B = BACKENDS[x.__class__]
    z = B.sum(x, dims, keepdim)
    if z.__class__ is not x.__class__:
        z = B.asarray(z)
    elif z.ndim > 1:
        z = B.settled(z)
    if input._node is None and out is None:
        return wrap(z)
    result = taped(sum if dim is None else _sum_along, z, (input,), (x.shape, kept))
    return result if out is None else write_result("sum", out, result, (input,))


_sum_along = renamed(sum, "SumBackward1")


@derivative(
    saves=("shape", "kept"),
    kernel="sum",
    d_input=lambda B, g, shape, kept: B.expand(B.reshape(g, kept), shape),
)
def _sum(input: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """`sum` over these dimensions exactly: none for ()."""
    x = input._data
    kept = tuple([1 if i in dims else n for i, n in enumerate(x.shape)])
    z = as_array(backend_of(x), backend_of(x).sum(x, dims, keepdim), x)
    return taped(_sum, z, (input,), (x.shape, kept))


@derivative(
    saves=("shape", "kept"),
    d_input=lambda B, g, shape, kept: B.expand(
        B.reshape(g, kept) * (product(kept) / max(product(shape), 1)), shape
    ),
)
def mean(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Averages over ``dim``, one or several, or over everything; NaN over nothing.

    Raises RuntimeError for integers, unless ``dtype`` asks for a floating-point one.

    >>> torch.mean(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 1)
    tensor([1.5000, 3.5000])
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    try:
        if dtype is not None:
            input = _summable(input, dtype_to_reduce_in(dtype, out))
        x = input._data
    except AttributeError:
        check_tensor("mean", input)
        raise
    if x.dtype.kind in "biu":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {_dtypes.scalar_type_name(dtype_of(x))}"
        )
    dims, kept = EVERY[x.ndim] if dim is None else over(x.shape, dim)
    B = BACKENDS[x.__class__]
    z = B.mean(x, dims, keepdim)
    if z.__class__ is not x.__class__:
        z = B.asarray(z)
    elif z.ndim > 1:
        z = B.settled(z)
    if input._node is None and out is None:
        return wrap(z)
    result = taped(mean if dim is None else _mean_along, z, (input,), (x.shape, kept))
    return result if out is None else write_result("mean", out, result, (input,))


_mean_along = renamed(mean, "MeanBackward1")


def _slope_of_prod(B: Any, g: Any, input: Any, dim: int, kept: Any) -> Any:
    """The product of all other elements: of those before times of those behind."""
    n, lead = input.shape[dim], (slice(None),) * dim
    if not n:
        return B.zeros_like(input)
    if not isinstance(g, TensorBase) and not B.any_zero(input):
        return B.reshape(g, kept) * B.conj(B.prod(input, (dim,), True)) / B.conj(input)
    one = B.zeros_like(input[(*lead, slice(0, 1))]) + 1
    rest = slice(0, n - 1)
    before = B.cumprod(B.cat([one, input[(*lead, rest)]], dim), dim)
    turned = B.flip(input, (dim,))
    behind = B.flip(B.cumprod(B.cat([one, turned[(*lead, rest)]], dim), dim), (dim,))
    return B.reshape(g, kept) * B.conj(before * behind)


@derivative(saves=("input", "dim", "kept"), name="ProdBackward0", d_input=_slope_of_prod)
def _prod(input: Tensor, dim: int, keepdim: bool, op: Any = None) -> Tensor:
    x = input._data
    _, kept = reduced(x.shape, dim)
    z = as_array(backend_of(x), backend_of(x).prod(x, (dim,), keepdim), x)
    return taped(op or _prod, z, (input,), (input, dim, kept))


_prod_along = renamed(_prod, "ProdBackward1")


def prod(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    dtype: dtype | None = None,
    axis: Any = None,
    keepdims: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Multiplies all elements, or those along ``dim``; integers as int64.

    >>> torch.prod(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 0)
    tensor([3., 8.])
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    check_tensor("prod", input)
    x = _summable(input, dtype_to_reduce_in(dtype, out))
    if dim is None:
        if x._data.ndim != 1:
            if x._node is None:
                x = wrap(backend_of(x._data).reshape(x._data, (-1,)))
            else:
                x = reshape(x, (-1,))
        result = _prod(x, 0, False)
    elif not x._data.ndim:
        dim_of(dim, 0)
        result = _prod(reshape(x, (1,)), 0, False, _prod_along)
    else:
        result = _prod(x, dim_of(dim, x._data.ndim), keepdim, _prod_along)
    return finished("prod", result, out, (input,))


def _truth(name: str, input: Tensor, dim: Any, keepdim: bool, out: Any) -> Tensor:
    check_tensor(name, input)
    x = input._data
    # No dimension at all is none here, where it is all of them for sums.
    nothing = isinstance(dim, (tuple, list)) and not dim
    dims, _ = ((), ()) if nothing else over(x.shape, dim)
    B = backend_of(x)
    z = as_array(B, getattr(B, name)(x, dims, keepdim), x)
    if dtype_of(x) is _dtypes.uint8:
        z = B.cast(z, x.dtype)
    return finished(name, wrap(z), out)


def all(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Tells whether all elements are nonzero, over everything or over ``dim``.

    The result is bool, but uint8 for uint8.

    >>> torch.all(torch.tensor([[True, False], [True, True]]), 1)
    tensor([False,  True])
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    return _truth("all", input, dim, keepdim, out)


def any(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Tells whether some element is nonzero, over everything or over ``dim``.

    The result is bool, but uint8 for uint8.

    >>> torch.any(torch.tensor([[True, False], [False, False]]), 1)
    tensor([ True, False])
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    return _truth("any", input, dim, keepdim, out)


def count_nonzero(input: Tensor, dim: Any = None, axis: Any = None) -> Tensor:
    """Counts the nonzero elements, all of them or over ``dim``.

    >>> torch.count_nonzero(torch.tensor([0, 2, 3]))
    tensor(2)
    """
    if axis is not None:
        dim = axis
    check_tensor("count_nonzero", input)
    x = input._data
    dims, _ = over(x.shape, dim)
    return wrap(as_array(backend_of(x), backend_of(x).count_nonzero(x, dims), x))


def _slope_of_logsumexp(B: Any, g: Any, input: Any, out: Any, kept: Any) -> Any:
    top = B.reshape(out, kept)
    return B.reshape(g, kept) * B.conj(B.exp(input - top))


@derivative(
    saves=("input", "out", "kept"),
    kernel="logsumexp",
    name="LogsumexpBackward0",
    d_input=_slope_of_logsumexp,
)
def _logsumexp(input: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    x = input._data
    kept = tuple([1 if i in dims else n for i, n in enumerate(x.shape)])
    z = as_array(backend_of(x), backend_of(x).logsumexp(x, dims, keepdim), x)
    return taped(_logsumexp, z, (input,), (input, z, kept))


def logsumexp(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the logarithm of the sum of exponentials over ``dim``, without overflow.

    >>> torch.logsumexp(torch.tensor([1000.0, -1000.0]), 0)
    tensor(1000.)
    """
    if dim is None:
        dim = axis_instead("logsumexp", axis)
    if keepdims is not None:
        keepdim = keepdims
    check_tensor("logsumexp", input)
    x = floating(input)
    dims, _ = over(x._data.shape, dim)
    return finished("logsumexp", _logsumexp(x, dims, keepdim), out, (input,))


@derivative(
    saves=("input", "kept"),
    name="NansumBackward0",
    d_input=lambda B, g, input, kept: B.reshape(g, kept) * B.cast(input == input, native(input)),
)
def _nansum(input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    """The sum with NaN as 0, whose gradient is 0 there unless it is infinite or NaN itself."""
    x = input._data
    dims, kept = over(x.shape, dim)
    B = backend_of(x)
    numbers = B.masked_fill(x, x != x, 0) if x.dtype.kind not in "biu" else x
    z = as_array(B, B.sum(numbers, dims, keepdim), x)
    return taped(_nansum, z, (input,), (input, kept))


def nansum(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    dtype: dtype | None = None,
    axis: Any = None,
    keepdims: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Sums over ``dim`` or everything, with NaN counted as 0.

    >>> torch.nansum(torch.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    refuse("nansum", input, "c")
    if dtype is None and out is not None and input._data.dtype.kind not in "biu":
        refuse("nansum", out, "biuc")
    result = _nansum(_summable(input, dtype_to_reduce_in(dtype, out)), dim, keepdim)
    return finished("nansum", result, out, (input,))


def nanmean(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Averages over ``dim`` or everything, with NaN left out.

    >>> torch.nanmean(torch.tensor([1.0, float("nan"), 2.0]))
    tensor(1.5000)
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    check_tensor("nanmean", input)
    if input._data.dtype.kind in "biu":
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{_dtypes.scalar_type_name(dtype_of(input._data))}"
        )
    total = _nansum(_summable(input, dtype_to_reduce_in(dtype, out)), dim, keepdim)
    result = total / sum(isnan(input) == False, dim, keepdim)  # noqa: E712
    return finished("nanmean", result, out, (input,))
