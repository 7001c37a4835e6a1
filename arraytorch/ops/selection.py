"""Choosing between elements, by a condition or by size, keeping them within limits, filling."""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from ..autograd.tape import TensorBase, taped, wrap
from ..backends import backend_of, dtype_of, numpy_dtype, outermost
from ..backends.host import ndarray
from ._declare import cast, derivative, kernel_op, pointwise
from ._fitting import fitting
from ._promote import alike, broadcast_shape, common_device, is_number, moved, numpy_result
from ._results import check_tensor
from ._write import write_result

Tensor = Any
Number = int | float | complex | bool


@derivative(
    saves=("condition",),
    name="WhereBackward0",
    kernel="where",
    d_input=lambda B, g, condition: B.where(condition, g, B.zeros_like(g)),
    d_other=lambda B, g, condition: B.where(condition, B.zeros_like(g), g),
)
def _where(condition: Tensor, input: Any, other: Any) -> Tensor:
    if not isinstance(input, TensorBase) or not isinstance(other, TensorBase):
        return where(condition, input, other)
    c = getattr(condition, "_data", condition)
    x, y = input._data, other._data
    B = outermost(x, y)
    z = B.where(c, x, y)
    return taped(_where, z, (input, other), (condition,))


def where(
    condition: Tensor,
    input: Tensor | Number | None = None,
    other: Tensor | Number | None = None,
    *,
    out: Tensor | None = None,
) -> Any:
    """Returns ``input`` where ``condition`` is true and ``other`` elsewhere, with broadcasting.

    With the condition alone, returns the indices where it is true, as `nonzero(as_tuple=True)`.

    >>> torch.where(torch.tensor([True, False]), torch.tensor([1.0, 2.0]), 0.0)
    tensor([1., 0.])
    """
    if out is None and (found := _simply(condition, input, other)) is not None:
        return found
    if not isinstance(condition, TensorBase):
        raise TypeError(
            f"where(): argument 'condition' (position 1) must be Tensor, not {type(condition).__name__}"
        )
    if input is None and other is None:
        x = condition._data
        B = backend_of(x)
        return tuple([wrap(i) for i in B.nonzero(x if x.ndim else B.reshape(x, (1,)))])
    if dtype_of(condition._data) not in (_dtypes.bool, _dtypes.uint8):
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{_dtypes.scalar_type_name(dtype_of(condition._data))}"
        )
    operands = [input, other]
    for position, (name, o) in enumerate((("input", input), ("other", other)), 2):
        if not (isinstance(o, TensorBase) or is_number(o)):
            raise TypeError(
                f"where(): argument '{name}' (position {position}) must be Tensor or Number, "
                f"not {type(o).__name__}"
            )
    tensors = [t for t in (condition, *operands) if isinstance(t, TensorBase)]
    place = common_device("where", tensors)
    broadcast_shape("where", *[t._data.shape for t in tensors])
    _, native = numpy_result(operands)
    condition = moved(condition, place)
    B = backend_of(condition._data)
    operands = [
        _number(B, o, native) if not isinstance(o, TensorBase)
        else moved(o, place) if o._data.dtype is native else cast(moved(o, place), native)
        for o in operands
    ]  # fmt: skip
    if condition._data.dtype.kind != "b":
        condition = wrap(condition._data != 0)
    result = _where(condition, *operands)
    return result if out is None else write_result("where", out, result, operands)


def _simply(condition: Any, input: Any, other: Any) -> Tensor | None:
    """`where` for a mask, tensors of one dtype and numbers as floats, all of the host; else None."""
    try:
        c = condition._data
        if c.__class__ is not ndarray or c.dtype.kind != "b":
            return None
        B = backend_of(c)
        if input.__class__ is float and other._data.dtype.kind == "f":
            input = _number(B, input, other._data.dtype)
        elif other.__class__ is float and input._data.dtype.kind == "f":
            other = _number(B, other, input._data.dtype)
        x, y = input._data, other._data
        if x.__class__ is y.__class__ is ndarray and x.dtype is y.dtype:
            return taped(_where, B.where(c, x, y), (input, other), (condition,))
    except (AttributeError, ValueError):  # where shapes do not fit, the error has other words
        pass
    return None


def _number(B: Any, value: Any, native: Any) -> Tensor:
    """A number as a tensor; by way of float32, so that -1e9 is -inf in float16 and no error."""
    if native.itemsize == 2 and native.kind not in "iu":
        single = numpy_dtype(_dtypes.float32)
        return wrap(B.cast(B.full((), fitting(value, single), single), native))
    return wrap(B.full((), fitting(value, native), native))


@derivative(saves=("mask",), kernel="masked_fill", name="MaskedFillBackward0",
            d_input=lambda B, g, mask: B.masked_fill(g, mask, 0))  # fmt: skip
