"""Tensors of given strides, and tensors that take other memory or another size in place."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import _dtypes
from .._device import device
from .._dtypes import dtype
from .._layouts import preserve_format
from ..autograd.modes import grad_enabled
from ..autograd.tape import TensorBase, forbid_leaf, stamp
from ..backends import backend_of, dtype_of, numpy_dtype
from ._pinning import pinned
from ._promote import broadcast_shape, place_for, shape_of
from ._results import check_tensor
from ._strides import (
    CHANNELS_LAST,
    check_layout,
    follows,
    inverse,
    order_of,
    order_of_format,
    packed_strides,
)
from .creation import finished
from .reduction import sum
from .shape import reshape

Tensor = Any


def empty_strided(
    size: Any,
    stride: Any,
    *,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Returns unset memory of a shape and of strides, which count elements.

    >>> torch.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    check_layout("empty_strided", layout)
    shape, steps = shape_of((size,), "empty_strided"), shape_of((stride,), "empty_strided")
    if len(shape) != len(steps):
        raise RuntimeError(
            f"dimensionality of sizes ({len(shape)}) must match dimensionality of strides "
            f"({len(steps)})"
        )
    for n in shape:
        if n < 0:
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {n}: {list(shape)}"
            )
    if any(s < 0 for s in steps):
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={list(shape)} and strides={list(steps)}"
        )
    room = 0 if 0 in shape else 1
    for n, s in zip(shape, steps, strict=True):
        room += (n - 1) * s if room else 0
    B, place = place_for(device)
    native = numpy_dtype(dtype or _dtypes.get_default_dtype())
    array = B.as_strided(B.empty((room,), native, place.index), shape, steps, 0)
    new = finished(array, requires_grad, "empty_strided")
    return pinned(new) if pin_memory else new


def empty_permuted(
    size: Any,
    physical_layout: Any,
    *,
    dtype: dtype | None = None,
    layout: Any = None,
    device: device | str | int | None = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Returns unset memory without gaps, in which the dimensions lie in a given order.

    >>> torch.empty_permuted((2, 3), (1, 0)).stride()
    (1, 2)
    """
    check_layout("empty_permuted", layout)
    shape, order = shape_of((size,), "empty_permuted"), tuple(physical_layout)
    if len(shape) != len(order):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(shape)} is not equal to len(physical_layout) = {len(order)}"
        )
    for i, d in enumerate(order):
        if not 0 <= d < len(shape):
            raise RuntimeError(
                f"Dimension out of range (expected to be between 0 and {len(shape) - 1}, but got {d} "
                f"at index {i}).  Negative dims are not supported."
            )
    if len(set(order)) != len(order):
        raise RuntimeError("Duplicate dim not allowed")
    B, place = place_for(device)
    native = numpy_dtype(dtype or _dtypes.get_default_dtype())
    array = B.empty(tuple([shape[d] for d in order]), native, place.index)
    new = finished(B.permute(array, inverse(order)), requires_grad, "empty_permuted")
    return pinned(new) if pin_memory else new


