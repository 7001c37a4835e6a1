"""TorchScript's decorators, around functions that stay what they are."""

from typing import Final

from .eager import (
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
