"""Hooks on the calls of modules: how they are registered, and a call that runs them."""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..._tensor import Tensor
from ...autograd.tape import Rules, taped_many, wrap
from ...ops.creation import zeros
from ...utils.hooks import RemovableHandle

if TYPE_CHECKING:
    from .module import Module

Hooks = OrderedDict[int, Callable[..., Any]]
Flags = OrderedDict[int, bool]

FORWARD_PRE: Hooks = OrderedDict()
FORWARD: Hooks = OrderedDict()
FORWARD_WITH_KWARGS: Flags = OrderedDict()
FORWARD_ALWAYS: Flags = OrderedDict()
BACKWARD_PRE: Hooks = OrderedDict()
BACKWARD: Hooks = OrderedDict()
BUFFER_REGISTRATION: Hooks = OrderedDict()
PARAMETER_REGISTRATION: Hooks = OrderedDict()
MODULE_REGISTRATION: Hooks = OrderedDict()


class Hookable:
    """The hooks of one module; ``Module`` adds the rest."""

    # True from a registration on, until a call finds no hooks any more. One attribute to test
    # costs 0.1 us less per call than asking eight dicts. Global hooks set it on this class.
    _hooked = False

    _forward_pre_hooks: Hooks
    _forward_pre_hooks_with_kwargs: Flags
    _forward_hooks: Hooks
    _forward_hooks_with_kwargs: Flags
    _forward_hooks_always_called: Flags
    _backward_pre_hooks: Hooks
    _backward_hooks: Hooks
    _is_full_backward_hook: bool | None

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Has ``hook(module, args)`` called before each ``forward``.

        It may return the arguments to use instead: a value or a tuple. With ``with_kwargs`` it is
        called as ``hook(module, args, kwargs)`` and returns None or a pair (args, kwargs).

        >>> layer = torch.nn.Identity()
        >>> handle = layer.register_forward_pre_hook(lambda module, args: args[0] * 2)
        >>> layer(torch.ones(2))
        tensor([2., 2.])
        """
        flags = self._forward_pre_hooks_with_kwargs
        handle = add_hook(self._forward_pre_hooks, hook, prepend, flags)
        if with_kwargs:
            flags[handle.id] = True
        self._hooked = True
        return handle

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Has ``hook(module, args, output)`` called after each ``forward``.

        What it returns, unless None, replaces the output. With ``with_kwargs`` it is called as
        ``hook(module, args, kwargs, output)``; with ``always_call`` also when forward fails.

        >>> layer = torch.nn.Identity()
        >>> handle = layer.register_forward_hook(lambda module, args, output: output + 1)
        >>> layer(torch.ones(2))
        tensor([2., 2.])
        """
        flags = self._forward_hooks_with_kwargs, self._forward_hooks_always_called
        handle = add_hook(self._forward_hooks, hook, prepend, *flags)
        if with_kwargs:
            self._forward_hooks_with_kwargs[handle.id] = True
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        self._hooked = True
        return handle

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Has ``hook(module, grad_input, grad_output)`` called when the last operation is pulled back.

        ``grad_input`` are the gradients of that operation's inputs, not the module's, unless it is
        the only one: this is PyTorch's old hook. `register_full_backward_hook` has the module's.
        """
        self._choose_backward_hooks(full=False)
        handle = add_hook(self._backward_hooks, hook)
        self._hooked = True
        return handle

    def _choose_backward_hooks(self, full: bool) -> None:
        if self._is_full_backward_hook is not None and self._is_full_backward_hook is not full:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. "
                "Please use only one of them."
            )
        self._is_full_backward_hook = full

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Has ``hook(module, grad_output)`` called when the gradients of the outputs are known.

        ``grad_output`` is a tuple; what the hook returns, unless None, replaces it.
        """
        handle = add_hook(self._backward_pre_hooks, hook, prepend)
        self._hooked = True
        return handle

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Has ``hook(module, grad_input, grad_output)`` called when both gradients are known.

        Both are tuples, with None for what is no tensor; only positional arguments count as
        inputs. What the hook returns, unless None, replaces ``grad_input``.

        >>> layer = torch.nn.Linear(2, 1)
        >>> def show(module, grad_input, grad_output):
        ...     print(grad_output)
        >>> handle = layer.register_full_backward_hook(show)
        >>> layer(torch.ones(1, 2, requires_grad=True)).sum().backward()
        (tensor([[1.]]),)
        """
        self._choose_backward_hooks(full=True)
        handle = add_hook(self._backward_hooks, hook, prepend)
        self._hooked = True
        return handle


def add_hook(
    hooks: Hooks, hook: Callable[..., Any], prepend: bool = False, *flags: Flags
) -> RemovableHandle:
    """Puts ``hook`` last or, with ``prepend``, first; removal also takes it out of ``flags``."""
    handle = RemovableHandle(hooks, extra_dict=list(flags))
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Calls ``module.forward`` with all hooks around it: the global ones first, then its own."""
    result = watch = None
    ran: set[int] = set()
    _rest(module)
    try:
        args, kwargs = _run_pre_hooks(module, args, kwargs)
        before = [*BACKWARD_PRE.values(), *module._backward_pre_hooks.values()]
        old = module._is_full_backward_hook is False
        after = [*BACKWARD.values(), *(() if old else module._backward_hooks.values())]
        if before or after:
            watch = _BackwardWatch(module, before, after)
            args = watch.inputs(args)
        result = module.forward(*args, **kwargs)
        for key, hook, with_kwargs, _ in _forward_hooks(module):
            ran.add(key)
            new = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
            if new is not None:
                result = new
        result = result if watch is None else watch.outputs(result)
        if old and module._backward_hooks:
            _hook_last_node(module, result)
        return result
    except Exception:
        _run_always_hooks(module, args, kwargs, result, ran)
        raise


