"""dpnp: the backend of Intel devices.

What dpnp does as NumPy does is inherited; overridden here, and by topic in the files `dpnp_*.py`, is
what it does otherwise, lacks, or does many times slower than a kernel of our own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import dpnp
import dpnp.tensor
import numpy as np

from .._device import device
from .arrays import ArrayKernels
from .dpnp_devices import Devices, DpnpDevices, found
from .dpnp_indexing import DpnpIndexing
from .dpnp_namespace import DpnpNamespace, check_dtype
from .dpnp_optimizers import DpnpOptimizers
from .dpnp_pointwise import DpnpPointwise
from .dpnp_programs import Launcher
from .dpnp_random import DpnpRandom
from .dpnp_rows import DpnpRows
from .dpnp_special import DpnpSpecial
from .dpnp_windows import DpnpWindows
from .generic import ArrayModuleBackend

Array = Any


class DpnpBackend(
    DpnpIndexing, DpnpRows, DpnpWindows, DpnpOptimizers, DpnpPointwise, DpnpRandom, DpnpDevices
):
    """Kernels on dpnp arrays."""

    device_type = "xpu"
    array_types = (dpnp.ndarray,)

    def __init__(self, devices: Devices | None = None) -> None:
        self.devices = devices or Devices(found())
        if not self.devices.all:
            raise RuntimeError(
                "dpnp is installed, but SYCL finds no device: neither a GPU with Intel's driver nor an "
                "OpenCL runtime for the CPU (pip install intel-opencl-rt)"
            )
        super().__init__(DpnpNamespace(self.devices))
        del self.pow  # the method is meant
        self.launch = Launcher(self.devices)
        if not all(d.has_float64 for d in self.devices.all):
            self.double, self.complex_double = np.dtype("f4"), np.dtype("c8")
        self._special_functions = DpnpSpecial(self)
        self._only = device("xpu", 0) if len(self.devices.all) == 1 else None
        if self._only is None:
            self._follow_arrays()

    def _follow_arrays(self) -> None:
        """Has each kernel make its arrays where its arguments are, which need not be the current device."""
        machinery = {*dir(DpnpDevices)} - {*dir(ArrayModuleBackend)}
        own = {*vars(DpnpBackend)} - {*vars(ArrayKernels)}
        for name in {*dir(self)} - machinery - own - {*vars(ArrayModuleBackend), "launch"}:
            if not name.startswith("_") and callable(kernel := getattr(self, name)):
                setattr(self, name, placed(self.devices, kernel))

    # devices

    def device_of(self, x: Array) -> device:
        return self._only or device("xpu", self.devices.indices[x.sycl_queue])

    def describe(self) -> str:
        facts = self.facts(0)
        return f"dpnp {dpnp.__version__} on {facts.name} ({facts.architecture})"

    def supports(self, dtype: Any) -> bool:
        if dtype.kind == "V":  # bfloat16, which dpnp lacks
            return False
        wide = dtype.kind in "fc" and dtype.itemsize == (16 if dtype.kind == "c" else 8)
        return not wide or all(d.has_float64 for d in self.devices.all)

    def _special_namespace(self) -> DpnpSpecial:
        return self._special_functions

    # transfers

    def from_host(self, x: Any, index: int | None = None, non_blocking: bool = False) -> Array:
        place = self._device(index)
        check_dtype(x.dtype, place)
        return dpnp.asarray(x, sycl_queue=place.queue)

    def to_host(self, x: Array, non_blocking: bool = False) -> Any:
        return dpnp.asnumpy(x)

    def moved(self, x: Array, index: int | None, non_blocking: bool = False) -> Array:
        if index is None or self.device_of(x).index == index:
            return x
        return x.to_device(self.devices.all[index].queue)

    def from_dlpack(self, source: Any) -> Array:
        """An array over the memory of another library, on the queue of the device that it lies on."""
        given = dpnp.from_dlpack(source)
        for place in self.devices.all:
            if place.sycl == given.sycl_device:
                shared = dpnp.tensor.asarray(_OnQueue(given, place.queue))
                return dpnp.ndarray._create_from_usm_ndarray(shared)
        raise RuntimeError(
            f"from_dlpack: the array lies on {given.sycl_device.name}, which is no xpu"
        )

    # memory

    def cast(self, x: Array, dtype: Any) -> Array:
        if x.dtype is not dtype:
            check_dtype(dtype, self._device(self.device_of(x).index))
        return super().cast(x, dtype)

    def shares(self, x: Array, y: Array) -> bool:
        return y is x or (x.size > 0 and _memory(y) is _memory(x))

    def overlap(self, x: Array, y: Array) -> bool:
        return _memory(x) is _memory(y)

    def data_ptr(self, x: Array) -> int:
        return int(x.get_array()._pointer) if x.size else 0

    def allocation(self, x: Array) -> Array:
        """All of the memory that x shares with its views, as a flat array of x's type."""
        size = x.dtype.itemsize
        return _view(x, (_memory(x).nbytes // size,), x.dtype, (size,), 0)

    def storage_offset(self, x: Array) -> int:
        return int(x.get_array()._element_offset)

    def real_pairs(self, x: Array) -> Array:
        part = x.real.dtype
        start = 2 * x.get_array()._element_offset
        return _view(x, (*x.shape, 2), part, (*x.strides, part.itemsize), start)

    def as_strided(
        self, x: Array, size: tuple[int, ...], stride: tuple[int, ...], offset: int
    ) -> Array:
        step = x.dtype.itemsize
        self._check_room(_memory(x).nbytes // step, size, stride, offset)
        if 0 in size:
            return dpnp.empty(size, dtype=x.dtype, sycl_queue=x.sycl_queue)
        return _view(x, size, x.dtype, [s * step for s in stride], offset)


def placed(devices: Devices, kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel that runs with the device of its first array, or of the argument ``index``, current."""
    names = [] if hasattr(kernel, "nin") else list(inspect.signature(kernel).parameters)
    place = names.index("index") if "index" in names else len(names)

    @wraps(kernel)
    def run(*args: Any, **options: Any) -> Any:
        array = _first(args) if args else None
        if array is not None:
            index: Any = devices.indices[array.sycl_queue]
        else:
            index = args[place] if place < len(args) else options.get("index")
        before = devices.index
        devices.index = before if index is None else index
        try:
            return kernel(*args, **options)
        except dpnp.exceptions.ExecutionPlacementError as error:
            raise ValueError(str(error)) from None  # the operation says which devices they are
        finally:
            devices.index = before

    return run


def _first(args: Any) -> Any:
    """The first array among arguments, and in tuples and lists of them."""
    for arg in args:
        if isinstance(arg, dpnp.ndarray):
            return arg
        if isinstance(arg, (tuple, list)) and (found := _first(arg)) is not None:
            return found
    return None


class _OnQueue:
    """An array's memory as dpnp takes it from others, on a queue of our own."""

    def __init__(self, x: Array, queue: Any) -> None:
        self.owner = x
        found = x.get_array().__sycl_usm_array_interface__
        self.__sycl_usm_array_interface__ = {**found, "syclobj": queue}


def _memory(x: Array) -> Any:
    """The allocation that an array and all its views share."""
    return x.get_array().usm_data


def _view(x: Array, shape: Any, dtype: Any, strides: Any, start: int) -> Array:
    """A view of x's allocation: ``strides`` in bytes, ``start`` in elements of ``dtype``."""
    return dpnp.ndarray(shape, dtype, _memory(x), start, strides, sycl_queue=x.sycl_queue)
