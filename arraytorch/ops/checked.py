"""Linear algebra that tells of singular matrices by a number for each instead of by an exception."""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from .._errors import LinAlgError
from ..autograd.tape import wrap
from ..backends import backend_of, numpy_dtype
from ..backends.linalg import REASONS, refusal
from . import _return_types as return_types
from ._results import finished
from .factors import _cholesky
from .lu import _lu, lu_solve_of
from .shape import reshape, unsqueeze
from .solving import _inv, check_matrix, mH, solve

Tensor = Any


def _zeros(x: Any) -> Tensor:
    """An info for each matrix that says that nothing is wrong."""
    return wrap(backend_of(x).zeros(x.shape[:-2], numpy_dtype(_dtypes.int32)))


def _refused(reason: str, name: str, info: Tensor, check: bool) -> None:
    """Raises LinAlgError for the first matrix whose info is not 0."""
    if check and info._data.size and (B := backend_of(info._data)).bounds(info._data) is not None:
        host = B.to_host(info._data)
        if host.any():
            raise LinAlgError(refusal(REASONS[reason], name, host))


def _finite(x: Any) -> bool:
    return backend_of(x).all_finite(x)


def inv_ex(A: Tensor, *, check_errors: bool = False, out: Any = None) -> Any:
    """Returns the inverses and, for each, the number of the first zero of U in its LU factors, or 0.

    The inverse of a singular matrix has elements that are not finite; LinAlgError for it with
    ``check_errors``.

    >>> torch.linalg.inv_ex(torch.zeros(1, 1)).info
    tensor(1, dtype=torch.int32)
    """
    check_matrix("linalg.inv_ex", A)
    x = A._data
    try:
        inverse, info = _inv(A), _zeros(x)
        fine = _finite(inverse._data)
    except LinAlgError:
        fine = False
    if not fine:
        factor, pivots, info = _lu(A)
        B = backend_of(x)
        one = wrap(B.expand(B.eye(x.shape[-1], x.shape[-1], x.dtype), x.shape))
        inverse = lu_solve_of(factor, pivots, one)
    _refused("linalg.inv", "linalg.inv_ex", info, check_errors)
    return finished("linalg.inv_ex", return_types.linalg_inv_ex((inverse, info)), out, (A,))


def solve_ex(
    A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False, out: Any = None
) -> Any:
    """Returns `solve` and, for each matrix, the number of the first zero of U in its LU factors, or 0.

    What a singular matrix gives is not finite; LinAlgError for it with ``check_errors``.

    >>> torch.linalg.solve_ex(torch.zeros(1, 1), torch.ones(1)).info
    tensor(1, dtype=torch.int32)
    """
    try:
        result, info = solve(A, B, left=left), _zeros(A._data)
        fine = _finite(result._data)
    except LinAlgError:
        fine = False
    if not fine:
        factor, pivots, info = _lu(A)
        vector = B._data.ndim == 1 or B._data.shape == A._data.shape[:-1]
        right = unsqueeze(B, -1) if vector else B
        result = lu_solve_of(factor, pivots, right, left=left)
        if vector:
            result = reshape(result, result._data.shape[:-1])
    _refused("torch.linalg.solve", "torch.linalg.solve_ex", info, check_errors)
    return finished("linalg.solve_ex", return_types.linalg_solve_ex((result, info)), out, (A, B))


def cholesky_ex(
    A: Tensor, *, upper: bool = False, check_errors: bool = False, out: Any = None
) -> Any:
    """Returns the Cholesky factor and, for each matrix, its first minor that is not positive, or 0.

    Of a matrix with such a minor the factor ends there; LinAlgError for it with ``check_errors``.

    >>> torch.linalg.cholesky_ex(torch.tensor([[4.0, 2.0], [2.0, -1.0]])).info
    tensor(2, dtype=torch.int32)
    """
    check_matrix("linalg.cholesky_ex", A)
    lower = mH(A) if upper else A
    x = lower._data
    try:
        factor, info = _cholesky(lower), _zeros(x)
        fine = _finite(factor._data)
    except LinAlgError:
        fine = False
    if not fine:
        factor, info = (wrap(a) for a in backend_of(x).cholesky_parts(x))
    _refused("linalg.cholesky", "linalg.cholesky_ex", info, check_errors)
    result = return_types.linalg_cholesky_ex((mH(factor) if upper else factor, info))
    return finished("linalg.cholesky_ex", result, out, (A,))
