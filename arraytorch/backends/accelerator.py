"""What a device that is not the host has besides kernels: queues of work, memory, host transfers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from time import perf_counter
from typing import Any, NamedTuple

from .generic import ArrayModuleBackend


class DeviceFacts(NamedTuple):
    """What a device says of itself; a number is 0, and a text empty, where it does not tell."""

    name: str
    vendor: str
    driver_version: str
    total_memory: int  # bytes
    compute_units: int
    max_work_group_size: int
    major: int  # compute capability; of ROCm devices the architecture's
    minor: int
    architecture: str
    has_float64: bool
    has_float16: bool
    sub_group_size: int  # threads that run in step: a warp, wavefront or sub-group
    shared_memory: int  # bytes that a work-group may share
    integrated: bool


class Queue:
    """The one queue of a library that runs each call to its end before it returns."""

    pointer = 0
    priority = 0

    def __init__(self, index: int) -> None:
        self.index = index


class Mark:
    """A moment in a queue's work: when `AcceleratorBackend.record` was called."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.seconds: float | None = None


class AcceleratorBackend(ArrayModuleBackend):
    """A backend of devices with memory of their own.

    The methods here are what `arraytorch.cuda`, `arraytorch.xpu` and `arraytorch.accelerator` are
    made of. As they are inherited, they describe one device whose calls return when all is done;
    a vendor's class overrides them. Queues ("streams") and marks ("events") are the library's own
    objects, handed back to these methods and never looked into from outside, but that a queue has
    the attributes ``index``, ``pointer`` and ``priority``, and a mark ``index``.
    """

    algorithm = "philox"  # each element computes its own numbers

    # devices

    def current_device(self) -> int:
        """The number of the device on which this thread makes new arrays."""
        return 0

    def set_device(self, index: int) -> None:
        """Makes a device this thread's current one."""

    def at(self, index: int) -> Any:
        """This backend, its kernels making new arrays on a device that need not be the current one."""
        return self if index == self.current_device() else _Elsewhere(self, index)

    def facts(self, index: int) -> DeviceFacts:
        """What a device says of itself."""
        return DeviceFacts(self.describe(), "", "", 0, 0, 0, 0, 0, "", True, True, 1, 0, False)

    def toolkits(self) -> dict[str, str]:
        """The versions of the vendor's toolkits in use, by name: of "cuda", "hip", "rocm", "xpu"."""
        return {}

    def reaches(self, index: int, other: int) -> bool:
        """Whether a device can read another's memory directly."""
        return index == other

    def moved(self, x: Any, index: int | None, non_blocking: bool = False) -> Any:
        """x on another device of this type, itself if it is there (None: wherever it is)."""
        return x

    # transfers: `from_host` and `to_host` take non_blocking, too

    def pinned(self, x: Any) -> Any:
        """A copy of a host array in memory that the device reads without the CPU's help."""
        return x.copy()

    def is_pinned(self, x: Any) -> bool:
        """Whether a host array lies in such memory."""
        return False

    # random numbers: a stream for each device

    def default_generator(self, index: int) -> Any:
        """The stream that a device's numbers come from where none is given."""
        made = self._generators
        if index not in made:
            made[index] = self.new_generator(index, self._algorithm)
            made[index].reseed(self._seed)
        return made[index]

    @cached_property
    def _generators(self) -> dict[int, Any]:
        return {}

    # What streams that are yet to be made start from, and what makes their numbers.
    _seed, _algorithm = 0, None

    def start_generator(self, seed: int, algorithm: str | None) -> None:
        """Starts all of them anew, by an algorithm, None for the device's own."""
        self._seed, self._algorithm = seed, algorithm  # type: ignore[assignment]
        self._generators.clear()

    @property
    def generator(self) -> Any:
        """The stream of the current device."""
        return self.default_generator(self.current_device())

    def generator_of(self, x: Any) -> Any:
        """The stream of the device that an array lies on."""
        return self.default_generator(self.device_of(x).index or 0)

    def reseed(self, seed: int) -> None:
        """Starts the streams of all devices from a seed, also those that are yet to be made."""
        self._seed = seed
        for made in self._generators.values():
            made.reseed(seed)

    # queues

    def hold(self, x: Any, queue: Any) -> None:
        """Keeps an array alive until a queue has done the work that it has been given by now."""
        mark = self.new_mark(queue.index, False, False, False)
        self.record(mark, queue)
        waiting = [(m, y) for m, y in self.__dict__.get("_held", []) if not self.mark_done(m)]
        self._held = [*waiting, (mark, x)]

    def new_queue(self, index: int, priority: int) -> Any:
        """Another queue of work; calls in different queues need not run in order."""
        return Queue(index)

    def default_queue(self, index: int) -> Any:
        """The queue that is current on a device unless another was made so."""
        return self.__dict__.setdefault(f"_queue{index}", Queue(index))

    def current_queue(self, index: int) -> Any:
        """The queue to which this thread's calls on a device go."""
        return self.default_queue(index)

    def use_queue(self, queue: Any) -> None:
        """Makes a queue this thread's current one on its device."""

    def queue_at(self, pointer: int, index: int) -> Any:
        """A queue that another library made, by its address."""
        raise RuntimeError(f"{self.describe()} has no queues that another library could have made")

    def queue_done(self, queue: Any) -> bool:
        """Whether all work given to a queue has been done."""
        return True

    def synchronize_queue(self, queue: Any) -> None:
        """Waits for all work given to a queue."""

    def synchronize(self, index: int | None = None) -> None:
        """Waits for all work of a device, None for the current one."""

    # marks

    def new_mark(self, index: int, timing: bool, blocking: bool, shared: bool) -> Any:
        """A mark; ``timing`` if it will measure, ``shared`` if other processes will see it."""
        return Mark(index)

    def record(self, mark: Any, queue: Any) -> None:
        """Puts a mark behind the work that a queue has by now."""
        mark.seconds = perf_counter()

    def wait(self, queue: Any, mark: Any) -> None:
        """Has a queue's later work wait for what a mark stands behind."""

    def mark_done(self, mark: Any) -> bool:
        """Whether the work before a mark has been done, or it was never recorded."""
        return True

    def synchronize_mark(self, mark: Any) -> None:
        """Waits for the work before a mark."""

    def milliseconds(self, first: Any, last: Any) -> float:
        """The time between two marks that have been reached."""
        return (last.seconds - first.seconds) * 1e3

    # memory, in bytes

    def memory_stats(self, index: int) -> dict[str, int]:
        """PyTorch's flat statistics, as far as the library keeps them.

        Keys are ``allocated_bytes.all.current`` (and ``.peak``, ``.allocated``, ``.freed``), the same
        of ``reserved_bytes``, ``allocation`` and ``segment``, and ``num_alloc_retries``, ``num_ooms``.
        """
        return {}

    def reset_memory_stats(self, index: int, peaks_only: bool) -> None:
        """Starts peaks from what is in use now, and, unless ``peaks_only``, totals from 0."""

    def memory_info(self, index: int) -> tuple[int, int]:
        """How much memory of a device is free, and how much there is."""
        return 0, self.facts(index).total_memory

    def limit_memory(self, fraction: float, index: int) -> None:
        """Lets this process use that part of a device's memory at most."""
        raise RuntimeError(f"{self.describe()} cannot limit the memory of a process")

    def empty_cache(self) -> None:
        """Gives memory that no array uses back to the driver."""

    # graphs: work that is recorded once and repeated by one call

    def begin_capture(self, queue: Any, mode: str) -> None:
        """From now on work given to a queue is recorded, not run."""
        raise RuntimeError(f"{self.describe()} cannot capture graphs of its work")

    def is_capturing(self, queue: Any) -> bool:
        """Whether work given to a queue is being recorded."""
        return False

    def end_capture(self, queue: Any) -> Any:
        """The graph of what was recorded since `begin_capture`."""
        raise RuntimeError(f"{self.describe()} cannot capture graphs of its work")

    def launch(self, graph: Any, queue: Any) -> None:
        """Gives the work of a graph to a queue."""
        raise RuntimeError(f"{self.describe()} cannot capture graphs of its work")


class _Elsewhere:
    """A backend whose methods run while another device is the current one."""

    def __init__(self, backend: AcceleratorBackend, index: int) -> None:
        self._backend, self._index = backend, index

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._backend, name)
        return partial(self._run, found) if callable(found) else found

    def _run(self, kernel: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        here = self._backend.current_device()
        self._backend.set_device(self._index)
        try:
            return kernel(*args, **kwargs)
        finally:
            self._backend.set_device(here)
