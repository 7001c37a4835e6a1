"""Products, sums, softmaxes and norms of sparse tensors whose gradients are sparse, too."""

from __future__ import annotations

from typing import Any

from .._dtypes import dtype as Dtype
from .._dtypes import int64, scalar_type_name
from ..autograd.tape import taped, wrap
from ..backends import backend_of, dtype_of, numpy_dtype
from ..backends.coo import CooArray
from . import products, reduction
from ._declare import cast, derivative, kernel_op
from ._promote import dim_of, dims_of
from ._results import check_tensor, finished, same_dtype
from ._write import write_result
from .added_products import addmm as dense_addmm
from .complex_numbers import conj
from .matrix_norms import norm
from .picking import index_select
from .shape import expand, transpose
from .sparse_parts import coalesce, values
from .sparse_values import B, coo, held, is_sparse, placed, refuse_dense

Tensor = Any
Number = int | float | complex | bool


def _array(x: Any) -> Any:
    return getattr(x, "_data", x)


# ------------------------------------------------------------------------------------ products


@derivative(
    saves=("input", "other"),
    name="SparseAddmmBackward0",
    d_input=lambda B, g, input, other: B.sampled(g, B.conj(other), input),
    d_other=lambda B, g, input: B.adjoint_times(input, g),
)
def _times_dense(input: Tensor, other: Tensor) -> Tensor:
    z = B.matmul(input._data, other._data)
    return taped(_times_dense, z, (input, other), (input, other))


@derivative(
    saves=("input", "other"),
    name="SparseSparseMatmulBackward0",
    d_input=lambda B, g, input, other: B.only_at(B.matmul(g, B.adjoint(other)), input),
    d_other=lambda B, g, input, other: B.only_at(B.matmul(B.adjoint(input), g), other),
)
def _times_sparse(input: Tensor, other: Tensor) -> Tensor:
    z = B.matmul(input._data, other._data)
    return taped(_times_sparse, z, (input, other), (input, other))


@kernel_op
def adjoint(input: Tensor) -> Tensor:
    """Returns the conjugate transpose of a sparse matrix."""
    return conj(transpose(input, 0, 1))


@kernel_op
def adjoint_times(input: Tensor, g: Tensor) -> Tensor:
    """Returns the product of the conjugate transpose of a sparse matrix and a dense one."""
    return _times_dense(adjoint(input), g)


@kernel_op
def sampled(g: Tensor, other: Tensor, pattern: Any) -> Tensor:
    """Returns g @ other^T at the places of a sparse matrix."""
    at = B.coalesce(_array(pattern))
    rows, columns = wrap(at.indices[0]), wrap(at.indices[1])
    products_ = index_select(g, 0, rows) * index_select(other, 0, columns)
    return placed(reduction.sum(products_, 1), at)


@derivative(saves=("pattern",), d_input=lambda B, g, pattern: B.only_at(g, pattern))
def only_at(input: Tensor, pattern: Any) -> Tensor:
    """Returns a sparse matrix with zeros at its places that another does not have."""
    at = held(_array(pattern))
    return taped(only_at, B.only_at(input._data, at), (input,), (at,))


def mm(sparse: Tensor, dense: Tensor) -> Tensor:
    """Returns the product of two matrices, one or both of which may be sparse, whatever they are called.

    Unlike that of `torch.mm`, the gradient of a sparse matrix is sparse, and has its places.

    >>> a = torch.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3))
    >>> torch.sparse.mm(a, torch.ones(3, 1))
    tensor([[3.],
            [4.]])
    """
    check_tensor("mm", sparse, dense, names=("sparse", "dense"))
    if not (is_sparse(sparse) or is_sparse(dense)):
        return products.mm(sparse, dense)
    if is_sparse(sparse) and sparse._data.ndim != 2:
        raise RuntimeError(f"addmm: matrices expected, got {sparse._data.ndim}D tensor")
    for t in (sparse, dense):
        if t._data.ndim < 2:
            n = max(t._data.ndim, 1)
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got 1)"
            )
    if sparse._data.dtype is not dense._data.dtype:
        a, b = (scalar_type_name(dtype_of(t._data)) for t in (sparse, dense))
        raise RuntimeError(f"expected scalar type {a} but found {b}")
    same_dtype("mm", sparse, dense)
    if is_sparse(sparse) and is_sparse(dense):
        return _times_sparse(sparse, dense)
    if is_sparse(sparse):
        return _times_dense(sparse, dense)
    return transpose(_times_dense(transpose(dense, 0, 1), transpose(sparse, 0, 1)), 0, 1)


