"""Which functions can be overridden, and what they are called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from .._tensor import Tensor
from ..ops import _intercept

# Where functions are that make tensors of none, which only modes override.
_CREATING = ("ops.creation", "ops.windows")
_DRAWING = {"normal", "rand", "randint", "randn", "randperm"}


def get_default_nowrap_functions() -> set[Callable[..., Any]]:
    """Returns the functions whose results the default ``__torch_function__`` leaves as they are.

    >>> torch.Tensor.grad.__get__ in torch.overrides.get_default_nowrap_functions()
    True
    """
    return _intercept.unwrapped()


@functools.cache
def _names() -> dict[Any, str]:
    """The names of all functions of the namespaces and of Tensor, overridable or not."""
    found: dict[Any, str] = {}
    for where in _intercept.NAMESPACES:
        module = _intercept.package(where)
        for name in dir(module):
            if name[0] != "_" and isinstance(value := getattr(module, name), FunctionType):
                # One of several names is the function's own.
                if value not in found or (
                    value.__name__ == name and not _is_own(found[value], value)
                ):
                    found[value] = ".".join(filter(None, ("torch", where, name)))
    for name, value in _intercept.methods():
        if isinstance(value, property):
            for used in ("__get__", "__set__", "__delete__"):
                found[getattr(value, used)] = f"torch.Tensor.{name}.{used}"
        else:
            found.setdefault(value, f"torch.Tensor.{name}")
    return found


def _is_own(name: str, function: Any) -> bool:
    return name.rpartition(".")[2] == function.__name__


def resolve_name(f: Any) -> str | None:
    """Returns the public name of a function, None if it has none.

    A function that is also a method, which is one object here, has the function's name.

    >>> torch.overrides.resolve_name(torch.linalg.inv)
    'torch.linalg.inv'
    >>> torch.overrides.resolve_name(torch.Tensor.shape.__get__)
    'torch.Tensor.shape.__get__'
    """
    return _names().get(f)


def is_tensor_method_or_property(func: Callable[..., Any]) -> bool:
    """Returns whether a function is a method of Tensor, or reads or sets a property of it.

    >>> torch.overrides.is_tensor_method_or_property(torch.Tensor.shape.__get__)
    True
    """
    return func in _of_tensor()


@functools.cache
def _of_tensor() -> set[Any]:
    return {
        accessor
        for _, value in _intercept.methods()
        for accessor in (
            (value.__get__, value.__set__, value.__delete__)
            if isinstance(value, property)
            else (value,)
        )
    }


def get_overridable_functions() -> dict[Any, list[Callable[..., Any]]]:
    """Returns the functions that can be overridden, by the namespace or class that they are in.

    >>> torch.add in torch.overrides.get_overridable_functions()[torch]
    True
    """
    found: dict[Any, list[Any]] = {}
    for where in _intercept.NAMESPACES:
        module = _intercept.package(where)
        homes = [getattr(module, name) for name in dir(module) if name[0] != "_"]
        found[module] = [f for f in homes if isinstance(f, FunctionType) and _overridable(f)]
    for name, value in _intercept.methods():
        if isinstance(value, property):
            found[value] = [value.__get__]
        elif name not in _intercept.NEVER:
            found.setdefault(Tensor, []).append(value)
    return found


def get_ignored_functions() -> set[Callable[..., Any]]:
    """Returns the public functions that no class of arguments overrides; modes override some.

    >>> torch.zeros in torch.overrides.get_ignored_functions()
    True
    """
    return {f for f in _names() if isinstance(f, FunctionType) and not _overridable(f)} | {
        Tensor.__new__,
        Tensor.as_subclass,
        Tensor.__torch_function__,
    }


def _overridable(function: Any) -> bool:
    targets = _intercept.targets()
    name, home = function.__name__, function.__module__.partition(".")[2]
    creates = home in _CREATING or name in _DRAWING or name in _intercept.FOR_MODES
    return not creates and _intercept.known(function) in targets


def get_testing_overrides() -> dict[Callable[..., Any], Callable[..., int]]:
    """Returns for each function that can be overridden another of its signature, which returns -1.

    >>> torch.overrides.get_testing_overrides()[torch.exp](torch.ones(2))
    -1
    """
    functions = {f for listed in get_overridable_functions().values() for f in listed}
    return {function: _override_of(function) for function in functions}


def _override_of(function: Any) -> Callable[..., int]:
    def override(*args: Any, **kwargs: Any) -> int:
        return -1

    if isinstance(function, FunctionType):
        override.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return override
