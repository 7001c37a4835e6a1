"""Gradients of large arrays of float16 and bfloat16: rules of elementwise operations in float32, by blocks."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from . import pulling
from .halves import MAPS, SINGLE, blocks, is_half


def derivative(backend: Any, g: Any, saved: Any, rules: Any) -> tuple[Any, Any, Any]:
    """A gradient, what was kept for it, and the pullbacks, so that a large one is pulled in float32.

    Rules that keep nothing but shapes and indices move numbers, and get them as they are.
    """
    if g.__class__ is not np.ndarray or not is_half(g):
        return pulling.derivative(g, saved, rules)
    if rules.name.strip("_") + "_backward" in MAPS:  # one kernel, which does that by itself
        return g, saved, rules.pullbacks
    halves = [s for s in saved if s.__class__ is np.ndarray and is_half(s)]
    if not halves and not any(s.__class__ is float for s in saved):
        return g, saved, rules.pullbacks
    if rules.elementwise and all(
        s.shape == g.shape and s.flags.c_contiguous and s.dtype is g.dtype
        for s in (g, *[s for s in saved if s.__class__ is np.ndarray])
    ):
        pulls = zip(rules.pullbacks, rules.wants, strict=True)
        one = backend.mul if rules.name in _PRODUCTS else None
        return g, saved, [partial(_pulled, pull, one, rules.saved, wants) for pull, wants in pulls]
    cast = backend.cast
    wide = [cast(s, SINGLE) if s.__class__ is np.ndarray and is_half(s) else s for s in saved]
    return cast(g, SINGLE), wide, rules.pullbacks


_PRODUCTS = frozenset({"mul", "exp"})  # whose gradients are g times what they want


def _pulled(
    pull: Any, product: Any, names: Any, wants: Any, backend: Any, g: Any, saved: Any
) -> Any:
    """What an elementwise rule makes of a gradient and of what it wants, block by block."""
    places = [i for i, n in enumerate(names) if n in wants and saved[i].__class__ is np.ndarray]
    if not places and not any(n in wants for n in names):
        return pull(backend, g, saved)
    if product is not None and len(places) == 1:
        return product(g, saved[places[0]])

    def kernel(g: Any, *pieces: Any) -> Any:
        values = list(saved)
        for i, piece in zip(places, pieces, strict=True):
            values[i] = piece
        z = pull(backend, g, values)
        alike = z.dtype is SINGLE and z.shape == g.shape
        return z if alike else np.broadcast_to(z, g.shape).astype(SINGLE)

    return blocks(kernel, (g, *[saved[i] for i in places]), (), None, None)
