"""Hooks that every module's call or registration runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...utils.hooks import RemovableHandle
from . import _hooks as hooks
from ._hooks import Hookable, add_hook


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Has ``hook(module, args)`` called before the forward of every module.

    It runs before the module's own hooks and may return other arguments.
    """
    return _for_calls(add_hook(hooks.FORWARD_PRE, hook))


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Has ``hook(module, args, output)`` called after the forward of every module.

    With ``with_kwargs`` it is called as ``hook(module, args, kwargs, output)``; with
    ``always_call`` also when forward fails. What it returns, unless None, replaces the output.

    >>> from arraytorch.nn.modules.module import register_module_forward_hook
    >>> def show(module, args, output):
    ...     print(module)
    >>> with register_module_forward_hook(show):
    ...     _ = torch.nn.Sequential(torch.nn.ReLU())(torch.ones(1))
    ReLU()
    Sequential(
      (0): ReLU()
    )
    """
    flags = hooks.FORWARD_WITH_KWARGS, hooks.FORWARD_ALWAYS
    handle = add_hook(hooks.FORWARD, hook, False, *flags)
    if with_kwargs:
        hooks.FORWARD_WITH_KWARGS[handle.id] = True
    if always_call:
        hooks.FORWARD_ALWAYS[handle.id] = True
    return _for_calls(handle)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Has ``hook(module, grad_output)`` called when a module's output gradients are known."""
    return _for_calls(add_hook(hooks.BACKWARD_PRE, hook))


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Has ``hook(module, grad_input, grad_output)`` called when a module's gradients are known."""
    return _for_calls(add_hook(hooks.BACKWARD, hook))


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Has ``hook(module, name, buffer)`` called when a buffer is registered; it may replace it."""
    return add_hook(hooks.BUFFER_REGISTRATION, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Has ``hook(module, name, param)`` called when a parameter is registered.

    What it returns, unless None, is registered instead.
    """
    return add_hook(hooks.PARAMETER_REGISTRATION, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Has ``hook(module, name, submodule)`` called when a submodule is registered.

    What it returns, unless None, is registered instead.
    """
    return add_hook(hooks.MODULE_REGISTRATION, hook)


def _for_calls(handle: RemovableHandle) -> RemovableHandle:
    Hookable._hooked = True
    return handle
