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
        x = self.settled(x)
        return self.xp.cumsum(x, axis=dim, dtype=self._wide(x)).astype(x.dtype, copy=False)

    def cumprod(self, x: Any, dim: int) -> Any:
        """Products of the elements so far."""
        x = self.settled(x)
        return self.xp.cumprod(x, axis=dim, dtype=self._wide(x)).astype(x.dtype, copy=False)

    def cummax(self, x: Any, dim: int) -> tuple[Any, Any]:
        """The largest element so far and the last place where it stood; NaN is largest."""
        return self._running(self.xp.maximum, x, dim)

    def cummin(self, x: Any, dim: int) -> tuple[Any, Any]:
        """The smallest element so far and the last place where it stood; NaN is smallest."""
        return self._running(self.xp.minimum, x, dim)

    def _running(self, function: Any, x: Any, dim: int) -> tuple[Any, Any]:
        xp = self.xp
        values = self._scan(function, x, dim)
        places = self._along(x.shape[dim], x.ndim, dim)
        hits = xp.where((x == values) | (x != x), places, 0)
        return values, self._scan(xp.maximum, hits, dim)

    def _along(self, n: int, ndim: int, dim: int) -> Any:
        """0, 1 ... n - 1 along one of ndim dimensions."""
        return self.xp.arange(n).reshape([n if d == dim else 1 for d in range(ndim)])

    def _scan(self, function: Any, x: Any, dim: int) -> Any:
        """All results of an associative function over the elements so far.

        In log2(n) steps over whole arrays, each of which doubles how far back an element has
        looked (Hillis and Steele, 1986).
        """
        lead, step = (slice(None),) * dim, 1
        while step < x.shape[dim]:
            far, near = x[(*lead, slice(None, -step))], x[(*lead, slice(step, None))]
            head = x[(*lead, slice(None, step))]
            x = self.xp.concatenate([head, function(far, near)], axis=dim)
            step *= 2
        return x

    def logcumsumexp(self, x: Any, dim: int) -> Any:
        """log(cumsum(exp(x))), without overflow."""
        wide = x.astype(self._wide(x), copy=False)
        if x.dtype.kind == "c":
            return self._logcumsumexp_complex(x, dim)
        return self._scan(self.xp.logaddexp, wide, dim).astype(x.dtype, copy=False)

    def _logcumsumexp_complex(self, x: Any, dim: int) -> Any:
        # One after the other, as the phases of the results depend on the order.
        lead = (slice(None),) * dim
        parts = [x[(*lead, slice(i, i + 1))] for i in range(x.shape[dim])]
        for i in range(1, len(parts)):
            parts[i] = self._logaddexp_complex(parts[i - 1], parts[i])
        return self.xp.concatenate(parts, axis=dim) if parts else x

    def _logaddexp_complex(self, x: Any, y: Any) -> Any:
        xp = self.xp
        big, small = xp.where(x.real >= y.real, x, y), xp.where(x.real >= y.real, y, x)
        return xp.where(
            xp.isinf(big.real) & (big.real < 0), big, big + xp.log1p(xp.exp(small - big))
        )

    def logsumexp(self, x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
        """log(sum(exp(x))), shifted by the maximum so that nothing overflows."""
        xp = self.xp
        wide = x.astype(self._wide(x), copy=False)
        if not prod(x.shape[d] for d in dims):
            return (xp.sum(wide, axis=dims, keepdims=keepdim) - xp.inf).astype(x.dtype)
        top = xp.max(wide.real if wide.dtype.kind == "c" else wide, axis=dims, keepdims=True)
        top = xp.where(xp.isfinite(top), top, 0).astype(top.dtype)
        total = xp.sum(xp.exp(wide - top), axis=dims, keepdims=keepdim)
        out = xp.log(total) + (top if keepdim else top.reshape(total.shape))
        return out.astype(x.dtype, copy=False)

    def distances(self, x: Any, y: Any, p: float) -> Any:
        """The p-norms of the differences of each row of matrices x and each of y."""
        gaps = x[..., :, None, :] - y[..., None, :, :]
        return self.vector_norm(gaps, p, (gaps.ndim - 1,), False)

    def vector_norm(self, x: Any, p: float, dims: tuple[int, ...], keepdim: bool) -> Any:
        """The p-norm in x's real type: (sum |x|^p)^(1/p), and its limits for p = 0 and infinity."""
        xp = self.xp
        size = xp.absolute(x.astype(self._wide(x), copy=False))
        real = size.dtype if x.dtype.kind == "c" else x.dtype
        if p == 0:
            out = xp.sum(size != 0, axis=dims, keepdims=keepdim)
        elif p == float("inf"):
            out = xp.max(size, axis=dims, keepdims=keepdim)
        elif p == float("-inf"):
            out = xp.min(size, axis=dims, keepdims=keepdim)
        elif p == 1:
            out = xp.sum(size, axis=dims, keepdims=keepdim)
        elif p == 2:
            out = xp.sqrt(xp.sum(size * size, axis=dims, keepdims=keepdim))
        else:
            out = xp.sum(size**p, axis=dims, keepdims=keepdim) ** (1 / p)
        return out.astype(real, copy=False)
