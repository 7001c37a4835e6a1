"""Optimizer steps on Intel devices: one kernel for each tensor, where the generic steps take a dozen."""

from __future__ import annotations

import math
from typing import Any

from .dpnp_programs import Kernel
from .generic import ArrayModuleBackend
from .optimizers import Flat

Array = Any

_ADAM = Kernel(
    "adam",
    "T* p, const T* grad, T* m, T* v, T* top, A beta1, A take, A keep, A rate, A bias, A eps, A decay,"
    "A shrink, int highest, int up",
    """
    A g = up ? -grad[i] : grad[i], w = p[i] * shrink;
    g += decay * w;
    A first = m[i], second = v[i] * keep + g * g * take;
    first = beta1 <= (A)0.5 ? g - (g - first) * beta1 : first + (g - first) * (1 - beta1);
    m[i] = first; v[i] = second;
    if (highest) { second = fmax((A)top[i], second); top[i] = second; }
    p[i] = w - rate * first / (sqrt(second) / bias + eps);
    """,
)
_SGD = Kernel(
    "sgd",
    "T* p, const T* grad, T* buffer, A rate, A momentum, A take, A decay, int moving, int first,"
    "int nesterov, int up",
    """
    A g = up ? -grad[i] : grad[i];
    g += decay * p[i];
    if (moving) {
        A b = first ? g : buffer[i] * momentum + g * take;
        buffer[i] = b;
        g = nesterov ? g + momentum * b : b;
    }
    p[i] -= rate * g;
    """,
)


class DpnpOptimizers(ArrayModuleBackend):
    """Adam's and SGD's steps; the others' are the generic ones."""

    launch: Any

    def adam_step(
        self, flat: Flat, params: list[Any], grads: list[Any], step: float, lr: float, beta1: float,
        beta2: float, eps: float, weight_decay: float, amsgrad: bool, decoupled: bool, maximize: bool,
    ) -> None:  # fmt: skip
        if not _plain(params, grads):
            return super().adam_step(flat, params, grads, step, lr, beta1, beta2, eps, weight_decay,
                                     amsgrad, decoupled, maximize)  # fmt: skip
        parts = flat.parts
        decay, shrink = (0, 1 - lr * weight_decay) if decoupled else (weight_decay, 1)
        numbers = (beta1, 1 - beta2, beta2, lr / (1 - beta1**step), math.sqrt(1 - beta2**step), eps,
                   decay, shrink, int(amsgrad), int(maximize))  # fmt: skip
        for i, (p, g) in enumerate(zip(params, grads)):
            m, v = parts["exp_avg"][i], parts["exp_avg_sq"][i]
            top = parts["max_exp_avg_sq"][i] if amsgrad else v
            if not self.launch(_ADAM, p.size, p, g, m, v, top, *numbers):
                # Decided by device and type, so that none of the tensors has been stepped.
                return super().adam_step(flat, params, grads, step, lr, beta1, beta2, eps,
                                         weight_decay, amsgrad, decoupled, maximize)  # fmt: skip
        return None

    def sgd_step(
        self, flat: Flat, params: list[Any], grads: list[Any], lr: float, momentum: float,
        dampening: float, weight_decay: float, nesterov: bool, maximize: bool, first: bool,
    ) -> None:  # fmt: skip
        rest = (lr, momentum, dampening, weight_decay, nesterov, maximize, first)
        if not _plain(params, grads):
            return super().sgd_step(flat, params, grads, *rest)
        numbers = (lr, momentum, 1 - dampening, weight_decay, int(momentum != 0), int(first),
                   int(nesterov), int(maximize))  # fmt: skip
        for i, (p, g) in enumerate(zip(params, grads)):
            buffer = flat.parts["momentum_buffer"][i] if momentum != 0 else p
            if not self.launch(_SGD, p.size, p, g, buffer, *numbers):
                return super().sgd_step(flat, params, grads, *rest)
        return None


def _plain(params: list[Any], grads: list[Any]) -> bool:
    """Whether all are contiguous and float32 or float64: what is narrower is rounded in between."""
    return all(
        p.dtype.kind == "f" and p.dtype.itemsize >= 4 and p.flags.c_contiguous
        and g.dtype is p.dtype and g.flags.c_contiguous
        for p, g in zip(params, grads)
    )  # fmt: skip
