"""What the calls in a file do: make tensors of storages. Nothing else is ever called."""

from __future__ import annotations

from collections import Counter
from math import prod
from pickle import UnpicklingError
from typing import Any

from .. import _dtypes
from .._device import device
from .._dtypes import dtype
from .._layouts import layout, named_layout, sparse_coo
from .._tensor import Tensor
from ..autograd.tape import TensorBase, wrap
from ..backends import backend_for, backend_of, numpy_dtype
from ..nn.parameter import Parameter
from ..ops._late import loaded
from .storages import TypedStorage, UntypedStorage


def _rebuild_tensor(storage: Any, storage_offset: Any, size: Any, stride: Any) -> Tensor:
    _need(isinstance(storage, TypedStorage), "a tensor without a storage")
    return _placed(storage.untyped(), storage.dtype, storage_offset, size, stride)


def _rebuild_tensor_v2(
    storage: Any,
    storage_offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    backward_hooks: Any,
    metadata: Any = None,
) -> Tensor:
    tensor = _rebuild_tensor(storage, storage_offset, size, stride)
    return _finished(tensor, requires_grad, metadata)


def _rebuild_tensor_v3(
    storage: Any,
    storage_offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    backward_hooks: Any,
    dtype: Any,
    metadata: Any = None,
) -> Tensor:
    untyped = storage.untyped() if isinstance(storage, TypedStorage) else storage
    _need(isinstance(untyped, UntypedStorage), "a tensor without a storage")
    _need(isinstance(dtype, _dtypes.dtype), "a tensor without a dtype")
    return _finished(_placed(untyped, dtype, storage_offset, size, stride), requires_grad, metadata)


def _rebuild_parameter(data: Any, requires_grad: Any, backward_hooks: Any) -> Parameter:
    _need(isinstance(data, Tensor), "a parameter without a tensor")
    parameter = Parameter(data, bool(requires_grad))
    if parameter is not data:
        parameter._owner = data if data._owner is None else data._owner
    return parameter


def _rebuild_parameter_with_state(
    data: Any, requires_grad: Any, backward_hooks: Any, state: Any
) -> Parameter:
    return set_state(_rebuild_parameter(data, requires_grad, backward_hooks), state)


def _rebuild_meta_tensor_no_storage(
    dtype: Any, size: Any, stride: Any, requires_grad: Any
) -> Tensor:
    _need(isinstance(dtype, _dtypes.dtype), "a tensor without a dtype")
    shape = _sizes(size)
    array = backend_for(device("meta")).empty(shape, numpy_dtype(dtype))
    return _finished(wrap(array), requires_grad, None)


def _rebuild_device_tensor_from_cpu_tensor(
    data: Any, dtype: Any, device: Any, requires_grad: Any
) -> Tensor:
    _need(isinstance(data, Tensor) and isinstance(dtype, _dtypes.dtype), "a tensor without data")
    return _finished(data.to(dtype=dtype), requires_grad, None)


def _get_layout(name: Any) -> layout:
    _need(name in ("torch.strided", "torch.sparse_coo"), f"a tensor of the layout {name}")
    return named_layout(name.removeprefix("torch."))


def _rebuild_sparse_tensor(layout: Any, data: Any) -> Tensor:
    _need(layout is sparse_coo, "a sparse tensor of a layout that is not there")
    fine = isinstance(data, tuple) and len(data) in (3, 4)
    _need(
        fine and all(isinstance(part, Tensor) for part in data[:2]), "a sparse tensor without parts"
    )
    indices, values, size = data[:3]
    _need(indices.dtype is _dtypes.int64, "a sparse tensor whose indices are not integers")
    coalesced = bool(data[3]) if len(data) == 4 else False
    return loaded("sparse:restored")(indices, values, _sizes(tuple(size)), coalesced)


def _rebuild_from_type_v2(func: Any, new_type: Any, args: Any, state: Any) -> Tensor:
    # The unpickler has seen to it that `func` is one of the functions above.
    tensor = func(*args)
    _need(issubclass(new_type, Tensor), "a tensor of a type that is none")
    tensor.__class__ = new_type
    return set_state(tensor, state)


