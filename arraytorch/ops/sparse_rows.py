"""Look-ups in a table whose gradient is sparse: only the rows that were looked up."""

from __future__ import annotations

from typing import Any

from .._dtypes import int64
from ..autograd.tape import TensorBase, taped, wrap
from ..backends import backend_of, numpy_dtype
from ..backends.coo import CooArray
from ._declare import derivative
from .picking import index_select
from .shape import reshape
from .sparse_values import coo

Tensor = Any


def _rows(g: Any, index: Any, rows: int, padding: int, scale: bool) -> Any:
    """The slices of g as the rows that ``index`` names, as often as it does; an array or a tensor."""
    if scale:
        raise RuntimeError(
            "embedding_backward: scale_grad_by_freq not supported with sparse gradients"
        )
    index = getattr(index, "_data", index)
    D = backend_of(index)
    # A copy, as the index is the user's.
    flat = D.copy(D.reshape(D.cast(index, numpy_dtype(int64)), (1, -1)))
    width = g.shape[-1]
    recorded = isinstance(g, TensorBase)
    values = reshape(g, (flat.shape[1], width)) if recorded else D.reshape(g, (-1, width))
    if padding >= 0:
        kept = D.nonzero(flat[0] != padding)[0]
        flat = D.take(flat, kept, 1)
        values = index_select(values, 0, wrap(kept)) if recorded else D.take(values, kept, 0)
    array = CooArray(flat, getattr(values, "_data", values), (rows, width))
    return coo(values, array) if recorded else array


@derivative(
    saves=("index", "rows", "padding", "scale"),
    name="EmbeddingBackward0",
    d_weight=lambda g, index, rows, padding, scale: _rows(g, index, rows, padding, scale),
)
def look_up(weight: Tensor, index: Tensor, padding: int, scale: bool) -> Tensor:
    """Returns the rows of a table that ``index`` names, with a sparse gradient for the table."""
    w = weight._data
    z = backend_of(w).take(w, index._data, 0)
    return taped(look_up, z, (weight,), (index, w.shape[0], padding, scale))
