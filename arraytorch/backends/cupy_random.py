"""Philox's random numbers on CuPy devices: those of philox.py, made by one kernel a draw."""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np

from .cupy_source import Source
from .philox import PhiloxGenerator

DRAWS = Source(
    "draws",
    """
struct Four { unsigned int x, y, z, w; };
// The element's number is the upper half of the counter.
__device__ Four philox(L seed, L counter, L place) {
  unsigned int k0 = (unsigned int)seed, k1 = (unsigned int)((unsigned long long)seed >> 32);
  Four c = {(unsigned int)counter, (unsigned int)(counter >> 32), (unsigned int)place,
            (unsigned int)(place >> 32)};
  for (int round = 0; round < 10; round++) {
    unsigned long long low = 0xD2511F53ull * c.x, high = 0xCD9E8D57ull * c.z;
    Four next = {(unsigned int)(high >> 32) ^ c.y ^ k0, (unsigned int)high,
                 (unsigned int)(low >> 32) ^ c.w ^ k1, (unsigned int)low};
    c = next;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}
__device__ double middle(unsigned int x, unsigned int y) {  // of one of 2^53 intervals of (0, 1]
  return (double)(x ^ ((unsigned long long)y << 21)) * 1.1102230246251565e-16 +
         5.551115123125783e-17;
}
__device__ double unit(double, unsigned int x, unsigned int y) { return middle(x, y); }
__device__ float unit(float, unsigned int x, unsigned int) {
  return (float)x * 2.3283064365386963e-10f + 1.1641532182693481e-10f;
}
__device__ double angle(double, unsigned int, unsigned int z, unsigned int w) {
  return ((double)(z ^ ((unsigned long long)w << 21)) * 2.220446049250313e-16 +
          1.1102230246251565e-16) * 3.141592653589793;
}
__device__ float angle(float, unsigned int y, unsigned int, unsigned int) {
  return (float)y * 1.4629180792671596e-09f + 7.314590396335798e-10f;
}
extern "C" __global__ void uniform(T* out, L count, L seed, L counter) {
  EACH(i, count) {
    Four r = philox(seed, counter, i);
    out[i] = unit((T)0, r.x, r.y);
  }
}
extern "C" __global__ void normal(T* out, L count, L seed, L counter) {
  EACH(i, count) {
    Four r = philox(seed, counter, i);
    out[i] = sqrt(-2 * log(unit((T)0, r.x, r.y))) * sin(angle((T)0, r.y, r.z, r.w));
  }
}
extern "C" __global__ void words(unsigned long long* out, L count, L seed, L counter) {
  EACH(i, count) {
    Four r = philox(seed, counter, i);
    out[i] = r.x;
    out[count + i] = r.y;
    out[2 * count + i] = r.z;
    out[3 * count + i] = r.w;
  }
}
""",
    ("float32", "float64"),
)
_FLOAT = np.dtype("f4")


class CupyGenerator(PhiloxGenerator):
    """A stream of Philox numbers that are made where they are wanted."""

    def _drawn(self, name: str, n: int, dtype: Any, out: Any) -> Any:
        seed = self.initial_seed & 0xFFFFFFFFFFFFFFFF
        seed -= (seed >> 63) << 64  # the same bits as a signed integer
        counter = self.offset // 4
        self.offset += 4
        if n:
            like = out if out.dtype == dtype else cupy.empty(0, dtype)
            DRAWS.each(name, like, n, out, n, seed, counter)
        return out

    def _uniform(self, n: int, double: bool, index: int | None) -> Any:
        dtype = np.dtype("f8" if double else "f4")
        return self._drawn("uniform", n, dtype, self.backend.empty((n,), dtype, index))

    def _normal(self, n: int, double: bool, index: int | None) -> Any:
        dtype = np.dtype("f8" if double else "f4")
        return self._drawn("normal", n, dtype, self.backend.empty((n,), dtype, index))

    def _words(self, n: int, index: int | None) -> tuple[Any, ...]:
        out = self.backend.empty((4, n), np.dtype("u8"), index)
        self._drawn("words", n, _FLOAT, out)
        return out[0], out[1], out[2], out[3]

    def uniform_(self, x: Any, low: float, high: float) -> None:
        if x.dtype.kind != "V":
            super().uniform_(x, low, high)
            return
        # CuPy takes no scalars of bfloat16, with which the generic kernel would compare.
        values = self._uniform(x.size, False, self._at(x))
        if low != 0.0 or high != 1.0:
            values = values * np.float32(high - low) + np.float32(low)
        rounded = values.astype(x.dtype).astype("f4")
        first, end = (float(x.dtype.type(bound)) for bound in (low, high))
        self._store(x, cupy.where(rounded == end, np.float32(first), rounded))
