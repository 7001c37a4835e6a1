"""Softmax, cross entropy and the norms on CuPy arrays: a kernel each, a block for each row."""

from __future__ import annotations

from math import prod
from typing import Any

import cupy

from .cupy_source import Source, wide
from .normalization import NormalizationKernels

# A row has n elements, `inner` apart.
SOFTMAX = Source(
    "softmax",
    """
#define START(row) (((row) / inner) * n * inner + (row) % inner)
__device__ void extremes(const T* x, L n, L inner, A* top, A* total) {
  A m = NEVER;
  for (L i = threadIdx.x; i < n; i += blockDim.x) {
    A v = (A)x[i * inner];
    if (v > m || is_nan(v)) m = v;
  }
  m = block_max(m);
  A s = 0;
  for (L i = threadIdx.x; i < n; i += blockDim.x) s += exp((A)x[i * inner] - m);
  *top = m;
  *total = block_sum(s);
}
extern "C" __global__ void softmax(const T* x, T* y, L n, L inner) {
  L at = START((L)blockIdx.x);
  A top, total;
  extremes(x + at, n, inner, &top, &total);
  for (L i = threadIdx.x; i < n; i += blockDim.x)
    y[at + i * inner] = (T)(exp((A)x[at + i * inner] - top) / total);
}
extern "C" __global__ void log_softmax(const T* x, T* y, L n, L inner) {
  L at = START((L)blockIdx.x);
  A top, total;
  extremes(x + at, n, inner, &top, &total);
  A shift = log(total);
  for (L i = threadIdx.x; i < n; i += blockDim.x)
    y[at + i * inner] = (T)((A)x[at + i * inner] - top - shift);
}
extern "C" __global__ void softmax_backward(const T* g, const T* y, T* out, L n, L inner) {
  L at = START((L)blockIdx.x);
  A s = 0;
  for (L i = threadIdx.x; i < n; i += blockDim.x) s += (A)g[at + i * inner] * (A)y[at + i * inner];
  s = block_sum(s);
  for (L i = threadIdx.x; i < n; i += blockDim.x)
    out[at + i * inner] = (T)((A)y[at + i * inner] * ((A)g[at + i * inner] - s));
}
extern "C" __global__ void log_softmax_backward(const T* g, const T* y, T* out, L n, L inner) {
  L at = START((L)blockIdx.x);
  A s = 0;
  for (L i = threadIdx.x; i < n; i += blockDim.x) s += (A)g[at + i * inner];
  s = block_sum(s);
  for (L i = threadIdx.x; i < n; i += blockDim.x)
    out[at + i * inner] = (T)((A)g[at + i * inner] - exp((A)y[at + i * inner]) * s);
}
// In place; a row that is -inf throughout gives zeros.
extern "C" __global__ void attend(T* x, L n) {
  L at = (L)blockIdx.x * n;
  A top, total;
  extremes(x + at, n, 1, &top, &total);
  for (L i = threadIdx.x; i < n; i += blockDim.x)
    x[at + i] = top == NEVER ? (T)(A)0 : (T)(exp((A)x[at + i] - top) / total);
}
extern "C" __global__ void cross_entropy(const T* x, const L* target, A* p, A* losses, bool* kept,
                                         L n, L ignore) {
  L row = blockIdx.x, at = row * n, t = target[row];
  A top, total;
  extremes(x + at, n, 1, &top, &total);
  for (L i = threadIdx.x; i < n; i += blockDim.x) p[at + i] = exp((A)x[at + i] - top) / total;
  if (threadIdx.x == 0) {
    bool counts = t != ignore;
    L safe = t < 0 ? 0 : t >= n ? n - 1 : t;
    kept[row] = counts;
    losses[row] = counts ? log(total) - ((A)x[at + safe] - top) : (A)0;
  }
}
extern "C" __global__ void cross_entropy_backward(const A* p, const L* target, const bool* kept,
                                                  const A* share, T* out, L count, L n) {
  EACH(i, count) {
    L row = i / n;
    out[i] = (T)(kept[row] ? (p[i] - (A)(i % n == target[row])) * share[0] : (A)0);
  }
}
""",
)

