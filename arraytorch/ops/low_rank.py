"""The largest singular values and their vectors, by randomised subspace iteration."""

from __future__ import annotations

from typing import Any

from .creation import is_tensor
from .factors import qr_of, svd_of
from .products import matmul
from .random import randn
from .reduction import mean

Tensor = Any


def _subspace(A: Tensor, q: int, niter: int) -> Tensor:
    """An orthonormal basis that nearly spans the range of A."""
    start = randn(A._data.shape[-1], q, dtype=A.dtype, device=A.device)
    Q = qr_of(matmul(A, start)).Q
    for _ in range(niter):
        Q = qr_of(matmul(A.mH, Q)).Q
        Q = qr_of(matmul(A, Q)).Q
    return Q


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns nearly the ``q`` largest singular values of A - M, U before and V after them.

    ``A - M`` is nearly ``U @ diag(S) @ V^H``: random vectors, ``niter`` times multiplied by it and
    its transpose, span the space (Halko, Martinsson and Tropp 2009, algorithm 5.1).

    >>> _ = torch.manual_seed(0)
    >>> torch.svd_lowrank(torch.diag(torch.tensor([3.0, 2.0, 0.0])), q=2)[1].round()
    tensor([3., 2.])
    """
    for name, matrix in (("A", A), ("M", M)):
        if not is_tensor(matrix) and (matrix is not None or name == "A"):
            raise TypeError(
                f"svd_lowrank(): argument '{name}' must be Tensor, not {type(matrix).__name__}"
            )
    if A._data.dtype.kind in "biu":
        raise RuntimeError(f"svd_lowrank(): expected floating-point elements, but got {A.dtype!r}")
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    if M is not None:
        A = A - M.broadcast_to(A._data.shape)
    wide = A._data.shape[-2] < A._data.shape[-1]
    if wide:
        A = A.mH
    Q = _subspace(A, q, niter)
    U, S, Vh = svd_of(matmul(Q.mH, A), False)
    U, V = matmul(Q, U), Vh.mH
    return (V, S, U) if wide else (U, S, V)


def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns nearly the ``q`` largest principal components of the rows of A; see `svd_lowrank`.

    These are the columns of V. The mean of the rows is taken off first if ``center``. ``q`` is 6
    unless given, or the smaller size if that is less; ValueError if it is more.

    >>> _ = torch.manual_seed(0)
    >>> torch.pca_lowrank(torch.tensor([[1.0, 1.0], [3.0, 1.0]]), q=1)[1].round(decimals=2)
    tensor([1.4100])
    """
    if not is_tensor(A):
        raise TypeError(f"pca_lowrank(): argument 'A' must be Tensor, not {type(A).__name__}")
    most = min(A._data.shape[-2:])
    q = min(6, most) if q is None else q
    if not 0 <= q <= most:
        raise ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)={most}"
        )
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - mean(A, -2, True) if center else A, q, niter)
