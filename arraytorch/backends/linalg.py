"""Kernels of linear algebra on batches of matrices in the last two dimensions."""

from __future__ import annotations

from typing import Any

from .._errors import LinAlgError


class LinalgKernels:
    """Decompositions and solvers of ``xp.linalg``; what LAPACK refuses raises LinAlgError."""

    xp: Any

    def _lapack(self, name: str, function: str, *args: Any, **options: Any) -> Any:
        try:
            return getattr(self.xp.linalg, function)(*args, **options)
        except Exception as error:
            if type(error).__name__ != "LinAlgError":
                raise
            raise LinAlgError(
                _REASONS.get(name, "{error}").format(name=name, error=error)
            ) from None

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
        return self._lapack("linalg.solve", "solve", x, y)

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


_REASONS = {
    "linalg.inv": (
        "{name}: The diagonal element is zero, the inversion could not be completed because the "
        "input matrix is singular."
    ),
    "linalg.solve": "{name}: The solver failed because the input matrix is singular.",
    "linalg.cholesky": (
        "{name}: The factorization could not be completed because the input is not "
        "positive-definite."
    ),
}
