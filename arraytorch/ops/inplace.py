"""In-place ops: an op, its result written over its first argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.modes import grad_enabled
from ..autograd.tape import TensorBase, forbid_leaf, rebase, record, taped, wrap
from ..backends import LARGE, backend_of
from ..backends.host import ndarray, write_where
from . import arithmetic, comparison, elementary, selection, sums
from ._declare import derivative
from ._fitting import fitting
from ._inplace import inplace, unrecorded
from ._older import hides_older, in_order
from ._promote import broadcast_shape, is_number
from ._results import check_tensor
from ._write import _Overwrite, forbid_overlap, stamp
from .conversion import to_device
from .creation import tensor

Tensor = Any
Number = int | float | complex | bool

_BOUNDS = frozenset((int, float, type(None)))


def clamped(x: Any, args: Any, kwargs: Any) -> bool:
    """`clamp_` of floats between numbers, for `inplace`: half of the time."""
    if x.dtype.char not in "fd" or len(args) + len(kwargs) > 2 or kwargs.keys() - {"min", "max"}:
        return False
    if kwargs and args:
        return False
    low, high = (*args, None, None)[:2] if args else (kwargs.get("min"), kwargs.get("max"))
    if low is high or low.__class__ not in _BOUNDS or high.__class__ not in _BOUNDS:
        return False
    x[...] = backend_of(x).clamp(x, low, high)
    return True


plus_, minus_ = inplace(arithmetic.plus, "add_"), inplace(arithmetic.minus, "sub_")
true_divide_, mul_ = inplace(arithmetic.true_divide), inplace(arithmetic.mul)
_add, _sub, _div = inplace(sums.add), inplace(sums.sub), inplace(arithmetic.div)
floor_divide_, remainder_ = inplace(arithmetic.floor_divide), inplace(arithmetic.remainder)
fmod_, pow_, neg_ = inplace(arithmetic.fmod), inplace(arithmetic.pow), inplace(arithmetic.neg)
abs_, sign_, sgn_ = inplace(arithmetic.abs), inplace(arithmetic.sign), inplace(arithmetic.sgn)
square_, sqrt_ = inplace(arithmetic.square), inplace(arithmetic.sqrt)
rsqrt_, reciprocal_ = inplace(arithmetic.rsqrt), inplace(arithmetic.reciprocal)
floor_, ceil_ = inplace(arithmetic.floor), inplace(arithmetic.ceil)
trunc_, round_ = inplace(arithmetic.trunc), inplace(arithmetic.round)
frac_, clamp_ = inplace(arithmetic.frac), inplace(selection.clamp, direct=clamped)
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
arcsin_, arccos_, arctan_, arctan2_ = asin_, acos_, atan_, atan2_
arcsinh_, arccosh_, arctanh_ = asinh_, acosh_, atanh_
clip_, fix_, negative_, absolute_ = clamp_, trunc_, neg_, abs_
eq_, ne_, lt_ = inplace(comparison.eq), inplace(comparison.ne), inplace(comparison.lt)
le_, gt_, ge_ = inplace(comparison.le), inplace(comparison.gt), inplace(comparison.ge)
logical_and_, logical_or_ = inplace(comparison.logical_and), inplace(comparison.logical_or)
logical_xor_, logical_not_ = inplace(comparison.logical_xor), inplace(comparison.logical_not)
bitwise_and_, bitwise_or_ = inplace(comparison.bitwise_and), inplace(comparison.bitwise_or)
bitwise_xor_, bitwise_not_ = inplace(comparison.bitwise_xor), inplace(comparison.bitwise_not)
bitwise_left_shift_ = inplace(comparison.bitwise_left_shift)
bitwise_right_shift_ = inplace(comparison.bitwise_right_shift)
_masked_fill = inplace(selection.masked_fill, "masked_fill_")
_fill, _zero = inplace(selection.fill, "fill_"), inplace(selection.zeroed, "zero_")


@hides_older
def add_(self: Tensor, other: Tensor | Number, *older: Tensor, alpha: Number = 1) -> Tensor:
    """In-place form of `add`: ``self += alpha * other``."""
    if older:
        return in_order(add_, "add", self, other, *older, alpha=alpha)
    if alpha.__class__ is int and alpha == 1:
        return plus_(self, other, depth=3)
    if sums.halves(self, other):
        return _add(self, other, alpha=alpha)
    return plus_(self, sums.scaled("add", self, other, alpha), depth=3)


@hides_older
def sub_(self: Tensor, other: Tensor | Number, *older: Tensor, alpha: Number = 1) -> Tensor:
    """In-place form of `sub`: ``self -= alpha * other``."""
    if older:
        return in_order(sub_, "add", self, other, *older, alpha=alpha)
    if alpha.__class__ is int and alpha == 1:
        return minus_(self, other, depth=3)
    if sums.halves(self, other):
        return _sub(self, other, alpha=alpha)
    return minus_(self, sums.scaled("sub", self, other, alpha), depth=3)


def div_(self: Tensor, other: Tensor | Number, *, rounding_mode: str | None = None) -> Tensor:
    """In-place form of `div`."""
    if rounding_mode is None:
        return true_divide_(self, other, depth=3)
    return _div(self, other, rounding_mode=rounding_mode)


def fill_(self: Tensor, value: Tensor | int | float | complex | bool) -> Tensor:
    """Writes one number, or the value of a 0-d tensor, everywhere."""
    try:
        x = self._data
        simple = x.__class__ is ndarray and value.__class__ in (float, int) and unrecorded(self)
    except AttributeError:
        check_tensor("fill_", self)
        raise
    if not simple:
        return _fill(self, value)
    if x.size < LARGE:
        x.fill(fitting(value, x.dtype))
    else:
        backend_of(x).write(x, fitting(value, x.dtype))
    stamp(self)
    return self


def masked_fill_(self: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """In-place form of `masked_fill`."""
    try:
        x, m = self._data, mask._data
        few = x.__class__ is m.__class__ is ndarray and x.size <= 1024 and m.dtype.kind == "b"
        if few and x.dtype.kind == "f" and value.__class__ is float and 0 not in x.strides:
            if unrecorded(self):
                write_where(x, fitting(value, x.dtype), m)  # of few elements half of the time
                stamp(self)
                return self
    except (AttributeError, ValueError):  # shapes that do not fit, which is said in other words
        pass
    return _masked_fill(self, mask, value)


def zero_(self: Tensor) -> Tensor:
    """Writes zeros everywhere."""
    try:
        x = self._data
        simple = self._node is None and self._base is None or unrecorded(self)
    except AttributeError:
        check_tensor("zero_", self)
        raise
    if not simple:
        return _zero(self)
    if x.__class__ is ndarray and x.size < LARGE:
        x.fill(0)
    else:
        backend_of(x).write(x, 0)
    stamp(self)
    return self


@derivative(name="CopyBackwards", d_self=lambda B, g: B.zeros_like(g), d_src=lambda g: g)
def _copied(self: Tensor, src: Tensor) -> Tensor:
    """Returns ``src``, broadcast and cast, as the new value of ``self``."""
    z = backend_of(self._data).empty(self._data.shape, self._data.dtype)
    backend_of(z).write(z, src._data)
    return taped(_copied, z, (self, src))


def copy_(self: Tensor, src: Tensor | Number, non_blocking: bool = False) -> Tensor:
    """Writes ``src``, broadcast, cast and moved to this device, over the tensor."""
    if not isinstance(src, TensorBase):
        if is_number(src):
            return copy_(self, tensor(src, device=self.device))  # type: ignore[attr-defined]
        raise TypeError(
            f"copy_(): argument 'other' (position 2) must be Tensor, not {type(src).__name__}"
        )
    records = grad_enabled.get()
    if records:
        forbid_leaf(self)
    x, y = self._data, src._data
    if 0 in x.strides:
        forbid_overlap(self)
    if y.shape != x.shape and broadcast_shape("copy_", x.shape, y.shape) != x.shape:
        raise RuntimeError(
            f"output with shape {list(x.shape)} doesn't match the broadcast shape "
            f"{list(y.shape)}: copy_"
        )
    B = backend_of(x)
    if backend_of(y) is not B or hasattr(B, "moved") and B.device_of(y) != B.device_of(x):
        _forbid_mixture(x, src)
        src = to_device(src, B.device_of(x), non_blocking)
        y = src._data
    if y.dtype is not x.dtype and x.dtype.kind != "c":
        y = backend_of(y).cast(y, x.dtype)
    B.write(x, y)
    stamp(self)
    if records and (self._node is not None or src._node is not None):
        old, now = wrap(x), wrap(x)
        old._node = self._node
        record(_copied.rules, now, (old, src), ())
        rebase(self, now._node, _Overwrite.op)
    return self


def _forbid_mixture(x: Any, src: Tensor) -> None:
    """Raises RuntimeError for copies from sparse tensors to dense ones, and the other way round."""
    if hasattr(x, "layout") != hasattr(src._data, "layout"):
        raise RuntimeError(
            "copy_() between dense and sparse Tensors is not implemented! Found self type = "
            f"{wrap(x).type()} and src type = {src.type()}"
        )


def reflected(op: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the reflected operator of a function (self, other) that is reflected already."""

    def operator(self: Any, other: Any) -> Any:
        if not isinstance(self, TensorBase):
            raise TypeError(
                f"an operator of tensors doesn't apply to a '{type(self).__name__}' object"
            )
        return (
            op(self, other) if is_number(other) or isinstance(other, TensorBase) else NotImplemented
        )

    return operator


def divided_by(input: Tensor, other: Any) -> Tensor:
    """other / input, computed as PyTorch does: by way of the reciprocal."""
    return arithmetic.reciprocal(input) * other


def swapped(op: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the reflected operator of a function: ``op(other, self)``."""

    def operator(self: Any, other: Any) -> Any:
        return (
            op(other, self) if is_number(other) or isinstance(other, TensorBase) else NotImplemented
        )

    return operator
