"""What optimizers do about sparse gradients: refuse them, or change only the rows that they name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._tensor import Tensor
from ..autograd.tape import stamp_quietly, wrap
from ..backends import SPARSE, outermost


def with_sparse_gradients(params: Sequence[Tensor]) -> list[Tensor]:
    """Returns the parameters that have one; without looking before there are sparse tensors."""
    if not SPARSE[0]:
        return []
    return [p for p in params if p._grad is not None and p._grad.is_sparse]  # type: ignore[attr-defined]


def refuse_sparse(optimizer: Any, params: Sequence[Tensor]) -> None:
    """Raises RuntimeError in an optimizer's name if a parameter has a sparse gradient."""
    if with_sparse_gradients(params):
        own = (c for c in type(optimizer).__mro__ if c.__module__.startswith(__package__))
        raise RuntimeError(f"{next(own).__name__} does not support sparse gradients")


def add_sparse(param: Tensor, change: Tensor) -> None:
    """Adds a sparse tensor to a dense one, in place and unrecorded, at its places alone."""
    x, y = param._data, change._data
    outermost(x, y).add_into(x, y)
    stamp_quietly((param,))


def like(grad: Tensor, values: Tensor) -> Tensor:
    """Returns a sparse tensor of other values at the places of a coalesced one."""
    return wrap(grad._data.with_values(values._data))
