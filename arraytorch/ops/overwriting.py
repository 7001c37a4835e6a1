"""In-place forms of the ops that index, scan, blend and multiply, and views taken in place."""

from __future__ import annotations

from typing import Any

from .._dtypes import scalar_type_name
from ..autograd.modes import grad_enabled
from ..autograd.tape import Leaf, demote, forbid_leaf, move, stamp, wrap
from ..backends import dtype_of
from . import (
    _placing,
    added_products,
    arithmetic,
    blending,
    complex_numbers,
    diagonals,
    elementary,
    lengths,
    picking,
    rearranging,
    scan,
    scattering,
    shape,
)
from ._inplace import inplace
from ._older import hides_older, signature_in_place
from ._promote import is_number, number_of
from ._results import check_tensor
from .inplace import clamped

Tensor = Any
Number = int | float | complex | bool


def _clamped_below(x: Any, args: Any, kwargs: Any) -> bool:
    return len(args) == 1 and not kwargs and clamped(x, args, kwargs)


_addcmul, _addcdiv = inplace(blending.addcmul, "addcmul_"), inplace(blending.addcdiv, "addcdiv_")
_plus_product, _plus_ratio = (
    inplace(arithmetic.plus, "addcmul_"),
    inplace(arithmetic.plus, "addcdiv_"),
)
lerp_, xlogy_, logit_ = inplace(blending.lerp), inplace(blending.xlogy), inplace(blending.logit)
nan_to_num_, ldexp_ = inplace(blending.nan_to_num), inplace(blending.ldexp)
deg2rad_, rad2deg_ = inplace(blending.deg2rad), inplace(blending.rad2deg)
heaviside_, sinc_ = inplace(blending.heaviside), inplace(blending.sinc)
gcd_, lcm_, nextafter_ = inplace(blending.gcd), inplace(blending.lcm), inplace(blending.nextafter)
_float_power = inplace(blending.float_power, "float_power_")
copysign_, hypot_ = inplace(elementary.copysign), inplace(elementary.hypot)
conj_physical_, renorm_ = inplace(complex_numbers.conj_physical), inplace(lengths.renorm)
clamp_min_ = inplace(blending.clamp_min, direct=_clamped_below)
clamp_max_ = inplace(blending.clamp_max)
addmm_, addmv_ = inplace(added_products.addmm), inplace(added_products.addmv)
addbmm_, baddbmm_ = inplace(added_products.addbmm), inplace(added_products.baddbmm)
addr_ = inplace(added_products.addr)
cumsum_, cumprod_ = inplace(scan.cumsum), inplace(scan.cumprod)
tril_, triu_ = inplace(diagonals.tril), inplace(diagonals.triu)
scatter_ = inplace(scattering.scatter, direct=_placing.scattered)
scatter_add_ = inplace(scattering.scatter_add, direct=_placing.scatter_added)
scatter_reduce_ = inplace(scattering.scatter_reduce)
index_add_ = inplace(picking.index_add, direct=_placing.added)
index_copy_ = inplace(picking.index_copy, direct=_placing.copied)
index_fill_ = inplace(picking.index_fill, direct=_placing.filled)
index_put_ = inplace(picking.index_put, direct=_placing.put)
index_reduce_, put_ = inplace(picking.index_reduce), inplace(picking.put)
masked_scatter_ = inplace(picking.masked_scatter, direct=_placing.masked)


@hides_older
def addcmul_(
    self: Tensor, tensor1: Tensor, tensor2: Tensor, *older: Tensor, value: Number = 1
) -> Tensor:
    """In-place form of `addcmul`: ``self += value * tensor1 * tensor2``."""
    if older or not blending.alike_floats(self, tensor1, tensor2, of="fd"):
        return _addcmul(self, tensor1, tensor2, *older, value=value)
    # The last step alone has to be done in place, which halves the time of small tensors.
    product = arithmetic.mul(tensor1, tensor2)
    scale = value.__class__ is not int or value != 1
    return _plus_product(self, product * blending.as_number(value) if scale else product, depth=3)


