"""Maxima, softmax and the norms on Intel devices, a work item for each row.

dpnp's maximum of rows takes 70 times as long as NumPy's, and its softmax is a dozen passes over memory.
"""

from __future__ import annotations

from math import prod
from typing import Any

import dpnp

from .dpnp_programs import Kernel
from .generic import ArrayModuleBackend

Array = Any

# Row i has n elements: the numbers x[at + j * step].
_ROW = "long step = inner, at = i / inner * count * inner + i % inner;\n"
_BEST = (
    _ROW
    + """
    T best = x[at]; long place = 0;
    for (long j = 1; j < count; j++) {
        T v = x[at + j * step];
        if (BETTER(v, best) || (v != v && best == best)) { best = v; place = j; }
    }
    """
)
_EXTREME = Kernel("extreme", "const T* x, T* z, long count, long inner", _BEST + "z[i] = best;")
_PLACE = Kernel("place", "const T* x, long* z, long count, long inner", _BEST + "z[i] = place;")
_SHIFTED = (
    _ROW
    + """
    A top = x[at], total = 0;
    for (long j = 1; j < count; j++) { A v = x[at + j * step]; if (v > top || v != v) top = v; }
    for (long j = 0; j < count; j++) total += exp((A)x[at + j * step] - top);
    """
)
_SOFTMAX = Kernel(
    "softmax",
    "const T* x, T* z, long count, long inner",
    _SHIFTED
    + "for (long j = 0; j < count; j++) z[at + j * step] = exp((A)x[at + j * step] - top) / total;",
)
_LOG_SOFTMAX = Kernel(
    "log_softmax",
    "const T* x, T* z, long count, long inner",
    _SHIFTED
    + """
    A shift = log(total);
    for (long j = 0; j < count; j++) z[at + j * step] = (A)x[at + j * step] - top - shift;
    """,
)
_SOFTMAX_BACKWARD = Kernel(
    "softmax_backward",
    "const T* g, const T* z, T* gx, long count, long inner",
    _ROW
    + """
    A dot = 0;
    for (long j = 0; j < count; j++) dot += (A)g[at + j * step] * z[at + j * step];
    for (long j = 0; j < count; j++) gx[at + j * step] = z[at + j * step] * (g[at + j * step] - dot);
    """,
)
_LOG_SOFTMAX_BACKWARD = Kernel(
    "log_softmax_backward",
    "const T* g, const T* z, T* gx, long count, long inner",
    _ROW
    + """
    A total = 0;
    for (long j = 0; j < count; j++) total += g[at + j * step];
    for (long j = 0; j < count; j++) gx[at + j * step] = g[at + j * step] - exp((A)z[at + j * step]) * total;
    """,
)
# Element j of group i is x[i * apart + j / run * jump + j % run].
_STANDARDIZE = Kernel(
    "standardize",
    "const T* x, const T* weight, const T* bias, T* z, A* means, A* rstds, long count, long apart,"
    "long run, long jump, long weights, int each, int affine, A eps",
    """
    long at = i * apart;
    A mean = 0, square = 0;
    for (long b = 0, j = 0; j < count; b += jump, j += run)
        for (long k = 0; k < run; k++) mean += x[at + b + k];
    mean /= count;
    for (long b = 0, j = 0; j < count; b += jump, j += run)
        for (long k = 0; k < run; k++) { A off = x[at + b + k] - mean; square += off * off; }
    A rstd = 1 / sqrt(square / count + eps);
    means[i] = mean; rstds[i] = rstd;
    for (long b = 0, j = 0; j < count; b += jump, j += run)
        for (long k = 0; k < run; k++) {
            long w = each ? j + k : i % weights;
            A y = ((A)x[at + b + k] - mean) * rstd;
            if (affine & 1) y *= weight[w];
            if (affine & 2) y += bias[w];
            z[at + b + k] = y;
        }
    """,
)
_STANDARDIZE_BACKWARD = Kernel(
    "standardize_backward",
    "const T* g, const T* x, const T* weight, T* gx, A* gw, const A* means, const A* rstds,"
    "long count, long apart, long run, long jump, long weights, int each, int affine",
    """
    long at = i * apart;
    A mean = means[i], rstd = rstds[i], plain = 0, dot = 0, total = 0;
    for (long b = 0, j = 0; j < count; b += jump, j += run)
        for (long k = 0; k < run; k++) {
            A h = g[at + b + k], y = ((A)x[at + b + k] - mean) * rstd;
            total += h * y;
            if (affine) h *= weight[each ? j + k : i % weights];
            plain += h; dot += h * y;
        }
    plain /= count; dot /= count;
    if (!each) gw[i] = total;
    for (long b = 0, j = 0; j < count; b += jump, j += run)
        for (long k = 0; k < run; k++) {
            A h = g[at + b + k], y = ((A)x[at + b + k] - mean) * rstd;
            if (affine) h *= weight[each ? j + k : i % weights];
            gx[at + b + k] = (h - plain - y * dot) * rstd;
        }
    """,
)
_FEW = 16  # rows below which a work item each would leave the device idle


