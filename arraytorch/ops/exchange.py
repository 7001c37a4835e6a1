"""Tensors over the memory of other libraries' arrays."""

from __future__ import annotations

from typing import Any

from ..autograd.tape import TensorBase, wrap
from ..backends import exchange
from .conversion import clone, to

Tensor = Any


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """Returns a tensor that shares the memory of another library's array, or of a capsule.

    ``copy`` may demand (True) or forbid (False) new memory. Raises RuntimeError for objects without
    ``__dlpack__``, ValueError where another device is wanted and copying forbidden.

    >>> import numpy as np
    >>> x = np.zeros(2)
    >>> torch.from_dlpack(x)[0] = 1
    >>> x
    array([1., 0.])
    """
    if isinstance(ext_tensor, TensorBase):
        shared = wrap(ext_tensor._data[...])
    else:
        shared = wrap(exchange.from_dlpack(ext_tensor))
    moved = shared if device is None else to(shared, device)
    if moved is not shared:
        if copy is False:
            raise ValueError(f"cannot move the tensor to {device} without copying")
        return moved
    return clone(shared) if copy else shared
