"""An accelerator that is none: two devices of toys, queues and memory that only keep accounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from toy_backend import Namespace, Toy

from arraytorch import backends, device
from arraytorch.backends.accelerator import AcceleratorBackend, DeviceFacts, Queue

TOTAL = 16 << 30


class FakeAccelerator(AcceleratorBackend):
    """Two devices. ``calls`` has the names and the arguments of what was asked of it."""

    array_types = (Toy,)

    def __init__(self, kind: str) -> None:
        super().__init__(Namespace())
        self.device_type = kind
        self.calls: list[tuple[Any, ...]] = []
        self.here = 0
        self.queues: dict[int, Any] = {}
        self.made = 0
        self.capturing: Any = None
        self.locked: list[Any] = []
        self.limits: dict[int, float] = {}
        self.peak = 700

    # arrays

    def device_of(self, x: Any) -> device:
        return device(self.device_type, x.place)

    def device_count(self) -> int:
        return 2

    def describe(self) -> str:
        return "a fake"

    def shares(self, x: Any, y: Any) -> bool:
        return x is y or (np.may_share_memory(x.array, y.array) and x.size > 0)

    def from_host(self, x: Any, index: int | None = None, non_blocking: bool = False) -> Any:
        self.calls.append(("from_host", index, non_blocking))
        return Toy(np.array(x), self.here if index is None else index)

    def to_host(self, x: Any, non_blocking: bool = False) -> Any:
        self.calls.append(("to_host", non_blocking))
        return x.array

    def moved(self, x: Any, index: int | None, non_blocking: bool = False) -> Any:
        self.calls.append(("moved", index, non_blocking))
        return x if index in (None, x.place) else Toy(x.array.copy(), index)

    def pinned(self, x: Any) -> Any:
        self.locked.append(x.copy())
        return self.locked[-1]

    def is_pinned(self, x: Any) -> bool:
        return any(np.may_share_memory(x, y) for y in self.locked)

    # devices

    def current_device(self) -> int:
        return self.here

    def set_device(self, index: int) -> None:
        self.calls.append(("set_device", index))
        self.here = Toy.current = index

    def facts(self, index: int) -> DeviceFacts:
        return DeviceFacts(
            f"Fake {index}",
            "Nobody",
            "1.2",
            TOTAL,
            108,
            1024,
            8,
            6,
            "",
            True,
            True,
            32,
            49152,
            False,
        )

    def reaches(self, index: int, other: int) -> bool:
        return True

    def toolkits(self) -> dict[str, str]:
        return {"cuda": "12.9"}

    # queues and marks

    def new_queue(self, index: int, priority: int) -> Any:
        queue = Queue(index)
        self.made += 1
        queue.pointer, queue.priority = 0x1000 + self.made, priority
        return queue

    def current_queue(self, index: int) -> Any:
        return self.queues.get(index) or self.default_queue(index)

    def use_queue(self, queue: Any) -> None:
        self.queues[queue.index] = queue

    def queue_at(self, pointer: int, index: int) -> Any:
        queue = Queue(index)
        queue.pointer = pointer
        return queue

    def synchronize(self, index: int | None = None) -> None:
        self.calls.append(("synchronize", index))

    def synchronize_queue(self, queue: Any) -> None:
        self.calls.append(("synchronize_queue", queue.pointer))

    def wait(self, queue: Any, mark: Any) -> None:
        self.calls.append(("wait", queue.pointer, mark))

    def synchronize_mark(self, mark: Any) -> None:
        self.calls.append(("synchronize_mark", mark))

    # memory

    def memory_stats(self, index: int) -> dict[str, int]:
        return {
            "allocated_bytes.all.current": 500 + index,
            "allocated_bytes.all.peak": self.peak,
            "reserved_bytes.all.current": 1 << 21,
            "reserved_bytes.all.peak": 1 << 22,
            "allocation.all.current": 3,
            "num_ooms": 1,
        }

    def reset_memory_stats(self, index: int, peaks_only: bool) -> None:
        self.calls.append(("reset_memory_stats", index, peaks_only))
        self.peak = 500

    def memory_info(self, index: int) -> tuple[int, int]:
        return TOTAL - 1000, TOTAL

    def limit_memory(self, fraction: float, index: int) -> None:
        self.limits[index] = fraction

    def empty_cache(self) -> None:
        self.calls.append(("empty_cache",))

    # graphs

    def begin_capture(self, queue: Any, mode: str) -> None:
        self.capturing = queue
        self.calls.append(("begin_capture", queue.pointer, mode))

    def is_capturing(self, queue: Any) -> bool:
        return self.capturing is queue

    def end_capture(self, queue: Any) -> Any:
        self.capturing = None
        return "a graph"

    def launch(self, graph: Any, queue: Any) -> None:
        self.calls.append(("launch", graph, queue.pointer))


@contextmanager
def installed(kind: str = "cuda") -> Iterator[FakeAccelerator]:
    """Registers the fake in place of a vendor's backend, and leaves the registry as it was."""
    tables: tuple[dict[Any, Any], ...] = (backends.BACKENDS, backends.AS_ARRAY, backends._LOADED)
    before = [dict(table) for table in tables]
    backends._LOADED.pop("cuda", None)
    backends._LOADED.pop("xpu", None)
    try:
        yield backends.register(FakeAccelerator(kind))
    finally:
        Toy.current = 0
        for table, content in zip(tables, before, strict=True):
            table.clear()
            table.update(content)
