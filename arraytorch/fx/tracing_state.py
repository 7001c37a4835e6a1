"""Functions that tracing records as they are called, and does not look into: `wrap`."""

from __future__ import annotations

import builtins
from typing import Any

# By the dictionary of globals in which the name stands, and the name.
_names: dict[tuple[int, str], dict[str, Any]] = {}


def add(namespace: dict[str, Any], name: str) -> None:
    """Notes a name among the globals of a module."""
    _names[(id(namespace), name)] = namespace


def entries() -> list[tuple[dict[str, Any], str]]:
    """Returns all that were noted."""
    return [(namespace, name) for (_, name), namespace in _names.items()]


def is_wrapped(function: Any) -> bool:
    """Returns whether a function was noted under its own name."""
    builtin = getattr(builtins, getattr(function, "__name__", ""), None)
    return builtin is not function and any(ns.get(name) is function for ns, name in entries())
