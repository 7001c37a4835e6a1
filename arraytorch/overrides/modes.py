"""Modes: objects that see every call of a public function while they are open."""

from __future__ import annotations

from typing import Any

from ..ops import _intercept


class TorchFunctionMode:
    """Handles, inside ``with``, all calls of public functions by its ``__torch_function__``.

    Unlike that of a tensor's class it sees functions without tensors too, such as `torch.zeros`. While
    it handles a call it is closed, so that what it calls goes to the modes outside of it.

    >>> class Names(torch.overrides.TorchFunctionMode):
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return func(*args, **(kwargs or {}))
    >>> with Names():
    ...     x = torch.zeros(2) + 1
    zeros
    add
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        raise NotImplementedError

    def __enter__(self) -> Any:
        _intercept.enter_mode(self)
        return self

    def __exit__(self, *_: object) -> None:
        _intercept.leave_mode()


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that calls each function as it was called.

    >>> with torch.overrides.BaseTorchFunctionMode():
    ...     torch.ones(2)
    tensor([1., 1.])
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return func(*args, **(kwargs or {}))