def _hook_last_node(module: Module, result: Any) -> None:
    """Attaches the old kind of backward hooks to the node of the first tensor of a result."""
    while not isinstance(result, Tensor):
        if isinstance(result, dict):
            result = next(value for value in result.values() if isinstance(value, Tensor))
        else:
            result = result[0]
    if result.grad_fn is not None:
        for hook in module._backward_hooks.values():
            result.grad_fn.register_hook(functools.partial(hook, module))


def _rest(module: Module) -> None:
    """Lets later calls take the short way if the hooks are gone."""
    if not (FORWARD_PRE or FORWARD or BACKWARD_PRE or BACKWARD):
        Hookable._hooked = False
        # Another thread may have registered one between the test and now; so below.
        Hookable._hooked = bool(FORWARD_PRE or FORWARD or BACKWARD_PRE or BACKWARD)
    if "_hooked" in module.__dict__ and not _own_hooks(module):
        module.__dict__.pop("_hooked", None)
        if _own_hooks(module):
            module._hooked = True


def _own_hooks(module: Module) -> bool:
    return bool(
        module._forward_pre_hooks
        or module._forward_hooks
        or module._backward_pre_hooks
        or module._backward_hooks
    )


def _run_pre_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with_kwargs = module._forward_pre_hooks_with_kwargs
    for key, hook in (*FORWARD_PRE.items(), *module._forward_pre_hooks.items()):
        if key in with_kwargs:
            new = hook(module, args, kwargs)
            if new is not None:
                if not (isinstance(new, tuple) and len(new) == 2):
                    raise RuntimeError(
                        "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                        f"but got {new}."
                    )
                args, kwargs = new
        else:
            new = hook(module, args)
            if new is not None:
                args = new if isinstance(new, tuple) else (new,)
    return args, kwargs


def _forward_hooks(module: Module) -> Iterator[tuple[int, Callable[..., Any], bool, bool]]:
    for key, hook in list(FORWARD.items()):
        yield key, hook, key in FORWARD_WITH_KWARGS, key in FORWARD_ALWAYS
    own_kwargs, own_always = module._forward_hooks_with_kwargs, module._forward_hooks_always_called
    for key, hook in list(module._forward_hooks.items()):
        yield key, hook, key in own_kwargs, key in own_always


def _run_always_hooks(
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, ran: set[int]
) -> None:
    """After a failure: the hooks that asked to be called anyway and have not been yet."""
    for key, hook, with_kwargs, always in _forward_hooks(module):
        if not always or key in ran:
            continue
        try:
            new = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
        except Exception as error:
            owner = "global module" if key in FORWARD else "module"
            warnings.warn(
                f"{owner} forward hook with ``always_call=True`` raised an exception that was "
                f"silenced as another error was raised in forward: {error}",
                stacklevel=4,
            )
        else:
            result = result if new is None else new


