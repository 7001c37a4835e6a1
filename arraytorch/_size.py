"""Shapes."""

from __future__ import annotations

from math import prod
from typing import Any


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple of ints.

    >>> torch.ones(2, 3).shape.numel()
    6
    """

    __slots__ = ()

    def numel(self) -> int:
        """Returns the number of elements that a tensor of this shape has."""
        return prod(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __getitem__(self, index: Any, item: Any = tuple.__getitem__) -> Any:
        found = item(self, index)
        return Size(found) if found.__class__ is tuple else found

    def __add__(self, other: Any) -> Any:
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other: Any) -> Any:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, count: Any) -> Any:
        return Size(tuple.__mul__(self, count))

    __rmul__ = __mul__

    def __reduce__(self) -> tuple[Any, ...]:
        return Size, (tuple(self),)
