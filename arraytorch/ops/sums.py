"""Sums and differences with multiples: `add`, `sub` and `rsub` with their ``alpha``."""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from ..autograd.tape import TensorBase, taped
from ..backends import dtype_of, outermost
from ._declare import derivative, renamed
from ._fitting import fitting
from ._older import hides_older, in_order
from ._promote import broadcast_shape, common_device, is_number
from ._results import as_array, check_tensor, finished, is_half
from .arithmetic import minus, mul, plus

Number = int | float | complex | bool
Tensor = Any


@hides_older
def add(
    input: Tensor | Number,
    other: Tensor | Number,
    *older: Tensor,
    alpha: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``input + alpha * other``, elementwise with broadcasting.

    >>> torch.add(torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0]), alpha=2)
    tensor([21., 42.])
    """
    if older:
        return in_order(add, "add", input, other, *older, alpha=alpha, out=out)
    if alpha.__class__ is int and alpha == 1:
        return plus(input, other, out=out)
    if halves(input, other):
        return finished("add", add_scaled(input, other, alpha), out, (input, other))
    return plus(input, scaled("add", input, other, alpha), out=out)


@hides_older
def sub(
    input: Tensor | Number,
    other: Tensor | Number,
    *older: Tensor,
    alpha: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``input - alpha * other``, elementwise; RuntimeError for bool tensors: use ``^``.

    >>> torch.sub(torch.tensor([1, 2]), 1)
    tensor([0, 1])
    """
    if older:
        return in_order(sub, "add", input, other, *older, alpha=alpha, out=out)
    if alpha.__class__ is int and alpha == 1:
        return minus(input, other, out=out)
    if halves(input, other):
        return finished("sub", _added(_subtraction, input, other, -alpha), out, (input, other))
    return minus(input, scaled("sub", input, other, alpha), out=out)


def halves(input: Any, other: Any) -> bool:
    """Whether both are tensors of one type of 16 bits, for which a sum and a product are rounded once."""
    tensors = isinstance(input, TensorBase) and isinstance(other, TensorBase)
    return tensors and is_half(input) and input._data.dtype is other._data.dtype


@derivative(
    saves=("alpha",),
    name="AddBackward0",
    d_input=lambda g: g,
    d_other=lambda g, alpha: g * alpha,
)
def add_scaled(input: Tensor, other: Tensor, alpha: Number) -> Tensor:
    """Returns input + alpha * other of tensors of one floating-point dtype, rounded once."""
    return _added(add_scaled, input, other, alpha)


_subtraction = renamed(add_scaled, "SubBackward0")


def _added(op: Any, input: Tensor, other: Tensor, alpha: Number) -> Tensor:
    if isinstance(alpha, TensorBase):
        alpha = alpha.item()  # type: ignore[attr-defined]
    if alpha.__class__ not in (int, float):
        scaled("add", input, other, alpha)  # refuses it
    x, y = input._data, other._data
    broadcast_shape("add", x.shape, y.shape)
    common_device("add", [input, other])
    alpha = float(x.dtype.type(fitting(alpha, x.dtype)))
    B = outermost(x, y)
    z = as_array(B, B.add_scaled(x, y, alpha), x)
    return taped(op, z, (input, other), (alpha,))


def scaled(name: str, input: Any, other: Any, alpha: Number) -> Any:
    """alpha * other, with alpha of a category that the result can hold."""
    if alpha.__class__ is float or alpha.__class__ is int:
        if isinstance(other, TensorBase) and other._data.dtype.kind == "f":
            return mul(other, alpha)
    if isinstance(alpha, TensorBase):
        alpha = alpha.item()  # type: ignore[attr-defined]
    operands = [o for o in (input, other) if isinstance(o, TensorBase)]
    categories = [dtype_of(o._data).category for o in operands] + [
        _dtypes.FLOATING if isinstance(o, float) else 0 for o in (input, other)
    ]
    highest = max(categories)
    if isinstance(alpha, bool) and highest != _dtypes.BOOL:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, float) and highest < _dtypes.FLOATING:
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    if isinstance(alpha, complex) and highest < _dtypes.COMPLEX:
        raise RuntimeError(
            "For non-complex input tensors, argument alpha must not be a complex number."
        )
    return other * alpha


def rsub(input: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """Returns ``other - alpha * input``.

    >>> torch.rsub(torch.tensor([1.0, 2.0]), 10)
    tensor([9., 8.])
    """
    check_tensor("rsub", input)
    if not (isinstance(other, TensorBase) or is_number(other)):
        raise TypeError(
            f"rsub(): argument 'other' must be Tensor or Number, not {type(other).__name__}"
        )
    if alpha != 1 and halves(input, other):
        return _added(_subtraction, other, input, -alpha)
    term: Any = input if alpha == 1 else scaled("rsub", other, input, alpha)
    if isinstance(other, (TensorBase, bool)) or term._data.dtype.kind in "biu":
        return minus(other, term)
    return plus(-term, other)  # a number first would take the slow path


subtract = sub
