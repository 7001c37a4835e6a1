"""NumPy's products of arrays, and ``numpy.linalg``."""

from __future__ import annotations

from typing import Any

from .. import linalg, ops
from ..ops import contractions
from .arguments import counterpart, dtype_like, floating, operands, tensor, written
from .elementwise import dots, product

Tensor = Any
LINALG = "numpy.linalg"


def _same(*xs: Any) -> list[Tensor]:
    """Arguments as tensors of their common dtype."""
    found = operands(*xs)
    shared = found[0].dtype
    for x in found[1:]:
        shared = ops.result_type(found[0].to(shared), x)
    return [x.to(shared) for x in found]


@counterpart()
def dot(a: Any, b: Any, out: Any = None) -> Any:
    """The product of vectors or matrices; of more dimensions, the last and the second to last."""
    x, y = _same(a, b)
    if not x.ndim or not y.ndim:
        return written(x * y, out, name="dot")
    if x.ndim <= 2 and y.ndim <= 2:
        return written(ops.matmul(x, y), out, name="dot")
    axes = ([x.ndim - 1], [max(y.ndim - 2, 0)])
    return written(contractions.tensordot(x, y, axes), out, name="dot")


@counterpart()
def vdot(a: Any, b: Any, /) -> Any:
    """The product of all elements in rows, the first conjugated."""
    x, y = _same(a, b)
    return contractions.vdot(x.ravel(), y.ravel())


@counterpart()
def inner(a: Any, b: Any, /) -> Any:
    """The products along last dimensions."""
    return contractions.inner(*_same(a, b))


@counterpart()
@counterpart(of=LINALG)
def outer(a: Any, b: Any, out: Any = None) -> Any:
    """The products of all pairs of elements."""
    x, y = operands(a, b)
    return written(x.reshape(-1, 1) * y.reshape(-1), out, name="outer")


@counterpart("matmul", of=LINALG)
def matmul(x1: Any, x2: Any, /) -> Any:
    """The matrix product."""
    return product(*operands(x1, x2))


@counterpart()
@counterpart(of=LINALG)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The sum of products over pairs of axes."""
    pairs = axes if isinstance(axes, int) else tuple(
        [int(i) for i in side] if hasattr(side, "__iter__") else [int(side)] for side in axes
    )  # fmt: skip
    x, y = _same(a, b)
    return contractions.tensordot(x, y, pairs)


@counterpart()
def einsum(subscripts: Any, *operands: Any, out: Any = None, dtype: Any = None, order: str = "K",
           casting: str = "safe", optimize: Any = False) -> Any:  # fmt: skip
    """Sums of products by Einstein's convention, in both of NumPy's notations."""
    if isinstance(subscripts, str):
        given = [x if dtype is None else tensor(x).to(dtype_like(dtype)) for x in operands]
        result = contractions.einsum(subscripts, *_same(*given))
    else:
        every = (subscripts, *operands)
        pairs = [(tensor(every[i]), list(every[i + 1])) for i in range(0, len(every) - 1, 2)]
        end = [list(every[-1])] if len(every) % 2 else []
        result = contractions.einsum(*[part for pair in pairs for part in pair], *end)
    return written(result, out, casting, "einsum")


@counterpart()
def kron(a: Any, b: Any) -> Any:
    """Kronecker's product."""
    return contractions.kron(*operands(a, b))


@counterpart()
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1,
          axis: Any = None) -> Any:  # fmt: skip
    """The vector product in three dimensions, or two."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = (ops.movedim(t, i, -1) for t, i in zip(_same(a, b), (axisa, axisb), strict=True))
    if x.shape[-1] == y.shape[-1] == 2:
        return x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]
    x, y = (_three(t) for t in (x, y))
    x, y = ops.broadcast_tensors(x, y)
    return ops.movedim(linalg.cross(x, y, dim=-1), -1, axisc)


def _three(x: Tensor) -> Tensor:
    if x.shape[-1] not in (2, 3):
        raise ValueError("incompatible dimensions for cross product (dimension must be 2 or 3)")
    return ops.cat([x, ops.zeros_like(x[..., :1])], -1) if x.shape[-1] == 2 else x


# numpy.linalg


@counterpart("cross", of=LINALG)
def vector_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The vector product in three dimensions."""
    return cross(x1, x2, axis=axis)


@counterpart("vecdot", of=LINALG)
def vector_dot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """Products of vectors, the first conjugated."""
    x, y = _same(x1, x2)
    return dots(x, y, axis)


