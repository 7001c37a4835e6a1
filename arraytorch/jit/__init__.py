"""TorchScript's decorators, around functions that stay what they are."""

from importlib import import_module
from typing import Any, Final

from . import annotations as annotations
from .eager import (
    Error,
    ScriptWarning,
    TracerWarning,
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
    script_method,
    trace,
    trace_module,
    unused,
)
from .refinement import isinstance

__all__ = [
    "Error",
    "Final",
    "ScriptFunction",
    "ScriptModule",
    "ScriptWarning",
    "TracerWarning",
    "_overload",
    "_overload_method",
    "_script_if_tracing",
    "annotate",
    "export",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "isinstance",
    "script",
    "script_if_tracing",
    "script_method",
    "trace",
    "trace_module",
    "unused",
]


def __getattr__(name: str) -> Any:
    # These are modules, in a layer that what decorates functions has no need of.
    if name in ("ScriptModule", "ScriptFunction"):
        return getattr(import_module(f"{__name__}.modules"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
