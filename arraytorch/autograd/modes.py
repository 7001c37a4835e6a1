"""Whether ops are recorded: a switch per thread and per task."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

# A ContextVar, not a thread-local: also right in asyncio tasks, and as fast to read (27 ns).
grad_enabled: ContextVar[bool] = ContextVar("grad_enabled", default=True)
# The dtypes of the autocast regions that code runs in, by type of device; `arraytorch.amp` sets it.
autocast_dtypes: ContextVar[Mapping[str, Any]] = ContextVar(
    "autocast_dtypes", default=MappingProxyType({})
)
inference: ContextVar[bool] = ContextVar("inference", default=False)


def is_grad_enabled() -> bool:
    """Returns whether ops on tensors that require gradients are recorded.

    >>> with torch.no_grad():
    ...     torch.is_grad_enabled()
    False
    """
    return grad_enabled.get()


def is_inference_mode_enabled() -> bool:
    """Returns whether inference mode is on.

    >>> torch.is_inference_mode_enabled()
    False
    """
    return inference.get()


class _Switch:
    """A context manager and decorator, reusable and re-entrant, for functions and generators."""

    def __init__(self) -> None:
        self._tokens: list[Any] = []

    def _fresh(self) -> _Switch:
        return self.__class__()

    def clone(self) -> _Switch:
        """Returns another switch to the same mode."""
        return self._fresh()

    def __exit__(self, *_: object) -> None:
        grad_enabled.reset(self._tokens.pop())

    def __call__(self, function: F) -> F:
        if inspect.isclass(function):
            function.__init__ = self(function.__init__)  # type: ignore[misc, method-assign]
            return function
        if inspect.isgeneratorfunction(function):
            return self._around_generator(function)  # type: ignore[return-value]

        @functools.wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with self._fresh():
                return function(*args, **kwargs)

        return switched  # type: ignore[return-value]

    def __enter__(self) -> None:
        raise TypeError(f"{self.__class__.__name__} sets no mode")

    def _around_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            # The mode holds while the generator runs and not while its caller does.
            generator = function(*args, **kwargs)
            advance = functools.partial(next, generator)
            try:
                while True:
                    with self._fresh():
                        value = advance()
                    try:
                        sent = yield value
                        advance = functools.partial(generator.send, sent)
                    except GeneratorExit:
                        with self._fresh():
                            generator.close()
                        raise
                    except BaseException as error:
                        advance = functools.partial(generator.throw, error)
            except StopIteration as stop:
                return stop.value

        return switched


class no_grad(_Switch):
    """Context manager and decorator under which nothing is recorded.

    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    def __new__(cls, orig_func: F | None = None) -> Any:
        self = super().__new__(cls)
        if orig_func is None:
            return self
        self.__init__()  # type: ignore[misc]
        return self(orig_func)

    def __init__(self, orig_func: Callable[..., Any] | None = None) -> None:
        super().__init__()

    def __enter__(self) -> None:
        self._tokens.append(grad_enabled.set(False))


class enable_grad(no_grad):
    """Context manager and decorator under which ops are recorded again, inside ``no_grad`` too.

    >>> with torch.no_grad(), torch.enable_grad():
    ...     torch.is_grad_enabled()
    True
    """

    def __enter__(self) -> None:
        self._tokens.append(grad_enabled.set(True))


class set_grad_enabled(_Switch):
    """Switches recording on or off: at once, and back at the end of a ``with`` block.

    >>> _ = torch.set_grad_enabled(False)
    >>> torch.is_grad_enabled()
    False
    >>> _ = torch.set_grad_enabled(True)
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.mode, self._before = mode, grad_enabled.get()
        grad_enabled.set(mode)

    def clone(self) -> set_grad_enabled:
        """Returns another one for the same mode, which it sets at once."""
        return set_grad_enabled(self.mode)

    _fresh = clone

    def __call__(self, function: F) -> F:
        grad_enabled.set(self._before)  # as a decorator it acts inside the function only
        return super().__call__(function)

    def __enter__(self) -> None:
        grad_enabled.set(self.mode)

    def __exit__(self, *_: object) -> None:
        grad_enabled.set(self._before)


class inference_mode(_Switch):
    """Context manager and decorator for code that never needs gradients.

    Like ``no_grad``; with ``mode=False`` like ``enable_grad``. Unlike in PyTorch, tensors made inside are ordinary ones, which may take
    part in recorded ops afterwards.

    >>> with torch.inference_mode():
    ...     torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    (False, True)
    """

    def __new__(cls, mode: bool | F = True) -> Any:
        self = super().__new__(cls)
        if callable(mode):
            self.__init__()  # type: ignore[misc]
            return self(mode)
        return self

    def __init__(self, mode: bool | Callable[..., Any] = True) -> None:
        super().__init__()
        self.mode = bool(mode)

    def clone(self) -> inference_mode:
        """Returns another one for the same mode."""
        return inference_mode(self.mode)

    _fresh = clone

    def __enter__(self) -> None:
        self._tokens.append((grad_enabled.set(not self.mode), inference.set(self.mode)))

    def __exit__(self, *_: object) -> None:
        grads, mode = self._tokens.pop()
        inference.reset(mode)
        grad_enabled.reset(grads)
