"""Steps of optimizers, compiled: one pass over memory where NumPy takes up to a dozen."""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_math import EXACT, compiled
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


@compiled(EXACT)
def _sgd(start, stop, p, grad, rate):  # type: ignore[no-untyped-def]
    p, grad = p[start:stop], grad[start:stop]
    for i in range(p.size):
        p[i] -= grad[i] * rate


def sgd(p: Any, grad: Any, rate: float) -> None:
    """Takes a step against the gradient."""
    share(_sgd, p.size, p.size, p.reshape(-1), grad.reshape(-1), p.dtype.type(rate))
