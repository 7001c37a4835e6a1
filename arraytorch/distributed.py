"""Whether there are several processes to train in: there are not."""

from __future__ import annotations

__all__ = ["is_available", "is_initialized", "is_torchelastic_launched"]


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
