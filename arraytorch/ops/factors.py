"""Linear algebra: factorisations of matrices."""

from __future__ import annotations

from typing import Any

from ..autograd.tape import taped, taped_many, wrap
from ..backends import backend_of
from ..backends.dtypes import epsilon
from . import _return_types as return_types
from ._declare import derivative
from ._results import check_tensor, finished, native, same_dtype
from .arithmetic import abs
from .complex_numbers import conj, real
from .extremes import amax
from .products import matmul
from .reduction import sum
from .selection import where
from .shape import reshape, transpose, unsqueeze
from .solving import H, check_matrix, mH

Tensor = Any


def _diagonal_of(B: Any, x: Any) -> Any:
    return B.diagonal(x, 0, x.ndim - 2, x.ndim - 1)


def _scaled(B: Any, x: Any, s: Any) -> Any:
    """X diag(s)."""
    return x * B.reshape(s, (*s.shape[:-1], 1, s.shape[-1]))


def _gaps(B: Any, s: Any) -> Any:
    """The matrix of s_j - s_i, with ones on its diagonal."""
    n = s.shape[-1]
    rows = B.reshape(s, (*s.shape[:-1], 1, n)) - B.reshape(s, (*s.shape[:-1], n, 1))
    one = s * 0 + 1
    return rows + B.undiagonal(one, (*s.shape, n), 0, s.ndim - 1, s.ndim)


# ------------------------------------------------------------------------------- Cholesky


def _slope_of_cholesky(B: Any, g: Any, out: Any) -> Any:
    """L^-H (P + P^H) L^-1 / 2, where P is the lower half of L^H G with its diagonal halved.

    I. Murray, Differentiation of the Cholesky decomposition (2016).
    """
    p = B.tril(B.matmul(H(B, out), g), 0)
    half = B.tril(p, -1)
    both = half + H(B, half)
    middle = both + B.undiagonal(
        B.real(_diagonal_of(B, p)) + _diagonal_of(B, p) * 0,
        tuple(p.shape),
        0,
        p.ndim - 2,
        p.ndim - 1,
    )
    left = B.solve_triangular(H(B, out), middle, True, False)
    return H(B, B.solve_triangular(H(B, out), H(B, left), True, False)) * 0.5


@derivative(saves=("out",), kernel="cholesky", name="LinalgCholeskyExBackward0",
            d_input=_slope_of_cholesky)  # fmt: skip
def _cholesky(input: Tensor) -> Tensor:
    x = input._data
    z = backend_of(x).cholesky(x)
    return taped(_cholesky, z, (input,), (z,))


