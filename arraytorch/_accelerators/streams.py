"""Queues of work ("streams") and marks in them ("events")."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from .. import backends
from .._device import CPU
from .._device import device as Device
from .devices import Devices, accelerator


class _HostQueue:
    """The CPU's only queue: each call has been done when it returns."""

    index, pointer, priority = 0, 0, 0


_HOST = _HostQueue()


class Stream:
    """A queue of work of a device: calls in it run in order, calls in two need not.

    ``device`` is the accelerator unless given; the CPU has one stream, in which everything has been
    done at once. In a ``with`` block it is the current stream of its device.

    >>> torch.Stream("cpu").query()
    True
    """

    _kind: str | None = None  # a subclass's only type of device

    def __init__(self, device: Any = None, priority: int = 0, **kwargs: Any) -> None:
        self._before: list[tuple[Any, int]] = []
        if "_queue" in kwargs:
            self._device, self._queue = device, kwargs["_queue"]
            return
        self._device = place = _place(device, self._kind)
        backend = None if place.type == "cpu" else backends.backend_for(place)
        self._queue = backend.new_queue(place.index, priority) if backend else _HOST

    @property
    def device(self) -> Device:
        """The device."""
        return self._device

    @property
    def _backend(self) -> Any:
        return None if self.device.type == "cpu" else backends.backend_for(self.device)

    @property
    def device_index(self) -> int:
        """The number of the device."""
        return -1 if self.device.index is None else self.device.index

    @property
    def device_type(self) -> str:
        """The type of the device."""
        return self.device.type

    @property
    def stream_id(self) -> int:
        """A number that no other living stream of the device has."""
        return int(self._queue.pointer)

    @property
    def native_handle(self) -> int:
        """The address of the library's own stream."""
        return int(self._queue.pointer)

    @property
    def priority(self) -> int:
        """The priority: lower numbers come first."""
        return int(self._queue.priority)

    def query(self) -> bool:
        """Returns whether all work in it has been done."""
        return True if self._backend is None else bool(self._backend.queue_done(self._queue))

    def synchronize(self) -> None:
        """Waits until all work in it has been done."""
        if self._backend is not None:
            self._backend.synchronize_queue(self._queue)

    def record_event(self, event: Event | None = None) -> Event:
        """Returns an event, a new one unless given, that stands behind the work in it by now."""
        if event is None:
            event = self._new_event()
        event.record(self)
        return event

    def _new_event(self) -> Event:
        return Event(self.device)

    def wait_event(self, event: Event) -> None:
        """Has later work in it wait for an event."""
        event.wait(self)

    def wait_stream(self, stream: Stream) -> None:
        """Has later work in it wait for what another stream has been given by now."""
        self.wait_event(stream.record_event())

    def is_capturing(self) -> bool:
        """Returns whether work given to it is recorded for a graph, and not run."""
        return False if self._backend is None else bool(self._backend.is_capturing(self._queue))

    def __enter__(self) -> Any:
        backend = self._backend
        if backend is not None:
            here = backend.current_device()
            self._before.append((backend.current_queue(self.device_index), here))
            backend.set_device(self.device_index)
            backend.use_queue(self._queue)
        return self

    def __exit__(self, *_: object) -> None:
        if self._backend is not None:
            queue, here = self._before.pop()
            self._backend.use_queue(queue)
            self._backend.set_device(here)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Stream):
            return NotImplemented
        return self.device == other.device and (
            self._queue is other._queue or 0 != self.native_handle == other.native_handle
        )

    def __hash__(self) -> int:
        return hash((self.device, self.native_handle))

    def __repr__(self) -> str:
        return (
            f"torch.Stream device_type={self.device.type}, device_index={self.device_index}, "
            f"stream_id={self.stream_id}"
        )


