"""How far a history reaches: whether it comes from tensors besides those that one knows."""

from __future__ import annotations

from typing import Any

from .tape import Leaf


def needs_others(t: Any, inner: set[int]) -> bool:
    """Returns whether a tensor's history reaches a leaf that is none of these, given by `id`."""
    seen: set[Any] = set()
    waiting = [t._node]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.__class__ is Leaf:
            leaf = node.variable
            if leaf is not None and id(leaf) not in inner:
                return True
        else:
            waiting.extend(node.edges)
    return False
