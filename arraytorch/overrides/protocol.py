"""The protocol for functions that are written in Python elsewhere, and want to be overridden too."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from .._tensor import Tensor
from ..ops import _intercept

F = TypeVar("F", bound=Callable[..., Any])


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Returns whether an argument, or an open mode, overrides functions.

    >>> torch.overrides.has_torch_function((torch.ones(2), 1))
    False
    """
    if _intercept.modes.get():
        return True
    return not _intercept.subclasses_ignored.get() and bool(_found(relevant_args))


def has_torch_function_unary(obj: Any) -> bool:
    """Returns `has_torch_function` of one argument."""
    return has_torch_function((obj,))


def has_torch_function_variadic(*args: Any) -> bool:
    """Returns `has_torch_function` of the arguments given."""
    return has_torch_function(args)


def _found(relevant_args: Iterable[Any]) -> list[Any]:
    found = _intercept.overriding([a for a in relevant_args if not isinstance(a, (list, tuple))])
    for value in found:
        _intercept.notice(type(value))  # so that the public functions ask for it too
    return found


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """Has those who override handle a call of ``public_api`` with ``args`` and ``kwargs``.

    They are found among ``relevant_args``. TypeError if all of them return NotImplemented.

    >>> class Always42:
    ...     @classmethod
    ...     def __torch_function__(cls, func, types, args=(), kwargs=None):
    ...         return 42
    >>> def mine(x):
    ...     if torch.overrides.has_torch_function((x,)):
    ...         return torch.overrides.handle_torch_function(mine, (x,), x)
    ...     return x + 1
    >>> mine(1), mine(Always42())
    (2, 42)
    """
    found = [] if _intercept.subclasses_ignored.get() else _found(relevant_args)
    result = _intercept.dispatch(public_api, found, args, kwargs)
    if result is not NotImplemented:
        return result
    name = f"{public_api.__module__}.{public_api.__name__}"
    types = [type(value) for value in found]
    message = (
        f"no implementation found for '{name}' on types that implement __torch_function__: {types}"
    )
    if stack := _intercept.modes.get():
        message += f" nor in mode {stack[-1]}"
    raise TypeError(message)


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[[F], F]:
    """Makes a function of one's own overridable; ``dispatcher`` returns the arguments to ask.

    >>> @torch.overrides.wrap_torch_function(lambda a: (a,))
    ... def doubled(a):
    ...     return a + a
    >>> doubled(torch.ones(2))
    tensor([2., 2.])
    """

    def around(function: F) -> F:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]

    return around


def is_tensor_like(inp: Any) -> bool:
    """Returns whether an object is a tensor, or of a class with ``__torch_function__``.

    >>> torch.overrides.is_tensor_like(torch.ones(2)), torch.overrides.is_tensor_like([1.0])
    (True, False)
    """
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")
