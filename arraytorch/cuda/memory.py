"""The memory of CUDA and ROCm devices.

>>> torch.cuda.memory_allocated() >= 0
True
"""

from .._accelerators.memory import Memory
from ._devices import DEVICES

_memory = Memory(DEVICES)

device_memory_used = _memory.device_memory_used
empty_cache = _memory.empty_cache
get_per_process_memory_fraction = _memory.get_per_process_memory_fraction
max_memory_allocated = _memory.max_memory_allocated
max_memory_cached = _memory.max_memory_cached
max_memory_reserved = _memory.max_memory_reserved
mem_get_info = _memory.mem_get_info
memory_allocated = _memory.memory_allocated
memory_cached = _memory.memory_cached
memory_reserved = _memory.memory_reserved
memory_stats = _memory.memory_stats
memory_stats_as_nested_dict = _memory.memory_stats_as_nested_dict
memory_summary = _memory.memory_summary
reset_accumulated_memory_stats = _memory.reset_accumulated_memory_stats
reset_max_memory_allocated = _memory.reset_max_memory_allocated
reset_max_memory_cached = _memory.reset_max_memory_cached
reset_peak_memory_stats = _memory.reset_peak_memory_stats
set_per_process_memory_fraction = _memory.set_per_process_memory_fraction
