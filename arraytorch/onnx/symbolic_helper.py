"""What functions that write operations in ONNX say about their arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["parse_args"]


def parse_args(*arg_descriptors: str) -> Callable[[F], F]:
    """Notes on a function, for an exporter, what kinds of arguments it takes; a decorator."""

    def noted(function: F) -> F:
        function._arg_descriptors = arg_descriptors  # type: ignore[attr-defined]
        return function

    return noted
