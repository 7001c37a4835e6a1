"""Steps of optimizers, compiled: one pass over memory where NumPy takes up to a dozen."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .numba_math import EXACT, compiled, helper
from .sharing import share


@compiled(EXACT)
def _adam(  # type: ignore[no-untyped-def]
    start, stop, grad, m, v, u, mix, take, keep, scale, eps, rate, forgetful
):
    grad, m, v, u = grad[start:stop], m[start:stop], v[start:stop], u[start:stop]
    for i in range(u.size):
        g = grad[i]
        change = (g - m[i]) * mix
        mean = g - change if forgetful else m[i] + change
        square = v[i] * keep + g * g * take
        m[i] = mean
        v[i] = square
        u[i] = mean / (np.sqrt(square) * scale + eps) * rate


def adam(grad: Any, m: Any, v: Any, u: Any, numbers: Any, forgetful: bool) -> None:
    """Updates the moments m and v, and leaves in u what is to be subtracted."""
    share(_adam, u.size, u.size, grad, m, v, u, *[u.dtype.type(x) for x in numbers], forgetful)


# Steps of one element: of a parameter, its gradient, what is kept of it, and numbers; new values but the gradient's.


@helper
def _sgd(p, g, rate):  # type: ignore[no-untyped-def]
    return (p - g * rate,)


@helper
def _momentum(p, g, b, keep, take, decay, rate):  # type: ignore[no-untyped-def]
    b = b * keep + (g + p * decay) * take
    return p - b * rate, b


@helper
def _nesterov(p, g, b, keep, take, decay, rate):  # type: ignore[no-untyped-def]
    change = g + p * decay
    b = b * keep + change * take
    return p - (change + b * keep) * rate, b


@helper
def _adagrad(p, g, total, eps, rate):  # type: ignore[no-untyped-def]
    total += g * g
    return p - g / (np.sqrt(total) + eps) * rate, total


@helper
def _adadelta(p, g, v, d, keep, take, eps, rate):  # type: ignore[no-untyped-def]
    v = v * keep + g * g * take
    change = np.sqrt(d + eps) / np.sqrt(v + eps) * g
    return p - change * rate, v, d * keep + change * change * take


@helper
def _adamax(p, g, m, u, keep, take, decay, eps, rate):  # type: ignore[no-untyped-def]
    m = m * keep + g * take
    old, new = u * decay, abs(g) + eps
    u = old if old > new or old != old else new
    return p - m / u * rate, m, u


@helper
def _nadam(p, g, m, v, keep, take, decay, rest, share, eps, of_g, of_m):  # type: ignore[no-untyped-def]
    m = m * keep + g * take
    v = v * decay + g * g * rest
    spread = np.sqrt(v / share) + eps
    return p - g / spread * of_g - m / spread * of_m, m, v


@helper
def _rmsprop(p, g, v, keep, take, eps, rate):  # type: ignore[no-untyped-def]
    v = v * keep + g * g * take
    return p - g / (np.sqrt(v) + eps) * rate, v


@helper
def _rmsprop_momentum(p, g, v, b, keep, take, eps, rate, again):  # type: ignore[no-untyped-def]
    v = v * keep + g * g * take
    b = b * again + g / (np.sqrt(v) + eps)
    return p - b * rate, v, b


@helper
def _centered(p, g, v, m, keep, take, eps, rate):  # type: ignore[no-untyped-def]
    v, m = v * keep + g * g * take, m * keep + g * take
    return p - g / (np.sqrt(v - m * m) + eps) * rate, v, m


@helper
def _centered_momentum(p, g, v, m, b, keep, take, eps, rate, again):  # type: ignore[no-untyped-def]
    v, m = v * keep + g * g * take, m * keep + g * take
    b = b * again + g / (np.sqrt(v - m * m) + eps)
    return p - b * rate, v, m, b


def _of_none(step: Any) -> Any:
    @compiled(EXACT)
    def loop(start, stop, p, g, numbers):  # type: ignore[no-untyped-def]
        p, g = p[start:stop], g[start:stop]
        for i in range(p.size):
            (p[i],) = step(p[i], g[i], *numbers)

    return loop


def _of_one(step: Any) -> Any:
    @compiled(EXACT)
    def loop(start, stop, p, g, a, numbers):  # type: ignore[no-untyped-def]
        p, g, a = p[start:stop], g[start:stop], a[start:stop]
        for i in range(p.size):
            p[i], a[i] = step(p[i], g[i], a[i], *numbers)

    return loop


def _of_two(step: Any) -> Any:
    @compiled(EXACT)
    def loop(start, stop, p, g, a, b, numbers):  # type: ignore[no-untyped-def]
        p, g, a, b = p[start:stop], g[start:stop], a[start:stop], b[start:stop]
        for i in range(p.size):
            p[i], a[i], b[i] = step(p[i], g[i], a[i], b[i], *numbers)

    return loop


def _of_three(step: Any) -> Any:
    @compiled(EXACT)
    def loop(start, stop, p, g, a, b, c, numbers):  # type: ignore[no-untyped-def]
        p, g, a, b, c = p[start:stop], g[start:stop], a[start:stop], b[start:stop], c[start:stop]
        for i in range(p.size):
            p[i], a[i], b[i], c[i] = step(p[i], g[i], a[i], b[i], c[i], *numbers)

    return loop


_STEPS = {
    "sgd": (_of_none, _sgd), "momentum": (_of_one, _momentum), "nesterov": (_of_one, _nesterov),
    "adagrad": (_of_one, _adagrad), "adadelta": (_of_two, _adadelta), "adamax": (_of_two, _adamax),
    "nadam": (_of_two, _nadam), "rmsprop": (_of_one, _rmsprop),
    "rmsprop_momentum": (_of_two, _rmsprop_momentum), "centered": (_of_two, _centered),
    "centered_momentum": (_of_three, _centered_momentum),
}  # fmt: skip


@lru_cache(32)
def _loop(name: str) -> Any:
    around, step = _STEPS[name]
    return around(step)


def step(name: str, arrays: Any, numbers: Any) -> None:
    """Takes a step: of contiguous arrays, the parameter, its gradient, and what is kept of it."""
    p = arrays[0]
    flat = [x.reshape(-1) for x in arrays]
    share(_loop(name), p.size, p.size, *flat, tuple([p.dtype.type(v) for v in numbers]))
