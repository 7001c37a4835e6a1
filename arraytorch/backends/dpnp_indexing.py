"""Reading and writing at places that arrays name, on Intel devices.

dpnp has no index-add, takes no index arrays with slices between them, and moves rows one element at a
time; indices out of range it clips, so the operations look at them first.
"""

from __future__ import annotations

from math import prod
from typing import Any

import dpnp

from .dpnp_programs import Kernel
from .generic import ArrayModuleBackend

Array = Any

_TAKE = Kernel(
    "take",
    "const T* x, const long* index, T* z, long count, long rows, long inner",
    """
    long in = i % inner, k = i / inner % count, out = i / inner / count;
    long at = index[k];
    z[i] = x[(out * rows + (at < 0 ? at + rows : at)) * inner + in];
    """,
)
_GATHER = Kernel(
    "gather",
    "const T* x, const long* index, T* z, long count, long rows, long inner",
    """
    long in = i % inner, out = i / inner / count;
    z[i] = x[(out * rows + index[i]) * inner + in];
    """,
)
# Compares and swaps until no other item has written between; W is an integer as wide as T.
_ATOMIC = """
void combine(volatile global T* at, T value) {
    union { T number; W bits; } before, after;
    do {
        before.number = *at;
        after.number = OP(before.number, value);
        if (after.bits == before.bits) return;
    } while (CAS((volatile global W*)at, before.bits, after.bits) != before.bits);
}
"""
_COMBINE = Kernel(
    "combine_at",
    "T* target, const long* places, const T* value",
    "combine(target + places[i], value[i]);",
    _ATOMIC,
)
_WORDS = {
    4: {"W": "int", "CAS": "atomic_cmpxchg"},
    8: {"W": "long", "CAS": "atom_cmpxchg"},
}
_HOST = 1 << 16  # elements up to which the extremes are looked for on the host
_OPS = {
    "add": "(a) + (b)",
    "multiply": "(a) * (b)",
    "maximum": "((a) > (b) || (a) != (a) ? (a) : (b))",
    "minimum": "((a) < (b) || (a) != (a) ? (a) : (b))",
}


