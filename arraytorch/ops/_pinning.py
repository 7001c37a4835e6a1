"""Memory of the host that a device reads without the CPU's help."""

from __future__ import annotations

from typing import Any

from .._device import device as Device
from .._dtypes import scalar_type_name
from ..autograd.tape import taped
from ..backends import backend_for, backend_of, current_accelerator, dtype_of, loaded
from ._declare import derivative

Tensor = Any


def pinned(tensor: Tensor) -> Tensor:
    """Moves a new tensor into pinned memory; RuntimeError where there is no accelerator."""
    device = current_accelerator()
    if device is None:
        raise RuntimeError(
            "pin_memory=True requires a CUDA or other accelerator backend; no pinned memory "
            "allocator is available on this system."
        )
    _check_on_host(tensor)
    tensor._data = device.pinned(tensor._data)
    return tensor


def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """Returns a copy in pinned memory, from which ``non_blocking`` copies to a device are such.

    The tensor itself if it lies there. Raises RuntimeError where there is no accelerator, and for
    tensors that are not on the CPU.
    """
    backend = current_accelerator() if device is None else backend_for(Device(device))
    if backend is None or not hasattr(backend, "pinned"):
        raise RuntimeError("Cannot access accelerator device when none is available.")
    _check_on_host(self)
    if backend.is_pinned(self._data):
        return self
    return _pinned_copy(self, backend)


@derivative(d_input=lambda g: g, name="PinMemoryBackward0")
def _pinned_copy(input: Tensor, backend: Any) -> Tensor:
    return taped(_pinned_copy, backend.pinned(input._data), (input,))


def is_pinned(self: Tensor, device: Any = None) -> bool:
    """Returns whether the tensor lies in pinned memory, as after `pin_memory`.

    >>> torch.ones(2).is_pinned()
    False
    """
    x = self._data
    if backend_of(x).device_type != "cpu":
        return False
    return any(hasattr(B, "is_pinned") and B.is_pinned(x) for B in loaded())


def _check_on_host(tensor: Tensor) -> None:
    kind = backend_of(tensor._data).device_type
    if kind != "cpu":
        name = scalar_type_name(dtype_of(tensor._data))
        raise RuntimeError(
            f"cannot pin 'torch.{kind}.{name}Tensor' only dense CPU tensors can be pinned"
        )
