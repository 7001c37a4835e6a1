"""Sparse matrices of diagonals."""

from __future__ import annotations

from typing import Any

from .. import _layouts
from .._dtypes import int64, scalar_type_name
from ..backends import backend_of, dtype_of, numpy_dtype
from ..backends.coo import CooArray
from ._promote import shape_of
from ._results import check_tensor
from .joining import cat
from .shape import reshape
from .sparse_values import coo

Tensor = Any


def spdiags(diagonals: Tensor, offsets: Tensor, shape: Any, layout: Any = None) -> Tensor:
    """Returns a sparse matrix with the rows of ``diagonals`` as the diagonals that offsets name.

    As in SciPy's function of that name, an element's place in its row is its column; what lies
    outside the matrix is left out. Raises RuntimeError for offsets that occur twice.

    >>> rows = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> torch.sparse.spdiags(rows, torch.tensor([0, 1]), (3, 3)).to_dense()
    tensor([[1., 5., 0.],
            [0., 2., 6.],
            [0., 0., 3.]])
    """
    check_tensor("spdiags", diagonals, offsets, names=("diagonals", "offsets"))
    size = shape_of((shape,), "spdiags")
    if layout not in (None, _layouts.sparse_coo):
        raise RuntimeError(f"Only output layouts (Sparse) are supported, got {layout!r}")
    if diagonals._data.ndim not in (1, 2):
        raise RuntimeError("Diagonals must be vector or matrix")
    if offsets._data.ndim > 1:
        raise RuntimeError("Offsets must be scalar or vector")
    if len(size) != 2:
        raise RuntimeError("Output shape must be 2d")
    kind = dtype_of(offsets._data)
    if kind is not int64:
        raise RuntimeError(f"Offset Tensor must have dtype Long but got {scalar_type_name(kind)}")
    rows = reshape(diagonals, (1, -1)) if diagonals._data.ndim == 1 else diagonals
    wanted = reshape(offsets, (-1,)).tolist()
    if rows._data.shape[0] != len(wanted):
        raise RuntimeError(
            f"Number of diagonals ({rows._data.shape[0]}) does not match the number of offsets "
            f"({len(wanted)})"
        )
    if len(set(wanted)) != len(wanted):
        raise RuntimeError("Offset tensor contains duplicate values")
    return _placed(rows, wanted, size)


def _placed(rows: Tensor, offsets: list[int], size: tuple[int, ...]) -> Tensor:
    x = rows._data
    D = backend_of(x)
    index, native = D.device_of(x).index, numpy_dtype(int64)
    values, places = [reshape(rows[:0], (-1,))], [D.zeros((2, 0), native, index)]
    for k, offset in enumerate(offsets):
        first = max(offset, 0)
        last = max(min(x.shape[1], size[1], size[0] + offset), first)
        columns = D.arange(first, last, 1, native, index)
        values.append(rows[k, first:last])
        places.append(D.stack([columns - offset, columns], 0))
    elements = cat(values)
    return coo(elements, CooArray(D.cat(places, 1), elements._data, size))
