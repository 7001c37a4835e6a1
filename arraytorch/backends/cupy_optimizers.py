"""Optimizer steps on CuPy arrays: one kernel for up to 64 tensors, however small they are.

The addresses of parameters and gradients go along with the call, by value, so that nothing is
copied to the device first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import cupy
import numpy as np

from .cupy_source import Source, by_value
from .optimizers import Flat, OptimizerKernels

MANY = 64  # tensors of one call

STEPS = Source(
    "steps",
    """
struct Tensors {
  T* param[64];
  const T* grad[64];
  L start[65];  // where in the state each begins, and where the last ends
};
__device__ int owner(const Tensors& t, L i, int count) {
  int low = 0, high = count - 1;
  while (low < high) {
    int middle = (low + high + 1) / 2;
    if (t.start[middle] <= i) low = middle; else high = middle - 1;
  }
  return low;
}
extern "C" __global__ void sgd(Tensors t, L count, T* buffer, double lr, double momentum,
                               double dampening, double decay, L nesterov, L maximize, L first) {
  L base = t.start[0];
  EACH(k, t.start[count] - base) {
    L i = base + k;
    int o = owner(t, i, count);
    L j = i - t.start[o];
    A p = (A)t.param[o][j], g = (A)t.grad[o][j];
    if (maximize) g = -g;
    if (decay != 0) g = narrow(g + p * narrow((A)decay));
    if (momentum != 0) {
      A b = first ? g : narrow((A)buffer[i] * (A)momentum) + g * narrow((A)(1 - dampening));
      buffer[i] = (T)b;
      b = narrow(b);
      g = nesterov ? narrow(g + b * narrow((A)momentum)) : b;
    }
    t.param[o][j] = (T)(p - g * narrow((A)lr));
  }
}
extern "C" __global__ void adam(Tensors t, L count, T* ms, T* vs, T* highest, double rate,
                                double bias, double beta1, double beta2, double eps, double decay,
                                double shrink, L maximize) {
  L base = t.start[0];
  EACH(k, t.start[count] - base) {
    L i = base + k;
    int o = owner(t, i, count);
    L j = i - t.start[o];
    A p = (A)t.param[o][j], g = (A)t.grad[o][j];
    if (maximize) g = -g;
    if (shrink != 1) p = narrow(p * (A)shrink);
    if (decay != 0) g = narrow(g + p * narrow((A)decay));
    A m = (A)ms[i];
    m = narrow(beta1 <= 0.5 ? g - (g - m) * (A)beta1 : m + (g - m) * (A)(1 - beta1));
    ms[i] = (T)m;
    A v = narrow((A)vs[i] * (A)beta2);
    v = narrow(v + g * g * (A)(1 - beta2));
    vs[i] = (T)v;
    if (highest) {
      A h = (A)highest[i];
      if (h > v || is_nan(h)) v = h;
      highest[i] = (T)v;
    }
    A below = narrow(narrow(narrow(sqrt(v)) / (A)bias) + narrow((A)eps));
    t.param[o][j] = (T)(p - m * (A)rate / below);
  }
}
""",
)
_TENSORS = np.dtype([("param", "u8", MANY), ("grad", "u8", MANY), ("start", "i8", MANY + 1)])


class CupyOptimizers(OptimizerKernels):
    """Steps of SGD and Adam as one kernel each."""

    def flats(
        self, shapes: Sequence[tuple[int, ...]], dtype: Any, names: Sequence[str]
    ) -> list[tuple[list[int], Flat]]:
        flat = self._flat(shapes, dtype, names)
        # The kernels need no scratch memory; `_chunks` makes it where they do not serve.
        flat.grad = flat.update = self.xp.empty(0, dtype=dtype)
        return [(list(range(len(shapes))), flat)]

    def _chunks(self, flat: Flat, params: list[Any], grads: list[Any]) -> Iterator[tuple[Any, ...]]:
        flat.grad, flat.update = self.xp.empty((2, sum(flat.sizes)), dtype=flat.dtype)
        flat.updates = flat.views(flat.update)
        yield from super()._chunks(flat, params, grads)
        flat.grad = flat.update = self.xp.empty(0, dtype=flat.dtype)
        flat.updates = []

    def sgd_step(
        self,
        flat: Flat,
        params: list[Any],
        grads: list[Any],
        lr: float,
        momentum: float,
        dampening: float,
        weight_decay: float,
        nesterov: bool,
        maximize: bool,
        first: bool,
    ) -> None:
        if not _fits(params):
            if momentum == 0 == weight_decay:
                flat.updates = [self.xp.empty(p.shape, p.dtype) for p in params]
            super().sgd_step(flat, params, grads, lr, momentum, dampening, weight_decay, nesterov,
                             maximize, first)  # fmt: skip
            return
        buffer = flat.state["momentum_buffer"] if momentum != 0 else 0
        for tensors, count, room, _keep in _tables(flat, params, grads):
            STEPS.each("sgd", params[0], room, by_value(tensors), count, buffer, float(lr), float(momentum),
                       float(dampening), float(weight_decay), int(nesterov), int(maximize),
                       int(first))  # fmt: skip

    def adam_step(
        self,
        flat: Flat,
        params: list[Any],
        grads: list[Any],
        step: float,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        amsgrad: bool,
        decoupled: bool,
        maximize: bool,
    ) -> None:
        if not _fits(params):
            super().adam_step(flat, params, grads, step, lr, beta1, beta2, eps, weight_decay,
                              amsgrad, decoupled, maximize)  # fmt: skip
            return
        state = flat.state
        highest = state["max_exp_avg_sq"] if amsgrad else 0
        for tensors, count, room, _keep in _tables(flat, params, grads):
            STEPS.each("adam", params[0], room, by_value(tensors), count, state["exp_avg"],
                       state["exp_avg_sq"], highest, lr / (1 - beta1**step),
                       math.sqrt(1 - beta2**step), float(beta1), float(beta2), float(eps),
                       0.0 if decoupled else float(weight_decay),
                       1 - lr * weight_decay if decoupled else 1.0, int(maximize))  # fmt: skip


def _fits(params: list[Any]) -> bool:
    """Whether the kernels serve: real floats without gaps."""
    return params[0].dtype.name in STEPS.types and all(p.flags.c_contiguous for p in params)


def _tables(flat: Flat, params: list[Any], grads: list[Any]) -> Iterator[tuple[Any, ...]]:
    """Yields for up to 64 tensors each their addresses, how many they are, and their elements.

    The gradients come along, to live until the kernel has been started.
    """
    grads = [cupy.ascontiguousarray(g) for g in grads]
    start = 0
    for first in range(0, len(params), MANY):
        some = slice(first, first + MANY)
        table = np.zeros((), _TENSORS)
        count = len(params[some])
        table["param"][:count] = [p.data.ptr for p in params[some]]
        table["grad"][:count] = [g.data.ptr for g in grads[some]]
        table["start"][0] = start
        table["start"][1 : count + 1] = start + np.cumsum(flat.sizes[some])
        end = int(table["start"][count])
        yield table, count, end - start, grads
        start = end