# Two layouts: rows that are standardised each by itself, with weights that repeat after `period`
# elements and stay for `step` of them; and channels, each strewn over `outer` runs of `inner`.
NORMS = Source(
    "norms",
    """
#define COUNT (outer * inner)
#define AT(i) ((i) / inner * runs * inner + run * inner + (i) % inner)
#define FACTOR(i) (AT(i) / step % period)
extern "C" __global__ void standardized(const T* x, const T* weight, const T* bias, T* out, A* means,
                                A* rstds, L runs, L outer, L inner, L period, L step, double eps) {
  L run = blockIdx.x;
  A s = 0;
  for (L i = threadIdx.x; i < COUNT; i += blockDim.x) s += (A)x[AT(i)];
  A mean = block_sum(s) / COUNT;
  s = 0;
  for (L i = threadIdx.x; i < COUNT; i += blockDim.x) {
    A v = (A)x[AT(i)] - mean;
    s += v * v;
  }
  A rstd = 1 / sqrt(block_sum(s) / COUNT + (A)eps);
  for (L i = threadIdx.x; i < COUNT; i += blockDim.x) {
    A v = ((A)x[AT(i)] - mean) * rstd;
    if (weight) v *= (A)weight[FACTOR(i)];
    if (bias) v += (A)bias[FACTOR(i)];
    out[AT(i)] = (T)v;
  }
  if (threadIdx.x == 0) {
    means[run] = mean;
    rstds[run] = rstd;
  }
}
extern "C" __global__ void norm_input(const T* g, const T* x, const T* weight, const A* means,
                                      const A* rstds, T* out, L runs, L outer, L inner, L period,
                                      L step) {
  L run = blockIdx.x;
  A mean = means[run], rstd = rstds[run], sum = 0, product = 0;
  for (L i = threadIdx.x; i < COUNT; i += blockDim.x) {
    A h = (A)g[AT(i)] * (weight ? (A)weight[FACTOR(i)] : (A)1);
    sum += h;
    product += h * ((A)x[AT(i)] - mean) * rstd;
  }
  sum = block_sum(sum) / COUNT;
  product = block_sum(product) / COUNT;
  for (L i = threadIdx.x; i < COUNT; i += blockDim.x) {
    A h = (A)g[AT(i)] * (weight ? (A)weight[FACTOR(i)] : (A)1);
    out[AT(i)] = (T)((h - sum - ((A)x[AT(i)] - mean) * rstd * product) * rstd);
  }
}
extern "C" __global__ void norm_weight_of_channels(const T* g, const T* x, const A* means,
                                                   const A* rstds, T* out, L runs, L outer,
                                                   L inner) {
  L run = blockIdx.x;
  A s = 0;
  for (L i = threadIdx.x; i < COUNT; i += blockDim.x)
    s += (A)g[AT(i)] * ((A)x[AT(i)] - means[run]) * rstds[run];
  s = block_sum(s);
  if (threadIdx.x == 0) out[run] = (T)s;
}
// The weights of rows: a thread adds up a column of a band of rows, which others add up in turn.
extern "C" __global__ void norm_weight_of_rows(const T* g, const T* x, const A* means,
                                               const A* rstds, A* out, L rows, L n, L band) {
  EACH(i, (rows + band - 1) / band * n) {
    L first = i / n * band, column = i % n;
    A s = 0;
    for (L r = first; r < first + band && r < rows; r++)
      s += (A)g[r * n + column] * ((A)x[r * n + column] - means[r]) * rstds[r];
    out[i] = s;
  }
}
""",
)
_BAND = 64  # rows whose products one thread adds up


