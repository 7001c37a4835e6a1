"""Streams and events of CUDA and ROCm devices.

>>> with torch.cuda.stream(None):
...     torch.ones(2).sum()
tensor(2.)
"""

from __future__ import annotations

from typing import Any

from .._accelerators import streams
from .._accelerators.streams import StreamContext as StreamContext
from ._devices import DEVICES


class Stream(streams.Stream):
    """A queue of work of a CUDA or ROCm device; lower priorities come first."""

    _kind = "cuda"

    def __init__(self, device: Any = None, priority: int = 0, **kwargs: Any) -> None:
        super().__init__(device, priority, **kwargs)

    @property
    def cuda_stream(self) -> int:
        """The address of the library's own stream."""
        return self.native_handle

    def _new_event(self) -> Event:
        return Event()

    def __repr__(self) -> str:
        return f"<torch.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class ExternalStream(Stream):
    """A stream that another library has made, by its address."""

    def __init__(self, stream_ptr: int, device: Any = None, **kwargs: Any) -> None:
        found = get_stream_from_external(stream_ptr, device)
        super().__init__(found.device, _queue=found._queue)


class Event(streams.Event):
    """A moment in a stream's work, to wait for and to measure time between."""

    _kind = "cuda"

    def __init__(
        self,
        enable_timing: bool = False,
        blocking: bool = False,
        interprocess: bool = False,
        external: bool = False,
    ) -> None:
        if external:
            raise RuntimeError("events for use within and without a graph are not supported")
        super().__init__(enable_timing=enable_timing, blocking=blocking, interprocess=interprocess)

    def __repr__(self) -> str:
        state = f"{id(self._mark):#x}" if self._recorded else "uninitialized"
        return f"<torch.cuda.Event {state}>"


_streams = streams.Streams(DEVICES, Stream)

current_stream = _streams.current_stream
default_stream = _streams.default_stream
get_stream_from_external = _streams.get_stream_from_external
set_stream = _streams.set_stream
stream = _streams.stream
