"""Kernels that rearrange, index and join sparse arrays, and how all kernels refuse them."""

from __future__ import annotations

from typing import Any

from .._dtypes import int64
from . import backend_of, numpy_dtype, outermost
from .arrays import ArrayKernels
from .coo import CooArray
from .sparse_places import chosen, to_dense, zeros
from .sparse_products import matches

# Kernels whose names PyTorch's differ from, in what is said of sparse tensors.
_ATEN = {
    "add": "add.Tensor", "mean": "mean.dim", "div": "div.Tensor", "var": "var.correction",
    "vector_norm": "linalg_vector_norm", "argsort": "sort.stable", "softmax": "_softmax",
    "log_softmax": "_log_softmax", "write": "fill_.Scalar", "unindex": "select_backward",
    "count_nonzero": "count_nonzero.dim_IntList", "isfinite": "ne.Scalar",
}  # fmt: skip
_BY_OTHER = frozenset(["eq", "ne", "lt", "le", "gt", "ge", "remainder", "fmod", "lerp"])


def refused(kernel: str, *operands: Any) -> NotImplementedError:
    """Returns the error for a sparse array in a kernel that has no sparse form."""
    name = _ATEN.get(kernel, kernel)
    if kernel in _BY_OTHER:
        name += ".Tensor" if getattr(operands[-1], "ndim", 0) and len(operands) > 1 else ".Scalar"
    x = next(o for o in operands if isinstance(o, CooArray))
    place = x.backend.device_of(x).type.upper()
    return NotImplementedError(
        f"Could not run 'aten::{name}' with arguments from the 'Sparse{place}' backend."
    )


