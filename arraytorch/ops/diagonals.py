"""Diagonals and triangles of matrices, and writing parts of tensors out of place."""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from .._device import CPU
from .._dtypes import dtype as Dtype
from ..autograd.tape import taped, taped_view, wrap
from ..backends import backend_for, backend_of, numpy_dtype
from ._declare import cast, derivative
from ._promote import dim_of, integer, place_for
from ._results import as_array, check_tensor, finished, refuse_kernel
from ._strides import check_layout
from .conversion import to
from .indexing import _assigned
from .joining import cat
from .reduction import _summable
from .selection import where
from .shape import reshape

Tensor = Any


def _extent(shape: Any, offset: int, d1: int, d2: int) -> int:
    rows, columns = shape[d1], shape[d2]
    return max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)


def _two_dims(name: str, ndim: int, dim1: int, dim2: int) -> tuple[int, int]:
    a, b = dim_of(dim1, ndim), dim_of(dim2, ndim)
    if a == b:
        raise RuntimeError(f"{name}: dimensions cannot be identical {dim1}, {dim2}")
    return a, b


@derivative(
    saves=("shape", "offset", "d1", "d2"),
    kernel="diagonal",
    name="DiagonalBackward0",
    d_input=lambda B, g, shape, offset, d1, d2: B.undiagonal(g, shape, offset, d1, d2),
)
def _diagonal(input: Tensor, offset: int, d1: int, d2: int) -> Tensor:
    x = input._data
    z = backend_of(x).diagonal(x, offset, d1, d2)
    return taped_view(_diagonal, z, input, (offset, d1, d2), (x.shape, offset, d1, d2))