def _masked_number(input: Tensor, mask: Tensor, value: Number) -> Tensor:
    x = input._data
    z = backend_of(x).masked_fill(x, getattr(mask, "_data", mask), value)
    return taped(_masked_number, z, (input,), (mask,))


def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """Returns ``input`` with ``value``, a number or 0-d tensor, wherever ``mask`` is true.

    >>> torch.masked_fill(torch.ones(2), torch.tensor([True, False]), 5)
    tensor([5., 1.])
    """
    if value.__class__ is float and isinstance(mask, TensorBase) and mask._data.dtype.kind == "b":
        if input._data.__class__ is mask._data.__class__ is ndarray:
            try:
                return _masked_number(input, mask, fitting(value, input._data.dtype))
            except ValueError:  # shapes that do not fit, which is said in other words
                pass
    if not isinstance(mask, TensorBase) or mask._data.dtype.kind != "b":
        check_tensor("masked_fill", input, mask, names=("input", "mask"))
        raise RuntimeError(
            "masked_fill_ only supports boolean masks, but got mask with dtype "
            f"{dtype_of(mask._data)!r}"
        )
    common_device("masked_fill", [input, mask])
    broadcast_shape("masked_fill", input._data.shape, mask._data.shape)
    if isinstance(value, TensorBase):
        if value._data.ndim:
            raise RuntimeError(
                "masked_fill only supports a 0-dimensional value tensor, but got tensor with "
                f"{value._data.ndim} dimension(s)."
            )
        if value._node is not None or hasattr(value._data.shape, "levels"):
            return where(mask, cast(value, input._data.dtype), input)
        value = value.item()  # type: ignore[attr-defined]
    return _masked_number(input, mask, fitting(value, input._data.dtype))


@derivative(d_input=lambda B, g: B.zeros_like(g))
def zeroed(input: Tensor) -> Tensor:
    """Returns zeros in the place of ``input``, whose gradient is zero."""
    return taped(zeroed, backend_of(input._data).zeros_like(input._data), (input,))


zeroed.rules.backward_name = "ZeroBackward0"


@derivative(kernel="zeros_like", d_input=lambda B, g: B.zeros_like(g))
def _zeros_like(input: Tensor) -> Tensor:
    return wrap(backend_of(input._data).zeros_like(input._data))


@derivative(saves=("shape",), name="FillBackward0", d_input=lambda B, g, shape: B.zeros_like(g),
            d_value=lambda g, shape: g)  # fmt: skip
def fill(input: Tensor, value: Tensor | Number) -> Tensor:
    """Returns ``value``, a number or 0-d tensor, in the shape and dtype of ``input``.

    >>> torch.fill(torch.zeros(2), 3)
    tensor([3., 3.])
    """
    try:
        x = input._data
    except AttributeError:
        check_tensor("fill", input)
        raise
    B = backend_of(x)
    if isinstance(value, TensorBase):
        if value._data.ndim:
            raise RuntimeError(
                "fill_ only supports 0-dimension value tensor but got tensor with "
                f"{value._data.ndim} dimensions."
            )
        z = B.empty(x.shape, x.dtype)
        B.write(z, value._data)
        return taped(fill, z, (input, value), (x.shape,))
    if not is_number(value):
        raise TypeError(
            f"fill(): argument 'value' (position 2) must be Number, not {type(value).__name__}"
        )
    return taped(fill, B.full(x.shape, fitting(value, x.dtype), x.dtype), (input, None), (x.shape,))


@derivative(
    saves=("input", "low", "high"),
    d_g=lambda B, g, input, low, high: B.outside(g, input, low, high, 0.0),
    d_input=lambda B, g: B.zeros_like(g),
)
def outside(g: Tensor, input: Tensor, low: float, high: float, value: float) -> Tensor:
    """Returns g where ``input`` lies outside of [low, high], also where it is NaN, else a value."""
    x, y = g._data, input._data
    B = outermost(x, y)
    z = B.cast(B.asarray(B.outside(x, y, low, high, value)), x.dtype)
    return taped(outside, z, (g, input), (input, low, high))


# Half of the gradient goes to each side of a tie, and all of it to both of a pair with NaN.
def _unless_it_loses(B: Any, g: Any, mine: Any, other: Any, loses: Any) -> Any:
    share = B.where(mine == other, g * 0.5, g)
    return B.where(loses, B.zeros_like(share), share)


