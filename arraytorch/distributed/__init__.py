"""Processes that train together: there is one, whose group `init_process_group` makes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .alone import (
    GroupMember,
    ProcessGroup,
    ReduceOp,
    Work,
    all_gather,
    all_gather_into_tensor,
    all_gather_object,
    all_reduce,
    barrier,
    broadcast,
    broadcast_object_list,
    destroy_process_group,
    get_backend,
    get_rank,
    get_world_size,
    group,
    init_process_group,
    is_initialized,
    reduce,
)

__all__ = [
    "GroupMember",
    "ProcessGroup",
    "ReduceOp",
    "Work",
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "destroy_process_group",
    "get_backend",
    "get_rank",
    "get_world_size",
    "group",
    "init_process_group",
    "is_available",
    "is_initialized",
    "is_torchelastic_launched",
    "reduce",
]


def is_available() -> bool:
    """Returns False: there is no communication between processes.

    >>> torch.distributed.is_available()
    False
    """
    return False


def is_torchelastic_launched() -> bool:
    """Returns False: nothing has launched several processes."""
    return False


def __getattr__(name: str) -> Any:
    # The types load when they are first asked for.
    if name in ("device_mesh", "nn", "optim", "rpc", "tensor"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
