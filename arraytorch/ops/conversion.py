"""Copies and conversions: to another dtype, device or memory."""

from __future__ import annotations

from typing import Any

from .._device import device as Device
from .._dtypes import PYTHON, named
from .._dtypes import dtype as Dtype
from .._layouts import preserve_format
from ..autograd.tape import TensorBase, taped
from ..backends import backend_for, backend_of, numpy_dtype
from ..backends.host import ndarray
from ._declare import cast, derivative
from ._promote import as_device
from ._results import check_tensor
from ._strides import copied, follows, order_for
from .shape import alias, reshape

Tensor = Any


@derivative(d_input=lambda g: g)
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """Returns a copy, in the memory order of ``input`` unless told otherwise; gradients flow through.

    >>> x = torch.ones(2)
    >>> torch.clone(x).data_ptr() == x.data_ptr()
    False
    """
    try:
        x = input._data
    except AttributeError:
        check_tensor("clone", input)
        raise
    if memory_format is None and backend_of(x).is_contiguous(x):
        return taped(clone, backend_of(x).copy(x), (input,))
    return taped(clone, copied(x, order_for(memory_format, x)), (input,))


@derivative(
    saves=("place",), name="ToCopyBackward0", d_input=lambda B, g, place: _sent(B, g, place)
)
def to_device(input: Tensor, place: Device, non_blocking: bool = False) -> Tensor:
    """Returns a copy on another device; ``non_blocking`` may return before it has been made."""
    source = backend_of(input._data)
    home = source.device_of(input._data)
    return taped(to_device, _sent(source, input._data, place, non_blocking), (input,), (home,))


def _sent(B: Any, x: Any, place: Device, non_blocking: bool = False) -> Any:
    if isinstance(x, TensorBase):
        return to_device(x, place)
    if hasattr(x, "layout"):
        return B.mapped(x, lambda part: _sent(backend_of(part), part, place, non_blocking))
    target = backend_for(place)
    if target is B:
        return B.moved(x, place.index, non_blocking) if hasattr(B, "moved") else x
    if not non_blocking:
        return target.from_host(B.to_host(x), place.index)
    # Only the backends of accelerators have copies that need not be waited for.
    host = B.to_host(x, non_blocking=True) if hasattr(B, "moved") else B.to_host(x)
    if hasattr(target, "moved"):
        return target.from_host(host, place.index, non_blocking=True)
    return target.from_host(host, place.index)


def to(
    self: Tensor,
    *args: Any,
    device: Any = None,
    dtype: Dtype | None = None,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: Any = None,
    other: Tensor | None = None,
) -> Tensor:
    """Returns the tensor as another dtype or on another device; itself if it is that already.

    Takes ``to(dtype)``, ``to(device)``, ``to(device, dtype)`` or ``to(other)``; ``copy=True`` makes
    a copy in any case.

    >>> torch.ones(2).to(torch.int64)
    tensor([1, 1])
    """
    if other is not None:
        args = (other, *args)
    if args:
        first, rest = args[0], list(args[1:])
        if isinstance(first, Dtype):
            dtype = first
        elif isinstance(first, TensorBase):
            device, dtype = first.device, first.dtype  # type: ignore[attr-defined]
        elif isinstance(first, (str, Device, int)) or first is None:
            device = first if first is not None else device
            if rest and (isinstance(rest[0], Dtype) or rest[0] is None or rest[0] in PYTHON):
                dtype = rest.pop(0) or dtype
        elif first.__class__ is type and first in PYTHON:
            dtype = PYTHON[first]
        else:
            raise TypeError(
                "to() received an invalid combination of arguments: the first must be a dtype, a "
                f"device or a tensor, not {type(first).__name__}"
            )
        if rest:
            non_blocking, copy = rest[0], rest[1] if len(rest) > 1 else copy
    x = self._data
    result = self
    if dtype is not None and numpy_dtype(dtype) is not x.dtype:
        result = cast(result, numpy_dtype(dtype))
    if device is not None:
        place = as_device(device)
        here = backend_of(x).device_of(x)
        if place.type != here.type or place.index not in (None, here.index):
            result = to_device(result, place, non_blocking)
    if copy and result is self:
        return clone(result, memory_format=memory_format)
    return formatted(result, memory_format)


def of_type(kind: str, device: Any) -> Device:
    """The device of a type that a user named; None is the current one, a number that one."""
    place = Device(kind, device) if isinstance(device, int) else as_device(device or kind)
    if place.type != kind:
        raise RuntimeError(f"Invalid device, must be {kind} device")
    return place


def record_stream(self: Tensor, stream: Any) -> None:
    """Keeps the tensor's memory from being handed out again before a stream has done its work.

    That is the work which the stream has been given by now.
    """
    if not hasattr(stream, "_queue"):
        raise TypeError(f"record_stream(): argument must be Stream, not {type(stream).__name__}")
    B = backend_of(self._data)
    if hasattr(B, "hold"):
        B.hold(self._data, stream._queue)


def formatted(input: Tensor, memory_format: Any) -> Tensor:
    """Returns the tensor if it lies as a memory format says (or that says nothing), else a copy."""
    if memory_format is None or memory_format is preserve_format:
        return input
    return contiguous(input, memory_format)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """Returns the tensor with the dtype and device of another."""
    try:
        x, y = self._data, other._data
        if x.__class__ is y.__class__ is ndarray and x.dtype is y.dtype:
            return self
    except AttributeError:
        pass
    return to(self, other)


@derivative(d_input=lambda g: g, name="CloneBackward0")
def _made_contiguous(input: Tensor) -> Tensor:
    x = input._data
    return taped(_made_contiguous, backend_of(x).contiguous(x), (input,))


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """Returns the tensor if its elements lie in C order without gaps, else a copy that does.

    ``memory_format`` may ask for another order, such as ``torch.channels_last``; RuntimeError if
    the tensor has not as many dimensions as that.

    >>> torch.ones(2, 3).t().contiguous().stride()
    (2, 1)
    """
    if memory_format is None:
        x = input._data
        if x.flags.c_contiguous if x.__class__ is ndarray else is_contiguous(input):
            return input
        return _made_contiguous(input)
    if follows(input._data, memory_format):
        return input
    if memory_format is preserve_format:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    return clone(input, memory_format=memory_format)


def ravel(input: Tensor) -> Tensor:
    """Returns the elements in one dimension without gaps, as a view where they lie so already.

    >>> torch.ravel(torch.zeros(2, 3)).shape
    torch.Size([6])
    """
    check_tensor("ravel", input)
    return reshape(contiguous(input), (-1,))


def is_contiguous(input: Tensor, memory_format: Any = None) -> bool:
    """Returns whether the elements lie in memory in C order (or in another) without gaps."""
    x = input._data
    if memory_format is None:
        if x.__class__ is ndarray:  # without asking the backend: half of the time
            return x.flags.c_contiguous
        return bool(backend_of(x).is_contiguous(x))
    return follows(x, memory_format)


def astype(name: str) -> Any:
    """Returns the method that converts to a dtype: ``float``, ``long`` ..."""
    dtype = named(name)

    def convert(self: Tensor, memory_format: Any = None) -> Tensor:
        native = numpy_dtype(dtype)
        result = self if self._data.dtype is native else cast(self, native)
        return result if memory_format is None else formatted(result, memory_format)

    convert.__doc__ = f"Returns the tensor as {name}; itself if it is that already."
    return convert


def view_alias(input: Tensor) -> Tensor:
    """Returns another tensor object for the same memory and history."""
    return alias(input)
