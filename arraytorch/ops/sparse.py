"""Making sparse tensors: of values and their places, and of dense tensors."""

from __future__ import annotations

from typing import Any

from .. import _dtypes, _layouts
from .._dtypes import dtype as Dtype
from ..autograd.tape import TensorBase, wrap
from ..backends import backend_of, dtype_of, numpy_dtype
from ..backends.coo import CooArray
from ..backends.sparse_moves import refused
from ._promote import place_for, shape_of
from ._results import check_tensor
from .conversion import to
from .creation import finished, tensor
from .shape import detach
from .sparse_values import _ALL_SPARSE, B, _masked, _sparse, coo, dense, is_sparse, refuse_dense

Tensor = Any
checks = [False]  # whether all invariants are checked where a call does not say


def sparse_coo_tensor(
    indices: Any = None,
    values: Any = None,
    size: Any = None,
    *,
    dtype: Dtype | None = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> Tensor:
    """Returns a sparse tensor with ``values`` at the places that the columns of ``indices`` name.

    Values that are tensors themselves make it a hybrid one. Where a place occurs several times, its
    values are added up. Without ``size``, the tensor is as large as the indices need; with nothing
    but a size, all of it is zero. ``is_coalesced`` says that places are sorted and different;
    ``check_invariants`` has that checked. Gradients flow to ``values`` if that is a tensor.

    Raises RuntimeError for indices outside the size, and for sizes that do not fit together.

    >>> s = torch.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3))
    >>> s
    tensor(indices=tensor([[0, 1],
                           [2, 0]]),
           values=tensor([3., 4.]),
           size=(2, 3), nnz=2, layout=torch.sparse_coo)
    >>> s.to_dense()
    tensor([[0., 0., 3.],
            [4., 0., 0.]])
    """
    if values is None:
        if isinstance(indices, TensorBase):
            raise TypeError(
                "sparse_coo_tensor(): argument 'size' (position 1) must be tuple of ints, not Tensor"
            )
        shape = shape_of((size if indices is None else indices,), "sparse_coo_tensor")
        return empty(shape, dtype, device, requires_grad)
    if size is not None and not isinstance(size, (tuple, list)):
        raise TypeError(
            "sparse_coo_tensor(): argument 'size' (position 3) must be tuple of ints, not "
            f"{type(size).__name__}"
        )
    v = values if isinstance(values, TensorBase) else tensor(values, dtype=dtype, device=device)
    i = indices if isinstance(indices, TensorBase) else tensor(indices)
    v = to(v, dtype=dtype, device=device)
    if not v._data.ndim:
        v = v.reshape(1)
    i = to(detach(i), dtype=_dtypes.int64, device=v.device)
    shape = _checked(i._data, v._data, size, check_invariants is not False)
    array = CooArray(i._data, v._data, shape, bool(is_coalesced))
    if is_coalesced and (checks[0] if check_invariants is None else check_invariants):
        _check_order(array)
    out = coo(v, array)
    if requires_grad and out._node is not None:
        out = detach(out)
    return finished(out._data, True, "sparse_coo_tensor") if requires_grad else out


def _checked(i: Any, v: Any, size: Any, bounded: bool) -> tuple[int, ...]:
    """The shape that indices and values have; errors where they do not fit each other."""
    if i.ndim != 2:
        raise RuntimeError(f"indices must be sparse_dim x nnz, but got: {list(i.shape)}")
    n, nnz = i.shape
    if v.shape[0] != nnz:
        raise RuntimeError(
            f"indices and values must have same nnz, but got nnz from indices: {nnz}, nnz from "
            f"values: {v.shape[0]}"
        )
    D = backend_of(i)
    rows = [(D.bounds(i[d]) if nnz else None) for d in range(n)] if bounded or size is None else []
    for d, seen in enumerate(rows):
        if seen is not None and seen[0] < 0:
            raise RuntimeError(f"found negative index {seen[0]} for dim {d}")
    if size is None:
        return (*[0 if seen is None else seen[1] + 1 for seen in rows], *v.shape[1:])
    shape = shape_of((tuple(size),), "sparse_coo_tensor")
    if any(s < 0 for s in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {list(shape)}")
    if len(shape) != n + v.ndim - 1:
        raise RuntimeError(
            f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(shape)}, "
            f"sparse_dim = {n}, dense_dim = {v.ndim - 1}"
        )
    if v.shape[1:] != shape[n:]:
        raise RuntimeError(
            f"values has incorrect size, expected {[nnz, *shape[n:]]}, got {list(v.shape)}"
        )
    for d, seen in enumerate(rows):
        if seen is not None and seen[1] >= shape[d]:
            raise RuntimeError(
                f"size is inconsistent with indices: for dim {d}, size is {shape[d]} but found "
                f"index {seen[1]}"
            )
    return shape


def _check_order(x: CooArray) -> None:
    plain = CooArray(x.indices, x.values, x.shape)
    sorted_ = B.coalesce(plain).indices
    if sorted_.shape != x.indices.shape or bool((sorted_ != x.indices).any()):
        raise RuntimeError(
            "cannot set is_coalesced to true if indices correspond to uncoalesced COO tensor"
        )


def restored(indices: Tensor, values: Tensor, size: Any, coalesced: Any) -> Tensor:
    """Returns a sparse tensor of parts that were stored, of which nothing is believed."""
    shape = _checked(indices._data, values._data, tuple(size), True)
    array = CooArray(indices._data, values._data, shape, bool(coalesced))
    if coalesced:
        _check_order(array)
    return wrap(array)


def empty(
    shape: tuple[int, ...],
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
    sparse_dim: int | None = None,
) -> Tensor:
    """Returns a sparse tensor without elements."""
    D, place = place_for(device)
    model = D.zeros((0,), numpy_dtype(dtype or _dtypes.get_default_dtype()), place.index)
    n = len(shape) if sparse_dim is None else sparse_dim
    return finished(B.empty_of(shape, n, model), requires_grad, "sparse_coo_tensor")


def like(input: Tensor, fill: Any, dtype: Dtype | None, device: Any, requires_grad: bool) -> Tensor:
    """Returns a sparse tensor without elements, with the shape of another; no number can fill it."""
    x = input._data
    if fill:
        raise refused("write", x if is_sparse(input) else B.empty_of(x.shape, x.ndim, x))
    where = backend_of(x).device_of(x) if device is None else device
    n = x.sparse_dim if is_sparse(input) else x.ndim
    return empty(x.shape, dtype or dtype_of(x), where, requires_grad, n)


def to_sparse(
    self: Tensor,
    sparse_dim: Any = None,
    *,
    layout: Any = None,
    blocksize: Any = None,
    dense_dim: int | None = None,
) -> Tensor:
    """Returns a dense tensor's elements that are not zero, as a sparse tensor.

    ``sparse_dim`` counts the first dimensions, all of them unless given; the others are those of
    the values. Raises RuntimeError for another number than there are, or another layout.

    >>> torch.tensor([[0.0, 2.0], [0.0, 0.0]]).to_sparse()
    tensor(indices=tensor([[0],
                           [1]]),
           values=tensor([2.]),
           size=(2, 2), nnz=1, layout=torch.sparse_coo)
    """
    if isinstance(sparse_dim, _layouts.layout):
        sparse_dim, layout = None, sparse_dim
    if layout is _layouts.strided:
        return dense(self)
    if layout not in (None, _layouts.sparse_coo):
        raise RuntimeError(f"to_sparse(): there are no tensors of layout {layout!r} here")
    if blocksize is not None or dense_dim is not None:
        raise RuntimeError("to_sparse: only blocked and compressed layouts have these arguments")
    check_tensor("to_sparse", self, names=("self",))
    n = self._data.ndim
    if is_sparse(self):
        if sparse_dim not in (None, self._data.sparse_dim):
            raise RuntimeError(
                "to_sparse: conversion from Sparse to Sparse with sparse_dim argument "
                "!=self.sparse_dim() is not supported"
            )
        return self
    if sparse_dim is not None and n and sparse_dim == 0:
        raise RuntimeError("dense_to_sparse: sparse_dim argument must be in >0 when self.dim()>0")
    if sparse_dim is not None and not 0 <= sparse_dim <= n:
        raise RuntimeError(
            f"dense_to_sparse: sparse_dim argument must be in [0,{n}] range, but {sparse_dim} is "
            "given"
        )
    out = _sparse(self, n if sparse_dim is None else sparse_dim)
    if out._node is not None and sparse_dim is None:
        out._node.rules = _ALL_SPARSE
    return out


def to_sparse_coo(self: Tensor) -> Tensor:
    """Returns the elements that are not zero as a sparse tensor; see `to_sparse`."""
    return to_sparse(self)


def sparse_mask(self: Tensor, mask: Tensor) -> Tensor:
    """Returns the elements at the places of a sparse tensor of the same shape, zeros included.

    >>> places = torch.sparse_coo_tensor([[0, 2]], [1.0, 1.0], (3,))
    >>> torch.tensor([4.0, 5.0, 6.0]).sparse_mask(places).to_dense()
    tensor([4., 0., 6.])
    """
    check_tensor("sparse_mask", self, mask, names=("self", "mask"))
    if not is_sparse(mask):
        raise refuse_dense("sparse_mask", mask)
    if self._data.shape != mask._data.shape:
        raise RuntimeError(
            "sparse_mask(): operands have incompatible sizes; self has size "
            f"{list(self._data.shape)} but mask has size {list(mask._data.shape)}"
        )
    return _masked(self, mask._data)
