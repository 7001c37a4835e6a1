"""CUDA and ROCm devices through CuPy: transfers, queues, marks, memory and graphs."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from functools import cached_property
from typing import Any

import cupy
import numpy as np

from .accelerator import AcceleratorBackend, DeviceFacts

_KINDS = ("current", "peak", "allocated", "freed")


class Usage:
    """How much memory arrays (or the pool) hold, the most they held, and all that came and went."""

    def __init__(self) -> None:
        self.current = self.peak = self.allocated = self.freed = 0

    def add(self, amount: int) -> None:
        self.current += amount
        self.allocated += amount
        self.peak = max(self.peak, self.current)

    def drop(self, amount: int) -> None:
        self.current -= amount
        self.freed += amount

    def settle(self, amount: int) -> None:
        """Takes what the pool says is in use now for the truth: no hook tells all of it."""
        if amount > self.current:
            self.add(amount - self.current)
        else:
            self.drop(self.current - amount)

    def reset(self, peaks_only: bool) -> None:
        self.peak = self.current
        if not peaks_only:
            self.allocated = self.freed = 0


class MemoryLog(cupy.cuda.MemoryHook):
    """Counts what the pool hands out, takes back, and gets from the driver.

    Two calls of Python for each array, about a microsecond; a pool that is asked now and then would
    miss peaks. CuPy calls hooks in the thread that entered them alone, and none when the pool gives
    memory back to the driver, so the pool itself is asked for what is in use now. Sizes are the
    pool's, which rounds up to multiples of 512 bytes.
    """

    name = "arraytorch"

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.devices: dict[int, dict[str, Usage]] = {}

    def of(self, index: int) -> dict[str, Usage]:
        """The counts of a device."""
        found = self.devices.get(index)
        if found is None:
            names = ("allocated_bytes", "allocation", "reserved_bytes", "segment")
            found = self.devices[index] = {name: Usage() for name in names}
        return found

    def malloc_postprocess(self, **told: Any) -> None:
        with self.lock:
            counts = self.of(told["device_id"])
            counts["allocated_bytes"].add(told["mem_size"])
            counts["allocation"].add(1)

    def free_postprocess(self, **told: Any) -> None:
        with self.lock:
            counts = self.of(told["device_id"])
            counts["allocated_bytes"].drop(told["mem_size"])
            counts["allocation"].drop(1)

    def alloc_postprocess(self, **told: Any) -> None:
        with self.lock:
            counts = self.of(told["device_id"])
            counts["reserved_bytes"].add(told["mem_size"])
            counts["segment"].add(1)


class Stream:
    """A queue: CuPy's stream, with the device it belongs to."""

    def __init__(self, stream: Any, index: int, priority: int = 0) -> None:
        self.stream, self.index, self.priority = stream, index, priority
        self.pointer = stream.ptr


class Event:
    """A mark: CuPy's event, with the device it belongs to."""

    def __init__(self, index: int, timing: bool, blocking: bool, shared: bool) -> None:
        self.index, self.recorded = index, False
        self.event = cupy.cuda.Event(block=blocking, disable_timing=not timing, interprocess=shared)
        self.pointer = self.event.ptr


class Graph:
    """CuPy's graph, with the memory that it works in."""

    def __init__(self, graph: Any, pool: Any) -> None:
        self.graph, self.pool = graph, pool