class _Identity:
    """The identity on several tensors, whose gradients go through a function on their way back."""

    rules = Rules(
        "backward_hook",
        saves=("pull",),
        joint=lambda B, g, needs, pull: pull(g),
        backward_name="BackwardHookFunctionBackward",
    )


class _BackwardWatch:
    """One call of a module whose backward hooks wait for the gradients at its two ends."""

    def __init__(self, module: Module, before: list[Any], after: list[Any]) -> None:
        self.module, self.before, self.after = module, before, after
        self.grad_outputs: tuple[Any, ...] | None = None
        self.input_count = 0
        self.inputs_wait = False

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.input_count = len(args)
        args, self.inputs_wait = _through_identity(self._pull_inputs, args)
        return args

    def outputs(self, result: Any) -> Any:
        values = result if isinstance(result, tuple) else (result,)
        if not any(isinstance(v, Tensor) for v in values):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of "
                f"Tensors but received {type(result)}",
                stacklevel=4,
            )
            return result
        values, _ = _through_identity(self._pull_outputs, values)
        return values if isinstance(result, tuple) else values[0]

    def _pull_outputs(self, full: tuple[Any, ...], zero: Callable[[int], Tensor]) -> Any:
        for hook in self.before:
            full = _replaced(hook(self.module, full), full, "Backward pre hook", "grad_output")
        self.grad_outputs = full
        if self.after and not self.inputs_wait:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module "
                "outputs since no inputs require gradients.",
                stacklevel=2,
            )
            nothing = (None,) * self.input_count
            for hook in self.after:
                if hook(self.module, nothing, full) is not None:
                    raise RuntimeError(
                        "backward hook on Modules where no input requires gradient should always "
                        "return None or None for all gradients."
                    )
        return full

    def _pull_inputs(self, full: tuple[Any, ...], zero: Callable[[int], Tensor]) -> Any:
        if self.grad_outputs is None:  # only a part of the module was differentiated
            return full
        full = tuple(zero(i) if g is None else g for i, g in enumerate(full))
        for hook in self.after:
            new = hook(self.module, full, self.grad_outputs)
            full = _replaced(new, full, "Backward hook", "grad_input")
        self.grad_outputs = None
        return full


def _through_identity(
    told: Callable[..., Any], values: tuple[Any, ...]
) -> tuple[tuple[Any, ...], bool]:
    """Sends the tensors among ``values`` through ``_Identity`` if one of them needs a gradient.

    In the backward pass ``told`` gets the gradients in the places of the values, None for those
    that are no tensors or that nobody used, and returns what is to be passed on.
    """
    places = [i for i, v in enumerate(values) if isinstance(v, Tensor)]
    tensors = tuple(values[i] for i in places)
    needs = [t.requires_grad for t in tensors]
    kinds = {i: (t.shape, t.dtype, t.device) for i, t in zip(places, tensors, strict=True)}

    def zero(place: int) -> Any:
        if place not in kinds:
            return None
        shape, dtype, device = kinds[place]
        return zeros(shape, dtype=dtype, device=device)

    def pull(grads: list[Any]) -> list[Any]:
        # Arrays or, under create_graph, tensors; the last ones are left out if nobody used them.
        lifted = any(isinstance(g, Tensor) for g in grads)
        full: list[Any] = [None] * len(values)
        for place, g in zip(places, grads, strict=False):
            full[place] = g if lifted or g is None else wrap(g)
        new = told(tuple(full), zero)
        return [new[i] if lifted or new[i] is None else new[i]._data for i in places]

    if not any(needs):
        return values, False
    views = taped_many(_Identity, [t._data[...] for t in tensors], tensors, (pull,), needs)
    if all(v._node is None for v in views):  # under no_grad
        return values, False
    for view, tensor in zip(views, tensors, strict=True):
        view._owner = tensor if tensor._owner is None else tensor._owner
    given = list(values)
    for place, view in zip(places, views, strict=True):
        given[place] = view
    return tuple(given), True


def _replaced(new: Any, old: tuple[Any, ...], who: str, what: str) -> tuple[Any, ...]:
    if new is None:
        return old
    new = new if isinstance(new, tuple) else (new,)
    if len(new) != len(old):
        raise RuntimeError(
            f"{who} returned an invalid number of {what}, got {len(new)}, but expected {len(old)}"
        )
    return new