def _placed(storage: UntypedStorage, d: dtype, offset: Any, size: Any, stride: Any) -> Tensor:
    shape, strides = _sizes(size), _sizes(stride)
    _need(len(shape) == len(strides) and len(shape) <= 64, "a tensor of impossible shape")
    (start,) = _sizes((offset,))
    if prod(shape):
        last = start + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        _need(
            (last + 1) * d.itemsize <= storage.nbytes(),
            f"a tensor of size {shape} that reaches beyond its storage",
        )
    tensor = wrap(storage.view(d, start, shape, strides))
    if storage.device.type == "cpu":
        # A write to one of them must be seen to change the others.
        if storage.first is None:
            storage.first = tensor
        else:
            tensor._owner = storage.first
    return tensor


def _sizes(numbers: Any) -> tuple[int, ...]:
    fine = isinstance(numbers, (tuple, list)) and all(type(n) is int and n >= 0 for n in numbers)
    _need(fine, "a tensor whose size, stride or offset is no number")
    return tuple(numbers)


def _finished(tensor: Tensor, requires_grad: Any, metadata: Any) -> Tensor:
    if metadata:
        _need(isinstance(metadata, dict), "a tensor with unknown metadata")
        # PyTorch keeps these as flags on the data; here they are computed at once.
        B = backend_of(tensor._data)
        if metadata.get("conj"):
            tensor = wrap(B.conj(tensor._data))
        if metadata.get("neg"):
            tensor = wrap(-tensor._data)
    if requires_grad:
        tensor.requires_grad = True
    return tensor


def set_state(obj: Any, state: Any) -> Any:
    """Gives ``obj`` the Python attributes that a file says it had.

    Raises pickle.UnpicklingError for names that have a meaning of their own in its class, which a
    file could abuse.
    """
    parts = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    for part in parts:
        _need(part is None or isinstance(part, dict), "attributes that are no dictionary")
        for name, value in (part or {}).items():
            _need(type(name) is str, "an attribute whose name is no string")
            _need(not hasattr(type(obj), name), f"an attribute that would replace '{name}'")
            obj.__dict__[name] = value
    return obj


def internal(name: str) -> bool:
    """Whether a tensor's attribute is its machinery rather than the user's."""
    return name in TensorBase.__annotations__ or hasattr(Tensor, name)


def _need(condition: Any, what: str) -> None:
    if not condition:
        raise UnpicklingError(f"the file describes {what}")


# ------------------------------------------------------------------------ harmless constructors


def make_bytes(text: Any, encoding: Any) -> bytes:
    """Returns the bytes that protocol 2 writes as text; codecs could import modules."""
    _need(isinstance(text, str) and encoding in ("latin1", "latin-1"), "bytes in an odd encoding")
    return text.encode("latin-1")


def make_bytearray(*args: Any) -> bytearray:
    """Returns a bytearray; not one of a given length, which could exhaust the memory."""
    if len(args) == 2:
        return bytearray(make_bytes(*args))
    _need(not args or isinstance(args[0], bytes), "a bytearray that is not made of bytes")
    return bytearray(*args)


def make_complex(real: Any, imag: Any) -> complex:
    """Returns a complex number."""
    _need(type(real) is float and type(imag) is float, "a complex number not made of floats")
    return complex(real, imag)


def make_set(*items: Any) -> set[Any]:
    """Returns a set of the elements of a list."""
    _need(not items or (len(items) == 1 and isinstance(items[0], (list, tuple))), "an odd set")
    return set(*items)


def make_frozenset(*items: Any) -> frozenset[Any]:
    """Returns a frozenset of the elements of a list."""
    return frozenset(make_set(*items))


def make_counter(*counts: Any) -> Counter[Any]:
    """Returns a Counter of a dictionary."""
    _need(not counts or (len(counts) == 1 and type(counts[0]) is dict), "an odd Counter")
    return Counter(*counts)
