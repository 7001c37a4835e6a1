"""The type of a grid of processes with devices, of which there is none."""

from __future__ import annotations

from typing import Any

__all__ = ["DeviceMesh"]


class DeviceMesh:
    """What annotations and ``isinstance`` ask for; a process alone has no mesh.

    >>> from arraytorch.distributed.device_mesh import DeviceMesh
    >>> isinstance(torch.ones(2), DeviceMesh)
    False
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("a DeviceMesh needs processes that communicate: there are none")
