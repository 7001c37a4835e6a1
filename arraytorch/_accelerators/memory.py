"""The memory of devices: what is in use, limits, and giving back."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import Any

from .devices import Devices

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_ROWS = (
    ("Allocated memory", "allocated_bytes"),
    ("Reserved memory", "reserved_bytes"),
    ("Allocations", "allocation"),
    ("Segments", "segment"),
)
_COLUMNS = ("current", "peak", "allocated", "freed")


class Memory:
    """The memory of the devices of a type. Devices that nobody has used yet hold none."""

    def __init__(self, devices: Devices) -> None:
        self.devices = devices
        self._fractions: dict[int, float] = {}

    def memory_stats(self, device: Any = None) -> OrderedDict[str, Any]:
        """Returns the statistics of a device's memory as far as its library keeps them.

        Keys are such as ``allocated_bytes.all.peak``. Empty as long as the device type is not in use.
        """
        backend = self.devices.loaded()
        if backend is None:
            return OrderedDict()
        return OrderedDict(sorted(backend.memory_stats(self.devices.checked(device)).items()))

    def memory_stats_as_nested_dict(self, device: Any = None) -> dict[str, Any]:
        """Returns `memory_stats` as dictionaries within dictionaries, a level for each dot."""
        nested: dict[str, Any] = {}
        for name, value in self.memory_stats(device).items():
            *path, last = name.split(".")
            place = nested
            for step in path:
                place = place.setdefault(step, {})
            place[last] = value
        return nested

    def _stat(self, name: str, device: Any) -> int:
        return self.memory_stats(device).get(name, 0)  # type: ignore[no-any-return]

    def memory_allocated(self, device: Any = None) -> int:
        """Returns how many bytes tensors take now."""
        return self._stat("allocated_bytes.all.current", device)

    def max_memory_allocated(self, device: Any = None) -> int:
        """Returns the most bytes that tensors took at once, since the start or the last reset."""
        return self._stat("allocated_bytes.all.peak", device)

    def memory_reserved(self, device: Any = None) -> int:
        """Returns how many bytes the library holds, for tensors and to hand out again."""
        return self._stat("reserved_bytes.all.current", device)

    def max_memory_reserved(self, device: Any = None) -> int:
        """Returns the most bytes that the library held at once, since the start or the last reset."""
        return self._stat("reserved_bytes.all.peak", device)

    def reset_peak_memory_stats(self, device: Any = None) -> None:
        """Starts the peaks anew, from what is in use now."""
        index = self.devices.checked(device)
        self.devices.backend().reset_memory_stats(index, True)

    def reset_accumulated_memory_stats(self, device: Any = None) -> None:
        """Starts the totals anew from 0, and the peaks from what is in use now."""
        index = self.devices.checked(device)
        self.devices.backend().reset_memory_stats(index, False)

    def mem_get_info(self, device: Any = None) -> tuple[int, int]:
        """Returns how many bytes of a device's memory are free, and how many there are."""
        index = self.devices.checked(device)
        return self.devices.backend().memory_info(index)  # type: ignore[no-any-return]

    def device_memory_used(self, device: Any = None) -> int:
        """Returns how many bytes of a device's memory are in use by anybody."""
        free, total = self.mem_get_info(device)
        return total - free

    def empty_cache(self) -> None:
        """Gives memory that no tensor uses back to the driver, where the device type is in use."""
        if (backend := self.devices.loaded()) is not None:
            backend.empty_cache()

    def set_per_process_memory_fraction(self, fraction: float, device: Any = None) -> None:
        """Lets this process use that part of a device's memory at most.

        Raises TypeError unless it is a float, ValueError unless it is within 0 and 1, and
        RuntimeError where the library cannot limit itself.
        """
        index = self.devices.checked(device)
        if not isinstance(fraction, float):
            raise TypeError("Invalid type for fraction argument, must be `float`")
        if not 0 <= fraction <= 1:
            raise ValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
        self.devices.backend().limit_memory(fraction, index)
        self._fractions[index] = fraction

    def get_per_process_memory_fraction(self, device: Any = None) -> float:
        """Returns what `set_per_process_memory_fraction` has set, 1.0 without."""
        return self._fractions.get(self.devices.checked(device), 1.0)

    def memory_summary(self, device: Any = None, abbreviated: bool = False) -> str:
        """Returns a table of `memory_stats`; ``abbreviated`` leaves out numbers of pieces."""
        self.devices.backend()
        index, stats = self.devices.index(device), self.memory_stats(device)
        lines = [
            f"Memory of {self.devices.kind}:{index}",
            "",
            _line("", "now", "peak", "total", "freed"),
        ]
        for title, key in _ROWS[:2] if abbreviated else _ROWS:
            values = [stats.get(f"{key}.all.{column}", 0) for column in _COLUMNS]
            lines.append(_line(title, *map(readable if "bytes" in key else str, values)))
        lines += [
            "",
            f"out of memory: {stats.get('num_ooms', 0)}, retries: {stats.get('num_alloc_retries', 0)}",
        ]
        return "\n".join(lines)

    # old names

    def memory_cached(self, device: Any = None) -> int:
        """Returns `memory_reserved`; deprecated."""
        _renamed("memory_cached", "memory_reserved")
        return self.memory_reserved(device)

    def max_memory_cached(self, device: Any = None) -> int:
        """Returns `max_memory_reserved`; deprecated."""
        _renamed("max_memory_cached", "max_memory_reserved")
        return self.max_memory_reserved(device)

    def reset_max_memory_allocated(self, device: Any = None) -> None:
        """Does `reset_peak_memory_stats`; deprecated."""
        _renamed("reset_max_memory_allocated", "reset_peak_memory_stats")
        self.reset_peak_memory_stats(device)

    def reset_max_memory_cached(self, device: Any = None) -> None:
        """Does `reset_peak_memory_stats`; deprecated."""
        _renamed("reset_max_memory_cached", "reset_peak_memory_stats")
        self.reset_peak_memory_stats(device)


def _renamed(old: str, new: str) -> None:
    warnings.warn(f"`torch.cuda.{old}` is now `torch.cuda.{new}`", FutureWarning, stacklevel=3)


def _line(title: str, *cells: str) -> str:
    return f"{title:18}" + "".join(f"{cell:>12}" for cell in cells)


def readable(count: int) -> str:
    """Bytes in the largest unit of which there are at least 16, as in "640 KiB"."""
    value, unit = float(count), 0
    while value >= 16 * 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_UNITS[unit]}"
