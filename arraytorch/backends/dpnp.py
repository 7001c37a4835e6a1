"""dpnp: the backend of Intel devices."""

from __future__ import annotations

from typing import Any

import dpnp

from .._device import device
from .accelerator import AcceleratorBackend, DeviceFacts
from .dpnp_devices import Devices, found
from .dpnp_namespace import DpnpNamespace
from .dpnp_special import DpnpSpecial

Array = Any


class DpnpBackend(AcceleratorBackend):
    """Kernels on dpnp arrays."""

    device_type = "xpu"
    array_types = (dpnp.ndarray,)

    def __init__(self, devices: Devices | None = None) -> None:
        self.devices = devices or Devices(found())
        if not self.devices.all:
            raise RuntimeError("dpnp is installed, but SYCL finds no device")
        super().__init__(DpnpNamespace(self.devices))
        self._special_functions = DpnpSpecial(self)
        self._only = device("xpu", 0) if len(self.devices.all) == 1 else None

    # devices

    def device_of(self, x: Array) -> device:
        return self._only or device("xpu", self.devices.indices[x.sycl_queue])

    def device_count(self) -> int:
        return len(self.devices.all)

    def current_device(self) -> int:
        return self.devices.index

    def set_device(self, index: int) -> None:
        self.devices.index = index

    def facts(self, index: int) -> DeviceFacts:
        return self.devices.all[index].facts

    def describe(self) -> str:
        facts = self.facts(0)
        return f"dpnp {dpnp.__version__} on {facts.name} ({facts.architecture})"

    def _queue(self, index: int | None) -> Any:
        return self.devices.queue if index is None else self.devices.all[index].queue

    def supports(self, dtype: Any) -> bool:
        if dtype.kind == "V":  # bfloat16, which dpnp lacks
            return False
        wide = dtype.itemsize == (16 if dtype.kind == "c" else 8) and dtype.kind in "fc"
        return not wide or all(d.has_float64 for d in self.devices.all)

    def _special_namespace(self) -> DpnpSpecial:
        return self._special_functions

    # transfers

    def from_host(self, x: Any, index: int | None = None, non_blocking: bool = False) -> Array:
        return dpnp.asarray(x, sycl_queue=self._queue(index))

    def to_host(self, x: Array, non_blocking: bool = False) -> Any:
        return dpnp.asnumpy(x)

    def moved(self, x: Array, index: int | None, non_blocking: bool = False) -> Array:
        if index is None or self.device_of(x).index == index:
            return x
        return x.to_device(self._queue(index))

    def synchronize(self, index: int | None = None) -> None:
        self._queue(index).wait()

    # memory

    def shares(self, x: Array, y: Array) -> bool:
        return y is x or (x.size > 0 and _memory(y) is _memory(x))

    def overlap(self, x: Array, y: Array) -> bool:
        return _memory(x) is _memory(y)

    def data_ptr(self, x: Array) -> int:
        return int(x.get_array()._pointer) if x.size else 0

    def storage_offset(self, x: Array) -> int:
        return int(x.get_array()._element_offset)

    def real_pairs(self, x: Array) -> Array:
        part = x.real.dtype
        strides = (*x.strides, part.itemsize)
        start = 2 * x.get_array()._element_offset
        return _view(x, (*x.shape, 2), part, strides, start)

    def as_strided(
        self, x: Array, size: tuple[int, ...], stride: tuple[int, ...], offset: int
    ) -> Array:
        memory, step = _memory(x), x.dtype.itemsize
        self._check_room(memory.nbytes // step, size, stride, offset)
        if 0 in size:
            return dpnp.empty(size, dtype=x.dtype, sycl_queue=x.sycl_queue)
        return _view(x, size, x.dtype, [s * step for s in stride], offset)


def _memory(x: Array) -> Any:
    """The allocation that an array and all its views share."""
    return x.get_array().usm_data


def _view(x: Array, shape: Any, dtype: Any, strides: Any, start: int) -> Array:
    """A view of x's allocation: ``strides`` in bytes, ``start`` in elements of ``dtype``."""
    return dpnp.ndarray(shape, dtype, _memory(x), start, strides, sycl_queue=x.sycl_queue)
