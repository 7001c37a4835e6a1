"""Elementary and special functions, elementwise."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.tape import taped
from ..backends import backend_of
from ._declare import derivative, kernel_op, pointwise
from ._results import native

Number = int | float | complex | bool
Tensor = Any
_LN2, _LN10, _PI = math.log(2), math.log(10), math.pi


@pointwise(result="float", d_input=lambda B, g, out: g * B.conj(out))
def exp(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns e raised to each element of ``input``.

    >>> torch.exp(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, out: g * B.conj(out * _LN2))
def exp2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns 2 raised to each element.

    >>> torch.exp2(torch.tensor([0.0, 3.0]))
    tensor([1., 8.])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, out: g * B.conj(out + 1))
def expm1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns exp(x) - 1, accurate near 0.

    >>> torch.expm1(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, input: g / B.conj(input))
def log(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the natural logarithm; -inf of 0, NaN of negative reals.

    >>> torch.log(torch.tensor([1.0, 0.0, -1.0]))
    tensor([0., -inf, nan])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, input: g / B.conj(input * _LN2))
def log2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the logarithm to base 2.

    >>> torch.log2(torch.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, input: g / B.conj(input * _LN10))
def log10(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the logarithm to base 10.

    >>> torch.log10(torch.tensor([1.0, 10.0]))
    tensor([0., 1.])
    """
    ...


@pointwise(result="float", name="Log1PBackward0", d_input=lambda B, g, input: g / B.conj(input + 1))
def log1p(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns log(1 + x), accurate near 0.

    >>> torch.log1p(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, input: g * B.conj(B.cos(input)))
def sin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the sine of angles in radians.

    >>> torch.sin(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, input: -(g * B.conj(B.sin(input))))
def cos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the cosine of angles in radians.

    >>> torch.cos(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, out: g * B.conj(out * out + 1))
def tan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the tangent of angles in radians.

    >>> torch.tan(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, input: g * B.conj(B.rsqrt(1 - input * input)))
def asin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the angle in radians whose sine is given.

    >>> torch.asin(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, input: -(g * B.conj(B.rsqrt(1 - input * input))))
def acos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the angle in radians whose cosine is given.

    >>> torch.acos(torch.tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, input: g / B.conj(input * input + 1))
def atan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the angle in radians whose tangent is given.

    >>> torch.atan(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """
    ...


def _distance(B: Any, x: Any, y: Any) -> Any:
    """x^2 + y^2, but 1 in the origin, where PyTorch's slopes of the angle are 0."""
    square = x * x + y * y
    return B.where(square == 0, square + 1, square)


@pointwise(
    result="float",
    refuses="c",
    d_input=lambda B, g, input, other: g * (other / _distance(B, input, other)),
    d_other=lambda B, g, input, other: g * (-input / _distance(B, input, other)),
)
def atan2(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the angle in radians of the point (other, input), in the right quadrant.

    >>> torch.atan2(torch.tensor([1.0]), torch.tensor([-1.0]))
    tensor([2.3562])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, input: g * B.conj(B.cosh(input)))
def sinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the hyperbolic sine.

    >>> torch.sinh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, input: g * B.conj(B.sinh(input)))
def cosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the hyperbolic cosine.

    >>> torch.cosh(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, out: g * B.conj(1 - out * out))
def tanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the hyperbolic tangent.

    >>> torch.tanh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, input: g * B.conj(B.rsqrt(input * input + 1)))
def asinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the inverse hyperbolic sine.

    >>> torch.asinh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """
    ...


def _slope_of_acosh(B: Any, g: Any, input: Any) -> Any:
    """1 / sqrt(x^2 - 1), below -1 too, where there is no value; the complex root has two cuts."""
    if native(input).kind == "c":
        return g * B.conj(B.rsqrt(input - 1) * B.rsqrt(input + 1))
    return g * B.rsqrt((input - 1) * (input + 1) + 0)  # + 0: the root of -0 is -0


@pointwise(result="float", d_input=_slope_of_acosh)
def acosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the inverse hyperbolic cosine.

    >>> torch.acosh(torch.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, input: g / B.conj(1 - input * input))
def atanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the inverse hyperbolic tangent.

    >>> torch.atanh(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """
    ...


