"""The devices of one type: how many, which is current, what they say of themselves."""

from __future__ import annotations

from typing import Any

from .. import backends
from .._device import device as Device
from .._device import get_default_device
from .._dtypes import bfloat16
from ..autograd.tape import TensorBase


class Devices:
    """The devices of a type such as "cuda"."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def backend(self) -> Any:
        """The backend that serves the type; RuntimeError, saying what to install, if none does."""
        return backends.backend_for(Device(self.kind))

    def loaded(self) -> Any:
        """The backend if it is in use already, else None."""
        return next((b for b in backends.loaded() if b.device_type == self.kind), None)

    def index(self, device: Any = None) -> int:
        """The number of a device that a user named; None is the current one."""
        if isinstance(device, int):
            return device
        place = Device(self.kind) if device is None else Device(device)
        if place.type != self.kind:
            raise ValueError(f"Expected a {self.kind} device, but got: {place}")
        return self.backend().current_device() if place.index is None else place.index  # type: ignore[no-any-return]

    def checked(self, device: Any = None) -> int:
        """The same of a device that has to be there, RuntimeError otherwise."""
        index = self.index(device)
        backends.backend_for(Device(self.kind, index))
        return index

    # the public functions

    def is_available(self) -> bool:
        """Returns whether tensors can be put on such a device here, without raising."""
        return backends.is_available(self.kind)

    def device_count(self) -> int:
        """Returns the number of such devices, 0 where there is no backend for them."""
        return self.backend().device_count() if self.is_available() else 0

    def is_initialized(self) -> bool:
        """Returns whether the device type is in use: its library is loaded when first needed."""
        return self.loaded() is not None

    def init(self) -> None:
        """Loads the library of the device type. Raises RuntimeError where it is not to be had."""
        self.backend()

    def current_device(self) -> int:
        """Returns the number of the device that is meant where none is named."""
        return self.backend().current_device()  # type: ignore[no-any-return]

    def set_device(self, device: Any) -> None:
        """Makes a device this thread's current one; a negative number changes nothing."""
        if (index := self.index(device)) >= 0:
            self.backend().set_device(self.checked(index))

    def synchronize(self, device: Any = None) -> None:
        """Waits until a device, the current one unless another is named, has done all its work."""
        self.backend().synchronize(self.checked(device))

    def get_device_name(self, device: Any = None) -> str:
        """Returns what a device is called."""
        return self.get_device_properties(device).name  # type: ignore[no-any-return]

    def get_device_properties(self, device: Any = None) -> Any:
        """Returns what a device says of itself: name, memory, units ...

        Raises AssertionError for a number that no device has.
        """
        index = self.index(device)
        if not 0 <= index < self.backend().device_count():
            raise AssertionError("Invalid device id")
        return _PROPERTIES.get(self.kind, Properties)(self.backend().facts(index))

    def get_arch_list(self) -> list[str]:
        """Returns the architectures to compute on: those of the devices, as kernels are made for them."""
        if not self.is_available():
            return []
        every = [self.backend().facts(i) for i in range(self.device_count())]
        return sorted({f.architecture or f"sm_{f.major}{f.minor}" for f in every})

    def get_gencode_flags(self) -> str:
        """Returns the architectures as the compiler's flags."""
        pairs = [arch.split("_", 1) for arch in self.get_arch_list() if "_" in arch]
        return " ".join(f"-gencode compute=compute_{n},code={kind}_{n}" for kind, n in pairs)

    def can_device_access_peer(self, device: Any, peer_device: Any) -> bool:
        """Returns whether a device can read the memory of another directly.

        Raises AssertionError for a number that no device has.
        """
        index, peer = self.index(device), self.index(peer_device)
        count = self.backend().device_count()
        if not 0 <= index < count:
            raise AssertionError("Invalid device id")
        if not 0 <= peer < count:
            raise AssertionError("Invalid peer device id")
        return bool(self.backend().reaches(index, peer))

    def is_bf16_supported(self, including_emulation: bool = True) -> bool:
        """Returns whether a device computes with bfloat16, be it by way of float32.

        ``including_emulation=False`` asks for hardware that does it itself.
        """
        if not self.is_available():
            return False
        facts = self._facts()
        return (including_emulation and self._holds_bfloat16()) or facts.major >= 8

    def _holds_bfloat16(self) -> bool:
        backend = self.backend()
        try:
            backend.zeros((1,), backends.numpy_dtype(bfloat16))
        except (TypeError, ValueError):  # such as of a library without the dtype
            return False
        return True

    def is_tf32_supported(self) -> bool:
        """Returns whether the current device has units for products of shortened float32."""
        if not self.is_available():
            return False
        return self._facts().major >= 8 and not self._facts().architecture

    def _facts(self) -> Any:
        return self.backend().facts(self.backend().current_device())


