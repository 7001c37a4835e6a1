"""Norms of vectors and matrices, and condition numbers."""

from __future__ import annotations

from builtins import abs as builtin_abs
from typing import Any

from .._dtypes import dtype as Dtype
from .._errors import LinAlgError
from ..backends import numpy_dtype
from ._declare import cast
from ._late import loaded
from ._promote import dim_of, is_number
from ._results import check_tensor, finished
from .arithmetic import abs
from .complex_numbers import conj
from .extremes import amax, amin
from .factors import svdvals
from .reduction import sum
from .shape import movedim, reshape, squeeze, unsqueeze
from .solving import check_matrix, inv
from .spread import _check_norm, vector_norm

Tensor = Any


def matrix_norm(
    A: Tensor,
    ord: Any = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the norm of the matrices in two dimensions.

    ``ord`` is "fro", "nuc" (the sum of the singular values), 2 or -2 (the largest or the smallest of
    them), 1 or -1 (of the columns' sums of moduli), inf or -inf (of the rows').

    >>> torch.linalg.matrix_norm(torch.tensor([[3.0, 0.0], [4.0, 0.0]]))
    tensor(5.)
    """
    check_tensor("linalg.matrix_norm", A, names=("A",))
    _check_norm("linalg.matrix_norm", A, dtype)
    x = cast(A, numpy_dtype(dtype)) if dtype is not None else A
    if x._data.ndim < 2:
        raise RuntimeError(
            "linalg.matrix_norm: The input tensor A must have at least 2 dimensions."
        )
    if not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise RuntimeError("linalg.matrix_norm: dim must be a 2-tuple")
    d1, d2 = dim_of(dim[0], x._data.ndim), dim_of(dim[1], x._data.ndim)
    if d1 == d2:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    if isinstance(ord, str):
        if ord not in ("fro", "nuc"):
            raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    elif builtin_abs(ord) not in (1, 2, float("inf")):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    result = _matrix_norm(x, ord, d1, d2, keepdim)
    return finished("linalg.matrix_norm", result, out, (A,))


def _matrix_norm(x: Tensor, ord: Any, d1: int, d2: int, keepdim: bool) -> Tensor:
    if ord == "fro":
        return vector_norm(x, 2, (d1, d2), keepdim)
    if ord == "nuc" or builtin_abs(ord) == 2:
        s = svdvals(movedim(x, (d1, d2), (-2, -1)))
        if ord == "nuc" or (ord > 0 and not s._data.shape[-1]):
            result = sum(s, -1)
        else:
            result = (amax if ord > 0 else amin)(s, -1)
        if keepdim:
            for d in sorted((d1, d2)):
                result = unsqueeze(result, d)
        return result
    first, second = (d1, d2) if builtin_abs(ord) == 1 else (d2, d1)
    sums = vector_norm(x, 1, first, True)
    if ord > 0 and not sums._data.shape[second]:
        return sum(sums, (d1, d2), keepdim)
    result = (amax if ord > 0 else amin)(sums, second, True)
    return result if keepdim else squeeze(result, (d1, d2))


def norm_of(
    input: Tensor,
    ord: Any = None,
    dim: Any = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    dtype: Dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Returns a vector norm, or with two dimensions and an ``ord`` a matrix norm.

    >>> torch.linalg.norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    check_tensor("linalg.norm", input)
    several = isinstance(dim, (tuple, list))
    if several and len(dim) not in (1, 2) and ord is not None:
        raise RuntimeError(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dim)}"
        )
    if ord is not None and dim is None and input._data.ndim not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
            f"{input._data.ndim}D."
        )
    matrix = (several and len(dim) == 2) or (dim is None and input._data.ndim == 2)
    if ord is not None and matrix:
        result = matrix_norm(input, ord, (0, 1) if dim is None else dim, keepdim, dtype=dtype)
    else:
        if isinstance(ord, str):
            raise RuntimeError(f"linalg.norm: Order {ord} not supported for vectors.")
        result = vector_norm(input, 2 if ord is None else ord, dim, keepdim, dtype=dtype)
    return finished("linalg.norm", result, out, (input,))


def norm(
    input: Tensor,
    p: Any = "fro",
    dim: Any = None,
    keepdim: bool = False,
    out: Tensor | None = None,
    dtype: Dtype | None = None,
) -> Tensor:
    """Returns the ``p``-norm of vectors along ``dim`` or of all elements; "nuc" of matrices.

    >>> torch.norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    check_tensor("norm", input)
    if hasattr(input._data, "layout"):
        return loaded("sparse_algebra:norm_of")(input, p, dim, keepdim, out, dtype)
    if p == "nuc":
        dims = (-2, -1) if dim is None else dim
        result = matrix_norm(input, "nuc", dims, keepdim, dtype=dtype)
    else:
        if isinstance(p, str) and p != "fro":
            raise RuntimeError(f"only valid string values are 'fro' and 'nuc', found {p}")
        order = 2 if p == "fro" or p is None else p
        dims = None if isinstance(dim, (tuple, list)) and not dim else dim
        result = vector_norm(input, order, dims, keepdim, dtype=dtype)
    return finished("norm", result, out, (input,))


def norm_method(
    self: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Dtype | None = None
) -> Tensor:
    """Returns the ``p``-norm of vectors along ``dim`` or of all elements; see `torch.norm`."""
    return norm(self, p, dim, keepdim, dtype=dtype)


def cond(A: Tensor, p: Any = None, *, out: Tensor | None = None) -> Tensor:
    """Returns the condition numbers of matrices in a norm; see `matrix_norm` for ``p``.

    >>> torch.linalg.cond(torch.tensor([[4.0, 0.0], [0.0, 2.0]]))
    tensor(2.)
    """
    check_matrix("linalg.cond", A, square=p not in (None, 2, -2))
    if not (
        p is None
        or p in ("fro", "nuc")
        or (is_number(p) and builtin_abs(p) in (1, 2, float("inf")))
    ):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if p is None or p in (2, -2):
        s = svdvals(A)
        if not A._data.size:
            return finished("linalg.cond", sum(s, -1), out, (A,))
        result = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    elif not A._data.size:
        result = sum(abs(reshape(A, (*A._data.shape[:-2], -1))), -1)
    else:
        try:
            result = matrix_norm(A, p) * matrix_norm(inv(A), p)
        except LinAlgError:
            result = matrix_norm(A, p) * float("inf")
    return finished("linalg.cond", result, out, (A,))


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    """Returns the dot products along ``dim``, the first vectors conjugated.

    >>> torch.linalg.vecdot(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor(11.)
    """
    check_tensor("linalg.vecdot", x, y, names=("x", "y"))
    product = conj(x) * y
    result = sum(product, dim)
    return finished("linalg.vecdot", result, out, (x, y))
