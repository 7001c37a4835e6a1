"""Intel devices: which there are, the one queue of work that each has here, and marks in it."""

from __future__ import annotations

import gc
import os
import threading
from functools import cached_property
from importlib.metadata import PackageNotFoundError, files
from time import perf_counter
from typing import Any

from .accelerator import AcceleratorBackend, DeviceFacts


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

    Arrays on two queues never mix in dpnp, so a device has one. It is not an in-order queue: there,
    a kernel waits for the host tasks before it by blocking the thread that submits it, which holds
    Python's lock, which those tasks need. dpnp orders its work by events (`dpnp_programs` does too).
    """

    def __init__(self, sycl: Any, index: int) -> None:
        import dpctl

        self.sycl, self.index = sycl, index
        self.queue = dpctl.SyclQueue(sycl)
        if sycl.device_type.name == "cpu":
            _bound_backlog(self.queue)
        self.handle = QueueHandle(index, self.queue)
        self.peak = 0
        self.programs: dict[Any, Any] = {}  # what `dpnp_programs` has compiled

    @property
    def events(self) -> Any:
        """What has been submitted and may not have been done; later work waits for it."""
        from dpctl.utils import SequentialOrderManager

        return SequentialOrderManager[self.queue]

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
            integrated=d.device_type.name == "cpu",
        )


def _bound_backlog(queue: Any) -> None:
    """Lets no more than a few host tasks of a CPU's queue wait for Python's lock at once.

    dpnp gives its arguments free by host tasks, which need the lock, and some of its functions wait
    for the device without giving the lock away. Once all threads of the runtime are in such tasks,
    neither side goes on. So whoever submits waits now and then, without the lock.
    """
    from dpctl.utils import SequentialOrderManager

    class Bounded(type(SequentialOrderManager[queue])):  # type: ignore[misc]
        def add_event_pair(self, host_task_ev: Any, comp_ev: Any) -> None:
            super().add_event_pair(host_task_ev, comp_ev)
            if self.num_host_task_events > _BACKLOG:
                self.wait()

    SequentialOrderManager._map.get()[queue] = Bounded()


_BACKLOG = 2  # the runtime has a thread for each core, and some functions submit two tasks


class QueueHandle:
    """A queue as the streams of `arraytorch.xpu` hold it: all of a device are the same queue."""

    priority = 0

    def __init__(self, index: int, sycl: Any) -> None:
        self.index, self.pointer = index, sycl.addressof_ref()


class Mark:
    """A moment in a queue's work: an event behind all that was submitted before."""

    def __init__(self, index: int, timing: bool) -> None:
        self.index, self.timing = index, timing
        self.event: Any = None
        self.seconds: float | None = None


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


class DpnpDevices(AcceleratorBackend):
    """Devices, queues, marks and memory of the backend, which brings ``devices``."""

    devices: Devices

    def device_count(self) -> int:
        return len(self.devices.all)

    def current_device(self) -> int:
        return self.devices.index

    def set_device(self, index: int) -> None:
        self.devices.index = index

    def facts(self, index: int) -> DeviceFacts:
        return self.devices.all[index].facts

    def _device(self, index: int | None) -> Device:
        return self.devices.all[self.devices.index if index is None else index]

    def synchronize(self, index: int | None = None) -> None:
        self._device(index).queue.wait()

    # queues: a new one is the device's only one under another name

    def new_queue(self, index: int, priority: int) -> QueueHandle:
        return QueueHandle(index, self.devices.all[index].queue)

    def default_queue(self, index: int) -> QueueHandle:
        return self.devices.all[index].handle

    def queue_done(self, queue: Any) -> bool:
        return all(map(_done, self.devices.all[queue.index].events.submitted_events))

    def synchronize_queue(self, queue: Any) -> None:
        self.devices.all[queue.index].queue.wait()

    # marks

    def new_mark(self, index: int, timing: bool, blocking: bool, shared: bool) -> Mark:
        return Mark(index, timing)

    def record(self, mark: Any, queue: Any) -> None:
        """Puts a mark behind the work so far; waits for it if it is to measure time.

        A queue that stamps its events would slow down all work.
        """
        device = self.devices.all[queue.index]
        if mark.timing:
            device.queue.wait()
            mark.seconds = perf_counter()
        mark.event = device.queue.submit_barrier(device.events.submitted_events)

    def mark_done(self, mark: Any) -> bool:
        return mark.event is None or _done(mark.event)

    def synchronize_mark(self, mark: Any) -> None:
        if mark.event is not None:
            mark.event.wait()

    def wait(self, queue: Any, mark: Any) -> None:
        """Has later work of another device's queue wait; that of its own does anyway."""
        if mark.event is not None and queue.index != mark.index:
            mark.event.wait()

    # memory

    def memory_stats(self, index: int) -> dict[str, int]:
        """What living arrays hold, by a walk over Python's objects: slow, and free for all others.

        The peak is the largest that was ever asked for; nobody counts between.
        """
        device, held = self.devices.all[index], {}
        for found in gc.get_objects():
            if isinstance(found, self.array_types) and found.sycl_queue == device.queue:
                memory = found.get_array().usm_data
                held[memory._pointer] = memory.nbytes
        used = sum(held.values())
        device.peak = max(device.peak, used)
        return {
            f"{kind}.all.{what}": value
            for kind, now, most in (
                ("allocated_bytes", used, device.peak),
                ("reserved_bytes", used, device.peak),
                ("allocation", len(held), len(held)),
                ("segment", len(held), len(held)),
            )
            for what, value in (("current", now), ("peak", most))
        }

    def reset_memory_stats(self, index: int, peaks_only: bool) -> None:
        self.devices.all[index].peak = 0

    def memory_info(self, index: int) -> tuple[int, int]:
        """Free and total memory; where the driver does not tell the former, total less what arrays hold."""
        from dpctl.utils import intel_device_info

        total = self.facts(index).total_memory
        told = intel_device_info(self.devices.all[index].sycl).get("free_memory")
        used = self.memory_stats(index)["allocated_bytes.all.current"]
        return (total - used if told is None else told), total


def _done(event: Any) -> bool:
    return event.execution_status.name == "complete"