def new_empty_strided(
    self: Tensor,
    size: Any,
    stride: Any,
    dtype: dtype | None = None,
    device: device | str | int | None = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Returns unset memory of given strides with this tensor's dtype and device unless others are given."""
    place = backend_of(self._data).device_of(self._data) if device is None else device
    new = empty_strided(size, stride, dtype=dtype or dtype_of(self._data), layout=layout,
                         device=place, requires_grad=requires_grad)  # fmt: skip
    return pinned(new) if pin_memory else new


def _take_place(self: Tensor, array: Any) -> Tensor:
    """Gives a tensor other memory, or another view of its own."""
    self._data = array
    if self._node is not None:
        self._node.shape, self._node.dtype = array.shape, array.dtype
    stamp(self)
    return self


def resize_(self: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Gives the tensor another shape over the same memory, from new memory if that is too small.

    Elements that come into being hold whatever the memory held; those that it shared with other
    tensors it shares no longer where new memory was needed.

    >>> torch.arange(4).resize_(2)
    tensor([0, 1])
    """
    if self._node is not None:
        raise RuntimeError("cannot resize variables that require grad")
    shape = shape_of(sizes, "resize_")
    if any(n < 0 for n in shape):
        raise RuntimeError(f"resize_: sizes must not be negative, got {list(shape)}")
    if memory_format is preserve_format:
        raise RuntimeError("Unsupported memory format Preserve")
    order = order_of_format(memory_format, len(shape))
    x = self._data
    if x.shape == shape and order is None:
        return self
    B = backend_of(x)
    strides = packed_strides(shape, order)
    try:
        array = B.as_strided(x, shape, strides, B.storage_offset(x))
    except ValueError:
        old = order_of(x)
        flat = B.reshape(x if old is None else B.permute(x, old), (-1,))
        memory = B.empty((prod(shape),), x.dtype)
        B.write(memory[: flat.shape[0]], flat)
        array = B.as_strided(memory, shape, strides, 0)
        self._owner = None
    return _take_place(self, array)


def resize_as_(input: Tensor, the_template: Tensor, memory_format: Any = None) -> Tensor:
    """Gives ``input`` the shape of another tensor; see `Tensor.resize_`.

    >>> torch.resize_as_(torch.arange(4), torch.ones(2))
    tensor([0, 1])
    """
    check_tensor("resize_as_", input, the_template, names=("input", "the_template"))
    template = the_template._data
    shape = template.shape
    if memory_format is preserve_format:  # that of channels last, if the template has it, or none
        memory_format = next((f for f in CHANNELS_LAST if follows(template, f)), None)
    return resize_(input, shape, memory_format=memory_format)


def set_(
    self: Tensor,
    source: Tensor | None = None,
    storage_offset: int = 0,
    size: Any = None,
    stride: Any = None,
) -> Tensor:
    """Gives the tensor the memory of another one, or a part of it; without arguments, none.

    >>> torch.ones(1).set_(torch.arange(4.0), 1, (2,), (2,))
    tensor([1., 3.])
    """
    if grad_enabled.get():
        forbid_leaf(self)
    x = self._data
    B = backend_of(x)
    if source is None:
        self._owner = None
        return _take_place(self, B.empty((0,), x.dtype))
    if hasattr(source, "elements"):  # a storage, of which all is wanted unless a size is given
        source = source.elements(dtype_of(x))
    if not isinstance(source, TensorBase):
        raise TypeError(f"set_(): argument 'source' must be Tensor, not {type(source).__name__}")
    y = source._data
    if y.dtype is not x.dtype:
        have, want = dtype_of(y), dtype_of(x)
        raise RuntimeError(f"Could not set tensor of type {have!r} to a tensor of type {want!r}")
    if backend_of(y).device_of(y) != B.device_of(x):
        raise RuntimeError("Could not set tensor to the memory of another device")
    if size is not None:
        shape = shape_of((size,), "set_")
        steps = packed_strides(shape, None) if stride is None else shape_of((stride,), "set_")
        try:
            y = B.as_strided(y, shape, steps, storage_offset)
        except ValueError as error:
            raise RuntimeError(f"setStorage: {error}") from None
    self._owner = source if source._owner is None else source._owner
    return _take_place(self, y[...])


def sum_to_size(self: Tensor, *size: Any) -> Tensor:
    """Sums over dimensions until the tensor has a size that broadcasts to its own.

    >>> torch.ones(2, 3).sum_to_size(2, 1)
    tensor([[3.],
            [3.]])
    """
    wanted, shape = shape_of(size, "sum_to_size"), self._data.shape
    try:
        fits = broadcast_shape("sum_to_size", wanted, shape) == shape
    except RuntimeError:
        fits = False
    if not fits or len(wanted) > len(shape):
        raise RuntimeError(f"size {{{list(wanted)}}} is not expandable to size {{{list(shape)}}}.")
    if not wanted:
        return sum(self)
    if wanted == shape:
        return self
    lead = len(shape) - len(wanted)
    dims = [d for d in range(len(shape)) if d < lead or (wanted[d - lead] == 1 != shape[d])]
    return reshape(sum(self, dims, True) if dims else self, wanted)
