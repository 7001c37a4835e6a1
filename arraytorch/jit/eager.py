"""Scripting and tracing that return what they were given."""

from __future__ import annotations

from typing import Any

from .._eager import say_once


def script(
    obj: Any,
    optimize: None = None,
    _frames_up: int = 0,
    _rcb: Any = None,
    example_inputs: Any = None,
) -> Any:
    """Returns the function, class or module itself: it runs eagerly, as a warning says once.

    >>> import warnings
    >>> warnings.simplefilter("ignore")
    >>> @torch.jit.script
    ... def double(x):
    ...     return x * 2
    >>> double(torch.ones(2))
    tensor([2., 2.])
    """
    say_once("torch.jit.script")
    return obj


def trace(
    func: Any,
    example_inputs: Any = None,
    optimize: None = None,
    check_trace: bool = True,
    check_inputs: Any = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
    _force_outplace: bool = False,
    _module_class: Any = None,
    _compilation_unit: Any = None,
    example_kwarg_inputs: Any = None,
    _store_inputs: bool = True,
) -> Any:
    """Returns the function or module itself: it runs eagerly, as a warning says once.

    What PyTorch would freeze at the values of ``example_inputs`` stays a decision of each call.
    """
    say_once("torch.jit.trace")
    return func


def trace_module(mod: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    """Returns the module itself; see `trace`."""
    say_once("torch.jit.trace_module")
    return mod


def script_method(fn: Any) -> Any:
    """Returns the method."""
    return fn


class Error(RuntimeError):
    """What scripted code raises; nothing does."""


class ScriptWarning(Warning):
    """What scripting warns of; nothing does."""


class TracerWarning(Warning):
    """What tracing warns of; nothing does."""


def script_if_tracing(fn: Any) -> Any:
    """Returns the function: nothing is traced."""
    return fn


# Names that libraries use.
_script_if_tracing = script_if_tracing


def _overload(fn: Any) -> Any:
    """Returns the function: Python calls the last one of a name."""
    return fn


_overload_method = _overload


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Returns the function that it decorates, with or without options."""
    return drop if callable(drop) else _unchanged


def unused(fn: Any) -> Any:
    """Returns the function."""
    return fn


def export(fn: Any) -> Any:
    """Returns the function."""
    return fn


def interface(obj: Any) -> Any:
    """Returns the class."""
    return obj


def annotate(the_type: Any, the_value: Any) -> Any:
    """Returns the value.

    >>> torch.jit.annotate(list[int], [])
    []
    """
    return the_value


def is_scripting() -> bool:
    """Returns False: nothing is scripted.

    >>> torch.jit.is_scripting()
    False
    """
    return False


def is_tracing() -> bool:
    """Returns False: nothing is traced."""
    return False


def _unchanged(function: Any) -> Any:
    return function
