"""Elementwise arithmetic: sums, products, quotients, powers, rounding."""

from __future__ import annotations

import builtins
from typing import Any

from .. import _dtypes
from ..backends import dtype_of
from ._declare import pointwise
from ._promote import is_number
from ._results import check_tensor
from ._write import write_result

Number = int | float | complex | bool
Tensor = Any


@pointwise(kernel="add", name="AddBackward0", d_input=lambda g: g, d_other=lambda g: g)
def plus(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Adds two tensors, or a tensor and a number: `add` without ``alpha``, and the + operator."""
    ...


@pointwise(
    kernel="sub",
    name="SubBackward0",
    d_input=lambda g: g,
    d_other=lambda g: -g,
)
def minus(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Subtracts: `sub` without ``alpha``, and the - operator."""
    ...


@pointwise(
    d_input=lambda B, g, other: g * B.conj(other),
    d_other=lambda B, g, input: g * B.conj(input),
)
def mul(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Multiplies ``input`` by ``other``, elementwise with broadcasting.

    >>> torch.tensor([1.0, 2.0]) * 3
    tensor([3., 6.])
    """
    ...


@pointwise(
    kernel="div",
    name="DivBackward0",
    result="float",
    d_input=lambda B, g, other: g / B.conj(other),
    d_other=lambda B, g, input, other: -g * B.conj((input / other) / other),
)
def true_divide(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Divides ``input`` by ``other``; integers give the default floating-point dtype.

    >>> torch.true_divide(torch.tensor([1, 2]), 2)
    tensor([0.5000, 1.0000])
    """
    ...


def div(
    input: Tensor | Number,
    other: Tensor | Number,
    *,
    rounding_mode: str | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Divides ``input`` by ``other``, rounded as asked: None, "trunc" (to zero) or "floor".

    >>> torch.div(torch.tensor([7, -7]), 2, rounding_mode="trunc")
    tensor([ 3, -3])
    """
    if rounding_mode is None:
        return true_divide(input, other, out=out)
    if rounding_mode == "floor":
        return floor_divide(input, other, out=out)
    if rounding_mode == "trunc":
        return _trunc_divide(input, other, out=out)
    raise RuntimeError(
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
        f"'{rounding_mode}'"
    )


@pointwise(refuses="bc", d_input=lambda B, g: B.zeros_like(g), d_other=lambda B, g: B.zeros_like(g))
def floor_divide(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Divides and rounds towards minus infinity, as Python's ``//`` does.

    Raises RuntimeError where an integer is divided by 0.

    >>> torch.tensor([7, -7]) // 2
    tensor([ 3, -4])
    """
    ...


@pointwise(
    kernel="trunc_divide",
    refuses="bc",
    d_input=lambda B, g: B.zeros_like(g),
    d_other=lambda B, g: B.zeros_like(g),
)
def _trunc_divide(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Divides and rounds towards zero."""
    ...


@pointwise(
    refuses="bc",
    d_input=lambda g: g,
    d_other=lambda B, g, input, other: -g * B.floor_divide(input, other),
)
def remainder(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Returns what floor division leaves, with the sign of ``other``, as Python's ``%`` does.

    >>> torch.remainder(torch.tensor([-3.0, 3.0]), 2)
    tensor([1., 1.])
    """
    ...


@pointwise(
    refuses="bc",
    d_input=lambda g: g,
    d_other=lambda B, g, input, other: -g * B.trunc(input / other),
)
def fmod(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Returns what division rounded to zero leaves, with the sign of ``input``, as C's fmod.

    >>> torch.fmod(torch.tensor([-3.0, 3.0]), 2)
    tensor([-1.,  1.])
    """
    ...


def _slope_of_base(B: Any, g: Any, input: Any, exponent: Any) -> Any:
    """d(x^n)/dx = n x^(n-1), and 0 for n = 0 even where x is 0."""
    slope = exponent * B.pow(input, exponent - 1)
    if not is_number(exponent):
        slope = B.where(exponent == 0, B.zeros_like(slope), slope)
    elif exponent == 0:
        return B.zeros_like(g)
    return g * B.conj(slope)


def _slope_of_exponent(B: Any, g: Any, input: Any, exponent: Any, out: Any) -> Any:
    """d(x^n)/dn = x^n log x, and 0 for x = 0 where n is not negative."""
    if is_number(input):
        input = B.full(tuple(out.shape), input, getattr(out, "_data", out).dtype)
    vanishes = (input == 0) & (B.real(exponent) >= 0)
    slope = B.conj(out * B.log(input))
    return B.where(vanishes, B.zeros_like(slope), g * slope)


@pointwise(name="PowBackward0", d_input=_slope_of_base, d_exponent=_slope_of_exponent)
def pow(input: Tensor | Number, exponent: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Raises ``input`` to the power ``exponent``.

    Raises RuntimeError for integers to a negative integer power; a tensor of them, like PyTorch's,
    gives the truncated quotients.

    >>> torch.tensor([1.0, 2.0, 3.0]) ** 2
    tensor([1., 4., 9.])
    """
    ...


@pointwise(d_input=lambda g: -g)
def neg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Changes the sign.

    >>> -torch.tensor([1.0, -2.0])
    tensor([-1.,  2.])
    """
    ...


def positive(input: Tensor) -> Tensor:
    """Returns ``input`` itself; RuntimeError for bool tensors.

    >>> torch.positive(torch.tensor([1]))
    tensor([1])
    """
    check_tensor("positive", input)
    if dtype_of(input._data) is _dtypes.bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


@pointwise(result="real", refuses="b", d_input=lambda B, g, input: g * B.sgn(input))
def abs(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the absolute value; of a complex number its modulus, a real.

    >>> torch.abs(torch.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """
    ...


@pointwise(refuses="c", d_input=lambda B, g: B.zeros_like(g))
def sign(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns -1, 0 or 1 by the sign; 0 of NaN.

    >>> torch.sign(torch.tensor([-3.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """
    ...


def _slope_of_sgn(B: Any, g: Any, input: Any, out: Any) -> Any:
    """d sgn(z): the part of g across z, divided by |z|; 0 for reals and at 0."""
    if getattr(input, "_data", input).dtype.kind != "c":
        return B.zeros_like(g)
    size = B.abs(input)
    across = (g / out - B.conj(g / out)) * 0.5 * out
    return B.where(size == 0, B.zeros_like(g), across / B.where(size == 0, size + 1, size))


@pointwise(d_input=_slope_of_sgn)
def sgn(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns ``input / |input|``, 0 for 0: the sign, also of complex numbers.

    >>> torch.sgn(torch.tensor([3 + 4j, 0j]))
    tensor([0.6000+0.8000j, 0.0000+0.0000j])
    """
    ...


@pointwise(result="number", name="PowBackward0", d_input=lambda B, g, input: g * B.conj(input * 2))
def square(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Squares; bools give int64.

    >>> torch.square(torch.tensor([1.0, -3.0]))
    tensor([1., 9.])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, out: g / B.conj(out * 2))
def sqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the square root, NaN of negative reals.

    >>> torch.sqrt(torch.tensor([4.0, -1.0]))
    tensor([2., nan])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, out: g * B.conj(out * out * out * -0.5))
def rsqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns one over the square root.

    >>> torch.rsqrt(torch.tensor([4.0]))
    tensor([0.5000])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, out: -g * B.conj(out * out))
def reciprocal(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns one over each element.

    >>> torch.reciprocal(torch.tensor([4.0]))
    tensor([0.2500])
    """
    ...


@pointwise(refuses="bc", d_input=lambda B, g: B.zeros_like(g))
def floor(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Rounds down.

    >>> torch.floor(torch.tensor([1.5, -1.5]))
    tensor([ 1., -2.])
    """
    ...


@pointwise(refuses="bc", d_input=lambda B, g: B.zeros_like(g))
def ceil(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Rounds up.

    >>> torch.ceil(torch.tensor([1.5, -1.5]))
    tensor([ 2., -1.])
    """
    ...


@pointwise(refuses="bc", d_input=lambda B, g: B.zeros_like(g))
def trunc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Rounds towards zero.

    >>> torch.trunc(torch.tensor([1.5, -1.5]))
    tensor([ 1., -1.])
    """
    ...


@pointwise(
    kernel="round", name="RoundBackward0", refuses="bc", d_input=lambda B, g: B.zeros_like(g)
)
def _round_half_even(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Rounds to the nearest integer, halves to even."""
    ...


def round(input: Tensor, decimals: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Rounds to the nearest integer, halves to even, or to a number of decimals.

    >>> torch.round(torch.tensor([0.5, 1.5, 2.567]), decimals=0)
    tensor([0., 2., 3.])
    """
    if decimals == 0:
        return _round_half_even(input, out=out)
    ten = 10.0 ** builtins.abs(decimals)
    if decimals > 0:
        result = _round_half_even(input * ten) / ten
    else:
        result = _round_half_even(input / ten) * ten
    return result if out is None else write_result("round", out, result, (input,))


@pointwise(refuses="biuc", d_input=lambda g: g)
def frac(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the fractional part, with the sign of the number.

    >>> torch.frac(torch.tensor([1.25, -1.25]))
    tensor([ 0.2500, -0.2500])
    """
    ...


multiply, divide = mul, div
negative, absolute, fix = neg, abs, trunc

# What array libraries refuse themselves is looked at on the slow path only, where they lead.
_NO_BOOL = (
    "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert "
    "a mask, use the `~` or `logical_not()` operator instead."
)
minus.declared.refuses, minus.declared.refusal = "b", _NO_BOOL
neg.declared.refuses = "b"
neg.declared.refusal = (
    "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a "
    "mask, use the `~` or `logical_not()` operator instead."
)
pow.declared.refuses, pow.declared.fallback = "b", "integer_pow"

# What errors call the ops that stand behind a public one.
plus.declared.name, minus.declared.name, true_divide.declared.name = "add", "sub", "div"
_trunc_divide.declared.name, _round_half_even.declared.name = "div", "round"
