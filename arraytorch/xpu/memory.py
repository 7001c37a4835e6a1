"""The memory of Intel devices.

>>> torch.xpu.memory_allocated() >= 0
True
"""

from .._accelerators.memory import Memory
from ._devices import DEVICES

_memory = Memory(DEVICES)

device_memory_used = _memory.device_memory_used
empty_cache = _memory.empty_cache
get_per_process_memory_fraction = _memory.get_per_process_memory_fraction
max_memory_allocated = _memory.max_memory_allocated
max_memory_reserved = _memory.max_memory_reserved
mem_get_info = _memory.mem_get_info
memory_allocated = _memory.memory_allocated
memory_reserved = _memory.memory_reserved
memory_stats = _memory.memory_stats
memory_stats_as_nested_dict = _memory.memory_stats_as_nested_dict
reset_accumulated_memory_stats = _memory.reset_accumulated_memory_stats
reset_peak_memory_stats = _memory.reset_peak_memory_stats
set_per_process_memory_fraction = _memory.set_per_process_memory_fraction