def cholesky_of(A: Tensor, *, upper: bool = False, out: Tensor | None = None) -> Tensor:
    """Returns the lower triangular L with ``A = L @ L^H``, or L^H if ``upper``.

    Only one triangle of A is read. LinAlgError unless A is positive definite.

    >>> torch.linalg.cholesky(torch.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    check_matrix("linalg.cholesky", A)
    result = mH(_cholesky(mH(A))) if upper else _cholesky(A)
    return finished("linalg.cholesky", result, out, (A,))


def cholesky(input: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """Returns the Cholesky factor of positive-definite matrices; see `torch.linalg.cholesky`.

    >>> torch.cholesky(torch.tensor([[4.0]]))
    tensor([[2.]])
    """
    check_matrix("cholesky", input)
    return finished("cholesky", cholesky_of(input, upper=upper), out, (input,))


# ------------------------------------------------------------------------------------- QR


def _slope_of_qr(B: Any, g: Any, needs: Any, complete: bool, out: Any) -> list[Any]:
    """(G_Q + Q S) R^-H, where S is the Hermitian matrix with the upper triangle of G_R R^H - Q^H G_Q.

    Walter and Lehmann, Algorithmic Differentiation of Linear Algebra Functions (2010). A wide
    matrix [X Y] is Q [U V] with Q U = X, and Y takes the gradient Q G_V.
    """
    q, r = out
    g_q, g_r = (*g, None)[:2]
    m, n = q.shape[-2], r.shape[-1]
    k = q.shape[-1]
    if complete and m > n:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols"
        )
    g_q = B.zeros_like(q) if g_q is None else g_q
    g_r = B.zeros_like(r) if g_r is None else g_r
    rest = None
    if k < n:
        u, v = r[..., :, 0:k], r[..., :, k:n]
        g_u, g_v = g_r[..., :, 0:k], g_r[..., :, k:n]
        rest = B.matmul(q, g_v)
        g_q = g_q + B.matmul(B.matmul(q, v), H(B, g_v))
        r, g_r = u, g_u
    upper = B.triu(B.matmul(g_r, H(B, r)) - B.matmul(H(B, q), g_q), 0)
    strict = B.triu(upper, 1)
    diagonal = B.real(_diagonal_of(B, upper)) + _diagonal_of(B, upper) * 0
    symmetric = (
        strict
        + H(B, strict)
        + B.undiagonal(diagonal, tuple(upper.shape), 0, upper.ndim - 2, upper.ndim - 1)
    )
    total = g_q + B.matmul(q, symmetric)
    first = H(B, B.solve_triangular(r, H(B, total), True, False))
    return [first if rest is None else B.cat([first, rest], first.ndim - 1)]


@derivative(saves=("complete", "out"), inputs=("input",), kernel="qr",
            name="LinalgQrBackward0", joint=_slope_of_qr)  # fmt: skip
def _qr(input: Tensor, complete: bool) -> tuple[Tensor, ...]:
    x = input._data
    arrays = tuple(backend_of(x).qr(x, complete))
    return taped_many(_qr, arrays, (input,), (complete, arrays))


def qr_of(A: Tensor, mode: str = "reduced", *, out: Any = None) -> Any:
    """Returns Q with orthonormal columns and the upper triangular R with ``A = Q @ R``.

    ``mode`` is "reduced", "complete" (Q is square), or "r" (Q is empty, and nothing is
    differentiable).

    >>> torch.linalg.qr(torch.eye(2)).R.abs()
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_matrix("linalg.qr", A, square=False)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or "
            "'complete'"
        )
    q, r = _qr(A.detach() if mode == "r" else A, mode == "complete")
    if mode == "r":
        q = wrap(backend_of(r._data).zeros((0,), r._data.dtype))
    return finished("linalg.qr", return_types.linalg_qr((q, r)), out, (A,))


def qr(input: Tensor, some: bool = True, *, out: Any = None) -> Any:
    """Returns the QR decomposition, complete unless ``some``; see `torch.linalg.qr`.

    >>> torch.qr(torch.eye(1)).R.abs()
    tensor([[1.]])
    """
    check_tensor("qr", input)
    result = return_types.qr(qr_of(input, "reduced" if some else "complete"))
    return finished("qr", result, out, (input,))


# ------------------------------------------------------------------------------------ SVD


def _slope_of_svd(B: Any, g: Any, needs: Any, full: bool, out: Any) -> list[Any]:
    """U [(K_U / E) S + S (K_V / E) + diag(G_S)] V^H, and what of G_U and G_V lies beyond their spans.

    K_U = U^H G_U less its adjoint, E_ij = s_j^2 - s_i^2. J. Townsend, Differentiating the Singular
    Value Decomposition (2016); the phase of complex vectors is free, so a function of them must not
    depend on it.
    """
    u, s, vh = out
    g_u, g_s, g_vh = (*g, None, None)[:3]
    m, n = u.shape[-2], vh.shape[-1]
    k = s.shape[-1]
    if full:
        u, vh = u[..., :, 0:k], vh[..., 0:k, :]
        g_u = None if g_u is None else g_u[..., :, 0:k]
        g_vh = None if g_vh is None else g_vh[..., 0:k, :]
    if g_u is None and g_vh is None:
        return [B.matmul(_scaled(B, u, g_s), vh)]
    shape = (*s.shape, k)
    at = (s.ndim - 1, s.ndim)
    squared = _gaps(B, s * s)
    inner = 0
    g_v = None if g_vh is None else H(B, g_vh)
    if g_u is not None:
        turn = B.matmul(H(B, u), g_u)
        skew = turn - H(B, turn)
        inner = _scaled(B, skew / squared, s)
        if native(u).kind == "c":
            inner = inner + B.undiagonal(_diagonal_of(B, skew) / (s * 2), shape, 0, *at)
    if g_v is not None:
        turn = B.matmul(vh, g_v)
        skew = turn - H(B, turn)
        inner = inner + B.reshape(s, (*s.shape, 1)) * (skew / squared)
    if g_s is not None:
        inner = inner + B.undiagonal(g_s, shape, 0, *at)
    result = B.matmul(B.matmul(u, inner), vh)
    if m > k and g_u is not None:
        part = _scaled(B, g_u, 1 / s)
        part = part - B.matmul(u, B.matmul(H(B, u), part))
        result = result + B.matmul(part, vh)
    if n > k and g_v is not None:
        part = H(B, _scaled(B, g_v, 1 / s))
        part = part - B.matmul(B.matmul(part, H(B, vh)), vh)
        result = result + B.matmul(u, part)
    return [result]


