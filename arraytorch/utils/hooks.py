"""Handles that take back what a hook registration did."""

from __future__ import annotations

import weakref
from collections.abc import MutableMapping
from typing import Any


class RemovableHandle:
    """Removes a hook again: by ``remove()``, or at the end of a ``with`` block.

    ``hooks_dict`` is the mapping that holds the hook under the handle's ``id``; ``extra_dict`` is
    one mapping, or several, that hold more about it under the same ``id``.

    >>> layer = torch.nn.Identity()
    >>> with layer.register_forward_hook(lambda module, args, output: output + 1):
    ...     layer(torch.zeros(1))
    tensor([1.])
    >>> layer(torch.zeros(1))
    tensor([0.])
    """

    next_id: int = 0

    def __init__(
        self,
        hooks_dict: MutableMapping[int, Any],
        *,
        extra_dict: MutableMapping[int, Any] | list[MutableMapping[int, Any]] | None = None,
    ) -> None:
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        extra = [] if extra_dict is None else extra_dict
        self._keep((hooks_dict, *(extra if isinstance(extra, list) else (extra,))))

    def _keep(self, dicts: tuple[Any, ...]) -> None:
        # Weakly: a forgotten handle must not keep a module alive.
        self._dicts = tuple(weakref.ref(d) for d in dicts)

    def remove(self) -> None:
        """Removes the hook; a second call, or one after its owner is gone, does nothing."""
        for ref in self._dicts:
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def __getstate__(self) -> tuple[Any, ...]:
        return self.id, tuple(ref() for ref in self._dicts)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.id, dicts = state
        self._keep(tuple(d for d in dicts if d is not None))
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)
