"""The larger and the smaller of pairs, and numbers kept within limits."""

from __future__ import annotations

from typing import Any

from ..autograd.tape import TensorBase, taped
from ..backends import backend_of
from ._declare import cast, derivative, kernel_op, pointwise
from ._fitting import fitting
from ._promote import alike, broadcast_shape, numpy_result
from ._write import write_result

Number = int | float | complex | bool
Tensor = Any


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
    if tensors[0]._data.dtype.kind == "b":
        raise NotImplementedError("\"clamp_cpu\" not implemented for 'Bool'")
    shapes = [t._data.shape for t in tensors if isinstance(t, TensorBase)]
    if len(shapes) > 1:
        broadcast_shape("clamp", *shapes)
    result = _clamp(*tensors)
    return result if out is None else write_result("clamp", out, result, (input, min, max))


clip = clamp
