"""Streams and events of Intel devices.

>>> with torch.xpu.stream(None):
...     torch.ones(2).sum()
tensor(2.)
"""

from __future__ import annotations

from typing import Any

from .._accelerators import streams
from .._accelerators.streams import StreamContext as StreamContext
from ._devices import DEVICES


class Stream(streams.Stream):
    """A queue of work of an Intel device; lower priorities come first."""

    _kind = "xpu"

    def __init__(self, device: Any = None, priority: int = 0, **kwargs: Any) -> None:
        super().__init__(device, priority, **kwargs)

    @property
    def sycl_queue(self) -> int:
        """The address of the library's own queue."""
        return self.native_handle

    def _new_event(self) -> Event:
        return Event()

    def __repr__(self) -> str:
        return f"torch.xpu.Stream(device={self.device} sycl_queue={self.sycl_queue:#x})"


class Event(streams.Event):
    """A moment in a stream's work, to wait for and to measure time between."""

    _kind = "xpu"

    def __init__(self, enable_timing: bool = False) -> None:
        super().__init__(enable_timing=enable_timing)

    def __repr__(self) -> str:
        state = f"{id(self._mark):#x}" if self._recorded else "uninitialized"
        return f"torch.xpu.Event(sycl_event={state})"


_streams = streams.Streams(DEVICES, Stream)

current_stream = _streams.current_stream
get_stream_from_external = _streams.get_stream_from_external
set_stream = _streams.set_stream
stream = _streams.stream