def addmm(
    mat: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1.0, alpha: Number = 1.0
) -> Tensor:
    """Returns ``beta * mat + alpha * mat1 @ mat2`` with a sparse ``mat1``, whose gradient is sparse.

    >>> a = torch.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3))
    >>> torch.sparse.addmm(torch.ones(2, 1), a, torch.ones(3, 1), beta=2)
    tensor([[5.],
            [6.]])
    """
    check_tensor("addmm", mat, mat1, mat2, names=("mat", "mat1", "mat2"))
    if not is_sparse(mat1):
        return dense_addmm(mat, mat1, mat2, beta=beta, alpha=alpha)
    if is_sparse(mat):
        raise RuntimeError(
            "addmm_sparse_dense: expected strided result tensor, got tensor with layout Sparse"
        )
    product = mm(mat1, mat2)
    start = expand(mat, *product._data.shape)
    if mat._data.dtype.kind in "iu":
        beta, alpha = int(beta), int(alpha)  # type: ignore[arg-type]
    return start * beta + product * alpha


def hspmm(mat1: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the product of a sparse and a dense matrix, as a sparse tensor of rows.

    >>> a = torch.sparse_coo_tensor([[1], [0]], [2.0], (3, 1))
    >>> torch.hspmm(a, torch.tensor([[1.0, 2.0]]))
    tensor(indices=tensor([[1]]),
           values=tensor([[2., 4.]]),
           size=(3, 2), nnz=1, layout=torch.sparse_coo)
    """
    check_tensor("hspmm", mat1, mat2, names=("mat1", "mat2"))
    if not is_sparse(mat1):
        raise refuse_dense("hspmm", mat1)
    product = mm(mat1, mat2)
    x = mat1._data
    rows = backend_of(x.indices).unique_values(x.indices[0])
    pattern = CooArray(rows[None], x.values[: rows.shape[0]], x.shape[:1], True)
    found = index_select(product, 0, wrap(rows))
    result = coo(found, B.placed(found._data, pattern))
    return result if out is None else write_result("hspmm", out, result, (mat1, mat2))


def smm(input: Tensor, mat: Tensor) -> Tensor:
    """Returns the product of a sparse and a dense matrix, as a sparse one of the rows that are used.

    >>> a = torch.sparse_coo_tensor([[1], [0]], [2.0], (3, 1))
    >>> torch.smm(a, torch.tensor([[1.0, 2.0]])).to_dense()
    tensor([[0., 0.],
            [2., 4.],
            [0., 0.]])
    """
    check_tensor("smm", input, mat, names=("input", "mat"))
    if not is_sparse(input):
        raise RuntimeError(
            "sspaddmm: expected 'mat1' to have sparse layout, got 'mat1' with layout Strided"
        )
    rows = hspmm(input, mat)
    x = rows._data
    D, (n, width) = backend_of(x.values), x.values.shape
    columns = D.arange(0, width, 1, x.indices.dtype, D.device_of(x.values).index)
    pairs = [D.expand(x.indices[0][:, None], (n, width)), D.expand(columns[None], (n, width))]
    indices = D.stack([D.reshape(p, (n * width,)) for p in pairs], 0)
    elements = rows.values().reshape(n * width)
    return coo(elements, CooArray(indices, elements._data, x.shape))


def sspaddmm(
    input: Tensor,
    mat1: Tensor,
    mat2: Tensor,
    *,
    beta: Number = 1,
    alpha: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``beta * input + alpha * mat1 @ mat2`` of a dense ``mat2``, all others sparse.

    >>> a = torch.sparse_coo_tensor([[1], [0]], [2.0], (2, 2))
    >>> torch.sspaddmm(a, a, torch.eye(2)).to_dense()
    tensor([[0., 0.],
            [4., 0.]])
    """
    check_tensor("sspaddmm", input, mat1, mat2, names=("input", "mat1", "mat2"))
    for label, t in (("input", input), ("mat1", mat1)):
        if not is_sparse(t):
            raise RuntimeError(
                f"sspaddmm: expected '{label}' to have sparse layout, got '{label}' with layout "
                "Strided"
            )
    product = smm(mat1, mat2)
    if input._data.shape != product._data.shape:
        have, need = input._data.shape, product._data.shape
        dim = 0 if have[0] != need[0] else 1
        raise RuntimeError(
            f"sspaddmm: Argument #1: Expected dim {dim} size {need[dim]}, got {have[dim]}"
        )
    result = _appended(input * beta, product * alpha)
    return result if out is None else write_result("sspaddmm", out, result, (input, mat1, mat2))


@derivative(name="SspaddmmBackward0", d_input=lambda g: g, d_other=lambda g: g)
def _appended(input: Tensor, other: Tensor) -> Tensor:
    z = B.accumulate(other._data, input._data)
    return taped(_appended, z, (input, other))


# --------------------------------------------------------------------------- sums and softmaxes


@derivative(
    saves=("pattern", "dims"),
    name="SparseSumBackward0",
    d_self=lambda B, g, pattern, dims: B.spread(g, pattern, dims),
)
def _sum_along(self: Tensor, dims: tuple[int, ...]) -> Tensor:
    x = self._data
    return taped(_sum_along, B.sum(x, dims, False), (self,), (held(B.coalesce(x)), dims))


@derivative(saves=("dims",), d_g=lambda B, g, dims: B.sum(g, dims, False))
def spread(g: Tensor, pattern: CooArray, dims: tuple[int, ...]) -> Tensor:
    """Returns the gradient of a sum over ``dims`` at the places of what was summed."""
    return taped(spread, B.spread(g._data, pattern, dims), (g,), (dims,))


def sum(input: Tensor, dim: Any = None, dtype: Dtype | None = None) -> Tensor:
    """Returns the sum of a sparse tensor's elements, over ``dim`` or over everything.

    It is sparse while a sparse dimension is left. Unlike that of `torch.sum`, the gradient is
    sparse, and has the places of the tensor.

    >>> a = torch.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3))
    >>> torch.sparse.sum(a, 0).to_dense(), torch.sparse.sum(a)
    (tensor([4., 0., 8.]), tensor(12.))
    """
    if dim is None:
        return reduction.sum(values(coalesce(input)), dtype=dtype)
    if not is_sparse(input):
        raise refuse_dense("_sparse_sum.dim", input)
    dims = dims_of(dim, input._data.ndim)
    if len(dims) == input._data.ndim:
        return reduction.sum(values(coalesce(input)), dtype=dtype)
    if dtype is None and set(range(input._data.sparse_dim)) <= set(dims):
        dtype = int64 if input._data.dtype.kind in "biu" else None  # as the result is dense
    return _sum_along(input if dtype is None else cast(input, numpy_dtype(dtype)), dims)


def _not_twice(*_: Any) -> Any:
    raise RuntimeError("derivative for aten::_sparse_softmax_backward_data is not implemented")


@derivative(
    saves=("out", "dim", "log"),
    name="SparseSoftmaxBackward0",
    d_self=lambda B, g, out, dim, log: B.sparse_softmax_backward(g, out, dim, log),
)
def _softmax(self: Tensor, dim: int, log: bool) -> Tensor:
    z = B.sparse_softmax(self._data, dim, log)
    return taped(_softmax, z, (self,), (z, dim, log))


@derivative(d_g=lambda g: _not_twice(g))
def sparse_softmax_backward(g: Tensor, out: Tensor, dim: int, log: bool) -> Tensor:
    """Returns the gradient of a softmax, by its result."""
    z = B.sparse_softmax_backward(g._data, out._data, dim, log)
    return taped(sparse_softmax_backward, z, (g,))


def _softmax_of(name: str, input: Tensor, dim: int, dtype: Dtype | None) -> Tensor:
    if not is_sparse(input):
        raise refuse_dense(f"_sparse_{name}", input)
    d = dim_of(dim, input._data.ndim)
    if dtype is not None:
        input = cast(input, numpy_dtype(dtype))
    if input._data.dtype.kind in "biu":
        kind = scalar_type_name(dtype_of(input._data))
        raise NotImplementedError(f"\"{name}\" not implemented for '{kind}'")
    return _softmax(input, d, name == "log_softmax")


def softmax(input: Tensor, dim: int, *, dtype: Dtype | None = None) -> Tensor:
    """Returns the softmax along a dimension of the elements that are there: others count as -inf.

    >>> a = torch.sparse_coo_tensor([[0, 0, 1], [0, 2, 1]], [1.0, 1.0, 5.0], (2, 3))
    >>> torch.sparse.softmax(a, 1).to_dense()
    tensor([[0.5000, 0.0000, 0.5000],
            [0.0000, 1.0000, 0.0000]])
    """
    return _softmax_of("softmax", input, dim, dtype)


def log_softmax(input: Tensor, dim: int, *, dtype: Dtype | None = None) -> Tensor:
    """Returns the logarithm of `softmax`, at the places of the elements that are there.

    >>> a = torch.sparse_coo_tensor([[0, 0], [0, 2]], [1.0, 1.0], (1, 3))
    >>> torch.sparse.log_softmax(a, 1).values()
    tensor([-0.6931, -0.6931])
    """
    return _softmax_of("log_softmax", input, dim, dtype)


def norm_of(
    input: Tensor, p: Any, dim: Any, keepdim: bool, out: Tensor | None, dtype: Dtype | None
) -> Tensor:
    """Returns the norm of all elements of a sparse tensor."""
    if input._data.dtype.kind in "biu":
        kind = scalar_type_name(dtype_of(input._data))
        raise RuntimeError(
            f"norm(): input dtype should be either floating point or complex. Got {kind} instead."
        )
    if keepdim:
        raise RuntimeError("norm_sparse currently does not support keepdim=True")
    if dim is not None and len(dims_of(dim, input._data.ndim)) < input._data.ndim:
        raise RuntimeError(
            "norm_sparse currently only supports full reductions, so 'dim' must either be empty "
            "or contain all dimensions of the input"
        )
    elements = values(coalesce(input)).reshape(-1)
    result = norm(elements, 2 if p in (None, "fro") else p, dtype=dtype)
    return finished("norm", result, out, (input,))
