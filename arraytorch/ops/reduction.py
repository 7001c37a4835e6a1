"""Reductions along dimensions."""

from __future__ import annotations

from functools import lru_cache
from math import prod as product
from typing import Any

from .. import _dtypes
from .._dtypes import dtype
from ..autograd.tape import taped
from ..backends import backend_of, dtype_of, numpy_dtype
from ._declare import cast, derivative
from ._promote import dims_of
from ._write import write_result

Tensor = Any


@lru_cache(4096)
def reduced(shape: tuple[int, ...], dim: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns the reduced dimensions, normalised, and the shape with them kept as ones."""
    dims = dims_of(dim, len(shape))
    return dims, tuple([1 if i in dims else n for i, n in enumerate(shape)])


def over(shape: tuple[int, ...], dim: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """`reduced` for whatever a user gives as ``dim``."""
    return reduced(shape, tuple(dim) if isinstance(dim, list) else dim)


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
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Sums over ``dim``, one or several, or over everything; integers are summed as int64.

    >>> torch.sum(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 0)
    tensor([4., 6.])
    """
    x = input._data
    if dtype is not None or x.dtype.kind in "biu":
        input = _summable(input, dtype)
        x = input._data
    dims, kept = over(x.shape, dim)
    B = backend_of(x)
    z = B.sum(x, dims, keepdim)
    if z.__class__ is not x.__class__:
        z = B.asarray(z)
    result = taped(sum, z, (input,), (x.shape, kept))
    return result if out is None else write_result("sum", out, result, (input,))


@derivative(
    saves=("shape", "kept"),
    kernel="sum",
    d_input=lambda B, g, shape, kept: B.expand(B.reshape(g, kept), shape),
)
def _sum(input: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """`sum` over these dimensions exactly: none for ()."""
    x = input._data
    kept = tuple([1 if i in dims else n for i, n in enumerate(x.shape)])
    return taped(_sum, backend_of(x).sum(x, dims, keepdim), (input,), (x.shape, kept))


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
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Averages over ``dim``, one or several, or over everything; NaN over nothing.

    Raises RuntimeError for integers, unless ``dtype`` asks for a floating-point one.

    >>> torch.mean(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 1)
    tensor([1.5000, 3.5000])
    """
    if dtype is not None:
        input = _summable(input, dtype)
    x = input._data
    if x.dtype.kind in "biu":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {_dtypes.scalar_type_name(dtype_of(x))}"
        )
    dims, kept = over(x.shape, dim)
    B = backend_of(x)
    z = B.mean(x, dims, keepdim)
    if z.__class__ is not x.__class__:
        z = B.asarray(z)
    result = taped(mean, z, (input,), (x.shape, kept))
    return result if out is None else write_result("mean", out, result, (input,))
