"""Random numbers on CuPy devices: a counter-based generator, each element with a number of its own.

Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, 2011). What an element gets depends on the seed and on
how many elements were drawn before it, not on the device or on how its threads are laid out. The
stream is not that of the CPU, nor of PyTorch on CUDA, which depends on the device.
"""

from __future__ import annotations

import math
from typing import Any

import cupy
import numpy as np

from .cupy_source import REALS, Source
from .host_drawn import HostDrawnGenerator

_PHILOX = """
struct Four { unsigned int x, y, z, w; };
__device__ Four philox(L seed, L at) {
  unsigned int k0 = (unsigned int)seed, k1 = (unsigned int)(seed >> 32);
  Four c = {(unsigned int)at, (unsigned int)(at >> 32), 0u, 0u};
  for (int round = 0; round < 10; round++) {
    unsigned long long a = 0xD2511F53ull * c.x, b = 0xCD9E8D57ull * c.z;
    Four n = {(unsigned int)(b >> 32) ^ c.y ^ k0, (unsigned int)b,
              (unsigned int)(a >> 32) ^ c.w ^ k1, (unsigned int)a};
    c = n;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}
__device__ unsigned long long both(unsigned int x, unsigned int y) {
  return (unsigned long long)x << 32 | y;
}
__device__ double from_0_to_1(unsigned int x, unsigned int y) {  // without 1
  return (both(x, y) >> 11) * 1.1102230246251565e-16;
}
"""
REAL_DRAWS = Source(
    "real_draws",
    _PHILOX
    + """
// A has as many digits as a float of 24 or a double of 53 bits; `last` is the largest below 1.
__device__ A unit(unsigned int x, unsigned int y) {
  return sizeof(A) == 8 ? (A)from_0_to_1(x, y) : (A)((x >> 8) * 5.9604644775390625e-8);
}
extern "C" __global__ void draw(T* out, L count, L seed, L start, L kind, double a, double b) {
  EACH(i, count) {
    Four r = philox(seed, start + i);
    A u = unit(r.x, r.y), v;
    if (kind == 0) {  // uniform from a to b
      v = (A)a + u * (A)(b - a);
      if ((A)(T)v >= (A)(T)(A)b) v = (A)a;  // rounding may reach the excluded end
    } else if (kind == 1 || kind == 5) {  // normal, of mean a and deviation b; its exponential
      A radius = sqrt((A)-2 * log((A)1 - u));
      v = (A)a + (A)b * radius * cos((A)6.283185307179586 * unit(r.z, r.w));
      if (kind == 5) v = exp(v);
    } else if (kind == 2) {  // exponential, of rate a
      v = -log1p(-u) / (A)a;
    } else if (kind == 3) {  // Cauchy, of median a and width b
      v = (A)a + (A)b * tan((A)3.141592653589793 * (u - (A)0.5));
    } else {  // the number of trials to the first success, of probability a
      v = ceil(log1p(-u) / log1p((A)-a));
      if (v < (A)1) v = (A)1;
    }
    out[i] = (T)v;
  }
}
""",
)
DRAWS = Source(
    "draws",
    _PHILOX
    + """
extern "C" __global__ void bernoulli(bool* out, L count, L seed, L start, double p) {
  EACH(i, count) {
    Four r = philox(seed, start + i);
    out[i] = from_0_to_1(r.x, r.y) < p;
  }
}
// From base to below base + span, a span of 0 meaning 2^64.
extern "C" __global__ void integers(L* out, L count, L seed, L start, L base, L span) {
  EACH(i, count) {
    Four r = philox(seed, start + i);
    unsigned long long v = both(r.x, r.y);
    if (span) v %= (unsigned long long)span;
    out[i] = (L)(v + (unsigned long long)base);
  }
}
""",
    ("int64",),
)
_UNIFORM, _NORMAL, _EXPONENTIAL, _CAUCHY, _GEOMETRIC, _LOG_NORMAL = range(6)
_DIGITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}