@pointwise(
    refuses="cbiu",
    d_input=lambda g, input, out: g * (input / out),
    d_other=lambda g, other, out: g * (other / out),
)
def hypot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the hypotenuse of a right triangle's legs, without overflow.

    >>> torch.hypot(torch.tensor([3.0]), torch.tensor([4.0]))
    tensor([5.])
    """
    ...


@pointwise(
    refuses="biu",
    d_input=lambda B, g, input, other: g * B.conj(B.sigmoid(input - other)),
    d_other=lambda B, g, input, other: g * B.conj(B.sigmoid(other - input)),
)
def logaddexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns log(exp(x) + exp(y)) without overflow.

    >>> torch.logaddexp(torch.tensor([1000.0]), torch.tensor([1000.0]))
    tensor([1000.6932])
    """
    ...


@pointwise(
    refuses="biuc",
    d_input=lambda B, g, input, other: g * B.sigmoid((input - other) * _LN2),
    d_other=lambda B, g, input, other: g * B.sigmoid((other - input) * _LN2),
)
def logaddexp2(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns log2(2**x + 2**y) without overflow.

    >>> torch.logaddexp2(torch.tensor([1000.0]), torch.tensor([1000.0]))
    tensor([1001.])
    """
    ...


@pointwise(
    result="float",
    refuses="c",
    d_input=lambda B, g, input, out: g * B.sgn(input) * B.sgn(out),
    d_other=lambda B, g: B.zeros_like(g),
)
def copysign(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Returns the size of ``input`` with the sign of ``other``.

    >>> torch.copysign(torch.tensor([1.0, -2.0]), torch.tensor(-0.0))
    tensor([-1., -2.])
    """
    ...


@pointwise(result="float", d_input=lambda B, g, out: g * B.conj(out * (1 - out)))
def sigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns 1 / (1 + exp(-x)).

    >>> torch.sigmoid(torch.tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """
    ...


@pointwise(
    result="float",
    refuses="c",
    d_input=lambda B, g, input: (2 / _PI**0.5) * g * B.exp(-(input * input)),
)
def erf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the error function, 2/sqrt(pi) times the integral of exp(-t*t) from 0 to x.

    >>> torch.erf(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    ...


@pointwise(
    result="float",
    refuses="c",
    d_input=lambda B, g, input: (-2 / _PI**0.5) * g * B.exp(-(input * input)),
)
def erfc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns 1 - erf(x), accurate for large x.

    >>> torch.erfc(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.1573])
    """
    ...


@pointwise(
    result="float", refuses="c", d_input=lambda B, g, out: (_PI**0.5 / 2) * g * B.exp(out * out)
)
def erfinv(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the inverse of erf, infinite at -1 and 1.

    >>> torch.erfinv(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.4769])
    """
    ...


@pointwise(result="float", refuses="c", d_input=lambda B, g, input: g * B.digamma(input))
def lgamma(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the logarithm of the absolute value of the gamma function.

    >>> torch.lgamma(torch.tensor([1.0, 4.0]))
    tensor([0.0000, 1.7918])
    """
    ...


@pointwise(result="float", refuses="c", d_input=lambda B, g, input: g * B.polygamma(1, input))
def digamma(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the derivative of lgamma.

    >>> torch.digamma(torch.tensor([1.0]))
    tensor([-0.5772])
    """
    ...


@derivative(
    saves=("n", "input"),
    kernel="polygamma",
    d_input=lambda B, g, n, input: g * B.polygamma(n + 1, input),
)
def _polygamma(n: int, input: Tensor) -> Tensor:
    x = input._data
    return taped(_polygamma, backend_of(x).polygamma(n, x), (input,), (n, input))


@pointwise(
    refuses="bc",
    refusal="Boolean inputs not supported for relu",
    d_input=lambda B, g, out: B.relu_backward(g, out),
)
def relu(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns max(x, 0); the slope at 0 is 0.

    >>> torch.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    ...


@kernel_op
def relu_backward(g: Tensor, out: Tensor) -> Tensor:
    """Returns g where the result of relu is positive, else 0, by ops with derivatives."""
    return g * _step(out)


@derivative(kernel="step", d_input=lambda B, g: B.zeros_like(g))
def _step(input: Tensor) -> Tensor:
    return taped(_step, backend_of(input._data).step(input._data), (input,))


arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh
