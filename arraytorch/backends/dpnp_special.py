"""The special functions of Intel devices: dpnp's few, some by formulas, the others on the host."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import dpnp
import dpnp.scipy.special as ours

Array = Any


class DpnpSpecial:
    """What has SciPy's names. What is neither here nor in dpnp, SciPy computes on the host."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend

    def __getattr__(self, name: str) -> Any:
        found = getattr(ours, name, None) or partial(self.on_host, name)
        self.__dict__[name] = found
        return found

    def on_host(self, name: str, *args: Any) -> Any:
        """SciPy's function of arrays that are copied there, and its results copied back."""
        import scipy.special

        where = next(a for a in args if isinstance(a, dpnp.ndarray))
        given = [dpnp.asnumpy(a) if isinstance(a, dpnp.ndarray) else a for a in args]
        found = getattr(scipy.special, name)(*given)
        several = isinstance(found, tuple)
        back = [
            dpnp.asarray(x, sycl_queue=where.sycl_queue) for x in (found if several else [found])
        ]
        return tuple(back) if several else back[0]

    def entr(self, x: Array) -> Array:
        inside = -x * dpnp.log(dpnp.where(x > 0, x, dpnp.ones_like(x)))
        return dpnp.where(x < 0, -dpnp.inf, dpnp.where(x == 0, 0, inside)).astype(x.dtype)

    def ndtr(self, x: Array) -> Array:
        return 0.5 * ours.erfc(x * -math.sqrt(0.5))

    def log_ndtr(self, x: Array) -> Array:
        """By erfcx where ndtr is small, by log1p where it is nearly 1."""
        t = x * -math.sqrt(0.5)
        low = dpnp.log(ours.erfcx(dpnp.maximum(t, 0)) * 0.5) - t * t
        high = dpnp.log1p(-0.5 * ours.erfc(-dpnp.minimum(t, 1)))
        return dpnp.where(x < -1, low, high)
