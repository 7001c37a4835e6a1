"""In-place ops: an op, its result written over its first argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.modes import grad_enabled
from ..autograd.tape import TensorBase, forbid_leaf
from ..backends import backend_of
from . import arithmetic, comparison, elementary, selection
from ._declare import cast, inplace
from ._promote import broadcast_shape, dim_of, is_number, shape_of
from ._write import stamp, write_back
from .conversion import to_device
from .shape import expand

__all__ = ["dim_of", "shape_of"]
Tensor = Any

add_, sub_, mul_, div_ = (
    inplace(arithmetic.add), inplace(arithmetic.sub), inplace(arithmetic.mul), inplace(arithmetic.div),
)  # fmt: skip
floor_divide_, remainder_ = inplace(arithmetic.floor_divide), inplace(arithmetic.remainder)
fmod_, pow_, neg_ = inplace(arithmetic.fmod), inplace(arithmetic.pow), inplace(arithmetic.neg)
abs_, sign_, sgn_ = inplace(arithmetic.abs), inplace(arithmetic.sign), inplace(arithmetic.sgn)
square_, sqrt_ = inplace(arithmetic.square), inplace(arithmetic.sqrt)
rsqrt_, reciprocal_ = inplace(arithmetic.rsqrt), inplace(arithmetic.reciprocal)
floor_, ceil_ = inplace(arithmetic.floor), inplace(arithmetic.ceil)
trunc_, round_ = inplace(arithmetic.trunc), inplace(arithmetic.round)
frac_, clamp_ = inplace(arithmetic.frac), inplace(arithmetic.clamp)
exp_, exp2_, expm1_ = inplace(elementary.exp), inplace(elementary.exp2), inplace(elementary.expm1)
log_, log2_ = inplace(elementary.log), inplace(elementary.log2)
log10_, log1p_ = inplace(elementary.log10), inplace(elementary.log1p)
sin_, cos_, tan_ = inplace(elementary.sin), inplace(elementary.cos), inplace(elementary.tan)
asin_, acos_ = inplace(elementary.asin), inplace(elementary.acos)
atan_, atan2_ = inplace(elementary.atan), inplace(elementary.atan2)
sinh_, cosh_, tanh_ = inplace(elementary.sinh), inplace(elementary.cosh), inplace(elementary.tanh)
asinh_, acosh_ = inplace(elementary.asinh), inplace(elementary.acosh)
atanh_, sigmoid_ = inplace(elementary.atanh), inplace(elementary.sigmoid)
relu_, erf_, erfc_ = inplace(elementary.relu), inplace(elementary.erf), inplace(elementary.erfc)
erfinv_, lgamma_ = inplace(elementary.erfinv), inplace(elementary.lgamma)
digamma_ = inplace(elementary.digamma)
eq_, ne_, lt_ = inplace(comparison.eq), inplace(comparison.ne), inplace(comparison.lt)
le_, gt_, ge_ = inplace(comparison.le), inplace(comparison.gt), inplace(comparison.ge)
logical_and_, logical_or_ = inplace(comparison.logical_and), inplace(comparison.logical_or)
logical_xor_, logical_not_ = inplace(comparison.logical_xor), inplace(comparison.logical_not)
bitwise_and_, bitwise_or_ = inplace(comparison.bitwise_and), inplace(comparison.bitwise_or)
bitwise_xor_, bitwise_not_ = inplace(comparison.bitwise_xor), inplace(comparison.bitwise_not)
bitwise_left_shift_ = inplace(comparison.bitwise_left_shift)
bitwise_right_shift_ = inplace(comparison.bitwise_right_shift)
masked_fill_ = inplace(selection.masked_fill)
_fill, _zero = inplace(selection.filled, "fill_"), inplace(selection.zeroed, "zero_")


def fill_(self: Tensor, value: Tensor | int | float | complex | bool) -> Tensor:
    """Writes one number, or the value of a 0-d tensor, everywhere."""
    return _fill(self, value)


def zero_(self: Tensor) -> Tensor:
    """Writes zeros everywhere."""
    if self._node is None and self._base is None:
        backend_of(self._data).write(self._data, 0)
        stamp(self)
        return self
    return _zero(self)


def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Writes ``src``, broadcast, cast and moved to this device, over the tensor."""
    if not isinstance(src, TensorBase):
        raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
    if grad_enabled.get():
        forbid_leaf(self)
    x = self._data
    if broadcast_shape("copy_", x.shape, src._data.shape) != x.shape:
        raise RuntimeError(
            f"The expanded size of the tensor {list(x.shape)} must match the existing size "
            f"{list(src._data.shape)}: copy_"
        )
    B = backend_of(x)
    if backend_of(src._data) is not B:
        src = to_device(src, B.device_of(x))
    if src._node is not None and grad_enabled.get():
        if src._data.dtype is not x.dtype:
            src = cast(src, x.dtype)
        src = expand(src, *x.shape)
    elif src._data.dtype.kind == "c" and x.dtype.kind != "c":
        src = cast(src, x.dtype)
    write_back(self, src)
    return self


def reflected(op: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the reflected operator of a function (self, other) that is reflected already."""

    def operator(self: Any, other: Any) -> Any:
        return op(self, other) if is_number(other) or isinstance(other, TensorBase) else NotImplemented

    return operator


def divided_by(input: Tensor, other: Any) -> Tensor:
    """other / input, computed as PyTorch does: by way of the reciprocal."""
    return arithmetic.reciprocal(input) * other


def swapped(op: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the reflected operator of a function: ``op(other, self)``."""

    def operator(self: Any, other: Any) -> Any:
        return op(other, self) if is_number(other) or isinstance(other, TensorBase) else NotImplemented

    return operator
