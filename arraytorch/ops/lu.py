"""Linear algebra: LU and LDL factors, Householder reflections, and what is computed from them."""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from ..autograd.tape import taped, taped_many, wrap
from ..backends import backend_of, dtype_of
from . import _return_types as return_types
from ._declare import derivative
from ._results import check_tensor, finished, unsupported
from .complex_numbers import conj
from .diagonals import tril, triu
from .products import matmul
from .scattering import gather
from .shape import expand, unsqueeze
from .solving import H, _same_batch, _solve_triangular, check_matrix, mH
from .sorting import argsort

Tensor = Any


def _type_name(x: Tensor) -> str:
    return _dtypes.scalar_type_name(dtype_of(x._data))


def _check_factored(name: str, kernel: str, A: Any, pivot: bool = True) -> None:
    check_tensor(name, A, names=("A",))
    if A._data.ndim < 2:
        raise RuntimeError(
            f"{name}: Expected tensor with 2 or more dimensions. Got size: {list(A._data.shape)} "
            "instead"
        )
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    if A._data.dtype.kind in "biu" or A._data.dtype.itemsize < 4:
        raise unsupported(kernel, A)


# -------------------------------------------------------------------------------------- LU


def _after_inverse(B: Any, y: Any, upper: Any) -> Any:
    """Y U^-H."""
    return H(B, B.solve_triangular(upper, H(B, y), True, False))


def _slope_of_lu(B: Any, g: Any, needs: Any, rows: Any, out: Any) -> list[Any]:
    """P L^-H [tril(L^H G_L, -1) + triu(G_U U^H)] U^-H for square matrices.

    From dP^T A = dL U + L dU, whose factors L^-1 dL and dU U^-1 are triangular. The columns of a
    wide matrix beyond the square are L U_2, and the rows of a tall one below it L_2 U: these
    pass on their part of the gradient first.
    """
    lu, g = out[0], g[0]
    m, n = lu.shape[-2:]
    k, last = min(m, n), lu.ndim - 1
    square = lu[..., 0:k, 0:k]
    lower = H(B, square)  # its upper triangle, with ones, is L^H
    g_square = g[..., 0:k, 0:k]
    if n > m:
        g_rest = B.solve_triangular(lower, g[..., :, k:n], True, True)
        g_square = g_square - B.tril(B.matmul(g_rest, H(B, lu[..., :, k:n])), -1)
    elif m > n:
        g_rest = _after_inverse(B, g[..., k:m, :], square)
        g_square = g_square - B.triu(B.matmul(H(B, lu[..., k:m, :]), g_rest), 0)
    g_l, u = B.tril(g_square, -1), B.triu(square, 0)
    # L^H G_L = G_L + (L^H - I) G_L.
    inner = B.tril(g_l + B.matmul(B.triu(lower, 1), g_l), -1)
    inner = inner + B.triu(B.matmul(B.triu(g_square, 0), H(B, u)), 0)
    total = _after_inverse(B, B.solve_triangular(lower, inner, True, True), square)
    if m != n:
        total = B.cat([total, g_rest], last if n > m else last - 1)
    return [B.matmul(wrap(rows) if hasattr(total, "_data") else rows, total)]


@derivative(saves=("rows", "out"), inputs=("input",), kernel="_lu",
            name="LinalgLuFactorExBackward0", joint=_slope_of_lu)  # fmt: skip
def _lu(input: Tensor) -> tuple[Tensor, ...]:
    x = input._data
    arrays = tuple(backend_of(x).lu(x))
    rows = None if input._node is None else _row_matrix(arrays[1], x.shape[-2], x.dtype)
    return taped_many(_lu, arrays, (input,), (rows, arrays), (True, False, False))


def _row_matrix(pivots: Any, m: int, native: Any) -> Any:
    """P with A = P L U, of an array of pivots."""
    B = backend_of(pivots)
    order = B.permutation(pivots, m)
    places = B.reshape(B.arange(0, m, 1, order.dtype), (m, 1))
    return B.cast(B.reshape(order, (*order.shape[:-1], 1, m)) == places, native)