class DpnpIndexing(ArrayModuleBackend):
    """Indexing, taking and scattering."""

    launch: Any

    # reading

    def getitem(self, x: Array, index: tuple[Any, ...]) -> Array:
        arrays = [i for i in index if isinstance(i, dpnp.ndarray)]
        if index and len(arrays) == 1 and arrays[0].dtype.kind in "iu":
            if index[0] is arrays[0] and all(i is Ellipsis for i in index[1:]):
                flat = self.take(x, arrays[0].reshape(-1), 0)
                return flat.reshape(arrays[0].shape + x.shape[1:])
        if _together(index):
            return x[index]
        front, places = self._indexed_in_front(x, index)
        return front[places]

    def setitem(self, x: Array, index: tuple[Any, ...], value: Any) -> None:
        if _together(index):
            x[index] = value
            return
        front, places = self._indexed_in_front(x, index)
        front[places] = value

    def assigned(self, x: Array, value: Any, index: tuple[Any, ...]) -> Array:
        out = self.copy(x)
        self.setitem(out, index, value)
        return out

    def _indexed_in_front(self, x: Array, index: tuple[Any, ...]) -> Any:
        """A view of x with the dimensions that arrays index in front, and the arrays, of integers.

        So NumPy orders the result, too, where slices stand between arrays.
        """
        used = sum(
            i.ndim if isinstance(i, dpnp.ndarray) and i.dtype.kind == "b" else 1
            for i in index
            if i is not None and i is not Ellipsis
        )
        basic: list[Any] = []
        places: list[Array] = []
        moved: list[int] = []
        for part in index:
            if part is Ellipsis:
                basic += [slice(None)] * (x.ndim - used)
            elif not isinstance(part, dpnp.ndarray):
                basic.append(part)
            else:
                found = dpnp.nonzero(part) if part.dtype.kind == "b" else (part,)
                moved += range(len(basic), len(basic) + len(found))
                basic += [slice(None)] * len(found)
                places += found
        view = x[tuple(basic)]
        rest = [d for d in range(view.ndim) if d not in moved]
        return view.transpose([*moved, *rest]), tuple(places)

    def take(self, x: Array, index: Array, dim: int) -> Array:
        if index.ndim == 1 and x.flags.c_contiguous and x.dtype.kind != "c":
            z = dpnp.empty(
                (*x.shape[:dim], index.size, *x.shape[dim + 1 :]),
                dtype=x.dtype,
                sycl_queue=x.sycl_queue,
            )
            rows, inner = x.shape[dim], prod(x.shape[dim + 1 :])
            places = dpnp.ascontiguousarray(index.astype("i8", copy=False))
            if self.launch(_TAKE, z.size, x, places, z, index.size, rows, inner):
                return z
        return dpnp.take(x, index, axis=dim)

    def gather(self, x: Array, dim: int, index: Array) -> Array:
        same = x.shape[:dim] + x.shape[dim + 1 :] == index.shape[:dim] + index.shape[dim + 1 :]
        if same and x.flags.c_contiguous and x.dtype.kind != "c" and x.ndim:
            z = dpnp.empty(index.shape, dtype=x.dtype, sycl_queue=x.sycl_queue)
            places = dpnp.ascontiguousarray(index.astype("i8", copy=False))
            count, rows, inner = index.shape[dim], x.shape[dim], prod(x.shape[dim + 1 :])
            if self.launch(_GATHER, index.size, x, places, z, count, rows, inner):
                return z
        return super().gather(x, dim, index)

    def repeat(self, repeats: Array) -> Array:
        """By the running sums: number i is how many of them are at most i."""
        ends = dpnp.cumsum(repeats, dtype="i8")
        n = int(ends[-1]) if repeats.size else 0
        places = dpnp.arange(n, dtype="i8", sycl_queue=repeats.sycl_queue)
        return dpnp.searchsorted(ends, places, side="right") if n else places

    def bounds(self, x: Array) -> tuple[Any, Any] | None:
        """Of few elements on the host: to wait for two reductions takes longer than to copy."""
        if not 0 < x.size <= _HOST:
            return super().bounds(x)
        host = dpnp.asnumpy(x)
        return host.min().item(), host.max().item()

    # writing

    def combine_at(
        self, target: Array, index: tuple[Any, ...], value: Array, function: Any
    ) -> None:
        """Atomically, in no order; 16-bit floats in float32, and complex sums by their parts."""
        kind, width = target.dtype.kind, target.dtype.itemsize
        op = next((name for name in _OPS if function is getattr(dpnp, name)), "")
        if target.size == 0 or kind not in "iufc" or kind == "c" and op != "add" or not op:
            return super().combine_at(target, index, value, function)
        if width < 4:
            wide = target.astype("f4" if kind == "f" else "i4")
            self.combine_at(wide, index, value.astype(wide.dtype), function)
            target[...] = wide.astype(target.dtype)
            return None
        places = self.getitem(
            dpnp.arange(target.size, dtype="i8", sycl_queue=target.sycl_queue).reshape(
                target.shape
            ),
            index,
        )
        value = dpnp.ascontiguousarray(dpnp.broadcast_to(value.astype(target.dtype), places.shape))
        out = dpnp.ascontiguousarray(target)
        numbers, moved = out, dpnp.ascontiguousarray(places).reshape(-1)
        if kind == "c":
            numbers, value = self.real_pairs(out), self.real_pairs(value)
            moved = (moved[:, None] * 2 + dpnp.arange(2, sycl_queue=target.sycl_queue)).reshape(-1)
            width //= 2
        types = {"OP(a, b)": _OPS[op], **_WORDS[width]}
        if not self.launch(_COMBINE, moved.size, numbers, moved, value, **types):
            return super().combine_at(target, index, value, function)
        if out is not target and not self.shares(target, out):
            target[...] = out
        return None


def _together(index: tuple[Any, ...]) -> bool:
    """Whether the arrays of an index stand side by side, as dpnp wants them."""
    at = [k for k, i in enumerate(index) if isinstance(i, dpnp.ndarray)]
    return not at or at[-1] - at[0] == len(at) - 1
