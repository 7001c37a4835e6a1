"""Derivatives of elementwise operations on large arrays: compiled, one pass where NumPy takes a handful.

Small gradients never come here, nor do any before a program has made a large array.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .compiled import kernels
from .sharing import alike

_array = np.ndarray


def derivative(g: Any, saved: Any, rules: Any) -> tuple[Any, Any, Any]:
    """A large gradient, what was kept for it, and the pullbacks, compiled ones where there are such."""
    pullbacks = rules.pullbacks
    if g.__class__ is _array and g.dtype.char == "f" and (own := kernels("slopes")) is not None:
        slopes = own.slopes_of(rules, saved)
        pullbacks = [partial(_pulled, *both) for both in zip(pullbacks, slopes)] or pullbacks
    return g, saved, pullbacks


def _pulled(pull: Any, slope: Any, backend: Any, g: Any, saved: Any) -> Any:
    """What a rule makes of a gradient, by its compiled form if that is for such arrays."""
    if slope is None:
        return pull(backend, g, saved)
    kernel, arrays, numbers = slope
    if not all(saved[i].__class__ is _array and saved[i].shape == g.shape for i in arrays):
        return pull(backend, g, saved)
    g = np.ascontiguousarray(g)  # that of a sum is one number, again and again
    given = [saved[i] for i in arrays]
    if not all(alike(s, g) for s in given):
        return pull(backend, g, saved)
    return kernel(g, *given, *[saved[i] for i in numbers])
