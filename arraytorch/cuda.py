"""CUDA or ROCm devices: whether there are any."""

from __future__ import annotations

from . import backends
from ._device import device


def is_available() -> bool:
    """Returns whether tensors can be put on a CUDA or ROCm device here, without raising.

    >>> torch.device("cuda" if torch.cuda.is_available() else "cpu").type in ("cuda", "cpu")
    True
    """
    return backends.is_available("cuda")


def device_count() -> int:
    """Returns the number of CUDA or ROCm devices, 0 where there is no backend for them.

    >>> torch.cuda.device_count() >= 0
    True
    """
    return backends.backend_for(device("cuda")).device_count() if is_available() else 0
