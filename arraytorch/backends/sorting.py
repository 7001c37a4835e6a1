"""Kernels that order, search and count; NaN counts as larger than everything."""

from __future__ import annotations

from typing import Any


class SortingKernels:
    """Sorting and counting over the namespace ``xp``."""

    xp: Any
    double: Any

    def argsort(self, x: Any, dim: int, descending: bool) -> Any:
        """The indices that sort x along dim, equal elements in their order."""
        xp = self.xp
        if x.dtype.kind == "V" or x.dtype.itemsize == 2 and x.dtype.kind not in "iuf":
            x = x.astype("f4")
        if not descending:
            return xp.argsort(x, axis=dim, kind="stable")
        back = (*(slice(None),) * dim, slice(None, None, -1))
        return x.shape[dim] - 1 - xp.argsort(x[back], axis=dim, kind="stable")[back]

    def topk(self, x: Any, k: int, dim: int, largest: bool) -> Any:
        """The indices of the k largest or smallest elements along dim, in order."""
        return self.argsort(x, dim, largest)[(*(slice(None),) * dim, slice(0, k))]

    def arg_of_rank(self, x: Any, rank: int, dim: int) -> Any:
        """Where the element of a rank in ascending order stands along dim, which keeps size 1."""
        return self.argsort(x, dim, False)[(*(slice(None),) * dim, slice(rank, rank + 1))]

    def arg_of_median(self, x: Any, dim: int, ignore_nan: bool) -> Any:
        """Where the lower median along dim stands, with NaN at the end, or left out."""
        if self.has_nan(x):
            rank = self.rank_of_median(x, dim, ignore_nan)
            return self.xp.take_along_axis(self.argsort(x, dim, False), rank, axis=dim)
        return self.arg_of_rank(x, (x.shape[dim] - 1) // 2, dim)

    def has_nan(self, x: Any) -> bool:
        """Whether there is a NaN, as far as that can be known."""
        return x.dtype.kind not in "biu" and bool((x != x).any())

    def mode(self, x: Any, dim: int) -> Any:
        """Where the most frequent element along dim, the smallest of several, stands last."""
        xp, last = self.xp, x.ndim - 1
        if dim != last:
            return xp.moveaxis(self.mode(xp.moveaxis(x, dim, last), last), last, dim)
        order = self.argsort(x, dim, False)
        ranked = xp.take_along_axis(x, order, axis=-1)
        fresh = xp.ones(ranked.shape, "?")
        fresh[..., 1:] = ranked[..., 1:] != ranked[..., :-1]
        at = xp.arange(ranked.shape[-1])
        run = at - self._scan(xp.maximum, xp.where(fresh, at, 0), last)
        best = xp.argmax(run, axis=-1)[..., None]
        return xp.take_along_axis(order, best, axis=-1)

    def rank_of_median(self, x: Any, dim: int, ignore_nan: bool) -> Any:
        """Where in sorted order the lower median, or else the first NaN, stands; or NaN is left out."""
        xp, n = self.xp, x.shape[dim]
        bad = xp.sum(x != x, axis=dim, keepdims=True)
        if ignore_nan:
            return xp.where(bad == n, 0, (n - bad - 1) // 2)
        return xp.where(bad > 0, n - bad, (n - 1) // 2)

    def searchsorted(self, ordered: Any, values: Any, right: bool) -> Any:
        """Where in each sorted row of ``ordered`` the values of the same row belong.

        A bisection of all rows at once; NaN belongs behind everything.
        """
        xp, n = self.xp, ordered.shape[-1]
        low = xp.zeros(values.shape, "i8")
        high = low + n
        for _ in range(max(n, 1).bit_length()):
            middle = (low + high) // 2
            at = xp.clip(middle, 0, max(n - 1, 0))
            there = xp.take_along_axis(ordered, at, axis=-1) if n else values
            further = (there <= values) if right else (there < values)
            further = (further | (values != values)) & (low < high)
            if not right:
                further = further & ~((there != there) & (values != values))
            low = xp.where(further, middle + 1, low)
            high = xp.where(further, high, xp.where(low < high, middle, high))
        return low

    def unique(self, x: Any) -> tuple[Any, Any, Any]:
        """The sorted distinct elements of a vector, each one's index among them, and the counts."""
        order = self.argsort(x, 0, False)
        values, inverse, counts = self.unique_consecutive(x[order])
        back = self.xp.empty(x.shape, "i8")
        back[order] = inverse
        return values, back, counts

    def unique_consecutive(self, x: Any) -> tuple[Any, Any, Any]:
        """The first slice of each run of equal ones along dimension 0, run numbers, and lengths."""
        xp, n = self.xp, x.shape[0]
        fresh = xp.ones(n, "?")
        if n:
            differs = x[1:] != x[:-1]
            if x.ndim > 1:
                differs = xp.any(differs, axis=tuple(range(1, x.ndim)))
            fresh[1:] = differs
        starts = xp.nonzero(fresh)[0]
        ends = xp.concatenate([starts[1:], xp.full((1,), n)]) if n else starts
        return x[starts], xp.cumsum(fresh) - 1, ends - starts

    def order_of_rows(self, x: Any) -> Any:
        """The indices that sort the rows of a matrix, by the first column, then the second ..."""
        order = self.xp.arange(x.shape[0])
        for column in range(x.shape[1] - 1, -1, -1):
            order = order[self.argsort(x[order, column], 0, False)]
        return order

    def bincount(self, x: Any, weights: Any, length: int) -> Any:
        """How often each number up to length occurs, or the sums of their weights."""
        if weights is None:
            return self.xp.bincount(x, minlength=length).astype("i8")
        return self.xp.bincount(x, weights.astype(self.double), minlength=length)

    def histogram(self, x: Any, edges: Any, weights: Any) -> Any:
        """The counts, or weights, of elements in bins between edges, the last closed."""
        return self.xp.histogram(x, edges, weights=weights)[0]
