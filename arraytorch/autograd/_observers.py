"""What looks at each node as it is recorded: anomaly detection, and hooks on what nodes save.

They replace the class's constructor while there are any, so that nothing is paid without them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .tape import Node

_plain_init = Node.__init__
_observers: list[Callable[[Any], None]] = []


def _observed_init(self: Any, rules: Any, edges: Any, saved: Any, array: Any) -> None:
    _plain_init(self, rules, edges, saved, array)
    for observe in tuple(_observers):
        observe(self)


def add(observe: Callable[[Any], None]) -> None:
    """Has ``observe`` called with every node that is recorded from now on."""
    _observers.append(observe)
    Node.__init__ = _observed_init  # type: ignore[method-assign]


def remove(observe: Callable[[Any], None]) -> None:
    """Ends that, if it is so."""
    if observe in _observers:
        _observers.remove(observe)
    if not _observers:
        Node.__init__ = _plain_init  # type: ignore[method-assign]


def watches(observe: Callable[[Any], None]) -> bool:
    """Returns whether ``observe`` is being called."""
    return observe in _observers