class DpnpRows(ArrayModuleBackend):
    """Reductions and normalisations of rows."""

    launch: Any
    devices: Any

    # maxima

    def amax(self, x: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
        found = self._extreme(_EXTREME, x, dims, keepdim, ">", x.dtype)
        return super().amax(x, dims, keepdim) if found is None else found

    def amin(self, x: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
        found = self._extreme(_EXTREME, x, dims, keepdim, "<", x.dtype)
        return super().amin(x, dims, keepdim) if found is None else found

    def argmax(self, x: Array, dim: int | None, keepdim: bool) -> Array:
        dims = () if dim is None else (dim,)
        found = self._extreme(_PLACE, x, dims, keepdim, ">", "i8")
        return super().argmax(x, dim, keepdim) if found is None else found

    def argmin(self, x: Array, dim: int | None, keepdim: bool) -> Array:
        dims = () if dim is None else (dim,)
        found = self._extreme(_PLACE, x, dims, keepdim, "<", "i8")
        return super().argmin(x, dim, keepdim) if found is None else found

    def _extreme(
        self, kernel: Kernel, x: Array, dims: tuple[int, ...], keepdim: bool, sign: str, dtype: Any
    ) -> Array | None:
        if len(dims) != 1 or not x.ndim or x.dtype.kind not in "iuf" or not x.shape[dims[0]]:
            return None
        (d,), shape = dims, x.shape
        kept = shape[:d] + ((1,) if keepdim else ()) + shape[d + 1 :]
        rows, inner = prod(kept), prod(shape[d + 1 :])
        if rows < _FEW or not x.flags.c_contiguous:
            return None
        z = dpnp.empty(kept, dtype=dtype, sycl_queue=x.sycl_queue)
        better = {"BETTER(a, b)": f"((a) {sign} (b))"}
        return z if self.launch(kernel, rows, x, z, shape[d], inner, **better) else None

    # softmax

    def softmax(self, x: Array, dim: int) -> Array:
        found = self._rows(_SOFTMAX, dim, x)
        return super().softmax(x, dim) if found is None else found

    def softmax_backward(self, g: Array, out: Array, dim: int) -> Array:
        found = self._rows(_SOFTMAX_BACKWARD, dim, g, out)
        return super().softmax_backward(g, out, dim) if found is None else found

    def log_softmax(self, x: Array, dim: int) -> Array:
        found = self._rows(_LOG_SOFTMAX, dim, x)
        return super().log_softmax(x, dim) if found is None else found

    def log_softmax_backward(self, g: Array, out: Array, dim: int) -> Array:
        found = self._rows(_LOG_SOFTMAX_BACKWARD, dim, g, out)
        return super().log_softmax_backward(g, out, dim) if found is None else found

    def _rows(self, kernel: Kernel, dim: int, *arrays: Array) -> Array | None:
        """A result of the arrays' shape, or None where the kernel is not for them."""
        first = arrays[0]
        if not first.ndim or not first.size or first.dtype.kind != "f":
            return None
        if any(x.dtype is not first.dtype or x.shape != first.shape for x in arrays):
            return None
        count, inner = first.shape[dim], prod(first.shape[dim + 1 :])
        rows = first.size // count
        given = [dpnp.ascontiguousarray(x) for x in arrays]
        z = dpnp.empty(first.shape, dtype=first.dtype, sycl_queue=first.sycl_queue)
        return z if rows >= _FEW and self.launch(kernel, rows, *given, z, count, inner) else None

    # norms

    def norm_affine(
        self, x: Array, dims: tuple[int, ...], weight: Array, bias: Array, eps: float
    ) -> tuple[Array, Array, Array]:
        plan = self._groups(x, dims, weight, bias)
        if plan is not None:
            groups, layout, affine, kept = plan
            x = dpnp.ascontiguousarray(x)
            z = dpnp.empty(x.shape, dtype=x.dtype, sycl_queue=x.sycl_queue)
            wide = "f8" if x.dtype.itemsize == 8 else "f4"
            mean, rstd = (dpnp.empty(kept, dtype=wide, sycl_queue=x.sycl_queue) for _ in range(2))
            w, b = (x if t is None else dpnp.ascontiguousarray(t) for t in (weight, bias))
            if self.launch(_STANDARDIZE, groups, x, w, b, z, mean, rstd, *layout, affine, eps):
                return z, mean, rstd
        return super().norm_affine(x, dims, weight, bias, eps)

    def norm_affine_backward(
        self,
        g: Array,
        x: Array,
        dims: tuple[int, ...],
        weight: Array,
        mean: Array,
        rstd: Array,
        needs: tuple[bool, bool, bool],
    ) -> tuple[Array, Array, Array]:
        plan = self._groups(x, dims, weight, None)
        same = g.dtype is x.dtype and g.shape == x.shape
        if plan is not None and same and needs[0]:
            groups, layout, affine, kept = plan
            own = not layout[-1] and groups == layout[-2]  # the weight's gradient is a group's sum
            if own or not needs[1]:
                g, x = dpnp.ascontiguousarray(g), dpnp.ascontiguousarray(x)
                gx = dpnp.empty(x.shape, dtype=x.dtype, sycl_queue=x.sycl_queue)
                gw = dpnp.empty(kept, dtype=mean.dtype, sycl_queue=x.sycl_queue)
                w = x if weight is None else dpnp.ascontiguousarray(weight)
                m, r = dpnp.ascontiguousarray(mean), dpnp.ascontiguousarray(rstd)
                if self.launch(
                    _STANDARDIZE_BACKWARD, groups, g, x, w, gx, gw, m, r, *layout, affine & 1
                ):
                    return gx, gw if needs[1] else None, g if needs[2] else None
        return super().norm_affine_backward(g, x, dims, weight, mean, rstd, needs)

    def _groups(self, x: Array, dims: tuple[int, ...], weight: Array, bias: Array) -> Any:
        """How many groups are standardised, where their elements and weights lie, and the means' shape.

        For the last dimensions, and for all but the second; None for others.
        """
        given = [t for t in (weight, bias) if t is not None]
        if not x.size or x.dtype.kind != "f" or any(t.dtype is not x.dtype for t in given):
            return None
        kept = tuple([1 if d in dims else n for d, n in enumerate(x.shape)])
        groups, count = prod(kept), prod(x.shape[d] for d in dims)
        last = dims == tuple(range(x.ndim - len(dims), x.ndim))
        if last:
            apart, run, jump = count, count, 0
        elif dims == (0, *range(2, x.ndim)):
            apart = run = prod(x.shape[2:])
            jump = apart * x.shape[1]
        else:
            return None
        shapes = {t.shape for t in given}
        if len(shapes) > 1:
            return None
        shape = shapes.pop() if shapes else kept
        each = last and shape == tuple([n if d in dims else 1 for d, n in enumerate(x.shape)])
        weights = prod(shape)
        by_group = shape == kept or last and shape == (1, *kept[1:])
        if not (each or by_group):
            return None
        affine = (weight is not None) + 2 * (bias is not None)
        return groups, (count, apart, run, jump, weights, int(each)), affine, kept
