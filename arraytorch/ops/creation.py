"""Making tensors: from data, and filled."""

from __future__ import annotations

import warnings
from itertools import chain
from typing import Any

from .. import _dtypes
from .._device import as_device, device
from .._dtypes import dtype
from .._layouts import sparse_coo
from ..autograd.tape import Leaf, TensorBase, wrap
from ..backends import LARGE, backend_for, backend_of, dtype_of, expect_large, host, numpy_dtype
from ._fitting import fitting
from ._late import loaded
from ._pinning import pinned
from ._promote import is_number, place_for, plain, scalar_dtype, shape_of
from ._results import check_tensor
from ._strides import Order, check_layout, inverse, order_for, order_of_format
from ._write import write_result

Tensor = Any
Number = int | float | complex | bool


def finished(array: Any, requires_grad: bool, name: str) -> Tensor:
    """Returns an array as a new leaf; RuntimeError if gradients are wanted of integers."""
    if array.size >= LARGE:
        expect_large(array)
    out = wrap(array)
    if requires_grad:
        if array.dtype.kind in "biu":
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients: "
                f"{name}() was asked for {dtype_of(array)!r}"
            )
        out._node = Leaf(out)
    return out


def tensor(
    data: Any,
    *,
    dtype: dtype | None = None,
    device: device | str | int | None = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Returns a new leaf with a copy of ``data``: numbers, nested sequences, arrays, tensors.

    The dtype is that of an array or tensor; of Python numbers it is bool, int64, the default
    floating-point type or its complex counterpart. Tensors of one element count as numbers in
    sequences. Raises ValueError for ragged sequences.

    >>> torch.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    if isinstance(data, TensorBase):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() "
            "or sourceTensor.detach().clone().requires_grad_(True), rather than "
            "torch.tensor(sourceTensor).",
            stacklevel=2,
        )
    array = _array_from(data, dtype)
    B, place = place_for(device)
    source = backend_of(array)
    if source is not B and not (source.level and source.device_type == B.device_type):
        array = B.from_host(source.to_host(array), place.index)
        if source.device_type == "cpu" and B.device_type == "cpu":
            array = B.copy(array)
    new = finished(array, requires_grad, "tensor")
    return pinned(new) if pin_memory else new


def _array_from(data: Any, dtype: dtype | None) -> Any:
    """A fresh array with the elements of data, on the device where they are."""
    native = numpy_dtype(dtype) if dtype is not None else None
    if isinstance(data, TensorBase):
        x = data._data
        B = backend_of(x)
        return B.cast(B.copy(x), native or x.dtype)
    if is_number(data) and not isinstance(data, host.SCALARS):
        native = native or numpy_dtype(scalar_dtype(data))
        return _host().full((), _element(data, native), native)
    if isinstance(data, (list, tuple)):
        return _from_sequence(data, native)
    if hasattr(data, "__array__") or isinstance(data, (host.ndarray, *host.SCALARS)):
        x = host.as_native(data)
        dtype_of(x)
        return _host().cast(_host().copy(x), native or numpy_dtype(dtype_of(x)))
    if isinstance(data, str):
        raise TypeError(f"tensor(): invalid data type 'str': {data!r:.80}")
    if not hasattr(data, "__len__"):
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}: {data!r:.80}")
    return _from_sequence(list(data), native)


def _host() -> Any:
    return backend_for(as_device("cpu"))


def _element(value: Any, native: Any) -> Any:
    """A number as an element; one that is too large for a float becomes infinite here."""
    if native.kind in "iu" or isinstance(value, complex) and native.kind != "c":
        return fitting(value, native, {})
    return value


def _from_sequence(data: Any, native: Any) -> Any:
    kinds = _kinds(data)
    inferred = _inferred(data, kinds) if native is None else native
    if not kinds <= _NUMBERS and any(isinstance(d, TensorBase) for d in _flat(data)):
        data = _without_tensors(data)
    try:
        return host.from_nested(data, inferred)
    except OverflowError as error:
        raise RuntimeError(
            f"value cannot be converted to type {inferred.name} without overflow: {error}"
        ) from error
    except (ValueError, TypeError) as error:
        raise _nesting_error(data, error) from error


