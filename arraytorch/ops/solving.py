"""Linear algebra: determinants, inverses, solutions of equations.

Where a derivative names no other source, it is from M. Giles, Collected Matrix Derivative Results
for Forward and Reverse Mode Algorithmic Differentiation (2008).
"""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from ..autograd.tape import taped, taped_many, wrap
from ..backends import backend_of, dtype_of, numpy_dtype
from . import _return_types as return_types
from ._declare import cast, derivative
from ._promote import broadcast_shape, integer
from ._results import as_array, check_tensor, finished, native, same_dtype
from .arithmetic import abs
from .complex_numbers import conj
from .products import _T, matmul
from .selection import where
from .shape import expand, reshape, transpose, unsqueeze
from .shape import transpose as swap

Tensor = Any


def H(B: Any, x: Any) -> Any:
    """The conjugate transpose of matrices, for rules."""
    return B.conj(_T(B, x))


def mH(x: Tensor) -> Tensor:
    """Returns the conjugate transpose of matrices."""
    return conj(transpose(x, -2, -1))


def check_matrix(name: str, x: Any, square: bool = True, position: str = "A") -> None:
    """Raises RuntimeError unless x is a batch of (square) matrices of floating-point numbers."""
    check_tensor(name, x, names=(position,))
    a = x._data
    if a.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {position} must have at least 2 dimensions.")
    if a.dtype.kind in "biu":
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got "
            f"{_dtypes.scalar_type_name(dtype_of(a))}"
        )
    if a.dtype.itemsize < 4:
        raise RuntimeError(
            f"{name}: Low precision dtypes not supported. Got "
            f"{_dtypes.scalar_type_name(dtype_of(a))}"
        )
    if square and a.shape[-1] != a.shape[-2]:
        raise RuntimeError(
            f"{name}: {position} must be batches of square matrices, but they are {a.shape[-2]} by "
            f"{a.shape[-1]} matrices"
        )


# ----------------------------------------------------------------------- determinants


def _cofactors(B: Any, x: Any) -> Any:
    """conj(d det X / dX) where X may be singular: from the SVD, with products that leave one out.

    det X = det U det V^H s_1 ... s_n, so the cofactor matrix is det U det V^H U diag(prod_{j != i}
    s_j) V^H up to conjugation.
    """
    u, s, vh = B.svd(x, True)
    n, at = s.shape[-1], s.ndim - 1
    one = s[..., 0:1] * 0 + 1
    before = B.cumprod(B.cat([one, s[..., 0 : n - 1]], at), at)
    turned = B.flip(s, (at,))
    behind = B.flip(B.cumprod(B.cat([one, turned[..., 0 : n - 1]], at), at), (at,))
    rest = B.reshape(before * behind, (*before.shape[:-1], 1, n))
    phase = B.conj(B.det(u) * B.det(vh))
    return B.reshape(phase, (*phase.shape, 1, 1)) * B.matmul(u * rest, vh)


def _slope_of_det(B: Any, g: Any, input: Any, out: Any) -> Any:
    """g conj(det X) X^-H, or with cofactors where X is singular."""
    g = B.reshape(g, (*g.shape, 1, 1))
    if 0 in tuple(input.shape):
        return B.zeros_like(input)
    raw = getattr(out, "_data", out)
    if backend_of(raw).any_zero(raw):
        return g * _cofactors(B, input)
    return g * B.conj(B.reshape(out, (*out.shape, 1, 1))) * H(B, B.inv(input))


@derivative(saves=("input", "out"), kernel="det", name="LinalgDetBackward0", d_input=_slope_of_det)
def _det(input: Tensor) -> Tensor:
    x = input._data
    z = as_array(backend_of(x), backend_of(x).det(x), x)
    return taped(_det, z, (input,), (input, z))


