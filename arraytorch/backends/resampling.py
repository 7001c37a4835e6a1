"""Resampling along one dimension: each result is a weighted sum of a few elements, its taps."""

from __future__ import annotations

from functools import cached_property
from typing import Any

_DENSE = 64  # sizes up to which a product with a small matrix beats gathering


class Taps:
    """Which elements of a dimension of size ``n`` each result sums, and with which weights.

    ``index`` has a row for each result, all of one length; ``weight`` too, or is None where each
    result is one element as it is. Rows that are too short repeat their first index with weight 0.
    """

    def __init__(self, n: int, index: Any, weight: Any = None) -> None:
        self.n, self.index, self.weight = n, index, weight
        self._arrays: dict[Any, Any] = {}

    @cached_property
    def transposed(self) -> Taps:
        """The taps of the gradient: for each element, the results that it went into."""
        found: list[list[tuple[int, float]]] = [[] for _ in range(self.n)]
        for out, row in enumerate(self.index):
            for k, i in enumerate(row):
                w = 1.0 if self.weight is None else self.weight[out][k]
                if w != 0:
                    found[i].append((out, w))
        longest = max(1, max((len(f) for f in found), default=1))
        filled = [f + [(f[0][0] if f else 0, 0.0)] * (longest - len(f)) for f in found]
        index = tuple([tuple([o for o, _ in f]) for f in filled])
        turned = Taps(len(self.index), index, tuple([tuple([w for _, w in f]) for f in filled]))
        turned.__dict__["transposed"] = self
        return turned

    def arrays(self, xp: Any, dtype: Any, place: Any) -> Any:
        """The columns of index and weight as arrays, made once for each device and dtype."""
        if (key := (place, dtype.str)) not in self._arrays:
            index = xp.asarray(self.index, dtype="i8").reshape(len(self.index), -1)
            weight = None
            if self.weight is not None:
                weight = xp.asarray(self.weight, dtype=dtype).reshape(index.shape)
            self._arrays[key] = index, weight
        return self._arrays[key]

    def columns(self, xp: Any, dtype: Any) -> Any:
        """Index and weight with a column for each result, on the host; the index unsigned."""
        if (key := ("columns", dtype.str)) not in self._arrays:
            index, weight = (
                xp.ascontiguousarray(xp.asarray(v).T) for v in (self.index, self.weight)
            )
            self._arrays[key] = index.astype("u8"), weight.astype(dtype)
        return self._arrays[key]

    def matrix(self, xp: Any, dtype: Any, place: Any) -> Any:
        """The matrix, results by elements, that the taps are the nonzeros of."""
        if (key := (place, dtype.str, "matrix")) not in self._arrays:
            rows = [[0.0] * self.n for _ in self.index]
            for row, places, weights in zip(rows, self.index, self.weight, strict=True):
                for i, w in zip(places, weights, strict=True):
                    row[i] += w
            self._arrays[key] = xp.asarray(rows, dtype=dtype)
        return self._arrays[key]


class ResamplingKernels:
    """Resampling over the namespace ``xp``."""

    xp: Any
    device_of: Any

    def resample(self, x: Any, dim: int, taps: Taps) -> Any:
        """x with dim resampled; 16-bit floats are computed in float32."""
        xp, place = self.xp, self.device_of(x)
        index, weight = taps.arrays(xp, self._resampled_in(x), place)
        if weight is None:
            return xp.take(x, index[:, 0], axis=dim)
        wide = x.astype(weight.dtype, copy=False)
        if taps.n <= _DENSE or index.shape[1] > _DENSE:
            out = self._by_matrix(wide, dim, taps.matrix(xp, weight.dtype, place))
        else:
            shape = [-1 if d == dim else 1 for d in range(x.ndim)]
            out = xp.take(wide, index[:, 0], axis=dim) * weight[:, 0].reshape(shape)
            for k in range(1, index.shape[1]):
                out += xp.take(wide, index[:, k], axis=dim) * weight[:, k].reshape(shape)
        return out.astype(x.dtype, copy=False)

    def _resampled_in(self, x: Any) -> Any:
        """The type of the weights: x's, or float32 where that is too narrow."""
        return x.dtype if x.dtype.itemsize > 2 else self.xp.empty(0, "f4").dtype

    def _by_matrix(self, x: Any, dim: int, matrix: Any) -> Any:
        if dim == x.ndim - 1:
            return self.xp.matmul(x, matrix.T)
        return self.xp.swapaxes(self.xp.matmul(self.xp.swapaxes(x, dim, -1), matrix.T), dim, -1)
