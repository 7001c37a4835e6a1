"""Intel devices: how many, which is current, what they say of themselves."""

from __future__ import annotations

from typing import Any

from .._accelerators.devices import DeviceContext, DeviceOf, Devices
from .._accelerators.graphs import Graphs
from .._accelerators.random import Random

DEVICES = Devices("xpu")

is_available = DEVICES.is_available
device_count = DEVICES.device_count
is_initialized = DEVICES.is_initialized
init = DEVICES.init
current_device = DEVICES.current_device
set_device = DEVICES.set_device
synchronize = DEVICES.synchronize
get_device_name = DEVICES.get_device_name
get_device_properties = DEVICES.get_device_properties
get_arch_list = DEVICES.get_arch_list
is_bf16_supported = DEVICES.is_bf16_supported
is_tf32_supported = DEVICES.is_tf32_supported
is_current_stream_capturing = Graphs(DEVICES).is_current_stream_capturing
default_generators = Random(DEVICES).default_generators


def can_device_access_peer(device: Any, peer: Any) -> bool:
    """Returns whether a device can read the memory of another directly.

    Raises AssertionError for a number that no device has.
    """
    return DEVICES.can_device_access_peer(device, peer)


def get_device_capability(device: Any = None) -> dict[str, Any]:
    """Returns what a device says of itself as a dictionary."""
    facts = get_device_properties(device)
    return {name: value for name, value in vars(facts).items() if not name.startswith("_")}


class device(DeviceContext):
    """Makes a device, a number or a name, the current one in a ``with`` block; None does nothing.

    >>> with torch.xpu.device(None):
    ...     torch.ones(2).device
    device(type='cpu')
    """

    devices = DEVICES


class device_of(DeviceOf):
    """Makes the device of a tensor the current one in a ``with`` block; nothing for the CPU's.

    >>> with torch.xpu.device_of(torch.ones(2)):
    ...     torch.ones(2).device
    device(type='cpu')
    """

    devices = DEVICES