class CupyNormalization(NormalizationKernels):
    """One kernel where the generic ones take several passes."""

    xp: Any
    first_outside: Any

    def softmax(self, x: Any, dim: int) -> Any:
        return self._rowwise("softmax", dim, x) if SOFTMAX.takes(x) else super().softmax(x, dim)

    def log_softmax(self, x: Any, dim: int) -> Any:
        if not SOFTMAX.takes(x):
            return super().log_softmax(x, dim)
        return self._rowwise("log_softmax", dim, x)

    def softmax_backward(self, g: Any, out: Any, dim: int) -> Any:
        if not SOFTMAX.takes(out, g):
            return super().softmax_backward(g, out, dim)
        return self._rowwise("softmax_backward", dim, g, out)

    def log_softmax_backward(self, g: Any, out: Any, dim: int) -> Any:
        if not SOFTMAX.takes(out, g):
            return super().log_softmax_backward(g, out, dim)
        return self._rowwise("log_softmax_backward", dim, g, out)

    def _rowwise(self, name: str, dim: int, *arrays: Any) -> Any:
        arrays = tuple([cupy.ascontiguousarray(x) for x in arrays])
        x = arrays[0]
        out = cupy.empty(x.shape, x.dtype)
        n = x.shape[dim] if x.ndim else 1
        inner = prod(x.shape[dim + 1 :])
        SOFTMAX.blocks(name, x, x.size // n, n, *arrays, out, n, inner)
        return out

    def cross_entropy(self, x: Any, target: Any, ignore: int, mean: bool) -> tuple[Any, Any, Any]:
        if not SOFTMAX.takes(x) or target.dtype.name != "int64":
            return super().cross_entropy(x, target, ignore, mean)
        rows, n = x.shape
        self.first_outside(target, 0, n, "cross_entropy", ignore)
        p, losses = cupy.empty((rows, n), wide(x.dtype)), cupy.empty(rows, wide(x.dtype))
        kept = cupy.empty(rows, "?")
        x, target = cupy.ascontiguousarray(x), cupy.ascontiguousarray(target)
        SOFTMAX.blocks("cross_entropy", x, rows, n, x, target, p, losses, kept, n, ignore)
        loss = cupy.sum(losses)
        if mean:
            loss = loss / cupy.sum(kept)
        return loss.astype(x.dtype), p, kept

    def cross_entropy_backward(
        self, g: Any, x: Any, target: Any, ignore: int, mean: bool, p: Any, kept: Any
    ) -> Any:
        if not SOFTMAX.takes(x) or target.dtype.name != "int64":
            return super().cross_entropy_backward(g, x, target, ignore, mean, p, kept)
        share = cupy.asarray(g / cupy.sum(kept) if mean else g).astype(p.dtype).reshape(1)
        out = cupy.empty(x.shape, x.dtype)
        target = cupy.ascontiguousarray(target)
        SOFTMAX.each("cross_entropy_backward", x, x.size, p, target, kept, share, out, x.size,
                     x.shape[1])  # fmt: skip
        return out

    # norms

    def norm_affine(
        self, x: Any, dims: tuple[int, ...], weight: Any, bias: Any, eps: float
    ) -> tuple[Any, Any, Any]:
        plan = _plan(x, dims, weight, bias) if NORMS.takes(x, weight, bias) else None
        if plan is None:
            return super().norm_affine(x, dims, weight, bias, eps)
        runs, outer, inner, period, step = plan
        x, weight, bias = (
            None if a is None else cupy.ascontiguousarray(a) for a in (x, weight, bias)
        )
        out, shape = cupy.empty(x.shape, x.dtype), _kept(x.shape, dims)
        mean, rstd = cupy.empty(shape, wide(x.dtype)), cupy.empty(shape, wide(x.dtype))
        NORMS.blocks("standardized", x, runs, outer * inner, x, _or_null(weight), _or_null(bias), out, mean,
                     rstd, runs, outer, inner, period, step, float(eps))  # fmt: skip
        return out, mean, rstd

    def norm_affine_backward(
        self,
        g: Any,
        x: Any,
        dims: tuple[int, ...],
        weight: Any,
        mean: Any,
        rstd: Any,
        needs: tuple[bool, bool, bool],
    ) -> tuple[Any, Any, Any]:
        plan = _plan(x, dims, weight, None) if NORMS.takes(x, g, weight) else None
        if plan is None or mean.dtype != wide(x.dtype):
            return super().norm_affine_backward(g, x, dims, weight, mean, rstd, needs)
        runs, outer, inner, period, step = plan
        g, x, mean, rstd = map(cupy.ascontiguousarray, (g, x, mean, rstd))
        gx = gw = None
        if needs[1]:
            gw = _weight(g, x, weight, mean, rstd, plan)
            if gw is None:
                gw = super().norm_affine_backward(
                    g, x, dims, weight, mean, rstd, (False, True, False)
                )[1]
        if needs[0]:
            w = None if weight is None else cupy.ascontiguousarray(weight)
            gx = cupy.empty(x.shape, x.dtype)
            NORMS.blocks("norm_input", x, runs, outer * inner, g, x, _or_null(w), mean, rstd, gx,
                         runs, outer, inner, period, step)  # fmt: skip
        return gx, gw, g if needs[2] else None


def _kept(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([1 if d in dims else n for d, n in enumerate(shape)])


def _or_null(x: Any) -> Any:
    return 0 if x is None else x


def _plan(x: Any, dims: tuple[int, ...], weight: Any, bias: Any) -> tuple[int, ...] | None:
    """How the kernels see x: runs, outer, inner, and the period and step of weights; or None."""
    ndim, shape = x.ndim, x.shape
    kept = [d for d in range(ndim) if d not in dims]
    if kept and kept != list(range(kept[0], kept[-1] + 1)):
        return None  # more than one strip of dimensions is left
    first, last = (kept[0], kept[-1] + 1) if kept else (0, 0)
    runs, outer, inner = prod(shape[first:last]), prod(shape[:first]), prod(shape[last:])
    period, step = 1, 1
    for factor in (weight, bias):
        if factor is None:
            continue
        spread = [d for d in range(ndim) if factor.shape[d] == shape[d] != 1]
        if spread and spread != [d for d in range(spread[0], spread[-1] + 1) if shape[d] != 1]:
            return None
        if any(factor.shape[d] not in (1, shape[d]) for d in range(ndim)):
            return None
        period, step = factor.size, prod(shape[spread[-1] + 1 :]) if spread else 1
    if weight is not None and bias is not None and weight.shape != bias.shape:
        return None
    return runs, outer, inner, period, step


def _weight(g: Any, x: Any, weight: Any, mean: Any, rstd: Any, plan: tuple[int, ...]) -> Any:
    """The gradient for the weight where that lies as the runs do, or across them; else None."""
    runs, outer, inner, period, step = plan
    if period == runs and step == inner and outer * inner * runs == x.size and outer > 0:
        if weight.size == mean.size and weight.shape == mean.shape:
            out = cupy.empty(weight.shape, x.dtype)
            NORMS.blocks("norm_weight_of_channels", x, runs, outer * inner, g, x, mean, rstd, out,
                         runs, outer, inner)  # fmt: skip
            return out
    if outer == 1 and step == 1 and period == inner:
        bands = -(-runs // _BAND)
        parts = cupy.empty((bands, inner), wide(x.dtype))
        NORMS.each("norm_weight_of_rows", x, bands * inner, g, x, mean, rstd, parts, runs, inner,
                   _BAND)  # fmt: skip
        return cupy.sum(parts, axis=0).astype(x.dtype, copy=False).reshape(weight.shape)
    return None
