"""NumPy's functions on tensors: what ``Tensor.__array_function__`` and ``__array_ufunc__`` do.

A function is looked up by its module and name, so that nothing here has to import NumPy. What has a
counterpart computes with arraytorch's operations, on the tensor's device and with gradients; the rest
is NumPy's own work on the memory of CPU tensors, and refused where a gradient would be lost.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ..autograd.tape import TensorBase
from ..backends import host
from ..ops._promote import is_number
from . import (
    arranging,
    filling,
    lacking,
    linear,
    numeric,
    queries,
    reductions,
    selecting,
    spectra,
    writing,
)
from .arguments import FUNCTIONS, Foreign
from .elementwise import UFUNCS
from .fallback import on_host
from .ufuncs import METHODS

__all__ = [
    "arranging", "call_function", "call_ufunc", "filling", "lacking", "linear", "numeric", "queries",
    "reductions", "selecting", "spectra", "writing",
]  # fmt: skip


def call_function(function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """Serves ``__array_function__`` (NEP 18)."""
    if not all(issubclass(t, (TensorBase, host.ndarray)) for t in types):
        return NotImplemented
    ours = FUNCTIONS.get(f"{function.__module__}.{function.__name__}")
    return _first(ours, function, function.__name__, args, kwargs)


def call_ufunc(ufunc: Any, method: str, inputs: Any, kwargs: Any) -> Any:
    """Serves ``__array_ufunc__`` (NEP 13)."""
    if not all(map(_is_known, (*inputs, *(kwargs.get("out") or ())))):
        return NotImplemented
    name = ufunc.__name__
    op = UFUNCS.get(host.home_of(ufunc) or "", {}).get(name)
    special = method == "__call__" and kwargs.keys() & {"signature", "axes", "keepdims"}
    ours = None if op is None or special else partial(METHODS[method], name, op)
    return _first(ours, getattr(ufunc, method), name, inputs, kwargs)


def _first(ours: Any, function: Any, name: str, args: Any, kwargs: Any) -> Any:
    """The counterpart's result; NumPy's if there is none, or none for these arguments."""
    try:
        result = NotImplemented if ours is None else ours(*args, **kwargs)
    except Foreign:
        result = NotImplemented
    return on_host(function, name, args, kwargs) if result is NotImplemented else result


def _is_known(x: Any) -> bool:
    """Whether an argument is one that converts to a tensor; others may know better."""
    if x is None or isinstance(x, (TensorBase, host.ndarray)) or is_number(x):
        return True
    return isinstance(x, (list, tuple)) or not hasattr(x, "__array_ufunc__")
