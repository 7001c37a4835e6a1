"""CUDA and ROCm devices: NVIDIA's, and AMD's under the same name, as in PyTorch.

What needs a device raises RuntimeError, saying what to install, where there is none.

>>> torch.device("cuda" if torch.cuda.is_available() else "cpu").type in ("cuda", "cpu")
True
>>> torch.cuda.device_count() >= 0
True
"""

from .._errors import OutOfMemoryError as OutOfMemoryError
from . import amp as amp
from ._devices import can_device_access_peer as can_device_access_peer
from ._devices import current_device as current_device
from ._devices import default_generators as _default_generators
from ._devices import device as device
from ._devices import device_count as device_count
from ._devices import device_of as device_of
from ._devices import get_arch_list as get_arch_list
from ._devices import get_device_capability as get_device_capability
from ._devices import get_device_name as get_device_name
from ._devices import get_device_properties as get_device_properties
from ._devices import get_gencode_flags as get_gencode_flags
from ._devices import init as init
from ._devices import is_available as is_available
from ._devices import is_bf16_supported as is_bf16_supported
from ._devices import is_initialized as is_initialized
from ._devices import is_tf32_supported as is_tf32_supported
from ._devices import set_device as set_device
from ._devices import synchronize as synchronize
from ._types import BFloat16Tensor as BFloat16Tensor
from ._types import BoolTensor as BoolTensor
from ._types import ByteTensor as ByteTensor
from ._types import CharTensor as CharTensor
from ._types import DoubleTensor as DoubleTensor
from ._types import FloatTensor as FloatTensor
from ._types import HalfTensor as HalfTensor
from ._types import IntTensor as IntTensor
from ._types import LongTensor as LongTensor
from ._types import ShortTensor as ShortTensor
from .graphs import CUDAGraph as CUDAGraph
from .graphs import graph as graph
from .graphs import graph_pool_handle as graph_pool_handle
from .graphs import is_current_stream_capturing as is_current_stream_capturing
from .graphs import make_graphed_callables as make_graphed_callables
from .memory import device_memory_used as device_memory_used
from .memory import empty_cache as empty_cache
from .memory import get_per_process_memory_fraction as get_per_process_memory_fraction
from .memory import max_memory_allocated as max_memory_allocated
from .memory import max_memory_cached as max_memory_cached
from .memory import max_memory_reserved as max_memory_reserved
from .memory import mem_get_info as mem_get_info
from .memory import memory_allocated as memory_allocated
from .memory import memory_cached as memory_cached
from .memory import memory_reserved as memory_reserved
from .memory import memory_stats as memory_stats
from .memory import memory_stats_as_nested_dict as memory_stats_as_nested_dict
from .memory import memory_summary as memory_summary
from .memory import reset_accumulated_memory_stats as reset_accumulated_memory_stats
from .memory import reset_max_memory_allocated as reset_max_memory_allocated
from .memory import reset_max_memory_cached as reset_max_memory_cached
from .memory import reset_peak_memory_stats as reset_peak_memory_stats
from .memory import set_per_process_memory_fraction as set_per_process_memory_fraction
from .random import get_rng_state as get_rng_state
from .random import get_rng_state_all as get_rng_state_all
from .random import initial_seed as initial_seed
from .random import manual_seed as manual_seed
from .random import manual_seed_all as manual_seed_all
from .random import seed as seed
from .random import seed_all as seed_all
from .random import set_rng_state as set_rng_state
from .random import set_rng_state_all as set_rng_state_all
from .streams import Event as Event
from .streams import ExternalStream as ExternalStream
from .streams import Stream as Stream
from .streams import StreamContext as StreamContext
from .streams import current_stream as current_stream
from .streams import default_stream as default_stream
from .streams import get_stream_from_external as get_stream_from_external
from .streams import set_stream as set_stream
from .streams import stream as stream

has_half, has_magma = True, False


def __getattr__(name: str) -> object:
    if name == "_initialized":
        return is_initialized()
    if name == "default_generators":  # they are asked of the backend, each time
        return _default_generators()
    raise AttributeError(f"module 'arraytorch.cuda' has no attribute '{name}'")
