"""Reading and writing at indices on CuPy arrays, and how a bad index is noticed without waiting."""

from __future__ import annotations

from math import prod
from typing import Any

import cupy
import cupyx
import numpy as np

from .arrays import ArrayKernels
from .cupy_source import REALS, Source, wide
from .scattering import ScatterKernels

# Several threads may meet at a place. What no atomic function does goes by compare and swap.
PLACES = Source(
    "places",
    """
template<class V, class W> __device__ void swapped_in(V* at, V x, L op) {
  W* bits = (W*)at;
  W before = *bits, seen;
  do {
    seen = before;
    V old = *(V*)&seen, now;
    if (op == 0) now = old + x;
    else if (op == 1) now = old * x;
    else if (op == 2) now = old != old ? old : (x > old || x != x) ? x : old;
    else now = old != old ? old : (x < old || x != x) ? x : old;
    before = atomicCAS(bits, seen, *(W*)&now);
  } while (before != seen);
}
__device__ void join(float* at, float x, L op) {
  if (op == 0) atomicAdd(at, x); else swapped_in<float, unsigned int>(at, x, op);
}
__device__ void join(double* at, double x, L op) {
  if (op == 0) atomicAdd(at, x); else swapped_in<double, unsigned long long>(at, x, op);
}
__device__ void join(int* at, int x, L op) { swapped_in<int, unsigned int>(at, x, op); }
__device__ void join(L* at, L x, L op) { swapped_in<L, unsigned long long>(at, x, op); }
__device__ L held(L i, L n) { return i < 0 ? 0 : i < n ? i : n - 1; }
// target (outer, n, inner), index and source (outer, m, inner).
extern "C" __global__ void scatter(T* target, const L* index, const T* source, L count, L m,
                                   L inner, L n, L op) {
  EACH(i, count) {
    L place = (i / inner / m * n + held(index[i], n)) * inner + i % inner;
    join(target + place, source[i], op);
  }
}
// target (n, width); each row of source belongs to the row that index names, but for `skipped`.
extern "C" __global__ void add_rows(T* target, const L* index, const T* source, L count, L width,
                                    L n, L skipped) {
  EACH(i, count) {
    L row = index[i / width];
    if (row != skipped) join(target + held(row, n) * width + i % width, source[i], 0);
  }
}
""",
    ("float32", "float64", "int32", "int64"),
)
INDICES = Source(
    "indices",
    """
extern "C" __global__ void outside(const T* x, L count, L least, L size, L ignored, L* found) {
  EACH(i, count) {
    L v = (L)x[i];
    if ((v < least || v >= size) && v != ignored) *found = v;
  }
}
""",
    ("int32", "int64"),
)
_OPS = {"sum": 0, "prod": 1, "amax": 2, "amin": 3}
_CLEAN = np.iinfo(np.int64).min
_NONE_IGNORED = _CLEAN + 1


class IndexChecks:
    """Checks that run on the device and tell what they found when the host next waits for it.

    Each has a number of its own in memory that the device writes and the host reads. Waiting for
    every check would stop the host in each training step.
    """

    MANY = 1024  # checks that may be under way

    def __init__(self) -> None:
        memory = cupy.cuda.alloc_pinned_memory(self.MANY * 8)
        self._memory = memory
        self.found = np.frombuffer(memory, np.int64, self.MANY)
        self.found[...] = _CLEAN
        self.asked: list[Any] = [None] * self.MANY
        self.next = 0

    def start(self, x: Any, least: int, size: int, op: str, ignored: int | None) -> None:
        """Has the device look for an element of x outside [least, size)."""
        at = self.next = (self.next + 1) % self.MANY
        if self.found[at] != _CLEAN:
            self.tell()
        self.asked[at] = op, size
        x = cupy.ascontiguousarray(x)
        INDICES.each("outside", x, x.size, x, x.size, least, size,
                     _NONE_IGNORED if ignored is None else ignored,
                     self._memory.ptr + 8 * at)  # fmt: skip

    def tell(self) -> None:
        """Raises IndexError for the first bad index that has been found, and forgets all."""
        bad = np.flatnonzero(self.found != _CLEAN)
        if not len(bad):
            return
        at = int(bad[0])
        (op, size), value = self.asked[at], int(self.found[at])
        self.found[...] = _CLEAN
        raise IndexError(
            f"{op}(): index {value} is out of bounds for a dimension of size {size}. It was found "
            "on the device, by an operation before this one; with CUDA_LAUNCH_BLOCKING=1 each "
            "operation looks at once"
        )


