"""Products, sums and softmaxes of sparse arrays."""

from __future__ import annotations

from math import prod
from typing import Any

from .._dtypes import float32, int64
from . import backend_of, numpy_dtype
from .coo import CooArray
from .sparse_places import added, coalesce, numbers, places, values_at, zeros


def check_matrix(x: CooArray) -> None:
    """Raises RuntimeError unless all dimensions of a matrix are sparse."""
    if x.ndim != x.sparse_dim:
        raise RuntimeError(f"addmm: matrices expected, got {x.sparse_dim}D tensor")


def times_dense(x: CooArray, y: Any) -> Any:
    """The product of a sparse matrix, or of a batch of them, and a dense one."""
    check_matrix(x)
    D = backend_of(y)
    if x.ndim == 3:
        return _batched(x, y)
    rows, inner = x.shape
    if y.shape[0] != inner:
        if y.ndim == 1:
            raise RuntimeError("mv: expected self.size(-1) == vec.size(-1)")
        raise RuntimeError(
            f"addmm: Argument #3 (dense): Expected dim 0 size {inner}, got {y.shape[0]}"
        )
    columns = D.reshape(y, (inner, -1)) if y.size else zeros((inner, prod(y.shape[1:])), y.dtype, y)
    half = x.dtype.itemsize == 2 and x.dtype.kind not in "iu"
    wide = numpy_dtype(float32) if half else x.dtype
    z = D.coo_matmul(
        x.indices[0], x.indices[1], D.cast(x.values, wide), rows, D.cast(columns, wide)
    )
    return D.reshape(D.cast(z, x.dtype), (rows, *y.shape[1:]))


def _batched(x: CooArray, y: Any) -> Any:
    """As one product with the blocks on the diagonal."""
    count, rows, inner = x.shape
    if y.ndim != 3 or y.shape[:2] != (count, inner):
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{count}, {inner}] "
            f"but got: {list(y.shape[:2])}."
        )
    D = backend_of(y)
    block, row, column = x.indices[0], x.indices[1], x.indices[2]
    indices = D.stack([block * rows + row, block * inner + column], 0)
    flat = CooArray(indices, x.values, (count * rows, count * inner))
    z = times_dense(flat, D.reshape(D.contiguous(y), (count * inner, y.shape[2])))
    return D.reshape(z, (count, rows, y.shape[2]))


def times_sparse(x: CooArray, y: CooArray) -> CooArray:
    """The product of two sparse matrices: each element meets those of the row that it names."""
    check_matrix(x)
    check_matrix(y)
    D = backend_of(x.values)
    if x.shape[1] != y.shape[0]:
        a, b = ("x".join(map(str, z.shape)) for z in (x, y))
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({a} and {b})")
    x, y = coalesce(x), coalesce(y)  # the second is sorted by rows
    shape = (x.shape[0], y.shape[1])
    left, right = matches(y.indices[0], x.indices[1])
    indices = D.stack([D.take(x.indices[0], left, 0), D.take(y.indices[1], right, 0)], 0)
    values = D.take(x.values, left, 0) * D.take(y.values, right, 0)
    return coalesce(CooArray(indices, values, shape))


def matches(ordered: Any, wanted: Any) -> tuple[Any, Any]:
    """All pairs of equal numbers in two vectors, the first sorted: positions in ``wanted``, and in it."""
    D = backend_of(ordered)
    starts = D.searchsorted(ordered, wanted, False)
    counts = D.searchsorted(ordered, wanted, True) - starts
    which = D.cast(D.repeat(counts), numpy_dtype(int64))
    before = D.cumsum(counts, 0) - counts
    index = D.device_of(ordered).index
    at = D.arange(0, which.shape[0], 1, numpy_dtype(int64), index)
    return which, D.take(starts, which, 0) + (at - D.take(before, which, 0))


def sampled(g: Any, y: Any, pattern: CooArray) -> Any:
    """The elements of g @ y^T at the places of a matrix."""
    D = backend_of(g)
    rows, columns = pattern.indices[0], pattern.indices[1]
    return D.sum(D.take(g, rows, 0) * D.take(y, columns, 0), (1,), False)


# ---------------------------------------------------------------------------------- reductions


