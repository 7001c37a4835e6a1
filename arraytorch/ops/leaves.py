"""How a tensor takes over what a file has for it."""

from __future__ import annotations

from typing import Any

from ._results import check_tensor
from .inplace import copy_

Tensor = Any


def module_load(self: Tensor, other: Tensor, assign: bool = False) -> Tensor:
    """Returns what a module shall hold in place of this tensor when it loads ``other``.

    That is ``other`` itself with ``assign``, else this tensor with the elements of ``other``.
    """
    check_tensor("module_load", self, other)
    return other.detach() if assign else copy_(self, other).detach()
