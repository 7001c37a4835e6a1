"""Softmax and its relatives, each in one kernel."""

from __future__ import annotations

from typing import Any

from .._dtypes import dtype as Dtype
from .._dtypes import scalar_type_name
from ..autograd.tape import taped
from ..backends import BACKENDS, dtype_of, numpy_dtype
from ._declare import cast, derivative, kernel_op
from ._promote import dim_of
from ._results import check_tensor
from ._write import write_result
from .elementary import exp
from .reduction import sum

Tensor = Any


def _prepared(name: str, input: Tensor, dim: int | None, dtype: Dtype | None) -> tuple[Tensor, int]:
    try:
        if dtype is not None:
            input = cast(input, numpy_dtype(dtype))
        x = input._data
    except AttributeError:
        check_tensor(name, input)
        raise
    if dim.__class__ is int and -x.ndim <= dim < x.ndim and x.dtype.kind == "f":
        return input, dim if dim >= 0 else dim + x.ndim
    if x.dtype.kind in "biuc":
        kind = scalar_type_name(dtype_of(x))
        raise NotImplementedError(f"\"{name}_lastdim_kernel_impl\" not implemented for '{kind}'")
    if dim is None:  # PyTorch's old guess
        dim = 0 if x.ndim in (0, 1, 3) else 1
    return input, dim_of(dim, x.ndim)


@derivative(
    saves=("out", "dim"),
    kernel="_softmax",
    d_input=lambda B, g, out, dim: B.softmax_backward(g, out, dim),
)
def _softmax(input: Tensor, dim: int) -> Tensor:
    x = input._data
    B = BACKENDS[x.__class__]
    z = B.softmax(x, dim) if x.ndim else B.ones_like(x)
    return taped(_softmax, z, (input,), (z, dim))


@kernel_op
def softmax_backward(g: Tensor, out: Tensor, dim: int) -> Tensor:
    """Returns out * (g - sum(g * out)), by ops that are differentiable in turn."""
    return out * (g - sum(g * out, dim, True))


def softmax(
    input: Tensor,
    dim: int | None = None,
    dtype: Dtype | None = None,
    axis: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns exp(x) over its sum along a dimension; ``dtype`` converts before.

    >>> torch.softmax(torch.tensor([0.0, 1.0]), 0)
    tensor([0.2689, 0.7311])
    """
    if axis is not None:
        dim = axis
    input, d = _prepared("softmax", input, dim, dtype)
    result = _softmax(input, d)
    return result if out is None else write_result("softmax", out, result, (input,))


@derivative(
    saves=("out", "dim"),
    d_input=lambda B, g, out, dim: B.log_softmax_backward(g, out, dim),
)
def _log_softmax(input: Tensor, dim: int) -> Tensor:
    x = input._data
    B = BACKENDS[x.__class__]
    z = B.log_softmax(x, dim) if x.ndim else B.zeros_like(x)
    return taped(_log_softmax, z, (input,), (z, dim))


@kernel_op
def log_softmax_backward(g: Tensor, out: Tensor, dim: int) -> Tensor:
    """Returns g - exp(out) * sum(g), by ops that are differentiable in turn."""
    return g - exp(out) * sum(g, dim, True)


def log_softmax(
    input: Tensor,
    dim: int | None = None,
    dtype: Dtype | None = None,
    axis: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the logarithm of `softmax`, without its loss of accuracy.

    >>> torch.log_softmax(torch.tensor([0.0, 1.0]), 0)
    tensor([-1.3133, -0.3133])
    """
    if axis is not None:
        dim = axis
    input, d = _prepared("log_softmax", input, dim, dtype)
    result = _log_softmax(input, d)
    return result if out is None else write_result("log_softmax", out, result, (input,))


def softmin(input: Tensor, dim: int | None = None, dtype: Dtype | None = None) -> Tensor:
    """Returns the softmax of -x.

    >>> torch.nn.functional.softmin(torch.tensor([0.0, 1.0]), 0)
    tensor([0.7311, 0.2689])
    """
    return softmax(-input, dim, dtype)
