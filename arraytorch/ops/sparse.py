"""Sparse tensors in coordinate form: making them, their parts, and to and from dense ones.

A sparse tensor is a tensor whose array is a `CooArray`, which has a backend of its own; so most of
what can be done with it is done by the ops of dense tensors. Loaded with the first such tensor.
"""

from __future__ import annotations

from typing import Any

from .. import _dtypes, _layouts
from .._dtypes import dtype as Dtype
from ..autograd import engine
from ..autograd.tape import TensorBase, lying_in, taped, wrap
from ..backends import backend_of, dtype_of, numpy_dtype
from ..backends.coo import CooArray
from ..backends.sparse import SparseBackend
from ..backends.sparse_moves import refused
from ..backends.sparse_places import zeros
from ._declare import derivative, kernel_op, renamed
from ._promote import place_for, shape_of
from ._results import check_tensor
from ._write import stamp
from .conversion import to
from .creation import finished, tensor
from .shape import detach

Tensor = Any
B: SparseBackend = CooArray.backend
checks = [False]  # whether all invariants are checked where a call does not say


def _of_both(own: Any, saved: Any) -> Any:
    """The backend for the rules of a node, of whose saved arrays some may be sparse."""
    return B if any(s.__class__ is CooArray for s in saved) else own


engine.adopt_mixture(_of_both)


def is_sparse(t: Any) -> bool:
    """Tells whether something is a sparse tensor."""
    return getattr(t, "_data", t).__class__ is CooArray


def held(x: CooArray) -> CooArray:
    """Returns an array of the same parts, which in-place operations on the first leave alone."""
    return CooArray(x.indices, x.values, x.shape, x.coalesced)


def check_sparse(name: str, t: Any, what: str = "sparse coordinate") -> CooArray:
    """Returns the array of a sparse tensor; RuntimeError for a dense one."""
    check_tensor(name, t, names=("self",))
    x = t._data
    if x.__class__ is not CooArray:
        raise RuntimeError(f"{name} expected {what} tensor layout but got Strided")
    return x  # type: ignore[no-any-return]


def refuse_dense(name: str, t: Any) -> NotImplementedError:
    """Returns the error for a dense tensor in an op that only sparse ones have."""
    place = backend_of(t._data).device_of(t._data).type.upper()
    return NotImplementedError(
        f"Could not run 'aten::{name}' with arguments from the '{place}' backend."
    )


# ------------------------------------------------------------------------------------- making


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


@derivative(
    saves=("pattern",),
    name="SparseCooTensorWithDimsAndTensorsBackward0",
    d_values=lambda B, g, pattern: B.values_at(g, pattern),
)
def coo(values: Tensor, array: CooArray) -> Tensor:
    """Returns the tensor of a sparse array, whose values are those of a tensor."""
    return taped(coo, array, (values,), (held(array),))


@derivative(
    saves=("sparse", "pattern"),
    d_input=lambda B, g, sparse, pattern: (
        B.placed(g, pattern) if sparse else B.to_dense(B.placed(g, pattern))
    ),
)
def values_at(input: Tensor, pattern: CooArray) -> Tensor:
    """Returns the elements at the places of a sparse array."""
    z = B.values_at(input._data, pattern)
    return taped(values_at, z, (input,), (is_sparse(input), held(pattern)))


@kernel_op
def placed(values: Tensor, pattern: CooArray) -> Tensor:
    """Returns values at the places of a sparse array."""
    return coo(values, B.placed(values._data, pattern))


# ------------------------------------------------------------------------------------- parts


@derivative(name="CoalesceBackward0", d_self=lambda g: g)
def _coalesced(self: Tensor) -> Tensor:
    return taped(_coalesced, B.coalesce(self._data), (self,))


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


# ---------------------------------------------------------------------------- to and from dense


@derivative(
    saves=("pattern", "masked"),
    kernel="to_dense",
    name="ToDenseBackward0",
    d_self=lambda B, g, pattern, masked: (
        B.masked_by(g, pattern) if masked else B.to_sparse(g, pattern.sparse_dim)
    ),
)
def dense(self: Tensor, masked: bool = True) -> Tensor:
    """Returns all elements; ``masked`` tells whether the gradient keeps to the places."""
    x = self._data
    if x.__class__ is not CooArray:
        return self
    return taped(dense, B.to_dense(x), (self,), (held(x), masked))


@derivative(
    saves=("pattern",),
    kernel="to_sparse",
    name="ToSparseBackward0",
    d_self=lambda B, g, pattern: B.to_dense(g),
)
def _sparse(self: Tensor, sparse_dim: int) -> Tensor:
    if is_sparse(self):
        return self
    z = CooArray.backend.to_sparse(self._data, sparse_dim)
    return taped(_sparse, z, (self,), (held(z),))


_ALL_SPARSE = renamed(_sparse, "ToSparseBackward1").rules


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


@derivative(
    saves=("sparse", "pattern"),
    name="SparseMaskBackward0",
    d_self=lambda B, g, sparse, pattern: (
        B.masked_by(g, pattern)
        if sparse
        else B.to_dense(B.placed(B.values_at(g, pattern), pattern))
    ),
)
def _masked(self: Tensor, pattern: CooArray) -> Tensor:
    z = B.placed(B.values_at(self._data, pattern), pattern)
    return taped(_masked, z, (self,), (is_sparse(self), held(pattern)))


@kernel_op
def masked_by(input: Tensor, pattern: CooArray) -> Tensor:
    """Returns the elements at the places of a sparse array, each of them once."""
    return _masked(input, B.coalesce(pattern))


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