class DeviceContext:
    """Makes a device the current one in a ``with`` block."""

    devices: Devices

    def __init__(self, device: Any) -> None:
        self.idx = None if device is None else self._number(device)
        self.prev_idx = -1

    def _number(self, device: Any) -> int | None:
        """The number, and None for a type alone: looking for the current device waits for `with`."""
        if isinstance(device, int):
            return device
        place = Device(device)
        if place.type != self.devices.kind:
            raise ValueError(f"Expected a {self.devices.kind} device, but got: {place}")
        return place.index

    def __enter__(self) -> None:
        if self.idx is not None and self.idx >= 0:
            self.prev_idx = self.devices.current_device()
            self.devices.set_device(self.idx)

    def __exit__(self, *_: object) -> None:
        if self.prev_idx >= 0:
            self.devices.set_device(self.prev_idx)


class DeviceOf(DeviceContext):
    """Makes the device of a tensor the current one; one on another type of device does nothing."""

    def __init__(self, obj: Any) -> None:
        there = isinstance(obj, TensorBase) and obj.device.type == self.devices.kind  # type: ignore[attr-defined]
        super().__init__(obj.device if there else None)


class Properties:
    """What a device says of itself."""

    _title = "DeviceProperties"
    _shown: tuple[str, ...] = ("name", "total_memory")

    def __init__(self, facts: Any) -> None:
        self.name = facts.name
        self.total_memory = facts.total_memory
        self._facts = facts

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={self._text(name)}" for name in self._shown)
        return f"{self._title}({shown})"

    def _text(self, name: str) -> str:
        value = getattr(self, name)
        if name == "total_memory":
            return f"{value // (1 << 20)}MB"
        return str(int(value)) if isinstance(value, bool) else repr(value)


class CudaProperties(Properties):
    """What a CUDA or ROCm device says of itself."""

    _title = "_CudaDeviceProperties"
    _shown = ("name", "major", "minor", "total_memory", "multi_processor_count")

    def __init__(self, facts: Any) -> None:
        super().__init__(facts)
        self.major, self.minor = facts.major, facts.minor
        self.multi_processor_count = facts.compute_units
        self.is_integrated = int(facts.integrated)
        self.warp_size = facts.sub_group_size
        self.max_threads_per_block = facts.max_work_group_size
        self.shared_memory_per_block = facts.shared_memory
        self.gcnArchName = facts.architecture or facts.name


class XpuProperties(Properties):
    """What an Intel device says of itself."""

    _title = "_XpuDeviceProperties"
    _shown = (
        "name", "vendor", "driver_version", "total_memory", "max_compute_units",
        "max_work_group_size", "has_fp16", "has_fp64",
    )  # fmt: skip

    def __init__(self, facts: Any) -> None:
        super().__init__(facts)
        self.vendor, self.driver_version = facts.vendor, facts.driver_version
        self.max_compute_units = facts.compute_units
        self.max_work_group_size = facts.max_work_group_size
        self.sub_group_sizes = [facts.sub_group_size]
        self.local_mem_size = facts.shared_memory
        self.is_integrated_gpu = facts.integrated
        self.has_fp16, self.has_fp64 = facts.has_float16, facts.has_float64


_PROPERTIES = {"cuda": CudaProperties, "xpu": XpuProperties}


def accelerator() -> Device | None:
    """The type of device that computes beside the CPU here, None if none does."""
    found = backends.current_accelerator()
    return None if found is None else Device(found.device_type)


def kind_of(device: Any) -> str:
    """The type of a device that a user named; None is that of the accelerator, or the default's."""
    if device is not None:
        return Device(device).type
    found = accelerator()
    return found.type if found is not None else get_default_device().type
