"""Views that were taken of a tensor before a user asked for its gradient.

From then on they need gradients as their base does, but no node leads from them to it: whatever is made of
them is recorded, and its gradient gets lost here. The next write to their memory takes them anew from the
base, with their history. So it is in PyTorch, which compares a view's version with that of its base.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .modes import grad_enabled
from .tape import Leaf, move, ref, replay


class EarlyViews:
    """What a base that has become a leaf knows of the views that lived already."""

    def __init__(self, views: Iterable[Any]) -> None:
        self.ends: list[tuple[Any, Leaf]] = []
        for seen in views:
            view = seen()
            if view is not None and view._node is None:
                view._node = Leaf(view)
                view._node.tensor = _nobody  # who would get the gradient
                self.ends.append((ref(view), view._node))

    def _living(self) -> Iterable[Any]:
        """Those that have got no history since."""
        return [
            view for seen, end in self.ends if (view := seen()) is not None and view._node is end
        ]

    def release(self) -> None:
        """Lets them need gradients no more than their base."""
        for view in self._living():
            view._node = None

    def renew(self, base: Any) -> None:
        """Takes them anew from their base, whose memory was written."""
        token = grad_enabled.set(True)
        for view in self._living():
            move(view, replay(base, view._step)._node)
        grad_enabled.reset(token)


def _nobody() -> None:
    return None