class CupyDevices(AcceleratorBackend):
    """What `arraytorch.cuda` is made of."""

    checks: Any
    _kept: list[tuple[Any, Any]] = []

    @cached_property
    def _captures(self) -> dict[int, Any]:
        return {}

    memory_log: MemoryLog

    # devices

    def device_count(self) -> int:
        return cupy.cuda.runtime.getDeviceCount()

    def current_device(self) -> int:
        return cupy.cuda.runtime.getDevice()

    def set_device(self, index: int) -> None:
        cupy.cuda.runtime.setDevice(index)
        cupy.cuda.Device(index).use()

    def facts(self, index: int) -> DeviceFacts:
        told = cupy.cuda.runtime.getDeviceProperties(index)
        hip = cupy.cuda.runtime.is_hip
        architecture = _text(told.get("gcnArchName", b"")).split(":")[0] if hip else ""
        return DeviceFacts(
            name=_text(told["name"]),
            vendor="AMD" if hip else "NVIDIA",
            driver_version=_version(cupy.cuda.runtime.driverGetVersion(), hip),
            total_memory=int(told["totalGlobalMem"]),
            compute_units=int(told["multiProcessorCount"]),
            max_work_group_size=int(told["maxThreadsPerBlock"]),
            major=int(told["major"]),
            minor=int(told["minor"]),
            architecture=architecture or f"sm_{told['major']}{told['minor']}",
            has_float64=True,
            has_float16=True,
            sub_group_size=int(told["warpSize"]),
            shared_memory=int(told["sharedMemPerBlock"]),
            integrated=bool(told.get("integrated", 0)),
        )

    def toolkits(self) -> dict[str, str]:
        hip = cupy.cuda.runtime.is_hip
        version = _version(cupy.cuda.runtime.runtimeGetVersion(), hip)
        return (
            {"hip": version, "rocm": ".".join(version.split(".")[:2])} if hip else {"cuda": version}
        )

    def reaches(self, index: int, other: int) -> bool:
        return index == other or bool(cupy.cuda.runtime.deviceCanAccessPeer(index, other))

    def moved(self, x: Any, index: int | None, non_blocking: bool = False) -> Any:
        if index is None or index == x.device.id:
            return x
        home = x.device.id
        with self._on(home):
            source = cupy.ascontiguousarray(x)
        # The copy runs in the target's queue; what fills the source has to be done by then. An event
        # belongs to the device on which it was made.
        ready = self.new_mark(home, False, False, False)
        self.record(ready, self.current_queue(home))
        with cupy.cuda.Device(index):
            out = cupy.empty(x.shape, x.dtype)
            stream = cupy.cuda.get_current_stream()
            stream.wait_event(ready.event)
            out.data.copy_from_device_async(source.data, source.nbytes, stream)
        # The source's memory may be handed out again, for work that comes after the copy.
        copied = self.new_mark(index, False, False, False)
        self.record(copied, self.current_queue(index))
        self.wait(self.current_queue(home), copied)
        return out

    def _on(self, index: int | None) -> Any:
        """Makes a device current for the length of a `with`."""
        if index is None or index == cupy.cuda.runtime.getDevice():
            return nullcontext()
        return cupy.cuda.Device(index)

    # transfers

    def from_host(self, x: Any, index: int | None = None, non_blocking: bool = False) -> Any:
        with self._on(index):
            if not (non_blocking and x.size and x.flags.c_contiguous and self.is_pinned(x)):
                # By way of pinned memory of CuPy's own: this returns before the copy is done, too,
                # but x may be written as soon as it has returned.
                return cupy.array(x, order="C")
            out, stream = cupy.empty(x.shape, x.dtype), cupy.cuda.get_current_stream()
            out.data.copy_from_host_async(x.ctypes.data, x.nbytes, stream)
            self._keep(x, stream)
            return out

    def _keep(self, x: Any, stream: Any) -> None:
        """Keeps a host array alive until the copies that a queue has been given are made."""
        made = cupy.cuda.Event(disable_timing=True)
        made.record(stream)
        self._kept = [(event, y) for event, y in self._kept if not event.done] + [(made, x)]

    def to_host(self, x: Any, non_blocking: bool = False) -> Any:
        if non_blocking and x.size:
            out = self.pinned(np.empty(x.shape, x.dtype))
            with self._on(x.device.id):
                x.get(out=out, blocking=False)
            return out
        with self._on(x.device.id):
            found = x.get()
        self.checks.tell()
        return found

    def pinned(self, x: Any) -> Any:
        memory = cupy.cuda.alloc_pinned_memory(max(x.nbytes, 1))
        out = np.frombuffer(memory, x.dtype, x.size).reshape(x.shape)
        out[...] = x
        return out

    def is_pinned(self, x: Any) -> bool:
        owner = x
        while isinstance(owner, np.ndarray):
            owner = owner.base
        if isinstance(owner, memoryview):
            owner = owner.obj
        return isinstance(owner, cupy.cuda.PinnedMemoryPointer)

    # queues

    def new_queue(self, index: int, priority: int) -> Any:
        with self._on(index):
            stream = cupy.cuda.Stream(non_blocking=True, priority=priority)
        return Stream(stream, index, priority)

    def default_queue(self, index: int) -> Any:
        return Stream(cupy.cuda.Stream.null, index)

    def current_queue(self, index: int) -> Any:
        stream = cupy.cuda.get_current_stream(index)
        return Stream(stream, index, 0 if not stream.ptr else stream.priority)

    def use_queue(self, queue: Any) -> None:
        with self._on(queue.index):
            queue.stream.use()

    def queue_at(self, pointer: int, index: int) -> Any:
        return Stream(cupy.cuda.Stream.from_external(_Foreign(pointer)), index)

    def queue_done(self, queue: Any) -> bool:
        with self._on(queue.index):
            return bool(queue.stream.done)

    def synchronize_queue(self, queue: Any) -> None:
        with self._on(queue.index):
            queue.stream.synchronize()
        self.checks.tell()

    def synchronize(self, index: int | None = None) -> None:
        with self._on(index):
            cupy.cuda.runtime.deviceSynchronize()
        self.checks.tell()

    # marks

    def new_mark(self, index: int, timing: bool, blocking: bool, shared: bool) -> Any:
        with self._on(index):
            return Event(index, timing, blocking, shared)

    def record(self, mark: Any, queue: Any) -> None:
        with self._on(queue.index):
            mark.event.record(queue.stream)
        mark.recorded = True

    def wait(self, queue: Any, mark: Any) -> None:
        with self._on(queue.index):
            queue.stream.wait_event(mark.event)

    def mark_done(self, mark: Any) -> bool:
        return not mark.recorded or bool(mark.event.done)

    def synchronize_mark(self, mark: Any) -> None:
        if mark.recorded:
            mark.event.synchronize()
            self.checks.tell()

    def milliseconds(self, first: Any, last: Any) -> float:
        return float(cupy.cuda.get_elapsed_time(first.event, last.event))

    # memory

    def memory_stats(self, index: int) -> dict[str, int]:
        pool, counts = cupy.get_default_memory_pool(), self.memory_log.of(index)
        with self._on(index):
            told = {"allocated_bytes": pool.used_bytes(), "reserved_bytes": pool.total_bytes()}
        for name, amount in told.items():
            counts[name].settle(int(amount))
        stats = {
            f"{name}.all.{kind}": getattr(usage, kind)
            for name, usage in counts.items()
            for kind in _KINDS
        }
        return stats | {"num_alloc_retries": 0, "num_ooms": 0}

    def reset_memory_stats(self, index: int, peaks_only: bool) -> None:
        for usage in self.memory_log.of(index).values():
            usage.reset(peaks_only)

    def memory_info(self, index: int) -> tuple[int, int]:
        with self._on(index):
            free, total = cupy.cuda.runtime.memGetInfo()
        return int(free), int(total)

    def limit_memory(self, fraction: float, index: int) -> None:
        with self._on(index):
            # CuPy takes a fraction of 0 for no limit at all.
            pool = cupy.get_default_memory_pool()
            if fraction > 0:
                pool.set_limit(fraction=fraction)
            else:
                pool.set_limit(size=1)

    def empty_cache(self) -> None:
        cupy.get_default_memory_pool().free_all_blocks()
        cupy.get_default_pinned_memory_pool().free_all_blocks()

    # graphs

    def begin_capture(self, queue: Any, mode: str) -> None:
        if cupy.cuda.runtime.is_hip:
            raise RuntimeError("CuPy cannot capture graphs on ROCm")
        # Whatever the mode, the pool may have to ask the driver for memory in between, which all modes
        # but this one forbid.
        with self._on(queue.index):
            queue.stream.begin_capture(cupy.cuda.runtime.streamCaptureModeRelaxed)
        # What is allocated now is written in each replay, so nobody else may get it.
        pool = cupy.cuda.MemoryPool()
        allocating = cupy.cuda.using_allocator(pool.malloc)
        allocating.__enter__()
        self._captures[queue.pointer] = pool, allocating

    def is_capturing(self, queue: Any) -> bool:
        return bool(queue.stream.is_capturing())

    def end_capture(self, queue: Any) -> Any:
        pool, allocating = self._captures.pop(queue.pointer)
        allocating.__exit__(None, None, None)
        with self._on(queue.index):
            return Graph(queue.stream.end_capture(), pool)

    def launch(self, graph: Any, queue: Any) -> None:
        with self._on(queue.index):
            graph.graph.launch(stream=queue.stream)


class _Foreign:
    """A stream of another library, under the protocol by which CuPy takes one over."""

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.pointer


def _text(told: Any) -> str:
    return told.decode() if isinstance(told, bytes) else str(told)


def _version(number: int, hip: bool) -> str:
    """12080 is CUDA's 12.8, 70051831 HIP's 7.0.51831."""
    if hip:
        return f"{number // 10_000_000}.{number // 100_000 % 100}.{number % 100_000}"
    return f"{number // 1000}.{number % 1000 // 10}"
