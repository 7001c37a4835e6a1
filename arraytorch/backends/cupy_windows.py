"""Kernels for what meets its input in windows: columns for convolutions, and pools.

Up to three spatial dimensions, written as three. No kernel adds by atomics: where windows overlap,
a thread belongs to an element of the input and gathers from all windows that meet it.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .convolution import Convolution
from .cupy_source import Source, by_value

_FIELDS = ("spatial", "size", "out", "stride", "dilation", "before")
_WINDOW = np.dtype([(name, "i8", 3) for name in _FIELDS])

WINDOWS = Source(
    "windows",
    """
struct Window { L spatial[3], size[3], out[3], stride[3], dilation[3], before[3]; };
__device__ L area(const L* n) { return n[0] * n[1] * n[2]; }
__device__ void split(L i, const L* n, L* at) {
  at[2] = i % n[2];
  at[1] = i / n[2] % n[1];
  at[0] = i / n[2] / n[1];
}
// Where in the plane the tap t of the window o lies, or -1 if that is padding.
__device__ L met(const Window& w, const L* o, const L* t) {
  L place = 0;
  for (int d = 0; d < 3; d++) {
    L at = o[d] * w.stride[d] - w.before[d] + t[d] * w.dilation[d];
    if (at < 0 || at >= w.spatial[d]) return -1;
    place = place * w.spatial[d] + at;
  }
  return place;
}
// Which window meets the element at x by its tap t, or -1 if none does.
__device__ L meeting(const Window& w, const L* x, const L* t) {
  L place = 0;
  for (int d = 0; d < 3; d++) {
    L at = x[d] + w.before[d] - t[d] * w.dilation[d];
    if (at < 0 || at % w.stride[d] != 0 || at / w.stride[d] >= w.out[d]) return -1;
    place = place * w.out[d] + at / w.stride[d];
  }
  return place;
}
// cols (planes, taps, windows), or, if samples > 0, (channels, taps, samples, windows).
extern "C" __global__ void im2col(const T* x, T* cols, Window w, L planes, L samples) {
  L windows = area(w.out), taps = area(w.size), room = area(w.spatial);
  EACH(i, planes * taps * windows) {
    L o[3], t[3], plane, tap;
    if (samples > 0) {
      L rest = i / windows;
      tap = rest / samples % taps;
      plane = rest % samples * (planes / samples) + rest / samples / taps;
    } else {
      tap = i / windows % taps;
      plane = i / windows / taps;
    }
    split(i % windows, w.out, o);
    split(tap, w.size, t);
    L place = met(w, o, t);
    cols[i] = place < 0 ? (T)(A)0 : x[plane * room + place];
  }
}
extern "C" __global__ void col2im(const T* cols, T* x, Window w, L planes) {
  L windows = area(w.out), taps = area(w.size), room = area(w.spatial);
  EACH(i, planes * room) {
    L at[3], t[3];
    split(i % room, w.spatial, at);
    A sum = 0;
    for (L tap = 0; tap < taps; tap++) {
      split(tap, w.size, t);
      L o = meeting(w, at, t);
      if (o >= 0) sum += (A)cols[(i / room * taps + tap) * windows + o];
    }
    x[i] = (T)sum;
  }
}
__device__ void store(void* arg, L wide, L i, L tap) {
  if (wide) ((int*)arg)[i] = (int)tap; else ((unsigned char*)arg)[i] = (unsigned char)tap;
}
__device__ L stored(const void* arg, L wide, L i) {
  return wide ? ((const int*)arg)[i] : ((const unsigned char*)arg)[i];
}
// The first of equal maxima, but the last NaN.
extern "C" __global__ void max_pool(const T* x, T* out, void* arg, L wide, Window w, L planes) {
  L windows = area(w.out), taps = area(w.size), room = area(w.spatial);
  EACH(i, planes * windows) {
    L o[3], t[3], best = -1;
    A top = 0;
    split(i % windows, w.out, o);
    for (L tap = 0; tap < taps; tap++) {
      split(tap, w.size, t);
      L place = met(w, o, t);
      if (place < 0) continue;
      A v = (A)x[i / windows * room + place];
      if (best < 0 || v > top || is_nan(v)) {
        top = v;
        best = tap;
      }
    }
    out[i] = (T)top;
    if (arg) store(arg, wide, i, best);
  }
}
extern "C" __global__ void max_pool_input(const T* g, const void* arg, L wide, T* out, Window w,
                                          L planes) {
  L windows = area(w.out), taps = area(w.size), room = area(w.spatial);
  EACH(i, planes * room) {
    L at[3], t[3];
    split(i % room, w.spatial, at);
    A sum = 0;
    for (L tap = 0; tap < taps; tap++) {
      split(tap, w.size, t);
      L o = meeting(w, at, t);
      if (o < 0) continue;
      o += i / room * windows;
      if (stored(arg, wide, o) == tap) sum += (A)g[o];
    }
    out[i] = (T)sum;
  }
}
extern "C" __global__ void window_sum(const T* x, A* out, double by, Window w, L planes) {
  L windows = area(w.out), taps = area(w.size), room = area(w.spatial);
  EACH(i, planes * windows) {
    L o[3], t[3];
    A sum = 0;
    split(i % windows, w.out, o);
    for (L tap = 0; tap < taps; tap++) {
      split(tap, w.size, t);
      L place = met(w, o, t);
      if (place >= 0) sum += (A)x[i / windows * room + place];
    }
    out[i] = sum / (A)by;
  }
}
extern "C" __global__ void window_spread(const A* g, T* out, Window w, L planes) {
  L windows = area(w.out), taps = area(w.size), room = area(w.spatial);
  EACH(i, planes * room) {
    L at[3], t[3];
    split(i % room, w.spatial, at);
    A sum = 0;
    for (L tap = 0; tap < taps; tap++) {
      split(tap, w.size, t);
      L o = meeting(w, at, t);
      if (o >= 0) sum += g[i / room * windows + o];
    }
    out[i] = (T)sum;
  }
}
""",
)


@lru_cache(4096)
def _record(c: Convolution) -> Any:
    record = np.ones((), _WINDOW)
    record["before"] = 0
    n = len(c.size)
    for name in _FIELDS[:-1]:
        record[name][3 - n :] = getattr(c, name)
    record["before"][3 - n :] = [before for before, _ in c.padding]
    return record


def window(c: Convolution) -> Any:
    """The geometry as the kernels' argument."""
    return by_value(_record(c))


def fits(c: Convolution, *arrays: Any) -> bool:
    """Whether the kernels serve these arrays."""
    return len(c.size) <= 3 and prod(c.out) > 0 and WINDOWS.takes(*arrays)