def summed(x: CooArray, dims: tuple[int, ...], keepdim: bool) -> Any:
    """The sum over dimensions; dense if no sparse dimension is left."""
    D, n = backend_of(x.values), x.sparse_dim
    inner = tuple([d - n + 1 for d in dims if d >= n])
    values = D.sum(x.values, inner, keepdim) if inner else x.values
    kept = [d for d in range(n) if d not in dims]
    if not kept:
        z = D.sum(values, (0,), False)
        return D.reshape(D.asarray(z), ((1,) * n if keepdim else ()) + z.shape)
    sizes = tuple([x.shape[d] for d in kept])
    indices = D.stack([x.indices[d] for d in kept], 0)
    unique = x.coalesced and len(kept) == n
    z = coalesce(CooArray(indices, values, sizes + values.shape[1:], unique))
    if not keepdim or len(kept) == n:
        return z
    none = zeros((z.nnz,), z.indices.dtype, z.indices)
    at = iter(range(len(kept)))
    rows = [none if d in dims else z.indices[next(at)] for d in range(n)]
    sizes = tuple([1 if d in dims else x.shape[d] for d in range(n)])
    return CooArray(D.stack(rows, 0), z.values, sizes + z.values.shape[1:], True)


def spread(g: Any, pattern: CooArray, dims: tuple[int, ...]) -> CooArray:
    """The gradient of a sum without the dimensions ``dims``, at the places of what was summed."""
    n, shape = pattern.sparse_dim, pattern.shape
    D, gone = backend_of(pattern.values), tuple([d for d in dims if d < n])
    kept = [d for d in range(n) if d not in gone]
    if kept:
        places_ = CooArray(
            D.stack([pattern.indices[d] for d in kept], 0),
            pattern.values,
            tuple([shape[d] for d in kept]) + tuple(g.shape[len(kept) :]),
        )
        values = values_at(g, places_)
    else:
        values = D.reshape(g, (1, *g.shape))
    wide = (-1, *[1 if d in dims else shape[d] for d in range(n, len(shape))])
    values = D.reshape(values, (values.shape[0], *wide[1:]))
    return pattern.with_values(D.copy(D.expand(values, (pattern.nnz, *shape[n:]))))


def _groups(x: CooArray, dim: int) -> tuple[int, Any]:
    """How many slices along a sparse dimension have elements, and which one each element is in."""
    D, n = backend_of(x.values), x.sparse_dim
    rest = [d for d in range(n) if d != dim]
    sizes = tuple([x.shape[d] for d in rest])
    rows = D.stack([x.indices[d] for d in rest], 0) if rest else places(numbers(x), ())
    distinct, inverse, _ = D.unique(numbers(CooArray(rows, x.values, sizes)))
    return distinct.shape[0], inverse


def softmax(x: CooArray, dim: int, log: bool) -> CooArray:
    """The softmax of the elements that are there, or its logarithm; places without one stay so."""
    x, D = coalesce(x), backend_of(x.values)
    if dim >= x.sparse_dim:
        along = dim - x.sparse_dim + 1
        kernel = D.log_softmax if log else D.softmax
        return x.with_values(kernel(x.values, along))
    if not x.nnz:
        return x
    count, at = _groups(x, dim)
    index = D.expand(D.reshape(at, (-1, *(1,) * (x.values.ndim - 1))), x.values.shape)
    empty = zeros((count, *x.values.shape[1:]), x.dtype, x.values)
    top = D.scatter_reduce(empty, 0, index, x.values, "amax", False)
    shifted = x.values - D.take(top, at, 0)
    power = D.exp(shifted)
    total = D.take(added(count, at, power), at, 0)
    return x.with_values(shifted - D.log(total) if log else power / total)


def softmax_gradient(g: Any, out: CooArray, dim: int, log: bool) -> CooArray:
    """The gradient of `softmax`, by its result."""
    D, y = backend_of(out.values), out.values
    g = values_at(g, out)
    weight = g if log else g * y
    if dim >= out.sparse_dim:
        total = D.sum(weight, (dim - out.sparse_dim + 1,), True)
    else:
        count, at = _groups(out, dim) if out.nnz else (0, numbers(out))
        total = D.take(added(count, at, weight), at, 0)
    return out.with_values(g - D.exp(y) * total if log else (g - total) * y)
