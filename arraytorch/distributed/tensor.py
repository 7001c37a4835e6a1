"""The type of tensors that several processes share, of which there is none."""

from __future__ import annotations

from typing import Any, Never

from .._tensor import Tensor

__all__ = ["DTensor"]


class DTensor(Tensor):
    """What ``isinstance`` asks for; a process alone has no such tensor.

    >>> from arraytorch.distributed.tensor import DTensor
    >>> isinstance(torch.ones(2), DTensor)
    False
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Never:
        """Raises: nothing can be shared."""
        raise RuntimeError("a DTensor needs processes that communicate: there are none")