@derivative(saves=("full", "out"), inputs=("input",), kernel="svd",
            name="LinalgSvdBackward0", joint=_slope_of_svd)  # fmt: skip
def _svd(input: Tensor, full: bool) -> tuple[Tensor, ...]:
    x = input._data
    arrays = tuple(backend_of(x).svd(x, full))
    return taped_many(_svd, arrays, (input,), (full, arrays))


def svd_of(
    A: Tensor, full_matrices: bool = True, *, driver: str | None = None, out: Any = None
) -> Any:
    """Returns U, the singular values in descending order, and V^H, with ``A = U @ diag(S) @ Vh``.

    >>> torch.linalg.svd(torch.tensor([[3.0, 0.0], [0.0, 2.0]])).S
    tensor([3., 2.])
    """
    check_matrix("linalg.svd", A, square=False)
    result = return_types.linalg_svd(_svd(A, full_matrices))
    return finished("linalg.svd", result, out, (A,))


def svd(input: Tensor, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> Any:
    """Returns U, S and V (not V^H) with ``input = U @ diag(S) @ V^H``; see `torch.linalg.svd`.

    >>> torch.svd(torch.tensor([[2.0]])).S
    tensor([2.])
    """
    check_matrix("svd", input, square=False)
    x = input._data
    if not compute_uv:
        B = backend_of(x)
        u, v = (wrap(B.zeros((*x.shape[:-2], n, n), x.dtype)) for n in x.shape[-2:])
        return return_types.svd((u, svdvals(input), v))
    u, s, vh = _svd(input, not some)
    return finished("svd", return_types.svd((u, s, mH(vh))), out, (input,))


def svdvals(A: Tensor, *, driver: str | None = None, out: Tensor | None = None) -> Tensor:
    """Returns the singular values in descending order.

    >>> torch.linalg.svdvals(torch.tensor([[3.0, 0.0], [0.0, 2.0]]))
    tensor([3., 2.])
    """
    check_matrix("linalg.svdvals", A, square=False)
    return finished("linalg.svdvals", _svd(A, False)[1], out, (A,))


# ---------------------------------------------------------------------------- eigenvalues


def _slope_of_eigh(B: Any, g: Any, needs: Any, out: Any) -> list[Any]:
    """V (diag(G_L) + (V^H G_V) / E) V^H with E_ij = l_j - l_i (Giles 2008, 3.1)."""
    values, vectors = out
    g_l, g_v = (*g, None)[:2]
    if g_v is None:
        return [B.matmul(_scaled(B, vectors, g_l), H(B, vectors))]
    inner = B.matmul(H(B, vectors), g_v) / _gaps(B, values)
    n, at = values.shape[-1], values.ndim
    off = inner - B.undiagonal(_diagonal_of(B, inner), (*values.shape, n), 0, at - 1, at)
    if g_l is not None:
        off = off + B.undiagonal(g_l, (*values.shape, n), 0, at - 1, at)
    return [B.matmul(B.matmul(vectors, off), H(B, vectors))]


@derivative(saves=("out",), inputs=("input",), kernel="eigh",
            name="LinalgEighBackward0", joint=_slope_of_eigh)  # fmt: skip
def _eigh(input: Tensor, upper: bool) -> tuple[Tensor, ...]:
    x = input._data
    arrays = tuple(backend_of(x).eigh(x, upper))
    return taped_many(_eigh, arrays, (input,), (arrays,))


def _triangle(name: str, UPLO: str) -> bool:
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}: {name}")
    return UPLO.upper() == "U"


