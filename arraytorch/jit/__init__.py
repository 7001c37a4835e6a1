"""TorchScript's decorators, around functions that stay what they are."""

from importlib import import_module
from typing import Final

from . import annotations as annotations
from .eager import (
    _overload,
    _overload_method,
    _script_if_tracing,
    annotate,
    export,
    ignore,
    interface,
    is_scripting,
    is_tracing,
    script,
    script_if_tracing,
    trace,
    unused,
)

__all__ = [
    "Final",
    "_overload",
    "_overload_method",
    "_script_if_tracing",
    "annotate",
    "export",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "script",
    "script_if_tracing",
    "trace",
    "unused",
]


def __getattr__(name: str) -> object:
    if name in ("ScriptFunction", "ScriptModule"):  # they need nn, which need not be loaded
        return getattr(import_module(f"{__name__}.modules"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