@pointwise(
    refuses="c",
    refusal="maximum not implemented for complex tensors.",
    d_input=lambda B, g, input, other: _unless_it_loses(B, g, input, other, input < other),
    d_other=lambda B, g, input, other: _unless_it_loses(B, g, other, input, other < input),
)
def maximum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the larger element of each pair, NaN if there is one.

    >>> torch.maximum(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 3.0]))
    tensor([2., 4.])
    """
    ...


@pointwise(
    refuses="c",
    refusal="minimum not implemented for complex tensors.",
    d_input=lambda B, g, input, other: _unless_it_loses(B, g, input, other, input > other),
    d_other=lambda B, g, input, other: _unless_it_loses(B, g, other, input, other > input),
)
def minimum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the smaller element of each pair, NaN if there is one.

    >>> torch.minimum(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 3.0]))
    tensor([1., 3.])
    """
    ...


@pointwise(
    refuses="c",
    refusal="fmax not implemented for complex tensors.",
    d_input=lambda B, g, input, other: B.where(
        (input >= other) | B.isnan(other), g, B.zeros_like(g)
    ),
    d_other=lambda B, g, input, other: B.where(
        (input >= other) | B.isnan(other), B.zeros_like(g), g
    ),
)
def fmax(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the larger element of each pair, a number rather than NaN.

    >>> torch.fmax(torch.tensor([1.0, float("nan")]), torch.tensor([2.0, 3.0]))
    tensor([2., 3.])
    """
    ...


@pointwise(
    refuses="c",
    refusal="fmin not implemented for complex tensors.",
    d_input=lambda B, g, input, other: B.where(
        (input <= other) | B.isnan(other), g, B.zeros_like(g)
    ),
    d_other=lambda B, g, input, other: B.where(
        (input <= other) | B.isnan(other), B.zeros_like(g), g
    ),
)
def fmin(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the smaller element of each pair, a number rather than NaN.

    >>> torch.fmin(torch.tensor([1.0, float("nan")]), torch.tensor([2.0, 3.0]))
    tensor([1., 3.])
    """
    ...


@derivative(
    saves=("input", "low", "high"),
    name="ClampBackward1",
    d_input=lambda B, g, input, low, high: B.where(_inside(input, low, high), g, B.zeros_like(g)),
    d_low=lambda B, g, input, low, high: B.where(
        _clipped_low(input, low, high), g, B.zeros_like(g)
    ),
    d_high=lambda B, g, input, low, high: B.where(
        input > high if low is None else (input > high) | (low > high), g, B.zeros_like(g)
    ),
)
def _clamp(input: Tensor, low: Any, high: Any) -> Tensor:
    x, B = input._data, backend_of(input._data)
    z = B.cast(B.clamp(x, getattr(low, "_data", low), getattr(high, "_data", high)), x.dtype)
    lower, upper = (b if isinstance(b, TensorBase) else None for b in (low, high))
    return taped(_clamp, z, (input, lower, upper), (input, low, high))


def _inside(x: Any, low: Any, high: Any) -> Any:
    if low is None:
        return x <= high
    return x >= low if high is None else (x >= low) & (x <= high)


_BOUNDS = frozenset((int, float, type(None)))


def _clipped_low(x: Any, low: Any, high: Any) -> Any:
    return x < low if high is None else (x < low) & (low < high)


@kernel_op
def clamp(
    input: Tensor,
    min: Tensor | Number | None = None,
    max: Tensor | Number | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Limits elements to the range from ``min`` to ``max``, either of which may be a tensor or None.

    Where ``min > max``, the result is ``max``.

    >>> torch.clamp(torch.tensor([-1.0, 0.5, 2.0]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    if out is None and min is not max and min.__class__ in _BOUNDS and max.__class__ in _BOUNDS:
        try:
            x = input._data
            kind, B = x.dtype.kind, backend_of(x)  # the common case needs no promotion
            if kind == "f" or kind == "i" and float not in (min.__class__, max.__class__):
                z = B.cast(B.clamp(x, min, max), x.dtype)
                return taped(_clamp, z, (input, None, None), (input, min, max))
        except (AttributeError, OverflowError):
            pass
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    tensors: list[Any] = [input, min, max]
    if not alike([o for o in tensors if o is not None]) or input._data.dtype.kind == "c":
        dtype, native = numpy_result([o for o in tensors if o is not None])
        if dtype.is_complex:
            raise NotImplementedError("clamp is not supported for complex types")
        tensors = [
            cast(t, native) if isinstance(t, TensorBase) and t._data.dtype is not native
            else fitting(t, native) if t is not None and not isinstance(t, TensorBase) else t
            for t in tensors
        ]  # fmt: skip
    bounds = [b for b in (min, max) if b is not None]
    if tensors[0]._data.dtype.kind == "b" and (len(bounds) > 1 or is_number(bounds[0])):
        raise NotImplementedError("\"clamp_cpu\" not implemented for 'Bool'")
    shapes = [t._data.shape for t in tensors if isinstance(t, TensorBase)]
    if len(shapes) > 1:
        broadcast_shape("clamp", *shapes)
    result = _clamp(*tensors)
    return result if out is None else write_result("clamp", out, result, (input, min, max))


clip = clamp
