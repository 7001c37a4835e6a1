"""Elementwise functions of two and three tensors beyond the four operations."""

from __future__ import annotations

import math
from typing import Any

from .. import _dtypes
from ..autograd.tape import TensorBase, taped, wrap
from ..backends import backend_of, dtype_of, numpy_dtype, outermost
from ..backends.host import ndarray
from ._declare import cast, derivative, pointwise
from ._older import hides_older, in_order
from ._promote import broadcast_shape, dim_of, result_type
from ._results import (
    as_array,
    check_tensor,
    finished,
    floating,
    is_half,
    promoted,
    refuse,
    refuse_kernel,
    rounded_once,
    same_dtype,
)
from .arithmetic import mul
from .arithmetic import pow as _pow
from .comparison import eq
from .complex_numbers import complex as _complex
from .elementary import exp2
from .joining import cat
from .rearranging import flip
from .scan import cumprod
from .selection import clamp, where
from .shape import expand

Tensor = Any
Number = int | float | complex | bool


def alike_floats(input: Tensor, *others: Tensor, of: str = "fdeE") -> bool:
    """Whether all are tensors of one of these precisions, for which there is little to check."""
    try:
        kind = input._data.dtype
        if kind.char not in of:
            return False
        for t in others:
            if t._data.dtype is not kind:
                return False
    except AttributeError:
        return False
    return True


@derivative(
    saves=("tensor1", "tensor2", "value"),
    kernel="addcmul",
    name="AddcmulBackward0",
    d_input=lambda g: g,
    d_tensor1=lambda g, tensor2, value: g * (tensor2 * value),
    d_tensor2=lambda g, tensor1, value: g * (tensor1 * value),
)
def _addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, value: float) -> Tensor:
    x, y, z = input._data, tensor1._data, tensor2._data
    B = outermost(x, y, z)
    result = as_array(B, B.addcmul(x, y, z, value), x)
    return taped(_addcmul, result, (input, tensor1, tensor2), (tensor1, tensor2, value))


@derivative(
    saves=("tensor1", "tensor2", "value"),
    kernel="addcdiv",
    name="AddcdivBackward0",
    d_input=lambda g: g,
    d_tensor1=lambda g, tensor2, value: g * (value / tensor2),
    d_tensor2=lambda g, tensor1, tensor2, value: g * (-value * tensor1 / (tensor2 * tensor2)),
)
def _addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, value: float) -> Tensor:
    x, y, z = input._data, tensor1._data, tensor2._data
    B = outermost(x, y, z)
    result = as_array(B, B.addcdiv(x, y, z, value), x)
    return taped(_addcdiv, result, (input, tensor1, tensor2), (tensor1, tensor2, value))


def _at_once(op: Any, input: Tensor, tensor1: Tensor, tensor2: Tensor, value: Number) -> Any:
    """One op of floats that are alike; None for what has to be looked at more closely."""
    if not alike_floats(input, tensor1, tensor2) or value.__class__ not in (int, float):
        return None
    try:
        return op(input, tensor1, tensor2, value)
    except (TypeError, ValueError):  # shapes or devices that do not fit, which is told elsewhere
        return None


def _scaled(input: Tensor, product: Tensor, value: Number) -> Tensor:
    if (
        isinstance(value, float)
        and product._data.dtype.kind in "iu"
        and input._data.dtype.kind in "iu"
    ):
        value = int(value)
    return product if value.__class__ is int and value == 1 else product * as_number(value)


def as_number(value: Any) -> Any:
    """Returns a factor, which may be a tensor of no dimensions; of other tensors it raises TypeError."""
    if not isinstance(value, TensorBase):
        return value
    if value._data.ndim:
        raise TypeError("argument 'value' must be Number, not Tensor")
    return value.item()  # type: ignore[attr-defined]


