"""Whether there are several processes to train in: there are not."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["ProcessGroup", "is_available", "is_initialized", "is_torchelastic_launched"]


class ProcessGroup:
    """What annotations and ``isinstance`` ask for; a process alone is in no group."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("a ProcessGroup needs processes that communicate: there are none")


def is_available() -> bool:
    """Returns False: there is no communication between processes.

    >>> torch.distributed.is_available()
    False
    """
    return False


def is_initialized() -> bool:
    """Returns False: this process belongs to no group."""
    return False


def is_torchelastic_launched() -> bool:
    """Returns False: nothing has launched several processes."""
    return False


def __getattr__(name: str) -> Any:
    # The types load when they are first asked for.
    if name in ("device_mesh", "nn", "tensor"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
