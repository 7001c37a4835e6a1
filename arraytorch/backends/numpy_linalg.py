"""Linear algebra on NumPy arrays that SciPy's LAPACK knows and NumPy does not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from .linalg import LinalgKernels
from .threads import give_back


def _gathered(x: Any, run: Callable[[Any], tuple[Any, ...]], k: int) -> tuple[Any, Any, Any]:
    """A factor of the shape of x, k pivots and an info for each matrix of a batch."""
    batch = x.shape[:-2]
    factor, pivots = np.zeros_like(x), np.zeros((*batch, k), "i4")
    info = np.zeros(batch, "i4")
    for at in np.ndindex(batch) if x.size else ():
        factor[at], pivots[at], info[at] = run(x[at])
    return factor, pivots, info


def ldl(x: Any, hermitian: bool) -> tuple[Any, Any, Any]:
    """The factors L and D of L D L^T in one, LAPACK's pivots and infos (Bunch and Kaufman 1977)."""
    from scipy.linalg import get_lapack_funcs

    name = "hetrf" if hermitian and x.dtype.kind == "c" else "sytrf"
    (factorize,) = get_lapack_funcs((name,), dtype=x.dtype)

    def run(a: Any) -> tuple[Any, Any, int]:
        factor, pivots, info = factorize(a, lower=1)
        return np.tril(factor), pivots, info

    return _gathered(x, run, x.shape[-1])


def ldl_solve(factor: Any, pivots: Any, y: Any, hermitian: bool) -> Any:
    """The solutions z of x z = y by the factors that `ldl` gives of x."""
    z = np.array(y)
    turned = np.conj if hermitian and factor.dtype.kind == "c" else np.asarray
    for at in np.ndindex(z.shape[:-2]) if z.size else ():
        _ldl_solve(factor[at], pivots[at], z[at], turned)
    return z


def _blocks(pivots: Any) -> list[tuple[int, int]]:
    """Where the blocks of D begin and how large they are: 2 where two pivots are negative."""
    found, at = [], 0
    while at < len(pivots):
        size = 1 if pivots[at] > 0 else 2
        found.append((at, size))
        at += size
    return found


def _ldl_solve(a: Any, pivots: Any, b: Any, turned: Any) -> None:
    """Solves in place: down through L and D, and up through L^T or L^H."""
    blocks = _blocks(pivots)
    for at, size in blocks:
        end = at + size
        other = abs(pivots[at]) - 1
        b[[end - 1, other]] = b[[other, end - 1]]
        b[end:] -= a[end:, at:end] @ b[at:end]
        d = a[at:end, at:end].copy()
        if size == 2:
            d[0, 1] = turned(d[1, 0])
            b[at:end] = np.linalg.solve(d, b[at:end])
        else:
            b[at] /= d[0, 0]
    for at, size in reversed(blocks):
        end = at + size
        other = abs(pivots[at]) - 1
        b[at:end] -= turned(a[end:, at:end]).T @ b[end:]
        b[[end - 1, other]] = b[[other, end - 1]]


class NumpyLinalg(LinalgKernels):
    """Factors and solutions by LAPACK and BLAS, a matrix at a time."""

    def lu(self, x: Any) -> tuple[Any, Any, Any]:
        from scipy.linalg import get_lapack_funcs

        (factorize,) = get_lapack_funcs(("getrf",), dtype=x.dtype)

        def run(a: Any) -> tuple[Any, Any, int]:
            factor, pivots, info = factorize(a)
            return factor, pivots + 1, info

        return _gathered(x, run, min(x.shape[-2:]))

    def cholesky_parts(self, x: Any) -> tuple[Any, Any]:
        from scipy.linalg import get_lapack_funcs

        (factorize,) = get_lapack_funcs(("potrf",), dtype=x.dtype)

        def run(a: Any) -> tuple[Any, int, int]:
            factor, info = factorize(a, lower=1, clean=1)
            return factor, 0, info

        factor, _, info = _gathered(x, run, 1)
        return factor, info

    def solve_triangular(self, x: Any, y: Any, upper: bool, unitriangular: bool) -> Any:
        if (
            x.ndim > 2
        ):  # one call of NumPy's for the whole batch, unless there is a zero to divide by
            try:
                return super().solve_triangular(x, y, upper, unitriangular)
            except np.linalg.LinAlgError:
                pass
        if not x.size or not y.size:
            return super().solve_triangular(x, y, upper, unitriangular)
        from scipy.linalg import get_blas_funcs

        (solve,) = get_blas_funcs(("trsm",), dtype=y.dtype)
        batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        x = np.broadcast_to(x, (*batch, *x.shape[-2:]))
        z = np.array(np.broadcast_to(y, (*batch, *y.shape[-2:])))
        for at in np.ndindex(batch):
            z[at] = solve(1, x[at], z[at], lower=not upper, diag=unitriangular)
        return z


def _with_threads(name: str) -> None:
    """Lets LAPACK use the matrix library's threads in what the class takes from `numpy.linalg`."""
    method = getattr(LinalgKernels, name)

    @wraps(method)
    def kernel(self: Any, *args: Any) -> Any:
        give_back()
        return method(self, *args)

    setattr(NumpyLinalg, name, kernel)


for _name in ("det", "slogdet", "inv", "solve", "cholesky", "qr", "svd", "eigh", "eig", "geqrf"):
    _with_threads(_name)
