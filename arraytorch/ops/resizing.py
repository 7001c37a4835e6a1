"""Other shapes for the tensor itself, and sums back to a shape."""

from __future__ import annotations

from math import prod
from typing import Any

from ..backends import backend_of
from ._promote import shape_of
from .reduction import sum
from .shape import reshape

Tensor = Any


def resize_(self: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Gives the tensor another shape, its elements kept in C order as far as there is room.

    What is added is unset. Raises RuntimeError for one that requires gradients.
    """
    if self._node is not None:
        raise RuntimeError("cannot resize variables that require grad")
    shape = shape_of(sizes, "resize_")
    x = self._data
    B = backend_of(x)
    flat = B.reshape(x, (-1,))
    if prod(shape) <= x.size:
        self._data = B.reshape(flat[: prod(shape)], shape)
        return self
    grown = B.empty((prod(shape),), x.dtype)
    B.write(grown[: x.size], flat)
    self._data = B.reshape(grown, shape)
    return self


def resize_as_(self: Tensor, other: Tensor, *, memory_format: Any = None) -> Tensor:
    """Gives the tensor the shape of another; see `resize_`."""
    return resize_(self, *other._data.shape)


def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """Returns the sum over the dimensions that broadcasting to the tensor's shape would repeat.

    >>> torch.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    shape = shape_of(size, "sum_to_size")
    if not shape:
        return sum(input)
    own = tuple(input._data.shape)
    lead = len(own) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, own[lead:], strict=True)):
        raise RuntimeError(f"size {{{list(shape)}}} is not expandable to size {{{list(own)}}}.")
    gone = (*range(lead), *(i + lead for i, n in enumerate(shape) if n != own[i + lead]))
    return reshape(sum(input, gone, True), shape) if gone else input
