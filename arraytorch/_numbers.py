"""Arithmetic of sizes under the names that code written for tracing uses; here on plain numbers."""

from __future__ import annotations

from math import trunc
from typing import Any


def sym_int(a: Any) -> int:
    """Returns a number without its fraction.

    >>> torch.sym_int(-2.5)
    -2
    """
    return trunc(a)


def sym_float(a: Any) -> float:
    """Returns a number as a float.

    >>> torch.sym_float(2)
    2.0
    """
    return float(a)


def sym_not(a: Any) -> bool:
    """Returns whether a value is false.

    >>> torch.sym_not(True)
    False
    """
    return not a


def sym_max(a: Any, b: Any) -> Any:
    """Returns the larger of two numbers, a float if either is one.

    >>> torch.sym_max(3, 2.0)
    3.0
    """
    return _alike(max(a, b), a, b)


def sym_min(a: Any, b: Any) -> Any:
    """Returns the smaller of two numbers, a float if either is one.

    >>> torch.sym_min(3, 2)
    2
    """
    return _alike(min(a, b), a, b)


def _alike(chosen: Any, a: Any, b: Any) -> Any:
    return float(chosen) if isinstance(a, float) or isinstance(b, float) else chosen


def sym_sum(*args: Any) -> Any:
    """Returns the sum of numbers, or of those in one sequence.

    >>> torch.sym_sum([1, 2, 3])
    6
    """
    return sum(args[0] if len(args) == 1 and isinstance(args[0], (list, tuple)) else args)


def sym_ite(b: bool, t: Any, f: Any) -> Any:
    """Returns ``t`` if ``b`` is true and else ``f``, which must be of one type.

    >>> torch.sym_ite(True, 1, 2)
    1
    """
    if not isinstance(b, bool):
        raise AssertionError(f"expected bool, got {type(b)}")
    if type(t) is not type(f):
        raise AssertionError(f"type mismatch: {type(t)} vs {type(f)}")
    return t if b else f


class SymInt:
    """What ``isinstance`` asks for: a size that is not known yet. All are known: Python's integers."""

    def __init__(self, *args: Any) -> None:
        raise RuntimeError("nothing is symbolic here: sizes are Python's integers")


class SymFloat(SymInt):
    """What ``isinstance`` asks for: a number that is not known yet."""


class SymBool(SymInt):
    """What ``isinstance`` asks for: a truth value that is not known yet."""
