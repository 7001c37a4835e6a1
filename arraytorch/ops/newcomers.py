"""New tensors with the dtype and the device of another."""

from __future__ import annotations

from typing import Any

from .._device import CPU
from ..backends import backend_of, dtype_of, host
from . import creation
from ._pinning import pinned
from ._promote import shape_of
from .creation import _made

Tensor = Any


def _place(self: Tensor, device: Any) -> Any:
    return backend_of(self._data).device_of(self._data) if device is None else device


def _for_samples(self: Tensor, new: Tensor) -> Tensor:
    """The new tensor; inside vmap, with memory for each of the samples that ``self`` has."""
    if hasattr(self._data.shape, "levels"):
        new._data = backend_of(self._data).for_samples_of(self._data, new._data)
    return new


def _layout(self: Tensor, layout: Any) -> Any:
    return getattr(self._data, "layout", None) if layout is None else layout


def _new(
    name: str,
    self: Tensor,
    shape: tuple[int, ...],
    fill: Any,
    dtype: Any,
    device: Any,
    requires_grad: bool,
    layout: Any,
    pin_memory: bool,
) -> Tensor:
    x = self._data
    if dtype is None:
        dtype = dtype_of(x)
    if x.__class__ is host.ndarray:
        where = CPU if device is None else device
        new = _made(name, shape, fill, dtype, where, requires_grad, None, layout)
    else:
        where = _place(self, device)
        made = _made(name, shape, fill, dtype, where, requires_grad, None, _layout(self, layout))
        new = _for_samples(self, made)
    return pinned(new) if pin_memory else new


def new_zeros(
    self: Tensor,
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Returns zeros with this one's dtype and device unless others are given."""
    shape = shape_of(sizes if size is None else (size,), "new_zeros")
    return _new("zeros", self, shape, 0, dtype, device, requires_grad, layout, pin_memory)


def new_ones(
    self: Tensor,
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Returns ones with this one's dtype and device unless others are given."""
    shape = shape_of(sizes if size is None else (size,), "new_ones")
    return _new("ones", self, shape, 1, dtype, device, requires_grad, layout, pin_memory)


def new_empty(
    self: Tensor,
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Returns unset memory with this one's dtype and device unless others are given."""
    shape = shape_of(sizes if size is None else (size,), "new_empty")
    return _new("empty", self, shape, None, dtype, device, requires_grad, layout, pin_memory)


def new_full(
    self: Tensor,
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Returns one value with this one's dtype and device unless others are given."""
    new = creation.full(
        size,
        fill_value,
        dtype=dtype or dtype_of(self._data),
        layout=_layout(self, layout),
        device=_place(self, device),
        requires_grad=requires_grad,
    )
    if self._data.__class__ is not host.ndarray:
        new = _for_samples(self, new)
    return pinned(new) if pin_memory else new