def eigh(A: Tensor, UPLO: str = "L", *, out: Any = None) -> Any:
    """Returns the ascending eigenvalues and the eigenvectors of Hermitian matrices.

    Only the triangle that ``UPLO`` names is read.

    >>> torch.linalg.eigh(torch.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    check_matrix("linalg.eigh", A)
    result = return_types.linalg_eigh(_eigh(A, _triangle("linalg.eigh", UPLO)))
    return finished("linalg.eigh", result, out, (A,))


def eigvalsh(A: Tensor, UPLO: str = "L", *, out: Tensor | None = None) -> Tensor:
    """Returns the ascending eigenvalues of Hermitian matrices.

    >>> torch.linalg.eigvalsh(torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    check_matrix("linalg.eigvalsh", A)
    return finished("linalg.eigvalsh", _eigh(A, _triangle("linalg.eigvalsh", UPLO))[0], out, (A,))


def _slope_of_eig(B: Any, g: Any, needs: Any, out: Any) -> list[Any]:
    """V^-H (diag(G_L) + (V^H G_V - V^H V diag(Re diag(V^H G_V))) / conj(E)) V^H.

    Giles 2008, 3.1, with the columns of V kept at unit length.
    """
    values, vectors = out
    g_l, g_v = (*g, None)[:2]
    shape, at = (*values.shape, values.shape[-1]), (values.ndim - 1, values.ndim)
    if g_v is None:
        inner = B.undiagonal(g_l, shape, 0, *at)
    else:
        turn = B.matmul(H(B, vectors), g_v)
        along = B.real(_diagonal_of(B, turn))
        inner = turn - _scaled(B, B.matmul(H(B, vectors), vectors), along)
        inner = inner / B.conj(_gaps(B, values))
        inner = inner - B.undiagonal(_diagonal_of(B, inner), shape, 0, *at)
        if g_l is not None:
            inner = inner + B.undiagonal(g_l, shape, 0, *at)
    return [B.solve(H(B, vectors), B.matmul(inner, H(B, vectors)))]


@derivative(saves=("out",), inputs=("input",), kernel="eig",
            name="LinalgEigBackward0", joint=_slope_of_eig)  # fmt: skip
def _eig(input: Tensor) -> tuple[Tensor, ...]:
    x = input._data
    arrays = tuple(backend_of(x).eig(x))
    return taped_many(_eig, arrays, (input,), (arrays,))


def eig(A: Tensor, *, out: Any = None) -> Any:
    """Returns the complex eigenvalues and the eigenvectors of square matrices.

    >>> torch.linalg.eig(torch.tensor([[0.0, -1.0], [1.0, 0.0]])).eigenvalues.imag
    tensor([ 1., -1.])
    """
    check_matrix("linalg.eig", A)
    return finished("linalg.eig", return_types.linalg_eig(_eig(A)), out, (A,))


def eigvals(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the complex eigenvalues of square matrices.

    >>> torch.linalg.eigvals(torch.tensor([[2.0]]))
    tensor([2.+0.j])
    """
    check_matrix("linalg.eigvals", A)
    return finished("linalg.eigvals", _eig(A)[0], out, (A,))


# ----------------------------------------------------------------- pseudoinverse and rank


def _tolerance(name: str, s: Tensor, x: Any, atol: Any, rtol: Any) -> Tensor:
    """What singular values count as 0: max(atol, rtol * the largest)."""
    if rtol is None:
        given = atol is not None and (not isinstance(atol, (int, float)) or atol > 0)
        rtol = 0.0 if given else epsilon(s._data.dtype) * max(x.shape[-2:])
    top = amax(abs(s), -1, True) if s._data.shape[-1] else sum(s, -1, True)
    relative = _last(rtol) * top
    absolute = _last(0.0 if atol is None else atol)
    if hasattr(absolute, "_data") or absolute:
        return where(relative > absolute, relative, absolute)
    return relative


def _last(value: Any) -> Any:
    return unsqueeze(value, -1) if hasattr(value, "_data") else float(value)


def _slope_of_pinv(B: Any, g: Any, input: Any, out: Any) -> Any:
    """-P^H G P^H + (I - A P) G^H P P^H + P^H P G^H (I - P A).

    Golub and Pereyra, The Differentiation of Pseudo-Inverses and Nonlinear Least Squares Problems
    Whose Variables Separate (1973), transposed.
    """
    p, gh = out, H(B, g)
    ph = H(B, p)
    left = B.matmul(gh, B.matmul(p, ph))
    right = B.matmul(B.matmul(ph, p), gh)
    return (
        left - B.matmul(input, B.matmul(p, left))
        + right - B.matmul(B.matmul(right, p), input)
        - B.matmul(B.matmul(ph, g), ph)
    )  # fmt: skip


@derivative(saves=("input", "out"), name="LinalgPinvBackward0", d_input=_slope_of_pinv)
def _pinv(input: Tensor, atol: Any, rtol: Any, hermitian: bool) -> Tensor:
    fixed = input.detach()
    if hermitian:
        values, u = _eigh(fixed, False)
        vh = mH(u)
    else:
        u, values, vh = _svd(fixed, False)
    kept = abs(values) > _tolerance("linalg.pinv", values, input._data, atol, rtol)
    inverse = where(kept, 1 / where(kept, values, 1.0), 0.0)
    z = matmul(mH(vh) * unsqueeze(inverse, -2), mH(u))
    return taped(_pinv, z._data, (input,), (input, z._data))


def pinv(
    A: Tensor,
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the pseudoinverses; singular values up to max(atol, rtol * largest) count as 0.

    >>> torch.linalg.pinv(torch.tensor([[2.0, 0.0], [0.0, 0.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    check_matrix("linalg.pinv", A, square=hermitian)
    rtol = rcond if rtol is None else rtol
    if not A._data.size:
        result = transpose(A, -2, -1).clone()
    else:
        result = _pinv(A, atol, rtol, hermitian)
    return finished("linalg.pinv", result, out, (A,))


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """Returns the pseudoinverses; see `torch.linalg.pinv`.

    >>> torch.pinverse(torch.tensor([[2.0]]))
    tensor([[0.5000]])
    """
    return pinv(input, rcond)


def matrix_rank(
    A: Tensor,
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """Returns how many singular values exceed max(atol, rtol * the largest).

    >>> torch.linalg.matrix_rank(torch.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    check_matrix("linalg.matrix_rank", A, square=hermitian)
    if tol is not None:
        atol, rtol = tol, 0.0
    fixed = A.detach()
    s = abs(_eigh(fixed, False)[0]) if hermitian else _svd(fixed, False)[1]
    result = sum(s > _tolerance("linalg.matrix_rank", s, A._data, atol, rtol), -1)
    return finished("linalg.matrix_rank", result, out)


def lstsq(
    A: Tensor,
    B: Tensor,
    rcond: float | None = None,
    *,
    driver: str | None = None,
    out: tuple[Tensor, ...] | None = None,
) -> Any:
    """Returns the X that minimises ``|A @ X - B|``, residuals, ranks and singular values.

    Computed from the pseudoinverse. Residuals are there for full rank, more rows than columns and
    any driver but "gelsy"; ranks for all drivers but "gels", singular values for "gelsd" and
    "gelss".

    >>> torch.linalg.lstsq(torch.tensor([[2.0]]), torch.tensor([[6.0]])).solution
    tensor([[3.]])
    """
    check_matrix("linalg.lstsq", A, square=False)
    check_tensor("linalg.lstsq", B, names=("B",))
    if B._data.ndim < 1:
        raise RuntimeError("torch.linalg.lstsq: input.dim() must be greater or equal to 1")
    same_dtype("torch.linalg.lstsq", A, B)
    driver = "gelsy" if driver is None else driver
    if driver not in ("gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)"
        )
    a, b = A._data.shape, B._data.shape
    vector = len(b) == 1 or (len(b) == len(a) - 1 and b == a[:-1])
    right = unsqueeze(B, -1) if vector else B
    if right._data.shape[-2] != a[-2]:
        raise RuntimeError("torch.linalg.lstsq: input.size(-2) should match other.size(-2)")
    rcond = epsilon(A._data.dtype) * max(a[-2:]) if rcond is None else rcond
    solution = matmul(pinv(A, rtol=rcond), right)
    s = _svd(A.detach(), False)[1]
    rank = sum(s > _last(rcond) * amax(s, -1, True), -1) if s._data.size else sum(s != s, -1)
    nothing = wrap(backend_of(s._data).zeros((0,), s._data.dtype))
    residuals = real(reshape(solution, (-1,))[0:0])
    least = backend_of(s._data).bounds(rank._data) if rank._data.size else None
    if driver != "gelsy" and a[-2] > a[-1] and least is not None and least[0] == a[-1]:
        off = matmul(A, solution) - right
        residuals = sum((off * conj(off)).real, -2)
        residuals = reshape(residuals, residuals._data.shape[:-1]) if vector else residuals
    solution = reshape(solution, solution._data.shape[:-1]) if vector else solution
    no_rank = wrap(backend_of(s._data).zeros((0,), rank._data.dtype))
    results = return_types.linalg_lstsq(
        (
            solution,
            residuals,
            no_rank if driver == "gels" else rank,
            s if driver in ("gelsd", "gelss") else nothing,
        )
    )
    return finished("linalg.lstsq", results, out, (A, B))