def _fault(info: Tensor) -> tuple[str, int] | None:
    """Which matrix is the first with an info other than 0, in words, and that info."""
    x = info._data
    if not x.size or backend_of(x).bounds(x) in (None, (0, 0)):
        return None
    codes = info.reshape(-1).tolist()
    first = next(i for i, code in enumerate(codes) if code)
    return f"(Batch element {first}): " if x.ndim else "", codes[first]


def _check_info(name: str, info: Tensor) -> None:
    """Raises RuntimeError for the first matrix whose U has a zero on its diagonal."""
    if fault := _fault(info):
        where, at = fault
        raise RuntimeError(
            f"{name}: {where}U[{at},{at}] is zero and using it on lu_solve would result in a "
            "division by zero. If you still want to perform the factorization, consider calling "
            "linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
        )


def lu_factor_ex(
    A: Tensor, *, pivot: bool = True, check_errors: bool = False, out: Any = None
) -> Any:
    """Returns L and U in one matrix, the rows swapped, from 1, and the first zero of U, or 0.

    L without the ones of its diagonal lies below U. RuntimeError for ``pivot=False``, and with
    ``check_errors`` for a zero on the diagonal of U.

    >>> torch.linalg.lu_factor_ex(torch.tensor([[1.0, 2.0], [2.0, 4.0]])).info
    tensor(2, dtype=torch.int32)
    """
    _check_factored("torch.lu_factor", "lu", A, pivot)
    result = return_types.linalg_lu_factor_ex(_lu(A))
    if check_errors:
        _check_info("torch.linalg.lu_factor_ex", result.info)
    return finished("linalg.lu_factor_ex", result, out, (A,))


