"""Linear algebra on CuPy arrays: cuSOLVER's or rocSOLVER's, with what they refuse told as errors."""

from __future__ import annotations

from typing import Any

import cupy
import cupyx

from .cupy_gaps import lacks, on_host
from .linalg import LinalgKernels
from .pointwise import PointwiseKernels
from .special import SpecialKernels


class CupyLinalg(PointwiseKernels, SpecialKernels, LinalgKernels):
    """Factors and solutions; CuPy neither broadcasts batches nor reports failures by itself."""

    host: Any

    def _lapack(self, name: str, function: str, *args: Any, **options: Any) -> Any:
        with cupyx.errstate(linalg="raise"):
            return super()._lapack(name, function, *args, **options)

    def inv(self, x: Any) -> Any:
        return cupy.empty(x.shape, x.dtype) if not x.size else super().inv(x)

    def solve(self, x: Any, y: Any) -> Any:
        batch = cupy.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        x = cupy.broadcast_to(x, (*batch, *x.shape[-2:]))
        y = cupy.broadcast_to(y, (*batch, *y.shape[-2:]))
        if not x.size or not y.size:
            return cupy.zeros(y.shape, y.dtype)
        return super().solve(x, y)

    def solve_triangular(self, x: Any, y: Any, upper: bool, unitriangular: bool) -> Any:
        batch = cupy.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        if not x.size or not y.size:
            return cupy.zeros((*batch, *y.shape[-2:]), y.dtype)
        from cupyx.scipy.linalg import solve_triangular

        x = cupy.broadcast_to(x, (*batch, *x.shape[-2:])).reshape((-1, *x.shape[-2:]))
        y = cupy.broadcast_to(y, (*batch, *y.shape[-2:])).reshape((-1, *y.shape[-2:]))
        # A sum or a difference with 0 would not change what a zero on the diagonal gives: infinities.
        found = [
            solve_triangular(a, b, lower=not upper, unit_diagonal=unitriangular, check_finite=False)
            for a, b in zip(x, y)
        ]
        return cupy.stack(found).reshape((*batch, *y.shape[-2:]))

    def cholesky(self, x: Any) -> Any:
        if not x.size:
            return cupy.empty(x.shape, x.dtype)
        return cupy.tril(super().cholesky(x))

    def eig(self, x: Any) -> tuple[Any, Any]:
        if lacks("eig"):
            values, vectors = on_host("eig", self, self.host.eig, x)
            return values, vectors
        return super().eig(x)

    def ldl(self, x: Any, hermitian: bool) -> tuple[Any, Any, Any]:
        factor, pivots, info = on_host("ldl", self, self.host.ldl, x, hermitian)
        return factor, pivots, info

    def ldl_solve(self, factor: Any, pivots: Any, y: Any, hermitian: bool) -> Any:
        return on_host("ldl_solve", self, self.host.ldl_solve, factor, pivots, y, hermitian)

    # special functions that CuPy lacks, or takes arrays for

    def polygamma(self, n: int, x: Any) -> Any:
        from cupyx.scipy.special import polygamma

        wide = x if x.dtype.itemsize >= 4 else x.astype("f4")
        return polygamma(cupy.full(x.shape, n, wide.dtype), wide).astype(x.dtype)

    def airy_ai(self, x: Any) -> Any:
        return on_host("airy_ai", self, self.host.airy_ai, x)

    def _special_namespace(self) -> Any:
        import cupyx.scipy.special

        return cupyx.scipy.special
