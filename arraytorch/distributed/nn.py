"""Communication that gradients go through: a process alone can have none, and says so."""

from __future__ import annotations

from typing import Any

__all__ = ["all_gather", "all_reduce"]

_ALONE = (
    "Default process group has not been initialized, please make sure to call init_process_group."
)


def all_reduce(tensor: Any, op: Any = None, group: Any = None) -> Any:
    """Raises ValueError, as PyTorch does in a process that belongs to no group."""
    raise ValueError(_ALONE)


def all_gather(tensor: Any, group: Any = None) -> Any:
    """Raises ValueError, as PyTorch does in a process that belongs to no group."""
    raise ValueError(_ALONE)
