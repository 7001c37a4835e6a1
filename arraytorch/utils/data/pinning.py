"""Batches in pinned memory, from which copies to a device need not be waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from ..._tensor import Tensor


def pinned(batch: Any) -> Any:
    """Returns a batch with copies of its tensors in pinned memory, however it nests them.

    An object of another class is asked for its own ``pin_memory()``, if it has one.
    """
    if isinstance(batch, Tensor) or hasattr(batch, "pin_memory"):
        return batch.pin_memory()
    if isinstance(batch, (str, bytes)):
        return batch
    if isinstance(batch, Mapping):
        return _like(batch, {key: pinned(value) for key, value in batch.items()})
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*map(pinned, batch))
    if isinstance(batch, tuple):
        return [pinned(value) for value in batch]
    if isinstance(batch, Sequence):
        return _like(batch, [pinned(value) for value in batch])
    return batch


def _like(old: Any, new: Any) -> Any:
    """The new values in a container of the old one's class, if it can be made of them."""
    try:
        if hasattr(old, "update"):
            twin = copy(old)
            twin.update(new)
            return twin
        return type(old)(new)
    except TypeError:
        return new
