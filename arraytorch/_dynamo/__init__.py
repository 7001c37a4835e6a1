"""What libraries say to PyTorch's compiler by its own name; there is none, and they run as they are."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..compiler import allow_in_graph, assume_constant_result, disable, reset
from ..compiler import is_compiling as is_compiling

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "disable",
    "graph_break",
    "is_compiling",
    "is_dynamo_supported",
    "mark_dynamic",
    "mark_static",
    "mark_static_address",
    "maybe_mark_dynamic",
    "reset",
]


def is_dynamo_supported() -> bool:
    """Returns False: nothing is compiled here."""
    return False


def graph_break(msg: str = "") -> None:
    """Ends a graph that is being compiled: there is none."""


def mark_dynamic(t: Any, index: Any, **hints: Any) -> None:
    """Tells the compiler that a dimension's size will vary: sizes may vary in any case."""


def maybe_mark_dynamic(t: Any, index: Any) -> None:
    """Tells the compiler that a dimension's size may vary: sizes may vary in any case."""


def mark_static(t: Any, index: Any = None) -> None:
    """Tells the compiler that a dimension's size will not vary, which nobody checks."""


def mark_static_address(t: Any, guard: bool = False) -> None:
    """Tells the compiler that a tensor will stay where it is, which nobody checks."""


def __getattr__(name: str) -> Any:
    # They need nn, which need not be loaded for the rest.
    if name in ("eval_frame", "OptimizedModule"):
        found = import_module(f"{__name__}.eval_frame")
        return found if name == "eval_frame" else found.OptimizedModule
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