_NUMBERS = frozenset((bool, int, float, complex))


def _kinds(data: Any) -> set[type]:
    """The types of the elements of nested sequences, seen a whole level at a time."""
    kinds = {*map(type, data)}
    level = data
    while kinds and kinds <= {list, tuple}:
        level = [*chain.from_iterable(level)]
        kinds = {*map(type, level)}
    return kinds if kinds <= _NUMBERS else {type(d) for d in _flat(data)}


def _flat(data: Any) -> Any:
    stack = [data]
    while stack:
        d = stack.pop()
        if isinstance(d, (list, tuple)):
            stack.extend(d)
        else:
            yield d


def _without_tensors(data: Any) -> Any:
    if isinstance(data, TensorBase):
        if data._data.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return data.item()  # type: ignore[attr-defined]
    return [_without_tensors(d) for d in data] if isinstance(data, (list, tuple)) else data


def _inferred(data: Any, kinds: set[type]) -> Any:
    """The type of nested Python numbers: the highest category wins, then NumPy scalars' widths."""
    if not kinds:
        return numpy_dtype(_dtypes.get_default_dtype())
    if kinds <= _NUMBERS:
        for kind in (complex, float, int, bool):
            if kind in kinds:
                return numpy_dtype(scalar_dtype(kind(0)))
    found = None
    for d in _flat(data):
        if isinstance(d, TensorBase):
            own = dtype_of(d._data)
        elif hasattr(d, "dtype") and hasattr(d, "__array__"):
            own = dtype_of(host.as_native(d))
        elif is_number(d):
            own = scalar_dtype(d)
        else:
            raise TypeError(
                f"tensor(): cannot make a tensor of an element of type {type(d).__name__}"
            )
        found = own if found is None else _dtypes.promote_types(found, own)
    return numpy_dtype(found)  # type: ignore[arg-type]


def _nesting_error(data: Any, error: Exception) -> Exception:
    level, depth = [data], 0
    while level and all(isinstance(d, (list, tuple)) for d in level):
        lengths = {len(d) for d in level}
        if len(lengths) > 1:
            first = len(level[0])
            other = next(len(d) for d in level if len(d) != first)
            return ValueError(f"expected sequence of length {first} at dim {depth} (got {other})")
        level, depth = [e for d in level for e in d], depth + 1
    if isinstance(error, TypeError):
        return TypeError(f"tensor(): {error}")
    return ValueError(f"tensor(): {error}")


def as_tensor(
    data: Any, dtype: dtype | None = None, device: device | str | int | None = None
) -> Tensor:
    """Returns ``data`` as a tensor, sharing its memory and history where nothing must change.

    >>> x = torch.ones(2)
    >>> torch.as_tensor(x) is x
    True
    """
    if isinstance(data, TensorBase):
        moved = dtype is not None or device is not None
        return data.to(device=device, dtype=dtype) if moved else data
    if isinstance(data, host.ndarray):
        shared = from_numpy(data)
        return shared if dtype is None and device is None else shared.to(device=device, dtype=dtype)
    return tensor(data, dtype=dtype, device=device)


