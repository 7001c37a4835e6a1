"""What NumPy tells of arrays without a look at their elements."""

from __future__ import annotations

from typing import Any

from .arguments import axes_of, counterpart, tensor


@counterpart()
def shape(a: Any) -> Any:
    """The size of each dimension."""
    return tuple(tensor(a).shape)


@counterpart()
def ndim(a: Any) -> Any:
    """The number of dimensions."""
    return tensor(a).ndim


@counterpart()
def size(a: Any, axis: Any = None) -> Any:
    """The number of elements, in all or along axes."""
    x, n = tensor(a), 1
    for i in axes_of(axis, x.ndim):
        n *= x.shape[i]
    return n


@counterpart()
def iscomplexobj(x: Any) -> Any:
    """Whether the dtype is complex."""
    return tensor(x).is_complex()


@counterpart()
def isrealobj(x: Any) -> Any:
    """Whether the dtype is not complex."""
    return not tensor(x).is_complex()