def det(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the determinants of square matrices.

    >>> torch.linalg.det(torch.tensor([[2.0, 1.0], [0.0, 4.0]]))
    tensor(8.)
    """
    check_matrix("linalg.det", A)
    return finished("linalg.det", _det(A), out, (A,))


def det_of(input: Tensor) -> Tensor:
    """Returns the determinants of square matrices; see `linalg.det`.

    >>> torch.det(torch.tensor([[2.0, 1.0], [0.0, 4.0]]))
    tensor(8.)
    """
    return det(input)


def _slope_of_slogdet(B: Any, g: Any, needs: Any, input: Any, out: Any) -> list[Any]:
    """X^-H times g of the logarithm, less i Im(conj(g) sign) for the phase of a complex sign."""
    g_sign, g_log = (*g, None)[:2]
    sign = out[0]
    scale = out[1] * 0 if g_log is None else g_log
    if g_sign is not None and native(sign).kind == "c":
        scale = scale - B.imag(B.conj(g_sign) * sign) * 1j
    return [B.reshape(scale, (*scale.shape, 1, 1)) * H(B, B.inv(input))]


@derivative(saves=("input", "out"), inputs=("input",), name="LinalgSlogdetBackward0",
            joint=_slope_of_slogdet)  # fmt: skip
def _slogdet(input: Tensor) -> tuple[Tensor, ...]:
    x = input._data
    B = backend_of(x)
    arrays = tuple([as_array(B, z, x) for z in B.slogdet(x)])
    return taped_many(_slogdet, arrays, (input,), (input, arrays))


def slogdet_of(A: Tensor, *, out: Any = None) -> Any:
    """Returns the signs (phases, if complex) and the log moduli of determinants, without overflow.

    >>> torch.linalg.slogdet(torch.tensor([[2.0, 0.0], [0.0, -1.0]])).sign
    tensor(-1.)
    """
    check_matrix("linalg.slogdet", A)
    return finished("linalg.slogdet", return_types.linalg_slogdet(_slogdet(A)), out, (A,))


def slogdet(input: Tensor) -> Any:
    """Returns the signs and the log moduli of determinants; see `torch.linalg.slogdet`.

    >>> torch.slogdet(torch.eye(2)).logabsdet
    tensor(0.)
    """
    check_matrix("linalg.slogdet", input)
    return return_types.slogdet(_slogdet(input))


def logdet(input: Tensor) -> Tensor:
    """Returns the logarithms of determinants, NaN for negative ones.

    >>> torch.logdet(torch.eye(2))
    tensor(0.)
    """
    check_matrix("logdet", input)
    sign, log = _slogdet(input)
    if input._data.dtype.kind == "c":
        return sign.log() + log
    return where(sign == -1, float("nan"), log)


# ------------------------------------------------------------- inverses and equations


@derivative(
    saves=("out",),
    kernel="inv",
    name="LinalgInvExBackward0",
    d_input=lambda B, g, out: -B.matmul(B.matmul(H(B, out), g), H(B, out)),
)
def _inv(input: Tensor) -> Tensor:
    x = input._data
    z = backend_of(x).inv(x)
    return taped(_inv, z, (input,), (z,))


def inv(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the inverses of square matrices; LinAlgError for singular ones.

    >>> torch.linalg.inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    check_matrix("linalg.inv", A)
    return finished("linalg.inv", _inv(A), out, (A,))


def inverse(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the inverses of square matrices; see `torch.linalg.inv`.

    >>> torch.inverse(torch.eye(1))
    tensor([[1.]])
    """
    return inv(input, out=out)


@derivative(
    saves=("input", "out"),
    kernel="solve",
    name="LinalgSolveExBackward0",
    d_input=lambda B, g, input, out: -B.matmul(B.solve(H(B, input), g), H(B, out)),
    d_other=lambda B, g, input, out: B.solve(H(B, input), g),
)
def _solve(input: Tensor, other: Tensor) -> Tensor:
    x = input._data
    z = backend_of(x).solve(x, other._data)
    return taped(_solve, z, (input, other), (input, z))


def solve(A: Tensor, B: Tensor, *, left: bool = True, out: Tensor | None = None) -> Tensor:
    """Returns X with ``A @ X = B``, or ``X @ A = B`` if not ``left``; LinAlgError for singular A.

    B holds matrices, or vectors if it has one dimension fewer than A.

    >>> torch.linalg.solve(torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.tensor([2.0, 4.0]))
    tensor([1., 1.])
    """
    check_matrix("linalg.solve", A)
    check_tensor("linalg.solve", B, names=("B",))
    same_dtype("linalg.solve", A, B)
    a, b = A._data.shape, B._data.shape
    vector = len(b) == 1 or (len(b) == len(a) - 1 and b == a[:-1])
    if not left and vector:
        raise RuntimeError(
            "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. "
            "In this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    X = unsqueeze(B, -1) if vector else B
    if X._data.shape[-2 if left else -1] != a[-1]:
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({a[-2]}x{a[-1]} and {b[-2:]})"
        )
    M = A if left else transpose(A, -2, -1)
    X = X if left else transpose(X, -2, -1)
    result = _solve(*_same_batch("linalg.solve", M, X))
    result = result if left else transpose(result, -2, -1)
    if vector:
        result = reshape(result, result._data.shape[:-1])
    return finished("linalg.solve", result, out, (A, B))


def _same_batch(name: str, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    batch = broadcast_shape(name, a._data.shape[:-2], b._data.shape[:-2])
    return expand(a, *batch, *a._data.shape[-2:]), expand(b, *batch, *b._data.shape[-2:])


def _triangle_of(B: Any, x: Any, upper: bool, unit: bool) -> Any:
    return B.triu(x, int(unit)) if upper else B.tril(x, -int(unit))


@derivative(
    saves=("input", "out", "upper", "unit"),
    kernel="solve_triangular",
    name="LinalgSolveTriangularBackward0",
    d_input=lambda B, g, input, out, upper, unit: _triangle_of(
        B, -B.matmul(B.solve_triangular(H(B, input), g, not upper, unit), H(B, out)), upper, unit
    ),
    d_other=lambda B, g, input, upper, unit: B.solve_triangular(H(B, input), g, not upper, unit),
)
def _solve_triangular(input: Tensor, other: Tensor, upper: bool, unit: bool) -> Tensor:
    x = input._data
    z = backend_of(x).solve_triangular(x, other._data, upper, unit)
    return taped(_solve_triangular, z, (input, other), (input, z, upper, unit))


def solve_triangular(
    A: Tensor,
    B: Tensor,
    *,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Returns X with ``A @ X = B`` (``X @ A = B`` if not ``left``), reading one triangle of A.

    >>> A = torch.tensor([[2.0, 0.0], [1.0, 1.0]])
    >>> torch.linalg.solve_triangular(A, torch.tensor([[2.0], [3.0]]), upper=False)
    tensor([[1.],
            [2.]])
    """
    check_matrix("linalg.solve_triangular", A)
    check_tensor("linalg.solve_triangular", B, names=("B",))
    same_dtype("linalg.solve_triangular", A, B)
    if B._data.ndim < 2:
        raise RuntimeError(
            "linalg.solve_triangular: The input tensor B must have at least 2 dimensions."
        )
    if B._data.shape[-2 if left else -1] != A._data.shape[-1]:
        raise RuntimeError(
            "linalg.solve_triangular: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'}"
        )
    if left:
        result = _solve_triangular(
            *_same_batch("linalg.solve_triangular", A, B), upper, unitriangular
        )
    else:
        pair = _same_batch("linalg.solve_triangular", transpose(A, -2, -1), transpose(B, -2, -1))
        result = transpose(_solve_triangular(*pair, not upper, unitriangular), -2, -1)
    return finished("linalg.solve_triangular", result, out, (A, B))


def triangular_solve(
    input: Tensor,
    A: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
    *,
    out: Any = None,
) -> Any:
    """Returns the X with ``A @ X = input`` and a copy of A, reading one triangle of A.

    >>> torch.triangular_solve(torch.ones(1, 1), torch.full((1, 1), 2.0))[0]
    tensor([[0.5000]])
    """
    M = swap(A, -2, -1) if transpose else A
    check_matrix("triangular_solve", A)
    x = solve_triangular(M, input, upper=upper != transpose, unitriangular=unitriangular)
    result = return_types.triangular_solve((x, A.clone()))
    return finished("triangular_solve", result, out, (input, A))


def _slope_of_cholesky_solve(B: Any, g: Any, other: Any, upper: bool, out: Any) -> Any:
    """-(S + S^H) L with S = A^-1 G X^H, on all of L as in PyTorch, also where it is not read."""
    s = B.matmul(B.cholesky_solve(g, other, upper), H(B, out))
    both = s + H(B, s)
    return -B.matmul(other, both) if upper else -B.matmul(both, other)


@derivative(
    saves=("other", "upper", "out"),
    kernel="cholesky_solve",
    name="CholeskySolveBackward0",
    d_input=lambda B, g, other, upper: B.cholesky_solve(g, other, upper),
    d_other=_slope_of_cholesky_solve,
)
def _cholesky_solve(input: Tensor, other: Tensor, upper: bool) -> Tensor:
    x = input._data
    z = backend_of(x).cholesky_solve(x, other._data, upper)
    return taped(_cholesky_solve, z, (input, other), (other, upper, z))


def cholesky_solve(
    input: Tensor, input2: Tensor, upper: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Returns X with ``A @ X = input``, given ``input2``, the Cholesky factor of A.

    >>> torch.cholesky_solve(torch.ones(1, 1), torch.full((1, 1), 2.0))
    tensor([[0.2500]])
    """
    B, L = input, input2
    check_matrix("cholesky_solve", L, position="L")
    check_tensor("cholesky_solve", B)
    if B._data.ndim < 2:
        raise RuntimeError(
            f"b should have at least 2 dimensions, but has {B._data.ndim} dimensions instead"
        )
    if B._data.shape[-2] != L._data.shape[-1]:
        raise RuntimeError(
            f"Incompatible matrix sizes for cholesky_solve: each A matrix is {L._data.shape[-1]} by "
            f"{L._data.shape[-1]} but each b matrix is {B._data.shape[-2]} by {B._data.shape[-1]}"
        )
    same_dtype("cholesky_solve", B, L)
    L_, B_ = _same_batch("cholesky_solve", L, B)
    result = _cholesky_solve(B_, L_, upper)
    return finished("cholesky_solve", result, out, (B, L))


def cholesky_inverse(L: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """Returns the inverse of A, given the Cholesky factor of A.

    >>> torch.cholesky_inverse(torch.full((1, 1), 2.0))
    tensor([[0.2500]])
    """
    check_matrix("cholesky_inverse", L, position="L")
    x = L._data
    one = wrap(backend_of(x).eye(x.shape[-1], x.shape[-1], x.dtype))
    return finished("cholesky_inverse", cholesky_solve(one, L, upper), out, (L,))


def matrix_power(input: Tensor, n: int, *, out: Tensor | None = None) -> Tensor:
    """Returns the ``n``-th powers of square matrices; negative ones are powers of the inverse.

    >>> torch.matrix_power(torch.tensor([[1.0, 1.0], [0.0, 1.0]]), 3)
    tensor([[1., 3.],
            [0., 1.]])
    """
    check_tensor("matrix_power", input)
    n = integer("matrix_power", "n", n)
    x = input._data
    if x.ndim < 2:
        raise RuntimeError(
            "linalg.matrix_power: The input tensor A must have at least 2 dimensions."
        )
    if x.shape[-1] != x.shape[-2]:
        raise RuntimeError(
            "linalg.matrix_power: A must be batches of square matrices, but they are "
            f"{x.shape[-2]} by {x.shape[-1]} matrices"
        )
    base, n = (inv(input), -n) if n < 0 else (input, n)
    result = None
    while n:
        if n & 1:
            result = base if result is None else matmul(result, base)
        n >>= 1
        base = matmul(base, base) if n else base
    if result is None:
        one = wrap(backend_of(x).eye(x.shape[-1], x.shape[-1], x.dtype))
        result = expand(one, *x.shape) + input * 0
    return finished("matrix_power", result.clone() if result is input else result, out, (input,))


def matrix_exp(A: Tensor) -> Tensor:
    """Returns the exponentials of square matrices.

    A Taylor series of the matrix scaled to a small norm, then squared back (Higham, Functions of
    Matrices, 10.3).

    >>> torch.linalg.matrix_exp(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_matrix("linalg.matrix_exp", A)
    x = A._data
    one = expand(wrap(backend_of(x).eye(x.shape[-1], x.shape[-1], x.dtype)), *x.shape)
    if not x.size:
        return A.clone()
    # In double precision, as each squaring doubles the rounding errors.
    wide = cast(A, numpy_dtype(_dtypes.complex128 if x.dtype.kind == "c" else _dtypes.float64))
    seen = backend_of(x).bounds(abs(A.detach()).sum(-1)._data)
    size = 0.0 if seen is None else seen[1]
    squarings = max(0, int(size * 4).bit_length())
    step = wide / 2.0**squarings
    term = result = cast(one, wide._data.dtype) + step * 0
    for k in range(1, 16):
        term = matmul(term, step) / k
        result = result + term
    for _ in range(squarings):
        result = matmul(result, result)
    return cast(result, x.dtype)


def adjoint(input: Tensor) -> Tensor:
    """Returns the conjugate transposes of matrices.

    >>> torch.adjoint(torch.tensor([[1j, 2j]]))
    tensor([[0.-1.j],
            [0.-2.j]])
    """
    check_tensor("adjoint", input)
    if not input._data.ndim:
        return conj(input)
    if input._data.ndim < 2:
        raise RuntimeError(
            "tensor.adjoint() is only supported on matrices or batches of matrices. Got "
            f"{input._data.ndim}-D tensor."
        )
    return mH(input)
