"""Intel devices: which there are, and the one queue of work that each of them has here."""

from __future__ import annotations

import os
import threading
from functools import cached_property
from importlib.metadata import PackageNotFoundError, files
from typing import Any

from .accelerator import DeviceFacts


def find_runtime() -> None:
    """Tells SYCL where a pip-installed OpenCL runtime lies, unless the user has said so.

    Its registration file names the machine that built it, and so is found by nobody. This works until
    the first question for devices, also after dpctl's import.
    """
    if "OCL_ICD_FILENAMES" in os.environ:
        return
    try:
        listed = files("intel-opencl-rt") or ()
    except PackageNotFoundError:
        return
    for file in listed:
        if file.name == "libintelocl.so":
            os.environ["OCL_ICD_FILENAMES"] = str(file.locate().resolve())  # type: ignore[attr-defined]


def found() -> list[Any]:
    """Returns the GPUs, as the best driver shows them, or the CPU's SYCL device if there is none."""
    find_runtime()
    import dpctl

    for backend, kind in (("level_zero", "gpu"), ("opencl", "gpu"), ("all", "gpu"), ("all", "cpu")):
        if listed := dpctl.get_devices(backend=backend, device_type=kind):
            return list(listed)
    return []


class Device:
    """A device and its queue.

    Arrays on two queues never mix in dpnp, so a device has one, which runs its work in order: work
    that dpnp knows of and kernels of our own then need no events to wait for each other.
    """

    def __init__(self, sycl: Any, index: int) -> None:
        import dpctl

        self.sycl, self.index = sycl, index
        self.queue = dpctl.SyclQueue(sycl, property=("enable_profiling",))

    @cached_property
    def has_float64(self) -> bool:
        """Whether the device computes in double precision."""
        return bool(self.sycl.has_aspect_fp64)

    @cached_property
    def facts(self) -> DeviceFacts:
        """What the device says of itself."""
        d = self.sycl
        return DeviceFacts(
            name=d.name.strip(),
            vendor=d.vendor,
            driver_version=d.driver_version,
            total_memory=d.global_mem_size,
            compute_units=d.max_compute_units,
            max_work_group_size=d.max_work_group_size,
            major=0,
            minor=0,
            architecture=f"{d.backend.name}:{d.device_type.name}",
            has_float64=self.has_float64,
            has_float16=bool(d.has_aspect_fp16),
            sub_group_size=max(d.sub_group_sizes, default=1),
            shared_memory=d.local_mem_size,
            integrated=d.device_type.name == "cpu" or bool(d.has_aspect_usm_system_allocations),
        )


class Devices:
    """All devices, and which of them is current in each thread."""

    def __init__(self, sycl: list[Any]) -> None:
        self.all = [Device(d, i) for i, d in enumerate(sycl)]
        self.indices = {d.queue: d.index for d in self.all}
        self._chosen = threading.local()

    @property
    def index(self) -> int:
        """The number of this thread's current device."""
        return getattr(self._chosen, "index", 0)

    @index.setter
    def index(self, value: int) -> None:
        self._chosen.index = value

    @property
    def queue(self) -> Any:
        """The queue of this thread's current device."""
        return self.all[getattr(self._chosen, "index", 0)].queue
