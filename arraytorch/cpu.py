"""The CPU as a device among others, for programs that ask each for the same things.

>>> torch.cpu.is_available(), torch.cpu.device_count(), torch.cpu.current_device()
(True, 1, 'cpu')
"""

from __future__ import annotations

from typing import Any

from ._accelerators.streams import StreamContext as StreamContext

__all__ = [
    "Event", "Stream", "StreamContext", "current_device", "current_stream", "device_count",
    "is_available", "is_initialized", "set_device", "stream", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """Returns True."""
    return True


def is_initialized() -> bool:
    """Returns True."""
    return True


def device_count() -> int:
    """Returns 1: all cores are one device."""
    return 1


def current_device() -> str:
    """Returns "cpu"."""
    return "cpu"


def set_device(device: Any) -> None:
    """Does nothing: there is one."""


def synchronize(device: Any = None) -> None:
    """Does nothing: calls return when all has been done."""


class Stream:
    """The CPU's queue of work, in which everything has been done when the call returns."""

    def __init__(self, priority: int = -1) -> None:
        self.priority = priority

    def wait_stream(self, stream: Any) -> None:
        """Does nothing: the other's work has been done."""

    def record_event(self) -> None:
        """Does nothing: there is nothing to wait for."""

    def wait_event(self, event: Any) -> None:
        """Does nothing: the event has come."""

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Event:
    """A moment in the CPU's work, which has come once it is asked for."""

    def query(self) -> bool:
        """Returns True."""
        return True

    def record(self, stream: Any = None) -> None:
        """Does nothing: all work has been done."""

    def synchronize(self) -> None:
        """Does nothing: there is nothing to wait for."""

    def wait(self, stream: Any = None) -> None:
        """Does nothing: there is nothing to wait for."""


_stream = Stream()


def current_stream(device: Any = None) -> Stream:
    """Returns the one stream."""
    return _stream


def stream(stream: Any) -> StreamContext:
    """Returns a context that changes nothing: there is one stream."""
    return StreamContext(stream)