class Event:
    """A moment in a stream's work, to wait for and to measure time between.

    >>> event = torch.Event("cpu")
    >>> event.record()
    >>> event.query()
    True
    """

    _kind: str | None = None

    def __init__(
        self,
        device: Any = None,
        *,
        enable_timing: bool = False,
        blocking: bool = False,
        interprocess: bool = False,
    ) -> None:
        self._device = place = _place(device, self._kind)
        self._timing, self._recorded = enable_timing, False
        self._seconds = 0.0  # the CPU's own clock
        self._options = (enable_timing, blocking, interprocess)
        self._mark: Any = None
        if place.type != "cpu":
            self._mark = backends.backend_for(place).new_mark(place.index, *self._options)

    @property
    def device(self) -> Device:
        """The device."""
        return self._device

    @property
    def _backend(self) -> Any:
        return None if self.device.type == "cpu" else backends.backend_for(self.device)

    def record(self, stream: Stream | None = None) -> None:
        """Stands behind the work that a stream, the current one unless given, has by now.

        An event that was never recorded goes to the stream's device; later ones must be of its
        device, RuntimeError otherwise.
        """
        backend = self._backend
        if stream is not None and stream.device != self.device:
            if self._recorded or stream.device.type != self.device.type:
                raise RuntimeError(
                    f"Event device {self.device} does not match recording stream's device "
                    f"{stream.device}."
                )
            self._device = stream.device
            self._mark = backend.new_mark(self.device.index, *self._options)
        self._recorded = True
        if backend is None:
            self._seconds = perf_counter()
        else:
            index = self.device.index
            backend.record(self._mark, stream._queue if stream else backend.current_queue(index))

    def wait(self, stream: Stream | None = None) -> None:
        """Has later work in a stream, the current one unless given, wait for this."""
        if self._recorded and self._backend is not None:
            index = self.device.index
            queue = stream._queue if stream else self._backend.current_queue(index)
            self._backend.wait(queue, self._mark)

    def query(self) -> bool:
        """Returns whether the work before it has been done; an event never recorded is done."""
        if self._backend is None or not self._recorded:
            return True
        return bool(self._backend.mark_done(self._mark))

    def synchronize(self) -> None:
        """Waits until the work before it has been done."""
        if self._recorded and self._backend is not None:
            self._backend.synchronize_mark(self._mark)

    def elapsed_time(self, end_event: Event) -> float:
        """Returns the milliseconds from this event to another.

        Raises ValueError unless both are made with ``enable_timing=True`` and recorded, and
        RuntimeError unless their work has been done.
        """
        if not (self._timing and end_event._timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if not (self._recorded and end_event._recorded):
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        if not (self.query() and end_event.query()):
            raise RuntimeError("Both events must be completed before calculating elapsed time.")
        if self._backend is None:
            return (end_event._seconds - self._seconds) * 1e3
        return float(self._backend.milliseconds(self._mark, end_event._mark))

    def __repr__(self) -> str:
        index = -1 if self.device.index is None else self.device.index
        return f"torch.Event device_type={self.device.type}, device_index={index}"


def _place(device: Any, kind: str | None) -> Device:
    """The device of a new stream or event, with its number."""
    if device is None and kind is None:
        place = accelerator() or CPU
    elif isinstance(device, int):
        place = Device(kind or (accelerator() or CPU).type, device)
    else:
        place = Device(kind if device is None else device)  # type: ignore[arg-type]
    if kind is not None and place.type != kind:
        raise ValueError(f"Expected a {kind} device, but got: {place}")
    if place.type == "cpu":
        return CPU
    backend = backends.backend_for(place)
    if not hasattr(backend, "new_queue"):
        raise RuntimeError(f"'{place.type}' devices have no streams")
    return place if place.index is not None else Device(place.type, backend.current_device())


class StreamContext:
    """Makes a stream, and its device, the current one in a ``with`` block; None does nothing."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is not None:
            self.stream.__enter__()

    def __exit__(self, *_: object) -> None:
        if self.stream is not None:
            self.stream.__exit__()


class Streams:
    """The streams of the devices of a type."""

    def __init__(self, devices: Devices, stream: type[Stream]) -> None:
        self.devices, self._class = devices, stream

    def _around(self, queue: Any, index: int) -> Any:
        return self._class(Device(self.devices.kind, index), _queue=queue)

    def current_stream(self, device: Any = None) -> Any:
        """Returns the stream that this thread's calls on a device go to."""
        index = self.devices.checked(device)
        return self._around(self.devices.backend().current_queue(index), index)

    def default_stream(self, device: Any = None) -> Any:
        """Returns the stream that is current on a device unless another was made so."""
        index = self.devices.checked(device)
        return self._around(self.devices.backend().default_queue(index), index)

    def set_stream(self, stream: Any) -> None:
        """Makes a stream, and its device, the current one; prefer `stream`. None does nothing."""
        if stream is not None:
            backend = self.devices.backend()
            backend.set_device(stream.device_index)
            backend.use_queue(stream._queue)

    def stream(self, stream: Any) -> StreamContext:
        """Returns a context in which a stream, and its device, is the current one."""
        return StreamContext(stream)

    def get_stream_from_external(self, data_ptr: int, device: Any = None) -> Any:
        """Returns a stream that another library has made, by its address."""
        index = self.devices.checked(device)
        return self._around(self.devices.backend().queue_at(data_ptr, index), index)
