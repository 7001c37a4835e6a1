"""What the gradients of sparse tensors are made of: values at places, and dense forms.

A sparse tensor is a tensor whose array is a `CooArray`, which has a backend of its own; so most of
what can be done with it is done by the ops of dense tensors.
"""

from __future__ import annotations

from typing import Any

from ..autograd import engine
from ..autograd.tape import taped
from ..backends import backend_of
from ..backends.coo import CooArray
from ..backends.sparse import SparseBackend
from ._declare import derivative, kernel_op, renamed
from ._results import check_tensor

Tensor = Any
B: SparseBackend = CooArray.backend


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


@derivative(name="CoalesceBackward0", kernel="coalesce", d_self=lambda g: g)
def _coalesced(self: Tensor) -> Tensor:
    return taped(_coalesced, B.coalesce(self._data), (self,))


@derivative(
    saves=("sparse", "pattern"),
    name="SparseMaskBackward0",
    d_self=lambda B, g, sparse, pattern: (
        B.coalesce(B.placed(B.values_at(g, pattern), pattern))
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
