"""Whatever device computes beside the CPU here, by one name.

What needs one raises RuntimeError where there is none.

>>> torch.accelerator.is_available() == (torch.accelerator.current_accelerator() is not None)
True
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from . import _dtypes
from ._accelerators import graphs
from ._accelerators.devices import Devices, accelerator
from ._accelerators.memory import Memory
from ._accelerators.streams import Stream, Streams
from ._device import device as Device

__all__ = [
    "Graph", "current_accelerator", "current_device_idx", "current_device_index", "current_stream",
    "device_count", "device_index", "empty_cache", "get_device_capability", "get_memory_info",
    "is_available", "max_memory_allocated", "max_memory_reserved", "memory_allocated",
    "memory_reserved", "memory_stats", "reset_accumulated_memory_stats", "reset_peak_memory_stats",
    "set_device_idx", "set_device_index", "set_stream", "synchronize",
]  # fmt: skip


def _devices() -> Devices:
    found = accelerator()
    if found is None:
        raise RuntimeError("Cannot access accelerator device when none is available.")
    return Devices(found.type)


def _memory() -> Memory:
    return Memory(_devices())


def current_accelerator(check_available: bool = False) -> Device | None:
    """Returns the type of the accelerator, without a number, or None.

    It is only named if it is available, so ``check_available`` changes nothing.
    """
    return accelerator()


def is_available() -> bool:
    """Returns whether there is an accelerator, without raising."""
    return accelerator() is not None


def device_count() -> int:
    """Returns the number of the accelerator's devices, 0 where there is none."""
    return 0 if accelerator() is None else _devices().device_count()


def current_device_index() -> int:
    """Returns the number of the device that is meant where none is named."""
    return _devices().current_device()


def set_device_index(device: Any, /) -> None:
    """Makes a device this thread's current one."""
    _devices().set_device(device)


current_device_idx, set_device_idx = current_device_index, set_device_index


class device_index:
    """Makes the device of a number the current one in a ``with`` block; None does nothing.

    >>> with torch.accelerator.device_index(None):
    ...     torch.ones(1).device
    device(type='cpu')
    """

    def __init__(self, device: int | None, /) -> None:
        self.idx, self.prev_idx = device, -1

    def __enter__(self) -> None:
        if self.idx is not None:
            self.prev_idx = current_device_index()
            set_device_index(self.idx)

    def __exit__(self, *_: object) -> None:
        if self.idx is not None:
            set_device_index(self.prev_idx)


def get_device_capability(device: Any = None, /) -> dict[str, Any]:
    """Returns what a device can do: here the dtypes that its tensors may have."""
    facts = _devices().get_device_properties(device)._facts
    names = [
        "bool",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "int8",
        "int16",
        "int32",
        "int64",
        "bfloat16",
        "float32",
        "complex64",
    ]
    names += ["float16"] * facts.has_float16 + ["float64", "complex128"] * facts.has_float64
    return {"supported_dtypes": {_dtypes.named(name) for name in names}}


class Graph(graphs.Graph):
    """Work that is recorded once, in a ``with`` block on the current stream, and repeated by `replay`.

    Raises RuntimeError where there is no accelerator, or, when recording begins, where its library
    cannot record.
    """

    def __init__(
        self,
        keep_graph: bool = False,
        *,
        pool: tuple[int, int] | None = None,
        capture_error_mode: str = "default",
    ) -> None:
        self.devices = _devices()
        super().__init__(keep_graph)
        self._given = pool
        self._mode = "global" if capture_error_mode == "default" else capture_error_mode

    def capture_begin(self) -> None:  # type: ignore[override]
        """Has work given to the current stream recorded, not run."""
        super().capture_begin(self._given, self._mode)

    def __enter__(self) -> None:
        self.capture_begin()

    def __exit__(self, *_: object) -> None:
        self.capture_end()


def current_stream(device: Any = None, /) -> Stream:
    """Returns the stream that this thread's calls on a device go to."""
    return Streams(_devices(), Stream).current_stream(device)  # type: ignore[no-any-return]


def set_stream(stream: Stream) -> None:
    """Makes a stream, and its device, the current one."""
    if not isinstance(stream, Stream):
        raise TypeError(f"set_stream(): argument must be torch.Stream, not {type(stream).__name__}")
    Streams(_devices(), Stream).set_stream(stream)


def synchronize(device: Any = None, /) -> None:
    """Waits until a device, the current one unless another is named, has done all its work."""
    _devices().synchronize(device)


def empty_cache() -> None:
    """Gives memory that no tensor uses back to the driver."""
    _memory().empty_cache()


def memory_stats(device_index: Any = None, /) -> OrderedDict[str, Any]:
    """Returns the statistics of a device's memory as far as its library keeps them."""
    return _memory().memory_stats(device_index)


def memory_allocated(device_index: Any = None, /) -> int:
    """Returns how many bytes tensors take now."""
    return _memory().memory_allocated(device_index)


def max_memory_allocated(device_index: Any = None, /) -> int:
    """Returns the most bytes that tensors took at once, since the start or the last reset."""
    return _memory().max_memory_allocated(device_index)


def memory_reserved(device_index: Any = None, /) -> int:
    """Returns how many bytes the library holds, for tensors and to hand out again."""
    return _memory().memory_reserved(device_index)


def max_memory_reserved(device_index: Any = None, /) -> int:
    """Returns the most bytes that the library held at once, since the start or the last reset."""
    return _memory().max_memory_reserved(device_index)


def reset_peak_memory_stats(device_index: Any = None, /) -> None:
    """Starts the peaks anew, from what is in use now."""
    _memory().reset_peak_memory_stats(device_index)


def reset_accumulated_memory_stats(device_index: Any = None, /) -> None:
    """Starts the totals anew from 0, and the peaks from what is in use now."""
    _memory().reset_accumulated_memory_stats(device_index)


def get_memory_info(device_index: Any = None, /) -> tuple[int, int]:
    """Returns how many bytes of a device's memory are free, and how many there are."""
    return _memory().mem_get_info(device_index)
