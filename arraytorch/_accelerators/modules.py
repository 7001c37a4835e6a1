"""The module that belongs to a device."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from .._device import device as Device
from .devices import kind_of


def get_device_module(device: Device | str | None = None) -> ModuleType:
    """Returns the module of a device, such as `torch.cuda`; None is the accelerator's, or the CPU's.

    Raises RuntimeError for a device without one.

    >>> torch.get_device_module("cpu") is torch.cpu
    True
    """
    if device is not None and not isinstance(device, (str, Device)):
        raise RuntimeError(f"Invalid value of device '{device}', expect torch.device, str, or None")
    kind = kind_of(device)
    if kind not in ("cpu", "cuda", "xpu"):
        raise RuntimeError(
            f"Device '{kind}' does not have a corresponding module registered as 'torch.{kind}'."
        )
    return import_module(f"...{kind}", __name__)
