"""Steps of optimizers for parameters of 16 bits, compiled, which are rounded where PyTorch rounds.

See `OptimizerKernels._rounding`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_math import EXACT, compiled
from .numba_rounding import LOAD, STORE
from .sharing import share


def _adam_of(load: Any, store: Any) -> Any:
    @compiled(EXACT)
    def loop(  # type: ignore[no-untyped-def]
        start, stop, p, grad, m, v, decay, shrink, beta1, mix, beta2, take, bias, eps, rate,
        decays, shrinks, forgetful, maximize,
    ):  # fmt: skip
        p, grad, m, v = p[start:stop], grad[start:stop], m[start:stop], v[start:stop]
        for i in range(p.size):
            x, g, mean = load(p[i]), load(grad[i]), load(m[i])
            g = -g if maximize else g
            g = load(store(g + x * decay)) if decays else g
            x = load(store(x * shrink)) if shrinks else x
            off = g - mean
            first = store(g - off * beta1 if forgetful else mean + off * mix)
            second = store(load(store(load(v[i]) * beta2)) + g * g * take)
            root = load(store(load(store(np.sqrt(load(second)))) / bias))
            m[i], v[i] = first, second
            p[i] = store(x - load(first) * rate / load(store(root + eps)))

    return loop


def _sgd_of(load: Any, store: Any) -> Any:
    @compiled(EXACT)
    def loop(  # type: ignore[no-untyped-def]
        start, stop, p, grad, b, decay, momentum, take, ahead, rate,
        decays, keeps, first, nesterov, maximize,
    ):  # fmt: skip
        p, grad, b = p[start:stop], grad[start:stop], b[start:stop]
        for i in range(p.size):
            x, g = load(p[i]), load(grad[i])
            g = -g if maximize else g
            g = load(store(g + x * decay)) if decays else g
            if keeps:
                new = store(g if first else load(store(load(b[i]) * momentum)) + g * take)
                b[i] = new
                g = load(store(g + load(new) * ahead)) if nesterov else load(new)
            p[i] = store(x - g * rate)

    return loop


_ROUNDED = {
    kind: {"adam": _adam_of(LOAD[kind], STORE[kind]), "sgd": _sgd_of(LOAD[kind], STORE[kind])}
    for kind in LOAD
}


def rounded(name: str, arrays: Any, numbers: Any, choices: Any) -> None:
    """A step of ``adam`` or ``sgd`` on contiguous arrays of a type of 16 bits, in place."""
    p = arrays[0]
    bits = [x.reshape(-1).view(np.uint16) for x in arrays]
    numbers = [np.float32(x) for x in numbers]
    share(_ROUNDED[p.dtype.char][name], p.size, p.size, *bits, *numbers, *map(bool, choices))
