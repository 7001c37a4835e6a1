"""Intel devices: whether there are any."""

from __future__ import annotations

from . import backends
from ._device import device


def is_available() -> bool:
    """Returns whether tensors can be put on a Intel device here, without raising.

    >>> torch.device("xpu" if torch.xpu.is_available() else "cpu").type in ("xpu", "cpu")
    True
    """
    return backends.is_available("xpu")


def device_count() -> int:
    """Returns the number of Intel devices, 0 where there is no backend for them.

    >>> torch.xpu.device_count() >= 0
    True
    """
    return backends.backend_for(device("xpu")).device_count() if is_available() else 0