@derivative(
    saves=("offset", "d1", "d2"),
    name="DiagEmbedBackward0",
    d_input=lambda B, g, offset, d1, d2: B.diagonal(g, offset, d1, d2),
)
def undiagonal(input: Tensor, shape: tuple[int, ...], offset: int, d1: int, d2: int) -> Tensor:
    """Returns zeros of ``shape`` with ``input`` on its diagonals: the derivative of `diagonal`."""
    x = input._data
    z = backend_of(x).undiagonal(x, tuple(shape), offset, d1, d2)
    return taped(undiagonal, z, (input,), (offset, d1, d2))


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Returns a view of the diagonals of two dimensions, which become the last one.

    >>> torch.diagonal(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    check_tensor("diagonal", input)
    d1, d2 = _two_dims("diagonal", input._data.ndim, dim1, dim2)
    return _diagonal(input, offset, d1, d2)


def matrix_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Returns a view of the diagonals of the last two dimensions.

    >>> torch.linalg.diagonal(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    return diagonal(A, offset, dim1, dim2)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Returns matrices with the vectors of the last dimension on their diagonals, else zero.

    >>> torch.diag_embed(torch.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    check_tensor("diag_embed", input)
    shape = list(input._data.shape)
    if not shape:
        raise IndexError("diag_embed: expected a tensor with at least one dimension")
    d1, d2 = _two_dims("diag_embed", len(shape) + 1, dim1, dim2)
    n = shape.pop() + abs(offset)
    for d in sorted((d1, d2)):
        shape.insert(d, n)
    return undiagonal(input, tuple(shape), offset, d1, d2)


def diag(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Returns the diagonal of a matrix, or the matrix that has a vector on its diagonal.

    >>> torch.diag(torch.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    check_tensor("diag", input)
    ndim = input._data.ndim
    if ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    result = diag_embed(input, diagonal) if ndim == 1 else _diagonal(input, diagonal, 0, 1).clone()
    return finished("diag", result, out, (input,))


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Returns the matrix that has all elements on its diagonal.

    >>> torch.diagflat(torch.tensor([[1], [2]]))
    tensor([[1, 0],
            [0, 2]])
    """
    check_tensor("diagflat", input)
    return diag_embed(reshape(input, (-1,)), offset)


@derivative(saves=("k",), kernel="tril", name="TrilBackward0",
            d_input=lambda B, g, k: B.tril(g, k))  # fmt: skip
def _tril(input: Tensor, k: int) -> Tensor:
    return taped(_tril, backend_of(input._data).tril(input._data, k), (input,), (k,))


@derivative(saves=("k",), kernel="triu", name="TriuBackward0",
            d_input=lambda B, g, k: B.triu(g, k))  # fmt: skip
def _triu(input: Tensor, k: int) -> Tensor:
    return taped(_triu, backend_of(input._data).triu(input._data, k), (input,), (k,))


def tril(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Returns the lower triangles of matrices up to a diagonal, the rest zero.

    >>> torch.tril(torch.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    _check_matrix("tril", input)
    return finished("tril", _tril(input, integer("tril", "diagonal", diagonal)), out, (input,))


def triu(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Returns the upper triangles of matrices from a diagonal on, the rest zero.

    >>> torch.triu(torch.ones(2, 2))
    tensor([[1., 1.],
            [0., 1.]])
    """
    _check_matrix("triu", input)
    return finished("triu", _triu(input, integer("triu", "diagonal", diagonal)), out, (input,))


def _check_matrix(name: str, input: Tensor) -> None:
    check_tensor(name, input)
    if input._data.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")


def _triangle(
    name: str, kind: str, row: int, col: int, offset: int, dtype: Any, device: Any
) -> Tensor:
    if row < 0 or col < 0:
        raise RuntimeError(f"row and col must be non-negative, got {row} and {col}")
    dtype = _dtypes.int64 if dtype is None else dtype
    if dtype not in (_dtypes.int32, _dtypes.int64):
        raise RuntimeError(f"\"{name}\" not implemented for '{_dtypes.scalar_type_name(dtype)}'")
    # In the host's memory, as only there the number of elements is known everywhere.
    B, place = backend_for(CPU), place_for(device)[1]
    ones = B.full((row, col), 1, numpy_dtype(_dtypes.int64))
    found = B.stack(list(B.nonzero(getattr(B, kind)(ones, offset))), 0)
    return to(wrap(B.cast(found, numpy_dtype(dtype))), place)


def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns the rows and the columns of the lower triangle of a ``row`` by ``col`` matrix.

    >>> torch.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    check_layout("tril_indices", layout)
    return _triangle("tril_indices", "tril", row, col, offset, dtype, device)


def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns the rows and the columns of the upper triangle of a ``row`` by ``col`` matrix.

    >>> torch.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    check_layout("triu_indices", layout)
    return _triangle("triu_indices", "triu", row, col, offset, dtype, device)


def trace(input: Tensor) -> Tensor:
    """Returns the sum of the diagonal of a matrix.

    >>> torch.trace(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    refuse_kernel("trace", input, "b")
    if input._data.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input._data.ndim}")
    return _trace(_summable(input, None))


@derivative(
    saves=("shape",),
    name="TraceBackward0",
    d_input=lambda B, g, shape: B.undiagonal(B.expand(g, (min(shape),)), shape, 0, 0, 1),
)
def _trace(input: Tensor) -> Tensor:
    x = input._data
    B = backend_of(x)
    z = as_array(B, B.sum(B.diagonal(x, 0, 0, 1), (0,), False), x)
    return taped(_trace, z, (input,), (x.shape,))


# ----------------------------------------------------------------- parts written out of place


def _fitted(name: str, src: Tensor, shape: tuple[int, ...], like: Tensor) -> Tensor:
    check_tensor(name, src, names=("src",))
    if src._data.shape != shape:
        raise RuntimeError(
            f"{name}: expected src to have a size equal to the slice of self. src size = "
            f"{list(src._data.shape)}, slice size = {list(shape)}"
        )
    return src if src._data.dtype is like._data.dtype else cast(src, like._data.dtype)


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """Returns a copy of ``input`` with ``src`` in the slice at one place of ``dim``.

    >>> torch.select_scatter(torch.zeros(2, 2), torch.ones(2), 0, 0)
    tensor([[1., 1.],
            [0., 0.]])
    """
    check_tensor("select_scatter", input)
    x = input._data
    d = dim_of(dim, x.ndim)
    if not -x.shape[d] <= index < x.shape[d]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(x.shape)} at dimension {d}"
        )
    part = _fitted("select_scatter", src, (*x.shape[:d], *x.shape[d + 1 :]), input)
    return _assigned(input, part, (*(slice(None),) * d, index))


def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns a copy of ``input`` with ``src`` in a slice of ``dim``.

    >>> torch.slice_scatter(torch.zeros(3), torch.ones(2), start=1)
    tensor([0., 1., 1.])
    """
    check_tensor("slice_scatter", input)
    x = input._data
    d = dim_of(dim, x.ndim)
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    part = slice(start, end, step)
    n = len(range(*part.indices(x.shape[d])))
    src = _fitted("slice_scatter", src, (*x.shape[:d], n, *x.shape[d + 1 :]), input)
    result = _assigned(input, src, (*(slice(None),) * d, part))
    return finished("slice_scatter", result, out, (input, src))


def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """Returns a copy of ``input`` with ``src`` on its diagonals.

    >>> torch.diagonal_scatter(torch.zeros(2, 2), torch.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_tensor("diagonal_scatter", input)
    x = input._data
    d1, d2 = _two_dims("diagonal_scatter", x.ndim, dim1, dim2)
    rest = [x.shape[d] for d in range(x.ndim) if d not in (d1, d2)]
    n = _extent(x.shape, offset, d1, d2)
    src = _fitted("diagonal_scatter", src, (*rest, n), input)
    everywhere = wrap(backend_of(x).full((*rest, n), True, numpy_dtype(_dtypes.bool)))
    mask = undiagonal(everywhere, x.shape, offset, d1, d2)
    return where(mask, undiagonal(src, x.shape, offset, d1, d2), input)


def block_diag(*tensors: Any) -> Tensor:
    """Returns the matrix with these matrices (vectors as rows) along its diagonal.

    >>> torch.block_diag(torch.tensor([[1, 2]]), torch.tensor([[3]]))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    if not tensors:
        tensors = (
            wrap(place_for(None)[0].zeros((1, 0), numpy_dtype(_dtypes.get_default_dtype()))),
        )
    blocks = []
    for i, t in enumerate(tensors):
        check_tensor("block_diag", t)
        if t._data.ndim > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{i} has {t._data.ndim} dimensions"
            )
        blocks.append(reshape(t, (1,) * (2 - t._data.ndim) + tuple(t._data.shape)))
    width = 0
    for b in blocks:
        width += b._data.shape[1]
    rows, at = [], 0
    for b in blocks:
        n, m = b._data.shape
        B, native = backend_of(b._data), b._data.dtype
        left, right = ([wrap(B.zeros((n, k), native))] if k else [] for k in (at, width - at - m))
        rows.append(cat([*left, b, *right], 1))
        at += m
    return cat(rows, 0)