class CupyGenerator(HostDrawnGenerator):
    """A seed and a count of the elements drawn. Rare distributions are drawn on the host."""

    def __init__(self, backend: Any) -> None:
        super().__init__(backend)
        self.seed, self.drawn = self.host.initial_seed, 0

    @property
    def initial_seed(self) -> int:
        return self.seed

    def reseed(self, seed: int) -> None:
        self.seed, self.drawn = seed, 0

    def reseed_from_entropy(self) -> int:
        self.reseed(self.host.reseed_from_entropy())
        return self.seed

    def get_state(self) -> Any:
        words = [self.seed & 0xFFFFFFFFFFFFFFFF, self.drawn]
        return np.array(words, np.uint64).view(np.uint8)

    def set_state(self, data: Any) -> None:
        if data.size != 16:
            raise RuntimeError(f"RNG state is of {data.size} bytes, but a CUDA one has 16")
        self.seed, self.drawn = np.ascontiguousarray(data).view(np.uint64).tolist()

    def _taken(self, count: int) -> tuple[int, int]:
        """The key and the first counter for that many elements, which nobody else gets."""
        start = self.drawn
        self.drawn += count
        return _signed(self.seed), start

    def _real(self, x: Any, kind: int, a: float, b: float = 0.0) -> None:
        parts = 2 if x.dtype.kind == "c" else 1
        real = x.real.dtype if parts == 2 else x.dtype if x.dtype.name in REALS else np.dtype("f8")
        straight = x.flags.c_contiguous and parts == 1 and real == x.dtype
        drawn = x if straight else cupy.empty(x.size * parts, real)
        count = x.size * parts
        REAL_DRAWS.each("draw", drawn, count, drawn, count, *self._taken(count), kind, float(a),
                        float(b))  # fmt: skip
        if not straight:
            x[...] = (drawn.view(x.dtype) if parts == 2 else drawn).reshape(x.shape)

    def uniform_(self, x: Any, low: float, high: float) -> None:
        self._real(x, _UNIFORM, low, high)

    def normal_(self, x: Any, mean: float, std: float) -> None:
        self._real(x, _NORMAL, mean, std / math.sqrt(2.0) if x.dtype.kind == "c" else std)

    def exponential_(self, x: Any, rate: float) -> None:
        self._real(x, _EXPONENTIAL, rate)

    def cauchy_(self, x: Any, median: float, sigma: float) -> None:
        self._real(x, _CAUCHY, median, sigma)

    def geometric_(self, x: Any, p: float) -> None:
        self._real(x, _GEOMETRIC, p)

    def log_normal_(self, x: Any, mean: float, std: float) -> None:
        self._real(x, _LOG_NORMAL, mean, std)

    def integers_(self, x: Any, base: int, span: int) -> None:
        x[...] = self._integers(x.size, base, span).reshape(x.shape)

    def full_integers_(self, x: Any) -> None:
        if x.dtype.kind in "iub":
            bits = 1 if x.dtype.kind == "b" else 8 * x.dtype.itemsize - (x.dtype.kind == "i")
            span = 1 << min(bits, 63)
        else:
            span = (1 << _DIGITS[x.dtype.name]) + 1
        self.integers_(x, 0, span)

    def _integers(self, count: int, base: int, span: int) -> Any:
        out = cupy.empty(count, "i8")
        DRAWS.each("integers", out, count, out, count, *self._taken(count), _signed(base),
                   _signed(span))  # fmt: skip
        return out

    def bernoulli_(self, x: Any, p: float) -> None:
        hits = cupy.empty(x.size, "?")
        self._hits(hits, p)
        x[...] = hits.reshape(x.shape)

    def _hits(self, hits: Any, p: float) -> None:
        key, start = self._taken(hits.size)
        kernel = DRAWS.kernel("bernoulli", np.dtype("i8"))
        if hits.size:
            blocks = min(-(-hits.size // 256), 1 << 16)
            kernel((blocks,), (256,), (hits, hits.size, key, start, float(p)))

    def bernoulli_each_(self, x: Any, p: Any) -> None:
        if not bool(((p >= 0) & (p <= 1)).all()):
            raise RuntimeError(
                "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error "
                "message be improved?  If so, please report an enhancement request to PyTorch.)"
            )
        drawn = cupy.empty(x.shape, "f8" if p.dtype.itemsize == 8 else "f4")
        self.uniform_(drawn, 0.0, 1.0)
        x[...] = drawn < p

    def permutation(self, n: int) -> Any:
        """The order of random 64-bit integers: two are equal once in 2^64 / n^2 draws."""
        return cupy.argsort(self._integers(n, 0, 0), kind="stable").astype("i8", copy=False)

    def _carried(self, draw: Any, *arrays: Any) -> Any:
        # A stream of the host's own for each call, which seed and count determine.
        key, start = self._taken(1)
        self.host.reseed((key * 0x9E3779B97F4A7C15 + start) & 0x7FFFFFFFFFFFFFFF)
        return super()._carried(draw, *arrays)


def _signed(number: int) -> int:
    """The 64-bit integer with the same bits."""
    number &= 0xFFFFFFFFFFFFFFFF
    return number - (1 << 64) if number >> 63 else number
