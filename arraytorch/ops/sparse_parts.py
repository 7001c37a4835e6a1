"""The parts of sparse tensors: their places, values and sizes."""

from __future__ import annotations

from typing import Any

from ..autograd.tape import lying_in, taped
from ..backends import backend_of
from ..backends.coo import CooArray
from ..backends.sparse_places import zeros
from ._declare import derivative
from ._promote import shape_of
from ._write import stamp
from .sparse_values import B, _coalesced, check_sparse, held, is_sparse, refuse_dense

Tensor = Any


def coalesce(self: Tensor) -> Tensor:
    """Returns the same elements at sorted places, each of which occurs once.

    >>> torch.sparse_coo_tensor([[1, 0, 1]], [1.0, 2.0, 3.0]).coalesce().values()
    tensor([2., 4.])
    """
    return self if check_sparse("coalesce", self).coalesced else _coalesced(self)


def is_coalesced(self: Tensor) -> bool:
    """Tells whether the places of a sparse tensor are known to be sorted and different."""
    return check_sparse("is_coalesced", self).coalesced


def indices(self: Tensor) -> Tensor:
    """Returns the places of a coalesced tensor, one in each column.

    Raises RuntimeError for a tensor that is not coalesced, or dense.
    """
    x = check_sparse("indices", self)
    _check_coalesced("indices", x)
    return lying_in(x.indices, self)


@derivative(
    saves=("pattern",),
    name="ValuesBackward0",
    d_self=lambda B, g, pattern: B.placed(g, pattern),
)
def _values_of(self: Tensor) -> Tensor:
    out = taped(_values_of, self._data.values, (self,), (held(self._data),))
    out._owner = self if self._owner is None else self._owner
    return out


def values(self: Tensor) -> Tensor:
    """Returns the values of a coalesced tensor, in the order of its places; the same memory.

    Raises RuntimeError for a tensor that is not coalesced, or dense.
    """
    _check_coalesced("values", check_sparse("values", self, "sparse"))
    return _values_of(self)


def _check_coalesced(what: str, x: CooArray) -> None:
    if not x.coalesced:
        raise RuntimeError(
            f"Cannot get {what} on an uncoalesced tensor, please call .coalesce() first"
        )


def _parts_of(name: str, self: Tensor) -> CooArray:
    if not is_sparse(self):
        raise refuse_dense(name, self)
    return self._data  # type: ignore[no-any-return]


def _indices(self: Tensor) -> Tensor:
    """Returns the places of a sparse tensor, coalesced or not."""
    return lying_in(_parts_of("_indices", self).indices, self)


def _values(self: Tensor) -> Tensor:
    """Returns the values of a sparse tensor, coalesced or not, without history; the same memory."""
    return lying_in(_parts_of("_values", self).values, self)


def _nnz(self: Tensor) -> int:
    """Returns how many places a sparse tensor holds, repeated ones counted as often."""
    return _parts_of("_nnz", self).nnz


def _coalesced_(self: Tensor, coalesced: bool) -> Tensor:
    """Notes that the places of a sparse tensor are sorted and different, or may not be."""
    _parts_of("_coalesced_", self).coalesced = bool(coalesced)
    return self


def sparse_resize_(self: Tensor, size: Any, sparse_dim: int, dense_dim: int) -> Tensor:
    """Gives a sparse tensor another shape, in which each element keeps its place.

    With elements, the sizes cannot shrink and the dimensions stay as many; else RuntimeError.
    """
    x, shape = _resizable("sparse_resize_", self, size, sparse_dim, dense_dim)
    if x.nnz:
        for what, old, new in (
            ("sparse", x.sparse_dim, sparse_dim),
            ("dense", x.ndim - x.sparse_dim, dense_dim),
        ):
            if old != new:
                raise RuntimeError(
                    f"changing the number of {what} dimensions (from {old} to {new}) on a "
                    "non-empty sparse tensor is not supported."
                )
        for what, part in (("sparse", slice(0, sparse_dim)), ("dense", slice(sparse_dim, None))):
            if any(b < a for a, b in zip(x.shape[part], shape[part], strict=True)):
                raise RuntimeError(
                    f"shrinking the size of {what} dimensions (from {list(x.shape[part])} to "
                    f"{list(shape[part])}) on a non-empty sparse tensor is not supported."
                )
        if shape[sparse_dim:] != x.shape[sparse_dim:]:
            D = backend_of(x.values)
            wide = zeros((x.nnz, *shape[sparse_dim:]), x.dtype, x.values)
            D.setitem(wide, tuple([slice(0, n) for n in x.values.shape]), x.values)
            x.values = wide
        x.shape = shape
    else:
        x.assign(B.empty_of(shape, sparse_dim, x.values))
    stamp(self)
    return self


def sparse_resize_and_clear_(self: Tensor, size: Any, sparse_dim: int, dense_dim: int) -> Tensor:
    """Gives a sparse tensor another shape and takes all its elements away."""
    x, shape = _resizable("sparse_resize_and_clear_", self, size, sparse_dim, dense_dim)
    x.assign(B.empty_of(shape, sparse_dim, x.values))
    stamp(self)
    return self


def _resizable(
    name: str, self: Tensor, size: Any, sparse_dim: int, dense_dim: int
) -> tuple[CooArray, tuple[int, ...]]:
    if not isinstance(size, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'size' (position 1) must be tuple of ints, not "
            f"{type(size).__name__}"
        )
    shape = shape_of((tuple(size),), name)
    if sparse_dim + dense_dim != len(shape):
        raise RuntimeError(
            f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(shape)}, "
            f"sparse_dim = {sparse_dim}, dense_dim = {dense_dim}"
        )
    return _parts_of(name, self), shape
