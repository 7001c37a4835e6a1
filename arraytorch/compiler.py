"""What programs say to a compiler, which is not there: they run as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._eager import compile

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
]


def is_compiling() -> bool:
    """Returns False: nothing is being compiled.

    >>> torch.compiler.is_compiling()
    False
    """
    return False


def is_dynamo_compiling() -> bool:
    """Returns False: nothing is being compiled."""
    return False


def is_exporting() -> bool:
    """Returns False: nothing is being exported."""
    return False


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Returns the function, which is not compiled; without one, a decorator that does so."""
    return (lambda function: function) if fn is None else fn


def allow_in_graph(fn: Any) -> Any:
    """Returns the function, or the functions."""
    return fn


def assume_constant_result(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the function, which is called each time."""
    return fn


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """Returns the names of the compilers that there are: none.

    >>> torch.compiler.list_backends()
    []
    """
    return []


def reset() -> None:
    """Forgets what was compiled: nothing was."""


def cudagraph_mark_step_begin() -> None:
    """Tells the compiler's CUDA graphs that a new step begins: it records none."""