@counterpart(of=LINALG)
def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    """A product of matrices in the cheapest order."""
    return written(linalg.multi_dot(_same(*arrays)), out, name="multi_dot")


@counterpart(of=LINALG)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """A norm of vectors or matrices."""
    return linalg.norm(floating(x), ord, axis, keepdims)


@counterpart(of=LINALG)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """A norm of vectors."""
    return linalg.vector_norm(floating(x), ord, axis, keepdims)


@counterpart(of=LINALG)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """A norm of the matrices in the last dimensions."""
    return linalg.matrix_norm(floating(x), ord, keepdim=keepdims)


def _of_matrices(name: str, op: Any) -> Any:
    def function(a: Any, /) -> Any:
        return op(floating(a))

    return counterpart(name, of=LINALG)(function)


det = _of_matrices("det", linalg.det)
eig = _of_matrices("eig", linalg.eig)
eigvals = _of_matrices("eigvals", linalg.eigvals)
inv = _of_matrices("inv", linalg.inv)
slogdet = _of_matrices("slogdet", linalg.slogdet)
svdvals = _of_matrices("svdvals", linalg.svdvals)


@counterpart(of=LINALG)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """The triangular factor of a positive definite matrix."""
    return linalg.cholesky(floating(a), upper=upper)


@counterpart(of=LINALG)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues and eigenvectors of symmetric matrices."""
    return linalg.eigh(floating(a), UPLO)


@counterpart(of=LINALG)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of symmetric matrices."""
    return linalg.eigvalsh(floating(a), UPLO)


@counterpart(of=LINALG)
def qr(a: Any, mode: str = "reduced") -> Any:
    """The factors Q and R."""
    if mode == "raw":
        return NotImplemented
    found = linalg.qr(floating(a), mode)
    return found[1] if mode == "r" else found


@counterpart(of=LINALG)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """Singular values and vectors."""
    x = floating(a)
    return linalg.svd(x, full_matrices) if compute_uv else linalg.svdvals(x)


@counterpart(of=LINALG)
def solve(a: Any, b: Any) -> Any:
    """Solutions of linear equations; only a vector is one right-hand side."""
    x, y = _same(floating(a), floating(b))
    if y.ndim == 1:
        return linalg.solve(x, y.unsqueeze(-1)).squeeze(-1)
    shape = (*x.shape[:-2], *y.shape[-2:]) if x.ndim - 1 == y.ndim else None
    return linalg.solve(x, y if shape is None else y.expand(shape))


@counterpart(of=LINALG)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """Least squares: the solution, residuals, rank and singular values."""
    x, y = _same(floating(a), floating(b))
    columns = y.unsqueeze(-1) if y.ndim == 1 else y
    cutoff = _eps(x) * max(x.shape[-2:]) if rcond is None else rcond
    s = linalg.svdvals(x.detach())
    rank = int((s > cutoff * s[0]).sum()) if s.numel() else 0
    found = linalg.pinv(x, rtol=cutoff) @ columns
    left = ops.abs(x @ found - columns).square().sum(0)
    full = rank == x.shape[-1] and x.shape[-2] > x.shape[-1]
    return (found.squeeze(-1) if y.ndim == 1 else found), (left if full else left[:0]), rank, s


def _eps(x: Tensor) -> float:
    return 2.0**-52 if x.dtype.itemsize == (16 if x.is_complex() else 8) else 2.0**-23


@counterpart(of=LINALG)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The pseudo-inverse."""
    cutoff = rcond if rtol is None else rtol
    return linalg.pinv(floating(a), rtol=1e-15 if cutoff is None else cutoff, hermitian=hermitian)


@counterpart(of=LINALG)
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """Ranks of matrices."""
    x = floating(A)
    if x.ndim < 2:
        return (x != 0).any().long()
    return linalg.matrix_rank(x, atol=tol, rtol=rtol, hermitian=hermitian)


@counterpart(of=LINALG)
def matrix_power(a: Any, n: int) -> Any:
    """Powers of matrices."""
    return linalg.matrix_power(tensor(a), n)


@counterpart(of=LINALG)
def cond(x: Any, p: Any = None) -> Any:
    """Condition numbers."""
    return linalg.cond(floating(x), p)


@counterpart(of=LINALG)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse with respect to `tensordot`."""
    return linalg.tensorinv(floating(a), ind)


@counterpart(of=LINALG)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """Solutions with respect to `tensordot`."""
    x, y = _same(floating(a), floating(b))
    return linalg.tensorsolve(x, y, axes)