def asarray(
    obj: Any,
    *,
    dtype: dtype | None = None,
    device: device | str | int | None = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns ``obj`` as a tensor; ``copy`` may demand (True) or forbid (False) new memory.

    >>> torch.asarray([1, 2])
    tensor([1, 2])
    """
    if copy:
        out = tensor(obj, dtype=dtype, device=device)
    else:
        out = as_tensor(obj, dtype, device)
        if copy is False and not (isinstance(obj, (TensorBase, host.ndarray)) and host.share_memory(
            getattr(obj, "_data", obj), out._data)):  # fmt: skip
            raise ValueError("asarray(): cannot make a tensor of this object without copying")
    if requires_grad and out._node is None:
        out = finished(out._data, True, "asarray")
    elif not requires_grad and out._node is not None and not isinstance(obj, TensorBase):
        out = wrap(out._data)
    return out


def from_numpy(ndarray: Any) -> Tensor:
    """Returns a tensor that shares the memory of a NumPy array.

    Unlike in PyTorch, negative strides are allowed. Raises TypeError for anything else than an
    array, or for element types that no tensor has.

    >>> import numpy as np
    >>> torch.from_numpy(np.array([1.0, 2.0]))
    tensor([1., 2.], dtype=torch.float64)
    """
    if not isinstance(ndarray, host.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    return finished(host.as_native(ndarray), False, "from_numpy")


def frombuffer(
    buffer: Any,
    *,
    dtype: dtype,
    count: int = -1,
    offset: int = 0,
    requires_grad: bool = False,
) -> Tensor:
    """Returns a 1-d tensor that shares the memory of an object with a buffer.

    >>> torch.frombuffer(bytearray([1, 0, 2, 0]), dtype=torch.int16)
    tensor([1, 2], dtype=torch.int16)
    """
    try:
        array = host.frombuffer(buffer, numpy_dtype(dtype), count, offset)
    except ValueError as error:
        raise ValueError(f"frombuffer(): {error}") from error
    return finished(array, requires_grad, "frombuffer")


def _made(
    name: str,
    size: tuple[int, ...],
    fill: Any,
    dtype: dtype | None,
    device: Any,
    requires_grad: bool,
    out: Any = None,
    layout: Any = None,
    order: Order = None,
) -> Tensor:
    if layout is sparse_coo:
        return _without_elements(name, size, fill, dtype, device, requires_grad)
    if layout is not None:
        check_layout(name, layout)
    if size and min(size) < 0:
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {min(size)}: {list(size)}"
        )
    if dtype is None:
        dtype = _dtypes.get_default_dtype() if out is None else dtype_of(out._data)
    B, place = place_for(device)
    native = numpy_dtype(dtype)
    if order is not None:
        size = tuple([size[d] for d in order])
    if fill is None:
        array = B.empty(size, native, place.index)
    elif fill == 0 and fill.__class__ is int:
        array = B.zeros(size, native, place.index)
    else:
        array = B.full(size, fill, native, place.index)
    if order is not None:
        array = B.permute(array, inverse(order))
    result = finished(array, True, name) if requires_grad else wrap(array)
    return result if out is None else write_result(name, out, result)


def _without_elements(
    name: str, size: tuple[int, ...], fill: Any, dtype: Any, device: Any, requires_grad: bool
) -> Tensor:
    """Zeros as a sparse tensor."""
    if fill:
        raise RuntimeError("full(...) is not implemented for sparse layout")
    return loaded("sparse:empty")(size, dtype, device, requires_grad)


def _no_names(names: Any) -> RuntimeError:
    """The error where dimensions are to have names, which tensors do not keep."""
    return RuntimeError(f"tensors have no named dimensions here, names={names!r} was asked for")


def zeros(
    *sizes: Any,
    size: Any = None,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    names: Any = None,
) -> Tensor:
    """Returns a tensor of zeros.

    >>> torch.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    if names is not None:
        raise _no_names(names)
    shape = shape_of(sizes if size is None else (size,), "zeros")
    new = _made("zeros", shape, 0, dtype, device, requires_grad, out, layout)
    return pinned(new) if pin_memory else new


def ones(
    *sizes: Any,
    size: Any = None,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    names: Any = None,
) -> Tensor:
    """Returns a tensor of ones.

    >>> torch.ones(2)
    tensor([1., 1.])
    """
    if names is not None:
        raise _no_names(names)
    shape = shape_of(sizes if size is None else (size,), "ones")
    new = _made("ones", shape, 1, dtype, device, requires_grad, out, layout)
    return pinned(new) if pin_memory else new


def empty(
    *sizes: Any,
    size: Any = None,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: Any = None,
    names: Any = None,
) -> Tensor:
    """Returns a tensor with whatever values its memory held.

    >>> torch.empty(2, 3).shape
    torch.Size([2, 3])
    """
    if names is not None:
        raise _no_names(names)
    shape = shape_of(sizes if size is None else (size,), "empty")
    order = None if memory_format is None else order_of_format(memory_format, len(shape))
    new = _made("empty", shape, None, dtype, device, requires_grad, out, layout, order)
    return pinned(new) if pin_memory else new


def full(
    size: Any,
    fill_value: Any,
    *,
    out: Tensor | None = None,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    names: Any = None,
) -> Tensor:
    """Returns a tensor of one value, whose type is the dtype unless one is given.

    >>> torch.full((2,), 7)
    tensor([7, 7])
    """
    if names is not None:
        raise _no_names(names)
    if isinstance(fill_value, TensorBase):
        fill_value = fill_value.item()  # type: ignore[attr-defined]
    if dtype is None and out is None:
        dtype = scalar_dtype(fill_value)
    shape = shape_of((size,), "full") if not isinstance(size, int) else (size,)
    native = numpy_dtype(dtype) if dtype is not None else out._data.dtype  # type: ignore[union-attr]
    value = fitting(fill_value, native)
    new = _made("full", shape, value, dtype, device, requires_grad, out, layout)
    return pinned(new) if pin_memory else new


def _like(
    name: str,
    input: Tensor,
    fill: Any,
    dtype: Any,
    device: Any,
    requires_grad: bool,
    layout: Any,
    memory_format: Any,
) -> Tensor:
    try:
        x = input._data
    except AttributeError:
        check_tensor(name, input)
        raise
    if hasattr(x, "layout") if layout is None else layout is sparse_coo:
        return loaded("sparse:like")(input, fill, dtype, device, requires_grad)
    place = backend_of(x).device_of(x) if device is None else device
    plain = memory_format is None and x.__class__ is host.ndarray and x.flags.c_contiguous
    order = None if plain else order_for(memory_format, x)
    kind = dtype or dtype_of(x)
    if not hasattr(x.shape, "levels"):
        return _made(name, x.shape, fill, kind, place, requires_grad, None, layout, order)
    new = _made(name, x.shape, fill, kind, place, False, None, layout, order)
    new._data = backend_of(x).for_samples_of(x, new._data)
    return new.requires_grad_() if requires_grad else new


def zeros_like(
    input: Tensor,
    *,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Returns zeros of the shape, dtype and device of ``input``.

    >>> torch.zeros_like(torch.ones(2))
    tensor([0., 0.])
    """
    new = _like("zeros_like", input, 0, dtype, device, requires_grad, layout, memory_format)
    return pinned(new) if pin_memory else new


def ones_like(
    input: Tensor,
    *,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Returns ones of the shape, dtype and device of ``input``.

    >>> torch.ones_like(torch.zeros(2))
    tensor([1., 1.])
    """
    new = _like("ones_like", input, 1, dtype, device, requires_grad, layout, memory_format)
    return pinned(new) if pin_memory else new


def empty_like(
    input: Tensor,
    *,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Returns unset memory of the shape, dtype and device of ``input``.

    >>> torch.empty_like(torch.zeros(2)).shape
    torch.Size([2])
    """
    new = _like("empty_like", input, None, dtype, device, requires_grad, layout, memory_format)
    return pinned(new) if pin_memory else new


def full_like(
    input: Tensor,
    fill_value: Number,
    *,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Returns one value in the shape, dtype and device of ``input``.

    >>> torch.full_like(torch.zeros(2), 3)
    tensor([3., 3.])
    """
    try:
        native = numpy_dtype(dtype or dtype_of(input._data))
    except AttributeError:
        check_tensor("full_like", input)
        raise
    value = plain(fill_value.item() if isinstance(fill_value, TensorBase) else fill_value)
    value = fitting(value, native)
    new = _like("full_like", input, value, dtype, device, requires_grad, layout, memory_format)
    return pinned(new) if pin_memory else new


def scalar_tensor(
    s: Number,
    *,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Returns a 0-d tensor of the default dtype.

    >>> torch.scalar_tensor(3)
    tensor(3.)
    """
    new = full((), s, dtype=dtype or _dtypes.get_default_dtype(), device=device,
                requires_grad=requires_grad)  # fmt: skip
    return pinned(new) if pin_memory else new


def is_tensor(obj: Any) -> bool:
    """Returns whether an object is a tensor.

    >>> torch.is_tensor(torch.ones(1)), torch.is_tensor([1])
    (True, False)
    """
    return isinstance(obj, TensorBase)