def lu_factor(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """Returns L and U in one matrix and the rows swapped, from 1, for `lu_solve`.

    RuntimeError for a zero on the diagonal of U.

    >>> torch.linalg.lu_factor(torch.tensor([[1.0, 3.0], [2.0, 4.0]])).LU
    tensor([[2.0000, 4.0000],
            [0.5000, 1.0000]])
    """
    _check_factored("torch.lu_factor", "lu", A, pivot)
    factor, pivots, info = _lu(A)
    _check_info("torch.linalg.lu_factor", info)
    result = return_types.linalg_lu_factor((factor, pivots))
    return finished("linalg.lu_factor", result, out, (A,))


def _parted(LU: Tensor) -> tuple[Tensor, Tensor]:
    m, n = LU._data.shape[-2:]
    k = min(m, n)
    one = wrap(backend_of(LU._data).eye(m, k, LU._data.dtype))
    return tril(LU[..., :, :k], -1) + one, triu(LU[..., :k, :])


def lu_of(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """Returns P, L and U with ``A = P @ L @ U``: a permutation, unit lower and upper triangular.

    >>> torch.linalg.lu(torch.tensor([[1.0, 3.0], [2.0, 4.0]])).L
    tensor([[1.0000, 0.0000],
            [0.5000, 1.0000]])
    """
    _check_factored("linalg.lu", "lu", A, pivot)
    factor, pivots, _ = _lu(A)
    rows = wrap(_row_matrix(pivots._data, A._data.shape[-2], A._data.dtype))
    result = return_types.linalg_lu((rows, *_parted(factor)))
    return finished("linalg.lu", result, out, (A,))


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """Returns what `torch.linalg.lu_factor` does, also of singular matrices, and infos if asked.

    >>> torch.lu(torch.tensor([[1.0, 3.0], [2.0, 4.0]]))[1]
    tensor([2, 2], dtype=torch.int32)
    """
    _check_factored("torch.lu_factor", "lu", A, pivot)
    result = _lu(A)
    made = return_types._lu_with_info(result) if get_infos else tuple(result[:2])
    return finished("lu", made, out, (A,))


def lu_method(self: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """Returns the LU factors; see `torch.lu`."""
    return lu(self, pivot, get_infos)


def lu_unpack(
    LU_data: Tensor,
    LU_pivots: Tensor,
    unpack_data: bool = True,
    unpack_pivots: bool = True,
    *,
    out: Any = None,
) -> Any:
    """Returns P, L and U of what `torch.linalg.lu_factor` gives; empty ones for what is not asked.

    >>> LU, pivots = torch.linalg.lu_factor(torch.tensor([[1.0, 3.0], [2.0, 4.0]]))
    >>> torch.lu_unpack(LU, pivots).P
    tensor([[0., 1.],
            [1., 0.]])
    """
    check_tensor("lu_unpack", LU_data, LU_pivots, names=("LU_data", "LU_pivots"))
    x, p = LU_data._data, LU_pivots._data
    if x.ndim < 2:
        raise RuntimeError(
            "torch.lu_unpack: Expected tensor with 2 or more dimensions. Got size: "
            f"{list(x.shape)} instead"
        )
    nothing = wrap(backend_of(x).zeros((0,), x.dtype))
    rows = lower = upper = nothing
    if unpack_pivots:
        if dtype_of(p) is not _dtypes.int32:
            raise RuntimeError(
                "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 "
                "dtype.\nNote: this function is intended to be used with the output produced by "
                "torch.linalg.lu_factor"
            )
        seen = backend_of(p).bounds(p) if p.size else None
        if seen is not None and not 1 <= seen[0] <= seen[1] <= x.shape[-2]:
            raise RuntimeError(
                "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive."
                "Did you properly pass the result of lu_factor?"
            )
        rows = wrap(_row_matrix(p, x.shape[-2], x.dtype))
    if unpack_data:
        lower, upper = _parted(LU_data)
    result = return_types.lu_unpack((rows, lower, upper))
    return finished("lu_unpack", result, out, (LU_data,))


def _check_lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, left: bool) -> None:
    if B._data.ndim < 2:
        raise RuntimeError("linalg.lu_solve: The input tensor B must have at least 2 dimensions.")
    if dtype_of(pivots._data) is not _dtypes.int32:
        raise RuntimeError("linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32")
    check_matrix("torch.linalg.lu_solve", LU)
    if LU._data.dtype is not B._data.dtype:
        raise RuntimeError(
            "linalg.lu_solve: Expected LU and B to have the same dtype, but found LU of type "
            f"{_type_name(LU)} and B of type {_type_name(B)} instead"
        )
    n, shape = LU._data.shape[-1], B._data.shape
    if shape[-2 if left else -1] != n:
        raise RuntimeError(
            f"linalg.lu_solve: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({n}x{n} and {shape[-2]}x{shape[-1]})"
        )
    if pivots._data.shape[-1] != n:
        raise RuntimeError(
            "linalg.lu_solve: Number of pivots per batch should be same as the dimension of the "
            "matrix"
        )


def lu_solve_of(
    LU: Tensor,
    pivots: Tensor,
    B: Tensor,
    *,
    left: bool = True,
    adjoint: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Returns X with ``A @ X = B``, or ``X @ A = B`` if not ``left``, by the LU factors of A.

    With ``adjoint`` for A^H in the place of A.

    >>> LU, pivots = torch.linalg.lu_factor(torch.tensor([[0.0, 2.0], [1.0, 0.0]]))
    >>> torch.linalg.lu_solve(LU, pivots, torch.tensor([[2.0], [3.0]]))
    tensor([[3.],
            [1.]])
    """
    check_tensor("linalg.lu_solve", LU, pivots, B, names=("LU", "pivots", "B"))
    _check_lu_solve(LU, pivots, B, left)
    right = B if left else mH(B)
    factor, right = _same_batch("linalg.lu_solve", LU, right)
    order = backend_of(pivots._data).permutation(pivots._data, LU._data.shape[-1])
    if adjoint == left:
        back = argsort(wrap(order), -1)
        half = _solve_triangular(mH(factor), right, False, False)
        half = _solve_triangular(mH(factor), half, True, True)
        result = _reordered(half, back)
    else:
        half = _solve_triangular(factor, _reordered(right, wrap(order)), False, True)
        result = _solve_triangular(factor, half, True, False)
    return finished("linalg.lu_solve", result if left else mH(result), out, (LU, B))


def _reordered(x: Tensor, order: Tensor) -> Tensor:
    return gather(x, -2, expand(unsqueeze(order, -1), *x._data.shape))


def lu_solve(
    input: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Tensor | None = None
) -> Tensor:
    """Returns X with ``A @ X = input``, by the LU factors of A; see `torch.linalg.lu_solve`.

    >>> LU, pivots = torch.lu(torch.tensor([[4.0]]))
    >>> torch.lu_solve(torch.tensor([[2.0]]), LU, pivots)
    tensor([[0.5000]])
    """
    check_tensor("lu_solve", input, LU_data, LU_pivots)
    return lu_solve_of(LU_data, LU_pivots, input, out=out)


# ------------------------------------------------------------------------------------- LDL


def ldl_factor_ex(
    A: Tensor, *, hermitian: bool = False, check_errors: bool = False, out: Any = None
) -> Any:
    """Returns L and D with A = P L D L^T P^T in one, LAPACK's pivots, and infos.

    With ``hermitian``, L^H stands for L^T. Only the lower triangle of A is read, D has blocks of
    one or, where two pivots are negative, two rows (Bunch and Kaufman 1977). The results have no
    gradients.

    >>> torch.linalg.ldl_factor_ex(torch.tensor([[4.0, 2.0], [2.0, 3.0]])).LD
    tensor([[4.0000, 0.0000],
            [0.5000, 2.0000]])
    """
    check_matrix("torch.linalg.ldl_factor_ex", A)
    x = A._data
    result = return_types.linalg_ldl_factor_ex(wrap(a) for a in backend_of(x).ldl(x, hermitian))
    if check_errors:
        _check_ldl("torch.linalg.ldl_factor_ex", result.info)
    return finished("linalg.ldl_factor_ex", result, out)


def _check_ldl(name: str, info: Tensor) -> None:
    if fault := _fault(info):
        where, at = fault
        raise RuntimeError(
            f"{name}: {where}D[{at},{at}] is zero and using it on ldl_solve would result in a "
            "division by zero."
        )


def ldl_factor(A: Tensor, *, hermitian: bool = False, out: Any = None) -> Any:
    """Returns L and D in one and pivots, for `ldl_solve`; RuntimeError for singular A.

    >>> torch.linalg.ldl_factor(torch.tensor([[4.0, 2.0], [2.0, 3.0]])).pivots
    tensor([1, 2], dtype=torch.int32)
    """
    factor, pivots, info = ldl_factor_ex(A, hermitian=hermitian)
    _check_ldl("torch.linalg.ldl_factor", info)
    return finished("linalg.ldl_factor", return_types.linalg_ldl_factor((factor, pivots)), out)


def ldl_solve(
    LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False, out: Tensor | None = None
) -> Tensor:
    """Returns X with ``A @ X = B``, by the factors of A from `ldl_factor`; without gradients.

    >>> LD, pivots = torch.linalg.ldl_factor(torch.tensor([[4.0, 2.0], [2.0, 3.0]]))
    >>> torch.linalg.ldl_solve(LD, pivots, torch.tensor([[8.0], [8.0]]))
    tensor([[1.],
            [2.]])
    """
    name = "torch.linalg.ldl_solve"
    check_tensor(name, LD, pivots, B, names=("LD", "pivots", "B"))
    check_matrix(name, LD, position="LD")
    n, p, shape = LD._data.shape[-1], pivots._data, B._data.shape
    if len(shape) < 2:
        raise RuntimeError(
            f"{name}: Expected B to have at least 2 dimensions, but it has {len(shape)} dimensions "
            "instead"
        )
    if shape[-2] != n:
        raise RuntimeError(
            f"Incompatible matrix sizes for {name}: each A matrix is {n} by {n} but each b matrix "
            f"is {shape[-2]} by {shape[-1]}"
        )
    if p.shape != LD._data.shape[:-1]:
        raise RuntimeError(
            f"{name}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with "
            f"shape {list(p.shape)} instead"
        )
    if p.dtype.kind not in "iu":
        raise RuntimeError(f"{name}: Expected pivots to be integers. Got {_type_name(pivots)}")
    if LD._data.dtype is not B._data.dtype:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {_type_name(B)} and A "
            f"of type {_type_name(LD)} instead."
        )
    factor, right = _same_batch("linalg.ldl_solve", LD, B)
    swaps = expand(pivots, *factor._data.shape[:-1])
    solve = backend_of(factor._data).ldl_solve
    z = solve(factor._data, swaps._data, right._data, hermitian)
    return finished("linalg.ldl_solve", wrap(z), out)


# -------------------------------------------------------------------- Householder vectors


def geqrf(input: Tensor, *, out: Any = None) -> Any:
    """Returns R with Householder vectors below it, and their factors, as LAPACK does.

    `torch.linalg.householder_product` makes Q of them. The results have no gradients.

    >>> torch.geqrf(torch.tensor([[2.0]])).a
    tensor([[2.]])
    """
    check_tensor("geqrf", input)
    x = input._data
    if x.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    if x.dtype.kind in "biu" or x.dtype.itemsize < 4:
        raise unsupported("geqrf", input)
    return finished("geqrf", return_types.geqrf(wrap(a) for a in backend_of(x).geqrf(x)), out)


def householder_product(A: Tensor, tau: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the first columns of the product of the reflections I - tau_i v_i v_i^H.

    The vectors v_i are the columns of A below its diagonal, with a one on it. The product is I - V
    (I + D S)^-1 D V^H with D = diag(tau) and S the strict upper triangle of V^H V (Joffrain et
    al., Accumulating Householder Transformations, Revisited, 2006).

    >>> torch.linalg.householder_product(torch.tensor([[1.0], [1.0]]), torch.tensor([1.0]))
    tensor([[ 0.],
            [-1.]])
    """
    name = "torch.linalg.householder_product"
    check_tensor(name, A, tau, names=("A", "tau"))
    x, t = A._data, tau._data
    if x.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    m, n = x.shape[-2:]
    k = t.shape[-1] if t.ndim else 0
    if m < n:
        raise RuntimeError(
            f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]"
        )
    if n < k:
        raise RuntimeError(
            f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]"
        )
    if x.ndim - t.ndim != 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal "
            f"to {t.ndim} and input.ndim is equal to {x.ndim}"
        )
    if x.shape[:-2] != t.shape[:-1]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got "
            f"{list(t.shape[:-1])}"
        )
    if t.dtype is not x.dtype:
        raise RuntimeError(
            f"{name}: tau dtype {_type_name(tau)} does not match input dtype {_type_name(A)}"
        )
    check_matrix(name, A, square=False)
    B = backend_of(x)
    result = expand(wrap(B.eye(m, n, x.dtype)), *x.shape)
    if k and x.size:
        vectors = tril(A[..., :, :k], -1) + wrap(B.eye(m, k, x.dtype))
        scale = unsqueeze(tau, -1)
        products = matmul(mH(vectors), vectors)
        heads = conj(vectors[..., :n, :]).transpose(-2, -1)
        inner = _solve_triangular(scale * products, scale * heads, True, True)
        result = result - matmul(vectors, inner)
    else:
        result = _no_reflections(A, tau, result)
    return finished("linalg.householder_product", result.contiguous(), out, (A, tau))


@derivative(
    joint=lambda B, g, needs: [None, None],
    inputs=("A", "tau"),
    name="LinalgHouseholderProductBackward0",
)
def _no_reflections(A: Tensor, tau: Tensor, result: Tensor) -> Tensor:
    """The result that no reflection changed: in its graph, but without a gradient, as in PyTorch."""
    return taped(_no_reflections, result.contiguous()._data, (A, tau))


def orgqr(input: Tensor, tau: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns Q of what `torch.geqrf` gives; see `torch.linalg.householder_product`.

    >>> torch.orgqr(torch.tensor([[1.0], [1.0]]), torch.tensor([1.0]))
    tensor([[ 0.],
            [-1.]])
    """
    return householder_product(input, tau, out=out)
