"""Kernels of linear algebra on batches of matrices in the last two dimensions."""

from __future__ import annotations

from typing import Any

from .._errors import LinAlgError


class LinalgKernels:
    """Decompositions and solvers of ``xp.linalg``; what LAPACK refuses raises LinAlgError."""

    xp: Any

    to_host: Any
    from_host: Any

    def _lapack(self, name: str, function: str, *args: Any, **options: Any) -> Any:
        try:
            return getattr(self.xp.linalg, function)(*args, **options)
        except Exception as error:
            if type(error).__name__ != "LinAlgError":
                raise
            raise LinAlgError(self._reason(name, args[0], error)) from None

    def _reason(self, name: str, x: Any, error: Any) -> str:
        """What LAPACK refuses in the first matrix that it refuses."""
        if name not in REASONS:
            return str(error)
        info = (self.cholesky_parts if name == "linalg.cholesky" else self.lu)(x)[-1]
        return refusal(REASONS[name], name, self.to_host(info))

    def det(self, x: Any) -> Any:
        """The determinants."""
        return self.xp.linalg.det(x)

    def slogdet(self, x: Any) -> tuple[Any, Any]:
        """The signs and the logarithms of the moduli of the determinants."""
        sign, log = self.xp.linalg.slogdet(x)
        return sign, log

    def inv(self, x: Any) -> Any:
        """The inverses."""
        return self._lapack("linalg.inv", "inv", x)

    def solve(self, x: Any, y: Any) -> Any:
        """The solutions z of x z = y, where y is made of matrices."""
        return self._lapack("torch.linalg.solve", "solve", x, y)

    def solve_triangular(self, x: Any, y: Any, upper: bool, unitriangular: bool) -> Any:
        """The solutions z of x z = y, where only one triangle of x counts."""
        x = (
            self.xp.triu(x, k=1 if unitriangular else 0)
            if upper
            else (self.xp.tril(x, k=-1 if unitriangular else 0))
        )
        if unitriangular:
            x = x + self.xp.eye(x.shape[-1], dtype=x.dtype)
        return self.xp.linalg.solve(x, y)

    def cholesky_solve(self, y: Any, factor: Any, upper: bool) -> Any:
        """The solutions z of x z = y, where the factor is a Cholesky factor of x."""
        adjoint = self.xp.conjugate(factor.swapaxes(-2, -1))
        lower, higher = (adjoint, factor) if upper else (factor, adjoint)
        first = self.solve_triangular(lower, y, False, False)
        return self.solve_triangular(higher, first, True, False)

    def cholesky(self, x: Any) -> Any:
        """The lower triangular L with x = L L^H; only the lower triangle of x is read."""
        return self._lapack("linalg.cholesky", "cholesky", x)

    def qr(self, x: Any, complete: bool) -> tuple[Any, Any]:
        """The orthonormal and the triangular factor, square and padded if ``complete``."""
        q, r = self.xp.linalg.qr(x, mode="complete" if complete else "reduced")
        return q, r

    def svd(self, x: Any, full: bool) -> tuple[Any, Any, Any]:
        """U, the singular values in descending order, and V^H."""
        u, s, vh = self._lapack("linalg.svd", "svd", x, full_matrices=full)
        return u, s, vh

    def eigh(self, x: Any, upper: bool) -> tuple[Any, Any]:
        """Ascending eigenvalues and eigenvectors of Hermitian matrices, one triangle of which counts."""
        values, vectors = self._lapack("linalg.eigh", "eigh", x, UPLO="U" if upper else "L")
        return values, vectors

    def eig(self, x: Any) -> tuple[Any, Any]:
        """Complex eigenvalues and eigenvectors."""
        values, vectors = self._lapack("linalg.eig", "eig", x)
        wide = "c8" if x.dtype.itemsize == 4 else "c16" if x.dtype.kind == "f" else x.dtype
        return values.astype(wide, copy=False), vectors.astype(wide, copy=False)

    def any_zero(self, x: Any) -> bool:
        """Whether an element is 0, as far as that can be known."""
        return bool((x == 0).any())

    def lu(self, x: Any) -> tuple[Any, Any, Any]:
        """L without its ones and U in one, the rows swapped, from 1, and the first zero of U, or 0.

        Gaussian elimination, a column of all matrices at a time (Golub and Van Loan, 3.4.1). Of
        complex pivots that with the largest sum of parts is taken, as LAPACK takes it.
        """
        xp, (m, n) = self.xp, x.shape[-2:]
        k = min(m, n)
        a, info = xp.array(x), xp.zeros(x.shape[:-2], dtype="i4")
        rows = xp.arange(m)
        pivots = xp.zeros((*x.shape[:-2], k), dtype="i4")
        for j in range(k if x.size else 0):
            column = a[..., j:, j]
            size = xp.abs(column.real) + xp.abs(column.imag) if _complex(x) else xp.abs(column)
            best = (xp.argmax(size, axis=-1) + j)[..., None]
            pivots[..., j : j + 1] = best + 1
            order = xp.where(rows == j, best, xp.where(rows == best, j, rows))
            a = xp.take_along_axis(a, xp.broadcast_to(order[..., None], a.shape), axis=a.ndim - 2)
            pivot = a[..., j : j + 1, j : j + 1]
            zero = pivot == 0
            info = xp.where((info == 0) & zero[..., 0, 0], j + 1, info)
            below = a[..., j + 1 :, j : j + 1] / xp.where(zero, xp.ones_like(pivot), pivot)
            a[..., j + 1 :, j : j + 1] = below
            a[..., j + 1 :, j + 1 :] -= below * a[..., j : j + 1, j + 1 :]
        return a, pivots, xp.asarray(info, dtype="i4")

    def permutation(self, pivots: Any, m: int) -> Any:
        """Which of m rows comes to stand in each place when rows are swapped as pivots say."""
        xp = self.xp
        order = xp.broadcast_to(xp.arange(m), (*pivots.shape[:-1], m))
        places = xp.arange(m)
        for j in range(pivots.shape[-1] if order.size else 0):
            other = pivots[..., j : j + 1] - 1
            here = order[..., j : j + 1]
            there = xp.take_along_axis(order, xp.asarray(other, dtype="i8"), axis=order.ndim - 1)
            order = xp.where(places == j, there, xp.where(places == other, here, order))
        return xp.asarray(order, dtype="i8")

    def cholesky_parts(self, x: Any) -> tuple[Any, Any]:
        """The Cholesky factor as far as it goes, and the first minor that is not positive, or 0.

        By columns (Golub and Van Loan, 4.2.2); those behind that minor stay as they were.
        """
        xp, n = self.xp, x.shape[-1]
        a, info = xp.tril(x), xp.zeros(x.shape[:-2], dtype="i4")
        for j in range(n if x.size else 0):
            row = a[..., j : j + 1, :j]
            rest = a[..., j:, j] - (a[..., j:, :j] @ xp.conjugate(row).swapaxes(-2, -1))[..., 0]
            top = rest[..., 0].real
            info = xp.where((info == 0) & ~(top > 0), j + 1, info)
            good = (info == 0)[..., None]
            root = xp.sqrt(xp.where(good, top[..., None], xp.ones_like(top[..., None])))
            left = xp.where((info == j + 1)[..., None], rest, a[..., j:, j])
            a[..., j:, j] = xp.where(good, rest / root, left)
        return a, xp.asarray(info, dtype="i4")

    def ldl(self, x: Any, hermitian: bool) -> tuple[Any, Any, Any]:
        """The factors of `ldl_factor` in one, pivots and infos: by LAPACK, on the host."""
        from .numpy_linalg import ldl

        factor, pivots, info = ldl(self.to_host(x), hermitian)
        return self.from_host(factor), self.from_host(pivots), self.from_host(info)

    def ldl_solve(self, factor: Any, pivots: Any, y: Any, hermitian: bool) -> Any:
        """The solutions z of x z = y by the factors of x that `ldl` gives; on the host."""
        from .numpy_linalg import ldl_solve

        a, p, b = (self.to_host(array) for array in (factor, pivots, y))
        return self.from_host(ldl_solve(a, p, b, hermitian))

    def geqrf(self, x: Any) -> tuple[Any, Any]:
        """R and below it the Householder vectors without their ones, and their factors."""
        xp, (m, n) = self.xp, x.shape[-2:]
        k, batch = min(m, n), x.shape[:-2]
        if not x.size:
            return xp.array(x), xp.zeros((*batch, k), dtype=x.dtype)
        if x.ndim == 2:
            turned, factors = xp.linalg.qr(x, mode="raw")
            return turned.swapaxes(-2, -1), factors
        pairs = [self.geqrf(a) for a in x.reshape((-1, m, n))]
        return (
            xp.stack([a for a, _ in pairs]).reshape(x.shape),
            xp.stack([t for _, t in pairs]).reshape((*batch, k)),
        )

    def all_finite(self, x: Any) -> bool:
        """Whether no element is infinite or NaN, as far as that can be known."""
        return bool(self.xp.isfinite(x).all())


def _complex(x: Any) -> bool:
    return bool(x.dtype.kind == "c")


def refusal(reason: str, name: str, info: Any) -> str:
    """Says what of the first matrix with an info other than 0 fails, and which that is."""
    flat = info.reshape(-1).tolist()
    first = next((i for i, code in enumerate(flat) if code), 0)
    where = f"(Batch element {first}): " if info.ndim else ""
    return f"{name}: {where}" + reason.format(at=flat[first])


# What is wrong with a matrix, by the name of what refuses it.
REASONS = {
    "linalg.inv": (
        "The diagonal element {at} is zero, the inversion could not be completed because the input "
        "matrix is singular."
    ),
    "torch.linalg.solve": "The solver failed because the input matrix is singular.",
    "linalg.cholesky": (
        "The factorization could not be completed because the input is not positive-definite (the "
        "leading minor of order {at} is not positive-definite)."
    ),
}