@hides_older
def addcmul(
    input: Tensor,
    tensor1: Tensor,
    tensor2: Tensor,
    *older: Tensor,
    value: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``input + value * tensor1 * tensor2``.

    >>> torch.addcmul(torch.ones(2), torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]), value=2)
    tensor([ 7., 17.])
    """
    if older:
        return in_order(addcmul, "addcmul", input, tensor1, tensor2, *older, value=value, out=out)
    if out is None and (made := _at_once(_addcmul, input, tensor1, tensor2, value)) is not None:
        return made
    check_tensor("addcmul", input, tensor1, tensor2, names=("input", "tensor1", "tensor2"))
    if input._data.dtype.kind == "b":
        raise NotImplementedError("\"addcmul_cpu_out\" not implemented for 'Bool'")
    if is_half(input) and is_half(tensor1) and is_half(tensor2):
        return rounded_once(addcmul, input, tensor1, tensor2, value=value, out=out)
    result = input + _scaled(input, tensor1 * tensor2, value)
    return finished("addcmul", result, out, (input, tensor1, tensor2))


@hides_older
def addcdiv(
    input: Tensor,
    tensor1: Tensor,
    tensor2: Tensor,
    *older: Tensor,
    value: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``input + value * tensor1 / tensor2``; RuntimeError if both are integers.

    >>> torch.addcdiv(torch.ones(2), torch.tensor([1.0, 2.0]), torch.tensor([2.0, 4.0]))
    tensor([1.5000, 1.5000])
    """
    if older:
        return in_order(addcdiv, "addcmul", input, tensor1, tensor2, *older, value=value, out=out)
    if out is None and (made := _at_once(_addcdiv, input, tensor1, tensor2, value)) is not None:
        return made
    check_tensor("addcdiv", input, tensor1, tensor2, names=("input", "tensor1", "tensor2"))
    if tensor1._data.dtype.kind in "biu" and tensor2._data.dtype.kind in "biu":
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future release addcdiv "
            "will perform a true division of tensor1 and tensor2."
        )
    if is_half(input) and is_half(tensor1) and is_half(tensor2):
        return rounded_once(addcdiv, input, tensor1, tensor2, value=value, out=out)
    result = input + _scaled(input, tensor1 / tensor2, value)
    return finished("addcdiv", result, out, (input, tensor1, tensor2))


def lerp(
    input: Tensor, end: Tensor, weight: Tensor | float, *, out: Tensor | None = None
) -> Tensor:
    """Returns ``input + weight * (end - input)``: the way from one tensor to another.

    >>> torch.lerp(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 6.0]), 0.5)
    tensor([2., 4.])
    """
    if weight.__class__ is float and out is None and alike_floats(input, end):
        if input._data.__class__ is end._data.__class__ is ndarray:
            try:
                return _lerp(input, end, weight)
            except ValueError:  # shapes that do not fit, of which minus tells in PyTorch's words
                pass
    check_tensor("lerp", input, end, names=("input", "end"))
    if isinstance(weight, TensorBase) and not weight._data.ndim:  # a number of any dtype
        same_dtype("lerp", input, end)
        input, end, weight = promoted("lerp", input, end, weight)
    refuse("lerp", input, "biu")
    same_dtype("lerp", input, end, *([weight] if isinstance(weight, TensorBase) else []))
    if is_half(input):
        return rounded_once(lerp, input, end, weight, out=out)
    span = end - input
    if isinstance(weight, TensorBase):
        # From the nearer end, which keeps the ends themselves exact.
        near = weight.abs() < 0.5  # type: ignore[attr-defined]
        result = where(near, input + weight * span, end - span * (1 - weight))  # type: ignore[operator]
    else:
        near = abs(weight) < 0.5
        result = input + span * weight if near else end - span * (1 - weight)
    return finished("lerp", result, out, (input, end, weight))


@derivative(
    saves=("weight",),
    kernel="lerp",
    name="LerpBackward0",
    d_input=lambda g, weight: g * (1 - weight),
    d_end=lambda g, weight: g * weight,
)
def _lerp(input: Tensor, end: Tensor, weight: float) -> Tensor:
    x, y = input._data, end._data
    B = outermost(x, y)
    return taped(_lerp, as_array(B, B.lerp(x, y, weight), x), (input, end), (weight,))


def _log_but_at_0(B: Any, g: Any, input: Any, other: Any) -> Any:
    """The slope in x, 0 where x is 0 and the logarithm infinite or none: the product is 0 there."""
    return B.masked_fill(g * B.log(other), (input == 0) & (other <= 0), 0)


