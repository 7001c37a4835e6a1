"""Operations on lists of tensors, one tensor after the other: `torch._foreach_add` and its like.

Optimizers that others write call them. Out of place they return a tuple, in place the list they got.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.tape import TensorBase
from . import arithmetic as plain
from . import blending, elementary, extremes, overwriting, sums
from . import inplace as written
from ._promote import is_number
from .conversion import clone
from .products import mm
from .spread import vector_norm

Op = Callable[..., Any]


def _each(name: str, op: Op, lists: int, last: str = "", in_place: bool = False) -> Op:
    """Makes an op on lists of an op on tensors.

    So many ``lists`` of tensors come first. Behind them there may be one more argument, by one of the
    names in ``last``: a number or tensor for all, or a sequence with one for each.
    """
    first = ("self", "tensors1") if lists == 2 else ("self", "tensor1", "tensor2")[:lists]
    names = (*first, *last.split())

    def foreach(*args: Any, **options: Any) -> Any:
        given = [*args, *[options.pop(n) for n in names if n in options]]
        if not lists <= len(given) <= lists + bool(last):
            raise TypeError(
                f"{name}() takes from {lists} to {lists + bool(last)} positional arguments but "
                f"{len(given)} were given"
            )
        _check(name, given[:lists])
        rows = zip(*given[:lists], *_spread(given[lists:], len(given[0]), lists), strict=True)
        results = [op(*row, **options) for row in rows]
        return given[0] if in_place else tuple(results)

    foreach.__name__ = foreach.__qualname__ = name
    foreach.__doc__ = f"Applies `{op.__name__}` to each tensor of a list."
    return foreach


def _check(name: str, lists: Sequence[Any]) -> None:
    for position, tensors in enumerate(lists):
        if not isinstance(tensors, (list, tuple)):
            raise TypeError(
                f"{name}(): argument '{('self', 'tensor1', 'tensor2')[position]}' (position "
                f"{position + 1}) must be tuple of Tensors, not {type(tensors).__name__}"
            )
        if not lists[0]:
            raise RuntimeError("Tensor list must have at least one tensor.")
        if len(tensors) != len(lists[0]):
            raise RuntimeError(
                "Tensor lists must have the same number of tensors, got "
                f"{len(lists[0])} and {len(tensors)}"
            )


def _spread(last: list[Any], count: int, lists: int) -> list[Any]:
    """The last argument, if it is there, as a sequence with a value for each tensor."""
    if not last:
        return []
    value = last[0]
    if is_number(value):
        return [[value] * count]
    if isinstance(value, TensorBase):
        size, ndim = value._data.size, value._data.ndim
        if lists == 3:  # addcmul and addcdiv: a number for each
            if size != count:
                raise RuntimeError(
                    f"Expected length of scalars to match input of length {count} but got {size} "
                    "instead."
                )
            return [value.tolist()]  # type: ignore[attr-defined]
        if ndim:
            raise RuntimeError(
                f"scalar tensor expected to be 0 dim but it has {ndim} dimensions and {size} elements."
            )
        return [[value] * count]
    if len(value) != count:
        if value and isinstance(value[0], TensorBase):
            raise RuntimeError(
                f"Tensor lists must have the same number of tensors, got {count} and {len(value)}"
            )
        raise RuntimeError("Tensor list must have same number of elements as scalar list.")
    return [value]


def _both(name: str, op: Op, op_: Op, lists: int = 1, last: str = "") -> tuple[Op, Op]:
    """An op on lists, and its form in place."""
    return (
        _each(f"_foreach_{name}", op, lists, last),
        _each(f"_foreach_{name}_", op_, lists, last, True),
    )


def _power(input: Any, exponent: Any) -> Any:
    return plain.pow(input, exponent)


def _foreach_pow(self: Any, exponent: Any) -> Any:
    """Raises each tensor of a list to a power, or a number to the power of each tensor."""
    if is_number(self):
        _check("_foreach_pow", [exponent])
        return tuple([plain.pow(self, e) for e in exponent])
    return _pow(self, exponent)


def _powsum(input: Any, ord: Any = 2, dtype: Any = None) -> Any:
    return vector_norm(input, ord, dtype=dtype) ** ord


def _largest(input: Any) -> Any:
    return extremes.amax(input, ())


_both_of = "scalar scalars other"
_foreach_abs, _foreach_abs_ = _both("abs", plain.abs, written.abs_)
_foreach_acos, _foreach_acos_ = _both("acos", elementary.acos, written.acos_)
_foreach_asin, _foreach_asin_ = _both("asin", elementary.asin, written.asin_)
_foreach_atan, _foreach_atan_ = _both("atan", elementary.atan, written.atan_)
_foreach_ceil, _foreach_ceil_ = _both("ceil", plain.ceil, written.ceil_)
_foreach_cos, _foreach_cos_ = _both("cos", elementary.cos, written.cos_)
_foreach_cosh, _foreach_cosh_ = _both("cosh", elementary.cosh, written.cosh_)
_foreach_erf, _foreach_erf_ = _both("erf", elementary.erf, written.erf_)
_foreach_erfc, _foreach_erfc_ = _both("erfc", elementary.erfc, written.erfc_)
_foreach_exp, _foreach_exp_ = _both("exp", elementary.exp, written.exp_)
_foreach_expm1, _foreach_expm1_ = _both("expm1", elementary.expm1, written.expm1_)
_foreach_floor, _foreach_floor_ = _both("floor", plain.floor, written.floor_)
_foreach_frac, _foreach_frac_ = _both("frac", plain.frac, written.frac_)
_foreach_lgamma, _foreach_lgamma_ = _both("lgamma", elementary.lgamma, written.lgamma_)
_foreach_log, _foreach_log_ = _both("log", elementary.log, written.log_)
_foreach_log10, _foreach_log10_ = _both("log10", elementary.log10, written.log10_)
_foreach_log1p, _foreach_log1p_ = _both("log1p", elementary.log1p, written.log1p_)
_foreach_log2, _foreach_log2_ = _both("log2", elementary.log2, written.log2_)
_foreach_neg, _foreach_neg_ = _both("neg", plain.neg, written.neg_)
_foreach_reciprocal, _foreach_reciprocal_ = _both(
    "reciprocal", plain.reciprocal, written.reciprocal_
)
_foreach_round, _foreach_round_ = _both("round", plain.round, written.round_)
_foreach_rsqrt, _foreach_rsqrt_ = _both("rsqrt", plain.rsqrt, written.rsqrt_)
_foreach_sigmoid, _foreach_sigmoid_ = _both("sigmoid", elementary.sigmoid, written.sigmoid_)
_foreach_sign, _foreach_sign_ = _both("sign", plain.sign, written.sign_)
_foreach_sin, _foreach_sin_ = _both("sin", elementary.sin, written.sin_)
_foreach_sinh, _foreach_sinh_ = _both("sinh", elementary.sinh, written.sinh_)
_foreach_sqrt, _foreach_sqrt_ = _both("sqrt", plain.sqrt, written.sqrt_)
_foreach_tan, _foreach_tan_ = _both("tan", elementary.tan, written.tan_)
_foreach_tanh, _foreach_tanh_ = _both("tanh", elementary.tanh, written.tanh_)
_foreach_trunc, _foreach_trunc_ = _both("trunc", plain.trunc, written.trunc_)
_foreach_clone = _each("_foreach_clone", clone, 1)
_foreach_zero_ = _each("_foreach_zero_", written.zero_, 1, in_place=True)
_foreach_copy_ = _each("_foreach_copy_", written.copy_, 2, "non_blocking", in_place=True)
_foreach_add, _foreach_add_ = _both("add", sums.add, written.add_, 1, _both_of)
_foreach_sub, _foreach_sub_ = _both("sub", sums.sub, written.sub_, 1, _both_of)
_foreach_mul, _foreach_mul_ = _both("mul", plain.mul, written.mul_, 1, _both_of)
_foreach_div, _foreach_div_ = _both("div", plain.div, written.div_, 1, _both_of)
_pow, _foreach_pow_ = _both("pow", _power, written.pow_, 1, "exponent")
_foreach_clamp_max, _foreach_clamp_max_ = _foreach_minimum, _foreach_minimum_ = _both(
    "minimum", blending.clamp_max, overwriting.clamp_max_, 1, _both_of
)
_foreach_clamp_min, _foreach_clamp_min_ = _foreach_maximum, _foreach_maximum_ = _both(
    "maximum", blending.clamp_min, overwriting.clamp_min_, 1, _both_of
)
_foreach_lerp, _foreach_lerp_ = _both("lerp", blending.lerp, overwriting.lerp_, 2, "weight weights")
_foreach_addcmul, _foreach_addcmul_ = _both(
    "addcmul", lambda a, b, c, value=1: blending.addcmul(a, b, c, value=value),
    lambda a, b, c, value=1: overwriting.addcmul_(a, b, c, value=value), 3, "value scalars",
)  # fmt: skip
_foreach_addcdiv, _foreach_addcdiv_ = _both(
    "addcdiv", lambda a, b, c, value=1: blending.addcdiv(a, b, c, value=value),
    lambda a, b, c, value=1: overwriting.addcdiv_(a, b, c, value=value), 3, "value scalars",
)  # fmt: skip
_foreach_mm = _each("_foreach_mm", mm, 2)
_foreach_max = _each("_foreach_max", _largest, 1)
_foreach_norm = _each("_foreach_norm", vector_norm, 1, "ord")
_foreach_powsum = _each("_foreach_powsum", _powsum, 1, "ord")