@hides_older
def addcdiv_(
    self: Tensor, tensor1: Tensor, tensor2: Tensor, *older: Tensor, value: Number = 1
) -> Tensor:
    """In-place form of `addcdiv`: ``self += value * tensor1 / tensor2``."""
    if older or not blending.alike_floats(self, tensor1, tensor2, of="fd"):
        return _addcdiv(self, tensor1, tensor2, *older, value=value)
    ratio = arithmetic.true_divide(tensor1, tensor2)
    scale = value.__class__ is not int or value != 1
    return _plus_ratio(self, ratio * blending.as_number(value) if scale else ratio, depth=3)


def float_power_(self: Tensor, exponent: Tensor | Number) -> Tensor:
    """In-place form of `float_power`, of tensors of double precision alone."""
    check_tensor("float_power_", self)
    own, wide = dtype_of(self._data), blending.double_of(self, exponent)
    if own is not wide:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {scalar_type_name(own)} but the operation's "
            f"result requires dtype {scalar_type_name(wide)}"
        )
    return _float_power(self, exponent)


def fill_diagonal_(self: Tensor, fill_value: Number, wrap: bool = False) -> Tensor:
    """Writes one number on the main diagonal, of a tall matrix again and again if ``wrap``."""
    x = self._data
    if x.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if x.ndim > 2 and len(set(x.shape)) != 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    fill_value = number_of(fill_value)
    if not is_number(fill_value):
        raise TypeError("fill_diagonal_(): argument 'fill_value' must be Number")
    n = min(x.shape)
    strides = self.stride()
    step = 0
    for s in strides:
        step += s
    rearranging.as_strided(self, (n,), (step,), self.storage_offset()).fill_(fill_value)
    if wrap and x.ndim == 2 and x.shape[0] > x.shape[1]:
        for start in range(x.shape[1] + 1, x.shape[0], x.shape[1] + 1):
            fill_diagonal_(self[start:], fill_value)
    return self


def _seen_anew(op: Any, name: str) -> Any:
    """Returns the form of a view op that gives the tensor itself the new shape or order."""

    def op_(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_tensor(name, self)
        if grad_enabled.get():
            forbid_leaf(self)
        leaf = self._node.__class__ is Leaf  # with gradients off, where leaves may be written
        if self._base is None and not leaf and any(v() is not None for v in self._views or ()):
            demote(self)
        old = wrap(self._data)
        old._node, old._base, old._owner = self._node, self._base, self._owner
        if self._base is not None:
            old._step = self._step
        token = grad_enabled.set(not leaf)  # another shape is no reason to lose the history
        try:
            new = op(old, *args, **kwargs)
        finally:
            grad_enabled.reset(token)
        self._data = new._data
        if leaf:
            self._node.shape = new._data.shape
        else:
            move(self, new._node)
        if self._base is not None:
            self._step = new._step
        stamp(self)  # whoever saved the tensor would now read it in another order
        return self

    op_.__name__ = op_.__qualname__ = name
    op_.__doc__ = f"Gives the tensor itself the shape and order that `{name.strip('_')}` returns."
    op_.__module__ = __name__
    op_.__signature__ = signature_in_place(op)  # type: ignore[attr-defined]
    return op_


def _squeezed(input: Tensor, *dims: Any, dim: Any = None) -> Tensor:
    return shape.squeeze(input, (dims[0] if len(dims) == 1 else dims) if dims else dim)


t_, transpose_ = _seen_anew(shape.t, "t_"), _seen_anew(shape.transpose, "transpose_")
squeeze_, unsqueeze_ = (
    _seen_anew(_squeezed, "squeeze_"),
    _seen_anew(shape.unsqueeze, "unsqueeze_"),
)
as_strided_ = _seen_anew(rearranging.as_strided, "as_strided_")
swapaxes_, swapdims_ = _seen_anew(shape.swapaxes, "swapaxes_"), transpose_