@pointwise(
    result="float",
    refuses="c",
    d_input=_log_but_at_0,
    d_other=lambda g, input, other: g * (input / other),
)
def xlogy(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Returns ``input * log(other)``, 0 where ``input`` is 0, NaN where ``other`` is NaN.

    >>> torch.xlogy(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    ...


def _slope_of_logit(B: Any, g: Any, input: Any, eps: float | None) -> Any:
    if eps is None:
        outside, slope = (input < 0) | (input > 1), float("nan")
    else:
        outside, slope = (input < eps) | (input > 1 - eps), 0.0
    return B.masked_fill(g / (input * (1 - input)), outside, slope)


@derivative(saves=("input", "eps"), d_input=_slope_of_logit)
def _logit(input: Tensor, eps: float | None) -> Tensor:
    x = input._data
    B = backend_of(x)
    y = x
    if eps is not None:  # the lower end counts where they are the wrong way round
        y = B.where(x < eps, eps, B.where(x > 1 - eps, 1 - eps, x))
    z = B.cast(B.asarray(B.log(y / (1 - y))), x.dtype)
    return taped(_logit, z, (input,), (input, eps))


def logit(input: Tensor, eps: float | None = None, *, out: Tensor | None = None) -> Tensor:
    """Returns ``log(x / (1 - x))``, with x first limited to [eps, 1 - eps] if ``eps`` is given.

    >>> torch.logit(torch.tensor([0.5, 0.75]))
    tensor([0.0000, 1.0986])
    """
    refuse("logit", input, "c")
    return finished("logit", _logit(floating(input), eps), out, (input,))


def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Replaces NaN by a number (0) and infinities by others (the largest and the least of the dtype).

    >>> torch.nan_to_num(torch.tensor([float("nan"), 1.0]), nan=5)
    tensor([5., 1.])
    """
    check_tensor("nan_to_num", input)
    x = input._data
    if x.dtype.kind in "biu":
        return finished("nan_to_num", input.clone(), out)
    if x.dtype.kind == "c":
        parts = [nan_to_num(p, nan, posinf, neginf) for p in (input.real, input.imag)]
        return finished("nan_to_num", _complex(*parts), out, (input,))
    B = backend_of(x)
    most = B.largest(x.dtype)
    numbers = [
        0.0 if nan is None else nan,
        most if posinf is None else posinf,
        -most if neginf is None else neginf,
    ]
    return finished("nan_to_num", _nan_to_num(input, *numbers), out, (input,))


@derivative(
    saves=("input",),
    kernel="nan_to_num",
    name="NanToNumBackward0",
    d_input=lambda B, g, input: B.where(B.isfinite(input), g, B.zeros_like(g)),
)
def _nan_to_num(input: Tensor, nan: float, posinf: float, neginf: float) -> Tensor:
    x = input._data
    z = backend_of(x).nan_to_num(x, nan, posinf, neginf)
    return taped(_nan_to_num, z, (input,), (input,))


def _converted(name: str, input: Tensor, factor: float, out: Any) -> Tensor:
    refuse(name, input, "c")
    return finished(name, floating(input) * factor, out, (input,))


def deg2rad(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Converts degrees to radians.

    >>> torch.deg2rad(torch.tensor([180.0]))
    tensor([3.1416])
    """
    return _converted("deg2rad", input, math.pi / 180, out)


def rad2deg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Converts radians to degrees.

    >>> torch.rad2deg(torch.tensor([3.14159265]))
    tensor([180.])
    """
    return _converted("rad2deg", input, 180 / math.pi, out)


def double_of(*operands: Tensor | Number) -> _dtypes.dtype:
    """Returns the dtype of double precision that these are computed in."""
    return _dtypes.complex128 if result_type(*operands).is_complex else _dtypes.float64


def float_power(
    input: Tensor | Number, exponent: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Raises to a power in double precision.

    >>> torch.float_power(torch.tensor([2]), 0.5)
    tensor([1.4142], dtype=torch.float64)
    """
    wide = double_of(input, exponent)
    operands = [
        cast(o, numpy_dtype(wide)) if isinstance(o, TensorBase)
        else (complex(o) if wide.is_complex else float(o))  # type: ignore[arg-type]
        for o in (input, exponent)
    ]  # fmt: skip
    if out is not None and dtype_of(out._data) is not wide:
        raise RuntimeError(
            "the output given to float_power has dtype "
            f"{_dtypes.scalar_type_name(dtype_of(out._data))} but the operation's result requires "
            f"dtype {_dtypes.scalar_type_name(wide)}"
        )
    return finished("float_power", _pow(*operands), out, (input, exponent))


def heaviside(input: Tensor, values: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns 0 for negative elements, 1 for positive ones and ``values`` for 0.

    >>> torch.heaviside(torch.tensor([-1.0, 0.0, 2.0]), torch.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """
    try:
        x = input._data
        if out is None and x.dtype is values._data.dtype and x.dtype.kind != "c":
            return _heaviside(input, values)  # nearly always, and so found out first
    except AttributeError:
        check_tensor("heaviside", input, values, names=("input", "values"))
        raise
    if "c" in (input._data.dtype.kind, values._data.dtype.kind):
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    kinds = {t._data.dtype for t in (input, values, out) if t is not None}
    if len(kinds) > 1:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return _heaviside(input, values, out=out)


@pointwise(kernel="heaviside")
def _heaviside(input: Tensor, values: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`heaviside` of tensors of one dtype."""
    ...


@pointwise(refuses="bfc")
def gcd(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the greatest common divisors of integers.

    >>> torch.gcd(torch.tensor([4, 9]), torch.tensor([6, 3]))
    tensor([2, 3])
    """
    ...


@pointwise(refuses="bfc")
def lcm(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the least common multiples of integers.

    >>> torch.lcm(torch.tensor([4, 9]), torch.tensor([6, 3]))
    tensor([12,  9])
    """
    ...


@pointwise(refuses="biuc", d_input=lambda g: g, d_other=lambda g: g * 0)
def nextafter(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the next floating-point number on the way to ``other``.

    >>> torch.nextafter(torch.tensor([1.0]), torch.tensor([2.0])) > 1
    tensor([True])
    """
    ...


def ldexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns ``input * 2 ** other``.

    >>> torch.ldexp(torch.tensor([1.0, 3.0]), torch.tensor([2, 3]))
    tensor([ 4., 24.])
    """
    check_tensor("ldexp", input, other)
    power = exp2(floating(other))
    if is_half(input) and other._data.dtype.kind in "iu":
        power = cast(power, input._data.dtype)  # a power of 2 is exact, whatever the precision
    return finished("ldexp", mul(input, power), out, (input, other))


def sinc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns ``sin(pi x) / (pi x)``, and 1 at 0.

    >>> torch.sinc(torch.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """
    check_tensor("sinc", input)
    return finished("sinc", _sinc(floating(input)), out, (input,))


def _slope_of_sinc(B: Any, g: Any, input: Any, out: Any) -> Any:
    """(cos(pi x) - sinc x) / x, and 0 at 0."""
    zero = input == 0
    slope = (B.cos(input * math.pi) - out) / B.masked_fill(input, zero, 1)
    return g * B.conj(B.masked_fill(slope, zero, 0))


@derivative(saves=("input", "out"), name="SincBackward0", d_input=_slope_of_sinc)
def _sinc(input: Tensor) -> Tensor:
    x = input._data
    B = backend_of(x)
    zero = x == 0
    wide = B.cast(x, numpy_dtype(_dtypes.float32)) if is_half(input) else x
    y = B.masked_fill(wide, zero, 1) * math.pi
    z = B.cast(B.masked_fill(B.sin(y) / y, zero, 1), x.dtype)
    return taped(_sinc, z, (input,), (input, z))


def isposinf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Tells where elements are positive infinity.

    >>> torch.isposinf(torch.tensor([1.0, float("inf")]))
    tensor([False,  True])
    """
    return finished("isposinf", _infinite("isposinf", input, False), out)


def isneginf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Tells where elements are negative infinity.

    >>> torch.isneginf(torch.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """
    return finished("isneginf", _infinite("isneginf", input, True), out)


def _infinite(name: str, input: Tensor, negative: bool) -> Tensor:
    check_tensor(name, input)
    if input._data.dtype.kind == "c":
        raise RuntimeError(f"{name} does not support complex inputs.")
    return eq(input, float("-inf" if negative else "inf"))


def isreal(input: Tensor) -> Tensor:
    """Tells where elements have no imaginary part.

    >>> torch.isreal(torch.tensor([1 + 0j, 1j]))
    tensor([ True, False])
    """
    check_tensor("isreal", input)
    if input._data.dtype.kind == "c":
        return eq(input.imag, 0)
    return eq(input, input) | True


def cross(
    input: Tensor, other: Tensor, dim: int | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Returns the cross products of vectors of 3 along ``dim``, by default the first of size 3.

    >>> torch.cross(torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0]), dim=0)
    tensor([0, 0, 1])
    """
    check_tensor("cross", input, other)
    if dim is None:
        if 3 not in input._data.shape:
            raise RuntimeError("no dimension of size 3 in input")
    d: int = input._data.shape.index(3) if dim is None else dim
    return finished("cross", _cross("cross", input, other, d), out, (input, other))


def linalg_cross(
    input: Tensor, other: Tensor, *, dim: int = -1, out: Tensor | None = None
) -> Tensor:
    """Returns the cross products of vectors of 3 along ``dim``.

    >>> torch.linalg.cross(torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    check_tensor("linalg.cross", input, other)
    result = _cross("linalg.cross", input, other, dim)
    return finished("linalg.cross", result, out, (input, other))


def _cross(name: str, input: Tensor, other: Tensor, dim: int) -> Tensor:
    x, y = promoted(name, input, other)
    refuse_kernel("cross", x, "b")
    if x._data.ndim != y._data.ndim:
        raise RuntimeError(
            f"{name}: inputs must have the same number of dimensions, got {x._data.ndim} and "
            f"{y._data.ndim}"
        )
    shape = broadcast_shape(name, x._data.shape, y._data.shape)
    d = dim_of(dim, len(shape))
    if x._data.shape[d] != 3 or y._data.shape[d] != 3:
        raise RuntimeError(
            f"{name}: inputs dimension {dim} must have length 3. Got {x._data.shape[d]} and "
            f"{y._data.shape[d]}"
        )
    x, y = (t if t._data.shape == shape else expand(t, *shape) for t in (x, y))
    return _crossed(x, y, d)


@derivative(
    saves=("input", "other", "dim"),
    kernel="cross",
    name="LinalgCrossBackward0",
    d_input=lambda B, g, other, dim: B.cross(B.conj(other), g, dim),
    d_other=lambda B, g, input, dim: B.cross(g, B.conj(input), dim),
)
def _crossed(input: Tensor, other: Tensor, dim: int) -> Tensor:
    x, y = input._data, other._data
    B = outermost(x, y)
    z = as_array(B, B.cross(x, y, dim), x)
    return taped(_crossed, z, (input, other), (input, other, dim))


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Returns the matrix of the powers of a vector, the highest first unless ``increasing``.

    >>> torch.vander(torch.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    check_tensor("vander", x, names=("x",))
    if x._data.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = x._data.size if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    B = backend_of(x._data)
    wide = cast(x, numpy_dtype(_dtypes.int64)) if x._data.dtype.kind in "biu" else x
    if not count:
        return wrap(B.zeros((x._data.size, 0), wide._data.dtype))
    first = expand(wrap(B.full((1, 1), 1, wide._data.dtype)), x._data.size, 1)
    rest = expand(wide[:, None], x._data.size, count - 1)
    result = cumprod(cat([first, rest], 1), 1)
    return result if increasing else flip(result, (1,))


def clamp_min(input: Tensor, min: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Limits elements to ``min`` from below; see `clamp`.

    >>> torch.clamp_min(torch.tensor([-1.0, 2.0]), 0)
    tensor([0., 2.])
    """
    check_tensor("clamp_min", input)
    return clamp(input, min, out=out)


def clamp_max(input: Tensor, max: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Limits elements to ``max`` from above; see `clamp`.

    >>> torch.clamp_max(torch.tensor([-1.0, 2.0]), 0)
    tensor([-1.,  0.])
    """
    check_tensor("clamp_max", input)
    return clamp(input, None, max, out=out)
