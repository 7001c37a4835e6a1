"""The tensor types of PyTorch's first years: `torch.FloatTensor` and the like.

They make tensors of one dtype in the memory of the CPU, and `isinstance` knows them.
"""

from __future__ import annotations

import warnings
from typing import Any

from . import _dtypes
from ._device import as_device, set_default_device
from ._dtypes import set_default_dtype
from ._layouts import strided
from ._size import Size
from ._tensor import Tensor
from .ops import creation
from .ops.shape import alias


class TensorType(type):
    """The class of the tensor types: tells the tensors of a type and makes new ones."""

    dtype: Any
    place: str  # the type of device
    title: str

    def __instancecheck__(cls, instance: object) -> bool:
        return (
            isinstance(instance, Tensor)
            and not instance.is_sparse
            and instance.dtype is cls.dtype
            and instance.device.type == cls.place
        )

    def __call__(cls, *args: Any, device: Any = None) -> Any:
        if device is not None and as_device(device).type != cls.place:
            raise RuntimeError(
                f"legacy constructor expects device type: {cls.place} but device type: "
                f"{as_device(device).type} was passed"
            )
        name, place = cls.title, device or cls.place
        if len(args) == 1 and not isinstance(args[0], (int, Size)):
            (data,) = args
            if isinstance(data, Tensor):
                if not isinstance(data, cls):
                    raise TypeError(f"expected {name} (got {data.type()})")
                return alias(data)
            if isinstance(data, str):
                raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
            if not hasattr(data, "__len__"):
                raise TypeError(f"new(): data must be a sequence (got {type(data).__name__})")
            return creation.tensor(data, dtype=cls.dtype, device=place)
        return creation.empty(*(args or (0,)), dtype=cls.dtype, device=place)


def type_of(dtype: Any, place: str = "cpu") -> Any:
    """Makes the type of tensors of a dtype on a type of device."""
    name = f"{_dtypes.scalar_type_name(dtype)}Tensor"
    module = __package__ if place == "cpu" else f"{__package__}.{place}"
    values = {
        "__doc__": f"Makes tensors of {dtype!r} of a shape or from data; prefer `torch.tensor`.",
        "__module__": module, "dtype": dtype, "layout": strided, "place": place,
        "title": f"torch.{name}" if place == "cpu" else f"torch.{place}.{name}",
        "is_cuda": place == "cuda", "is_sparse": False,
    }  # fmt: skip
    return TensorType(name, (), values)


def new(input: Any, *args: Any, device: Any = None, **named: Any) -> Any:
    """Makes a tensor of the same dtype and device, of a shape or from data.

    >>> torch.ones(2).new([3, 4])
    tensor([3., 4.])
    """
    size = (Size(named.pop("size")),) if "size" in named else ()
    kind = type_of(input.dtype, input.device.type)
    return kind(*args, *size, *named.values(), device=input.device if device is None else device)


FloatTensor, DoubleTensor = type_of(_dtypes.float32), type_of(_dtypes.float64)
HalfTensor, BFloat16Tensor = type_of(_dtypes.float16), type_of(_dtypes.bfloat16)
CharTensor, ByteTensor = type_of(_dtypes.int8), type_of(_dtypes.uint8)
ShortTensor, IntTensor = type_of(_dtypes.int16), type_of(_dtypes.int32)
LongTensor, BoolTensor = type_of(_dtypes.int64), type_of(_dtypes.bool)


def set_default_tensor_type(t: Any, /) -> None:
    """Sets the default dtype and device to those of a tensor type or its name; deprecated.

    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.set_default_tensor_type(torch.FloatTensor)
    >>> torch.get_default_dtype()
    torch.float32
    """
    warnings.warn(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use "
        "torch.set_default_dtype() and torch.set_default_device() as alternatives.",
        stacklevel=2,
    )
    name = t.title if isinstance(t, TensorType) else str(t)
    known = {f"torch.{_dtypes.scalar_type_name(d)}Tensor": d for d in _dtypes.ALL}
    place, plain = "cpu", name
    for kind in ("cuda", "xpu"):
        if name.startswith(f"torch.{kind}."):
            place, plain = kind, name.replace(f"{kind}.", "", 1)
    if plain not in known:
        raise TypeError(f"invalid type object: {name!r} is no tensor type")
    if not known[plain].is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, not {name}")
    set_default_dtype(known[plain])
    set_default_device(place)