class CupyPlaces(ScatterKernels, ArrayKernels):
    """Scatters by atomic operations, or in order where the results have to be reproducible."""

    checks: Any
    blocking: bool
    deterministic: bool

    def first_outside(
        self, x: Any, least: int, size: int, op: str, ignored: int | None = None
    ) -> int | None:
        """None: what is out of range is reported when the host next waits for the device."""
        if self.blocking:
            return super().first_outside(x, least, size, op, ignored)
        if x.size:
            kept = x if x.dtype.name in INDICES.types else x.astype("i8")
            self.checks.start(kept, least, size, op, ignored)
        return None

    def bounds_at_hand(self, x: Any) -> tuple[Any, Any] | None:
        return self.bounds(x) if self.blocking else None

    def scatter_add(self, x: Any, dim: int, index: Any, src: Any) -> Any:
        done = self._scattered(x, dim, index, src, "sum")
        return super().scatter_add(x, dim, index, src) if done is None else done

    def scatter_reduce(
        self, x: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool
    ) -> Any:
        done = self._scattered(x, dim, index, src, reduce) if include_self else None
        if done is None:
            return super().scatter_reduce(x, dim, index, src, reduce, include_self)
        return done

    def _scattered(self, x: Any, dim: int, index: Any, src: Any, reduce: str) -> Any:
        """The copy of x, written to by atomic operations; None where those do not serve."""
        across = x.shape[:dim] + x.shape[dim + 1 :]
        if (
            self.deterministic
            or x.dtype.kind in "bc"
            or not index.size
            or not x.size
            or across != index.shape[:dim] + index.shape[dim + 1 :]
        ):
            return None
        kind = _atomic(x.dtype)
        target = x.astype(kind, order="C", copy=True)
        src = cupy.ascontiguousarray(src.astype(kind, copy=False))
        index = cupy.ascontiguousarray(index.astype("i8", copy=False))
        PLACES.each("scatter", target, index.size, target, index, src, index.size,
                    index.shape[dim], prod(x.shape[dim + 1 :]), x.shape[dim],
                    _OPS[reduce])  # fmt: skip
        return target.astype(x.dtype, copy=False)

    def add_at(self, target: Any, index: tuple[Any, ...], value: Any) -> None:
        if self.deterministic or target.dtype.kind == "b":
            super().add_at(target, index, value)
            return
        index = tuple([part for given in index for part in _numbers(given)])
        kind = _addable(target.dtype)
        value = cupy.asarray(value).astype(kind, copy=False)
        if kind == target.dtype:
            cupyx.scatter_add(target, index, value)
            return
        sums = target.astype(kind)
        cupyx.scatter_add(sums, index, value)
        target[...] = sums.astype(target.dtype)

    def embedding_backward(self, g: Any, index: Any, rows: int, padding: int, scale: bool) -> Any:
        if self.deterministic or g.dtype.name not in REALS or not g.size:
            return super().embedding_backward(g, index, rows, padding, scale)
        flat, width = (
            cupy.ascontiguousarray(index.reshape(-1).astype("i8", copy=False)),
            g.shape[-1],
        )
        values = g.reshape(-1, width).astype(wide(g.dtype), copy=False)
        if scale:
            values = values * self._row_weights(flat, rows, padding, scale)[:, None].astype(
                values.dtype
            )
        values = cupy.ascontiguousarray(values)
        out = cupy.zeros((rows, width), values.dtype)
        PLACES.each("add_rows", out, values.size, out, flat, values, values.size, width, rows,
                    padding if padding >= 0 else -1)  # fmt: skip
        return out.astype(g.dtype, copy=False)


def _numbers(part: Any) -> tuple[Any, ...]:
    """A mask as the index arrays that it stands for, anything else as it is."""
    is_mask = isinstance(part, cupy.ndarray) and part.dtype.kind == "b"
    return cupy.nonzero(part) if is_mask else (part,)


def _atomic(dtype: Any) -> Any:
    """The type in which the kernels scatter elements of a type."""
    if dtype.name in PLACES.types:
        return dtype
    return np.dtype("i8" if dtype.kind == "u" and dtype.itemsize >= 4 else
                    "i4" if dtype.kind in "iu" else "f4")  # fmt: skip


def _addable(dtype: Any) -> Any:
    """The type in which CuPy adds at places: it has none of less than 32 bits, nor int64."""
    if dtype.kind in "fc" and dtype.itemsize >= 4:
        return dtype
    if dtype.kind in "iu":
        return np.dtype("u8" if dtype.itemsize == 8 else "i4" if dtype != np.uint32 else "u4")
    return np.dtype("f4")
