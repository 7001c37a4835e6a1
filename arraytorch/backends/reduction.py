"""Kernels that reduce or scan along dimensions; ``dims`` is a tuple of non-negative ints."""

from __future__ import annotations

from math import prod
from typing import Any


class ReductionKernels:
    """Reductions over the namespace ``xp``; results keep the array's dtype unless they say so."""

    xp: Any

    def _wide(self, x: Any) -> Any:
        """What sums of 16-bit floats accumulate in."""
        return "f4" if x.dtype.itemsize == 2 and x.dtype.kind not in "iu" else x.dtype

    def sum(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        """The sum; 16-bit floats are summed in float32."""
        out = self.xp.sum(x, axis=dims, dtype=self._wide(x), keepdims=keepdim)
        return out.astype(x.dtype, copy=False)

    def prod(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        """The product."""
        out = self.xp.prod(x, axis=dims, dtype=self._wide(x), keepdims=keepdim)
        return out.astype(x.dtype, copy=False)

    def mean(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        """The mean; NaN over nothing."""
        out = self.xp.sum(x, axis=dims, dtype=self._wide(x), keepdims=keepdim)
        return (out / prod(x.shape[d] for d in dims)).astype(x.dtype, copy=False)

    def var(self, x: Any, dims: tuple[int, ...], correction: float, keepdim: bool) -> Any:
        """The variance, divided by max(n - correction, 0), in x's real type; two passes."""
        wide = x.astype(self._wide(x), copy=False)
        count = prod(x.shape[d] for d in dims)
        mean = self.xp.sum(wide, axis=dims, keepdims=True) / count if count else self.xp.nan
        off = wide - mean
        square = (off.real**2 + off.imag**2) if off.dtype.kind == "c" else off * off
        total = self.xp.sum(square, axis=dims, keepdims=keepdim)
        out = total / max(count - correction, 0) if count > correction else total * self.xp.nan
        if count > 1 and count <= correction or count == 1 and correction == 1:
            out = total / self.xp.asarray(0, total.dtype)
        return out.astype(square.dtype if x.dtype.kind == "c" else x.dtype, copy=False)

    def amax(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        """The largest element, NaN if there is one."""
        return self.xp.max(x, axis=dims, keepdims=keepdim)

    def amin(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        """The smallest element, NaN if there is one."""
        return self.xp.min(x, axis=dims, keepdims=keepdim)

    def all(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        """Whether all elements are nonzero."""
        return self.xp.all(x, axis=dims, keepdims=keepdim)

    def any(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        """Whether some element is nonzero."""
        return self.xp.any(x, axis=dims, keepdims=keepdim)

    def count_nonzero(self, x: Any, dims: tuple[int, ...]) -> Any:
        """The number of nonzero elements, as int64."""
        return self.xp.sum(x != 0, axis=dims, dtype="i8")

    def argmax(self, x: Any, dim: int | None, keepdim: bool) -> Any:
        """The index of the first largest element, or of the first NaN."""
        return self.xp.argmax(x, axis=dim, keepdims=keepdim)

    def argmin(self, x: Any, dim: int | None, keepdim: bool) -> Any:
        """The index of the first smallest element, or of the first NaN."""
        return self.xp.argmin(x, axis=dim, keepdims=keepdim)

    def cumsum(self, x: Any, dim: int) -> Any:
        """Sums of the elements so far."""
        return self.xp.cumsum(x, axis=dim, dtype=self._wide(x)).astype(x.dtype, copy=False)

    def cumprod(self, x: Any, dim: int) -> Any:
        """Products of the elements so far."""
        return self.xp.cumprod(x, axis=dim, dtype=self._wide(x)).astype(x.dtype, copy=False)

    def logsumexp(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        """log(sum(exp(x))), shifted by the maximum so that nothing overflows."""
        xp = self.xp
        wide = x.astype(self._wide(x), copy=False)
        if not prod(x.shape[d] for d in dims):
            return xp.sum(wide, axis=dims, keepdims=keepdim).astype(x.dtype) - xp.inf
        top = xp.max(wide.real if wide.dtype.kind == "c" else wide, axis=dims, keepdims=True)
        top = xp.where(xp.isfinite(top), top, 0).astype(top.dtype)
        total = xp.sum(xp.exp(wide - top), axis=dims, keepdims=keepdim)
        out = xp.log(total) + (top if keepdim else top.reshape(total.shape))
        return out.astype(x.dtype, copy=False)
