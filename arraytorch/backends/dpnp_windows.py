"""Windows of convolutions and pools on Intel devices: a work item for each line that is written."""

from __future__ import annotations

from math import prod
from typing import Any

import dpnp

from .convolution import Convolution
from .dpnp_programs import Kernel
from .generic import ArrayModuleBackend

Array = Any

# Up to three spatial dimensions, fewer with ones in front: input, kernel, output, stride, padding
# before, dilation.
_GEOMETRY = ",".join(f"int {name}{d}" for name in ("n", "k", "o", "s", "p", "d") for d in range(3))
_COLUMNS = Kernel(
    "columns",
    "const T* x, T* z," + _GEOMETRY,
    """
    long r = i;
    int c1 = r % o1; r /= o1; int c0 = r % o0; r /= o0;
    int t2 = r % k2; r /= k2; int t1 = r % k1; r /= k1; int t0 = r % k0; r /= k0;
    int a0 = c0 * s0 - p0 + t0 * d0, a1 = c1 * s1 - p1 + t1 * d1, a2 = t2 * d2 - p2;
    bool inside = a0 >= 0 && a0 < n0 && a1 >= 0 && a1 < n1;
    x += ((r * n0 + a0) * n1 + a1) * n2;
    z += i * o2;
    for (int c2 = 0; c2 < o2; c2++, a2 += s2) z[c2] = inside && a2 >= 0 && a2 < n2 ? x[a2] : (T)0;
    """,
)
# For an element of the input all windows that it is in: element t of the window at c.
_WINDOWS = """
    long r = i;
    int a1 = r % n1; r /= n1; int a0 = r % n0; r /= n0;
    for (int a2 = 0; a2 < n2; a2++) {
    A total = 0;
    for (int t0 = 0; t0 < k0; t0++) {
        int c0 = a0 + p0 - t0 * d0; if (c0 < 0 || c0 % s0 || c0 / s0 >= o0) continue; c0 /= s0;
        for (int t1 = 0; t1 < k1; t1++) {
            int c1 = a1 + p1 - t1 * d1; if (c1 < 0 || c1 % s1 || c1 / s1 >= o1) continue; c1 /= s1;
            for (int t2 = 0; t2 < k2; t2++) {
                int c2 = a2 + p2 - t2 * d2; if (c2 < 0 || c2 % s2 || c2 / s2 >= o2) continue; c2 /= s2;
                long t = (t0 * k1 + t1) * k2 + t2, at = ((r * o0 + c0) * o1 + c1) * o2 + c2;
                VISIT
            }
        }
    }
    z[i * n2 + a2] = total;
    }
"""
_GATHERED = Kernel(
    "gathered",
    "const T* cols, T* z," + _GEOMETRY,
    _WINDOWS.replace(
        "VISIT", "total += cols[((((r * k0 * k1 * k2 + t) * o0 + c0) * o1 + c1) * o2 + c2)];"
    ),
)
_POOL_INPUT = Kernel(
    "pool_input",
    "const T* g, const P* arg, T* z," + _GEOMETRY,
    _WINDOWS.replace("VISIT", "if (arg[at] == t) total += g[at];"),
)
_POOL_ARG = Kernel(
    "pool_arg",
    "const T* x, T* z, P* arg," + _GEOMETRY,
    """
    long r = i;
    int c1 = r % o1; r /= o1; int c0 = r % o0; r /= o0;
    for (int c2 = 0; c2 < o2; c2++) {
    T best = 0; long place = -1;
    for (int t0 = 0; t0 < k0; t0++) {
        int a0 = c0 * s0 - p0 + t0 * d0; if (a0 < 0 || a0 >= n0) continue;
        for (int t1 = 0; t1 < k1; t1++) {
            int a1 = c1 * s1 - p1 + t1 * d1; if (a1 < 0 || a1 >= n1) continue;
            for (int t2 = 0; t2 < k2; t2++) {
                int a2 = c2 * s2 - p2 + t2 * d2; if (a2 < 0 || a2 >= n2) continue;
                T v = x[((r * n0 + a0) * n1 + a1) * n2 + a2];
                if (place < 0 || v > best || v != v) { best = v; place = (t0 * k1 + t1) * k2 + t2; }
            }
        }
    }
    z[i * o2 + c2] = best; arg[i * o2 + c2] = place;
    }
    """,
)


class DpnpWindows(ArrayModuleBackend):
    """The parts of convolutions and pools that go through windows."""

    launch: Any

    def _columns(self, x: Array, c: Convolution) -> Array:
        n, channels = x.shape[:2]
        geometry = _geometry(c)
        if geometry is not None:
            x = dpnp.ascontiguousarray(x)
            z = dpnp.empty(
                (n, channels, len(c.taps), *c.out), dtype=x.dtype, sycl_queue=x.sycl_queue
            )
            if self.launch(_COLUMNS, _lines(z), x, z, *geometry):
                return z.reshape(n, c.groups, channels // c.groups * len(c.taps), prod(c.out))
        return super()._columns(x, c)

    def _gathered(self, cols: Array, c: Convolution) -> Array:
        geometry = _geometry(c)
        if geometry is not None and cols.dtype.kind == "f":
            cols = dpnp.ascontiguousarray(cols)
            shape = (*cols.shape[:2], *c.spatial)
            z = dpnp.empty(shape, dtype=cols.dtype, sycl_queue=cols.sycl_queue)
            if self.launch(_GATHERED, _lines(z), cols, z, *geometry):
                return z
        return super()._gathered(cols, c)

    def max_pool_arg(self, x: Array, c: Convolution) -> tuple[Array, Array]:
        geometry = _geometry(c)
        if geometry is not None and not any(d > 1 for d in c.dilation) and x.dtype.kind in "iuf":
            x = dpnp.ascontiguousarray(x)
            shape, queue = (*x.shape[:2], *c.out), x.sycl_queue
            kind = "u1" if prod(c.size) <= 256 else "i4"
            z = dpnp.empty(shape, dtype=x.dtype, sycl_queue=queue)
            arg = dpnp.empty(shape, dtype=kind, sycl_queue=queue)
            if self.launch(_POOL_ARG, _lines(z), x, z, arg, *geometry, **_kind(arg)):
                return z, arg
        return super().max_pool_arg(x, c)

    def max_pool_input(self, g: Array, arg: Array, c: Convolution) -> Array:
        geometry = _geometry(c)
        if geometry is not None and g.dtype.kind == "f":
            g, arg = dpnp.ascontiguousarray(g), dpnp.ascontiguousarray(arg)
            z = dpnp.empty((*g.shape[:2], *c.spatial), dtype=g.dtype, sycl_queue=g.sycl_queue)
            if self.launch(_POOL_INPUT, _lines(z), g, arg, z, *geometry, **_kind(arg)):
                return z
        return super().max_pool_input(g, arg, c)


def _lines(z: Array) -> int:
    """How many lines along the last dimension an array has; a work item writes one."""
    return prod(z.shape[:-1]) if z.shape[-1] else 0


def _kind(arg: Array) -> dict[str, str]:
    return {"P": "uchar" if arg.dtype.itemsize == 1 else "int"}


def _geometry(c: Convolution) -> list[int] | None:
    """The numbers that the kernels take, or None for more than three dimensions."""
    missing = 3 - len(c.size)
    if missing < 0:
        return None
    before = [lo for lo, _ in c.padding]
    parts = (
        (c.spatial, 1),
        (c.size, 1),
        (c.out, 1),
        (c.stride, 1),
        (before, 0),
        (c.dilation, 1),
    )
    return [n for part, filler in parts for n in [*[filler] * missing, *part]]
