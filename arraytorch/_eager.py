"""What asks for compilation, and gets the function as it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

__all__ = ["compile", "say_once"]

_said: set[str] = set()


def say_once(name: str) -> None:
    """Warns, the first time that ``name`` is called, that nothing is compiled."""
    if name not in _said:
        _said.add(name)
        warnings.warn(
            f"{name}: arraytorch compiles nothing yet; it runs what it was given as it is.",
            stacklevel=3,
        )


def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    name: str | None = None,
    disable: bool = False,
    recompile_limit: int | None = None,
    isolate_recompiles: bool = False,
    shapes_spec: Any = None,
) -> Any:
    """Returns the function or module itself: it runs eagerly, as a warning says once.

    Without ``model`` it is a decorator. The options, which choose among ways to compile, choose
    nothing; giving both ``mode`` and ``options`` raises RuntimeError, as in PyTorch.

    >>> import warnings
    >>> warnings.simplefilter("ignore")
    >>> @torch.compile
    ... def double(x):
    ...     return x * 2
    >>> double(torch.ones(2))
    tensor([2., 2.])
    """
    if mode is not None and options is not None:
        raise RuntimeError(
            "Either mode or options can be specified, but both can't be specified at the same time."
        )
    if not disable:
        say_once("torch.compile")
    return _unchanged if model is None else model


def _unchanged(function: Any) -> Any:
    return function
