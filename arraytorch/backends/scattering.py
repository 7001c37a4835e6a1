"""Kernels that write to places named by index arrays; ``index`` is in bounds and not negative."""

from __future__ import annotations

from typing import Any


class ScatterKernels:
    """Scatters over the namespace ``xp``; ``src`` has the shape of ``index``."""

    xp: Any
    getitem: Any

    def bounds(self, x: Any) -> tuple[Any, Any] | None:
        """The smallest and the largest element as Python numbers; None if there is none to see."""
        return (x.min().item(), x.max().item()) if x.size else None

    def bounds_at_hand(self, x: Any) -> tuple[Any, Any] | None:
        """`bounds`, or None where the host would have to wait for them."""
        return self.bounds(x)

    def first_outside(
        self, x: Any, least: int, size: int, op: str, ignored: int | None = None
    ) -> int | None:
        """An element of x below ``least`` or not below ``size``, but for ``ignored``; None if there is none.

        A device that works on while the host goes ahead may return None and raise IndexError for
        ``op`` when the host next waits for it.
        """
        if ignored is not None:
            x = self.xp.where(x == ignored, least, x)
        seen = self.bounds(x)
        if seen is None or least <= seen[0] <= seen[1] < size:
            return None
        return seen[0] if seen[0] < least else seen[1]

    def ungather(self, g: Any, dim: int, index: Any, shape: tuple[int, ...]) -> Any:
        """Zeros of ``shape`` with g added where gather would read: the derivative of gather."""
        return self.scatter_add(self.xp.zeros(shape, g.dtype), dim, index, g)

    def scatter(self, x: Any, dim: int, index: Any, src: Any) -> Any:
        """A copy of x with src written at the places that gather would read."""
        out = x.copy()
        out[self._places(index, dim)] = src
        return out

    def scatter_add(self, x: Any, dim: int, index: Any, src: Any) -> Any:
        """A copy of x with src added at the places that gather would read."""
        out = x.copy()
        self.add_at(out, self._places(index, dim), src)
        return out

    def scatter_reduce(
        self, x: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool
    ) -> Any:
        """A copy of x in which each place that index names holds the prod, amax or amin of its
        sources, and of x there if ``include_self``."""
        xp, places = self.xp, self._places(index, dim)
        out = x.copy()
        if not include_self:
            out[places] = self._neutral(reduce, x.dtype)
        function = {"prod": xp.multiply, "amax": xp.maximum, "amin": xp.minimum}[reduce]
        self.combine_at(out, places, src, function)
        return out

    def _neutral(self, reduce: str, dtype: Any) -> Any:
        if reduce == "prod":
            return 1
        if dtype.kind in "iu":
            info = self.xp.iinfo(dtype)
            return info.min if reduce == "amax" else info.max
        if dtype.kind == "b":
            return reduce == "amin"
        return -float("inf") if reduce == "amax" else float("inf")

    def _places(self, index: Any, dim: int) -> tuple[Any, ...]:
        """For each place of index, where in x it leads, as an index of broadcast arrays."""
        places = [
            self.xp.arange(n).reshape([-1 if k == d else 1 for k in range(index.ndim)])
            for d, n in enumerate(index.shape)
        ]
        places[dim] = index
        return tuple(places)

    def coo_matmul(self, rows: Any, columns: Any, values: Any, n: int, y: Any) -> Any:
        """The product of a matrix of n rows, which has values at places and zeros elsewhere, and y."""
        out = self.xp.zeros((n, y.shape[1]), y.dtype)
        self.add_at(out, (rows,), values[:, None] * y[columns])
        return out

    def add_at(self, target: Any, index: tuple[Any, ...], value: Any) -> None:
        """Adds value to target at index, once for each time that a place occurs in it."""
        self.combine_at(target, index, value, self.xp.add)

    def combine_at(self, target: Any, index: tuple[Any, ...], value: Any, function: Any) -> None:
        """target[index] = function(target[index], value), with repeated places done in turn.

        Round k does the kth occurrence of every place, so that no place is written twice at once.
        """
        xp = self.xp
        places = self.getitem(xp.arange(target.size).reshape(target.shape), index)
        value = xp.broadcast_to(value, places.shape).reshape(-1)
        order = xp.argsort(places.reshape(-1), kind="stable")
        places = places.reshape(-1)[order]
        value = value[order]
        at = xp.arange(places.size)
        starts = xp.concatenate([xp.ones(1, "?"), places[1:] != places[:-1]])[: places.size]
        turn = at - self._scan(xp.maximum, xp.where(starts, at, 0), 0)
        flat = target.reshape(-1)
        for k in range(int(turn.max()) + 1 if turn.size else 0):
            now = turn == k
            flat[places[now]] = function(flat[places[now]], value[now])
        if not self.shares(target, flat):
            target[...] = flat.reshape(target.shape)