class SparseMoves:
    """Shapes, parts and joins of sparse arrays."""

    def expand(self, x: Any, shape: tuple[int, ...]) -> Any:
        """Refuses a sparse array."""
        if isinstance(x, CooArray):
            raise RuntimeError("expand is unsupported for Sparse tensors")
        return backend_of(x).expand(x, shape)

    def reshape(self, x: Any, shape: tuple[int, ...]) -> Any:
        """Refuses a sparse array; a vector as a column, which products want, is dense."""
        if isinstance(x, CooArray) and shape == (*x.shape, 1) and x.ndim == 1:
            return backend_of(x.values).reshape(to_dense(x), shape)
        if isinstance(x, CooArray):
            raise RuntimeError("reshape is not implemented for sparse tensors")
        return backend_of(x).reshape(x, shape)

    reshaped = ArrayKernels.reshaped

    def transpose(self, x: Any, i: int, j: int) -> Any:
        """Two dimensions swapped, which have to be sparse."""
        if not isinstance(x, CooArray):
            return backend_of(x).transpose(x, i, j)
        if max(i, j) >= x.sparse_dim:
            raise RuntimeError(
                "sparse transpose: transposed dimensions must be sparse Got sparse_dim: "
                f"{x.sparse_dim}, d0: {i}, d1: {j}"
            )
        dims = list(range(x.ndim))
        dims[i], dims[j] = j, i
        return self.permute(x, tuple(dims))

    def permute(self, x: Any, dims: tuple[int, ...]) -> Any:
        """The dimensions in another order, sparse ones before the others as they were."""
        D = backend_of(x.values if isinstance(x, CooArray) else x)
        if not isinstance(x, CooArray):
            return D.permute(x, dims)
        n = x.sparse_dim
        if any(d >= n for d in dims[:n]):
            raise RuntimeError(
                "permute(sparse_coo): transpositions between sparse and dense dimensions are not "
                "allowed.Only transpositions within sparse and dense dimensions are supported."
            )
        indices, values = x.indices, x.values
        in_order = dims[:n] == tuple(range(n))
        if not in_order:
            indices = D.stack([indices[d] for d in dims[:n]], 0)
        if dims[n:] != tuple(range(n, x.ndim)):
            values = D.permute(values, (0, *[d - n + 1 for d in dims[n:]]))
        shape = tuple([x.shape[d] for d in dims])
        return CooArray(indices, values, shape, x.coalesced and in_order)

    # parts

    def getitem(self, x: Any, index: tuple[Any, ...]) -> Any:
        """The parts that ints or one vector name, with new dimensions for None; others are refused."""
        if not isinstance(x, CooArray):
            return backend_of(x).getitem(x, index)
        given = sum(i is not None and i is not Ellipsis for i in index)
        if given > x.ndim:
            raise IndexError(f"too many indices for tensor of dimension {x.ndim}")
        rest = (slice(None),) * (x.ndim - given)
        at = next((k for k, i in enumerate(index) if i is Ellipsis), len(index))
        index = (*index[:at], *rest, *index[at + 1 :])
        whole, d = CooArray(x.indices, x.values, x.shape, x.coalesced), 0
        part: Any = whole
        for i in index:
            if isinstance(i, slice) and i == slice(None):
                d += 1
            elif getattr(i, "ndim", 0) == 1 and i.dtype.kind == "i" and len(index) == part.ndim:
                part = self.take(part, i, d)
                d += 1
            elif i is not None and not isinstance(i, int):
                raise refused("as_strided" if isinstance(i, slice) else "index.Tensor", x)
            elif not isinstance(part, CooArray):
                part = part[(*(slice(None),) * d, i)]
                d += i is None
            elif i is None:
                part = self._inserted(part, d)
                d += 1
            else:
                part = self._selected(part, d, i)
        return part if isinstance(part, CooArray) else backend_of(part).asarray(part)

    def unindex(self, g: Any, index: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
        """Zeros of ``shape`` with g at the place in some dimensions that ints name."""
        if not isinstance(g, CooArray):
            return backend_of(g).unindex(g, index, shape)
        if not all(isinstance(i, int) or i is Ellipsis or i == slice(None) for i in index):
            raise refused("unindex", g)
        given = sum(i is not Ellipsis for i in index)
        at = index.index(Ellipsis) if Ellipsis in index else len(index)
        index = (*index[:at], *[slice(None)] * (len(shape) - given), *index[at + 1 :])
        for d, i in enumerate(index):
            if isinstance(i, int):
                g = self._inserted(g, d, i % shape[d], shape[d])
        return g

    def _inserted(self, x: CooArray, d: int, i: int = 0, size: int = 1) -> CooArray:
        """A new dimension, at place i of which all elements are."""
        shape, n = (*x.shape[:d], size, *x.shape[d:]), x.sparse_dim
        if d > n:
            values = x.values[(*(slice(None),) * (d - n + 1), None)]
            if size > 1:
                values = _widened(values, d - n + 1, i, size)
            return CooArray(x.indices, values, shape, x.coalesced)
        D = backend_of(x.indices)
        rows = [x.indices[k] for k in range(n)]
        rows.insert(d, zeros((x.nnz,), x.indices.dtype, x.indices) + i)
        return CooArray(D.stack(rows, 0), x.values, shape, x.coalesced)

    def _selected(self, x: CooArray, d: int, i: int) -> Any:
        size, n = x.shape[d], x.sparse_dim
        if not -size <= i < size:
            raise IndexError(f"index {i} is out of bounds for dimension {d} with size {size}")
        shape = (*x.shape[:d], *x.shape[d + 1 :])
        if d >= n:
            values = x.values[(*(slice(None),) * (d - n + 1), i)]
            return CooArray(x.indices, values, shape, x.coalesced)
        D = backend_of(x.values)
        there = D.nonzero(x.indices[d] == i % size)[0]
        if n == 1:
            return D.sum(D.take(x.values, there, 0), (0,), False)
        part = chosen(x, there)
        rows = D.stack([part.indices[k] for k in range(n) if k != d], 0)
        return CooArray(rows, part.values, shape, x.coalesced)

    def take(self, x: Any, index: Any, dim: int) -> Any:
        """The slices along a dimension that a vector names, in its order."""
        if not isinstance(x, CooArray):
            return backend_of(x).take(x, index, dim)
        D, n = backend_of(x.values), x.sparse_dim
        shape = (*x.shape[:dim], index.shape[0], *x.shape[dim + 1 :])
        if dim >= n:
            return CooArray(x.indices, D.take(x.values, index, dim - n + 1), shape, x.coalesced)
        order = D.argsort(x.indices[dim], 0, False)
        index = D.cast(index, numpy_dtype(int64))
        which, at = matches(D.take(x.indices[dim], order, 0), index)
        part = chosen(x, D.take(order, at, 0))
        rows = D.stack([which if k == dim else part.indices[k] for k in range(n)], 0)
        return CooArray(rows, part.values, shape, x.coalesced and dim == 0)

    def cat(self, arrays: list[Any], dim: int) -> Any:
        """The arrays one behind the other; all of them sparse, or none."""
        if not any(isinstance(x, CooArray) for x in arrays):
            return outermost(*arrays).cat(arrays, dim)
        for position, x in enumerate(arrays):
            if not isinstance(x, CooArray):
                raise RuntimeError(
                    "Concatenating sparse tensors, but a dense tensor was found at position "
                    f"{position}."
                )
            if x.sparse_dim != arrays[0].sparse_dim:
                raise RuntimeError(
                    "All tensors must have the same shape: "
                    f"{[x.sparse_dim, x.ndim - x.sparse_dim]} (except in the concatenating "
                    f"dimension), but found shape {list(x.shape)} at position {position}."
                )
        D, n = backend_of(arrays[0].values), arrays[0].sparse_dim
        starts, length = [], 0
        for x in arrays:
            starts.append(length)
            length += x.shape[dim]
        shape = (*arrays[0].shape[:dim], length, *arrays[0].shape[dim + 1 :])
        indices = [x.indices for x in arrays]
        values = [x.values for x in arrays]
        if dim < n:
            for k, (x, start) in enumerate(zip(arrays, starts, strict=True)):
                rows = [row + start if d == dim else row for d, row in enumerate(x.indices)]
                indices[k] = D.stack(rows, 0)
        else:
            values = [
                _widened(x.values, dim - n + 1, start, length)
                for x, start in zip(arrays, starts, strict=True)
            ]
        return CooArray(D.cat(indices, 1), D.cat(values, 0), shape)

    def stack(self, arrays: list[Any], dim: int) -> Any:
        """The arrays along a new dimension."""
        if not any(isinstance(x, CooArray) for x in arrays):
            return outermost(*arrays).stack(arrays, dim)
        return self.cat(
            [self._inserted(x, dim) if isinstance(x, CooArray) else x for x in arrays], dim
        )


def _widened(v: Any, dim: int, start: int, length: int) -> Any:
    """Values with zeros before and behind along a dimension of theirs."""
    D = backend_of(v)
    parts = []
    for n in (start, length - start - v.shape[dim]):
        parts.append(zeros((*v.shape[:dim], n, *v.shape[dim + 1 :]), v.dtype, v))
    return D.cat([parts[0], v, parts[1]], dim)
