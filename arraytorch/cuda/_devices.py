"""CUDA and ROCm devices: how many, which is current, what they say of themselves."""

from __future__ import annotations

from typing import Any

from .._accelerators.devices import DeviceContext, DeviceOf, Devices
from .._accelerators.random import Random

DEVICES = Devices("cuda")

is_available = DEVICES.is_available
device_count = DEVICES.device_count
is_initialized = DEVICES.is_initialized
init = DEVICES.init
current_device = DEVICES.current_device
set_device = DEVICES.set_device
synchronize = DEVICES.synchronize
get_device_name = DEVICES.get_device_name
get_device_properties = DEVICES.get_device_properties
can_device_access_peer = DEVICES.can_device_access_peer
get_arch_list = DEVICES.get_arch_list
get_gencode_flags = DEVICES.get_gencode_flags
is_bf16_supported = DEVICES.is_bf16_supported
is_tf32_supported = DEVICES.is_tf32_supported
default_generators = Random(DEVICES).default_generators


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """Returns the compute capability as (major, minor); of a ROCm device that of its architecture."""
    facts = get_device_properties(device)
    return facts.major, facts.minor


class device(DeviceContext):
    """Makes a device, a number or a name, the current one in a ``with`` block; None does nothing.

    >>> with torch.cuda.device(None):
    ...     torch.ones(2).device
    device(type='cpu')
    """

    devices = DEVICES


class device_of(DeviceOf):
    """Makes the device of a tensor the current one in a ``with`` block; nothing for the CPU's.

    >>> with torch.cuda.device_of(torch.ones(2)):
    ...     torch.ones(2).device
    device(type='cpu')
    """

    devices = DEVICES
