"""Module: the base class of everything that has parameters and a forward."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..._eager import say_once
from ..._tensor import Tensor
from ..parameter import Parameter
from . import _hooks
from ._convert import Convertible
from ._global_hooks import (
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from ._hooks import Hookable, call_with_hooks
from ._state import _EXTRA_STATE_KEY_SUFFIX as _EXTRA_STATE_KEY_SUFFIX
from ._state import Stateful, _IncompatibleKeys
from ._tree import Tree

if TYPE_CHECKING:
    from typing import Self

__all__ = [
    "Module",
    "_IncompatibleKeys",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

_HOOK_DICTS = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


class Module(Hookable, Stateful, Tree, Convertible):
    """The base class of all neural network modules.

    A subclass calls ``super().__init__()``, assigns parameters and submodules as attributes, and
    defines ``forward``; calling the module runs ``forward`` and the registered hooks.

    >>> class Scale(torch.nn.Module):
    ...     def __init__(self, start):
    ...         super().__init__()
    ...         self.factor = torch.nn.Parameter(torch.tensor(start))
    ...     def forward(self, input):
    ...         return input * self.factor
    >>> scale = Scale(3.0)
    >>> scale(torch.ones(2)).sum().backward()
    >>> scale.factor.grad
    tensor(2.)
    """

    T_destination = TypeVar("T_destination", bound=dict[str, Any])
    dump_patches: bool = False
    call_super_init: bool = False
    training: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            if kwargs:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument "
                    f"'{next(iter(kwargs))}'"
                )
            if args:
                raise TypeError(
                    f"{type(self).__name__}.__init__() takes 1 positional argument but "
                    f"{len(args) + 1} were given"
                )
        # PyTorch's names and order: whole modules are pickled as this dict.
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _backward_pre_hooks=OrderedDict(),
            _backward_hooks=OrderedDict(),
            _is_full_backward_hook=None,
            **{name: OrderedDict() for name in _HOOK_DICTS},
            _modules={},
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *input: Any) -> Any:
        """Computes the module's result; every subclass defines it."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._hooked:
                return call_with_hooks(self, args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            _locate(error, self)
            raise

    # ------------------------------------------------------------------------- attributes

    def __getattr__(self, name: str) -> Any:
        # Reached only when the usual look-up has failed.
        own = self.__dict__
        if "_modules" in own:
            if name in own["_parameters"]:
                return own["_parameters"][name]
            if name in own["_buffers"]:
                return own["_buffers"][name]
            if name in own["_modules"]:
                return own["_modules"][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            self._set_parameter(name, value)
        elif name in own.get("_parameters", ()):
            if value is not None:
                raise _wrong_value(value, "parameter", name, "torch.nn.Parameter")
            self.register_parameter(name, None)
        elif isinstance(value, Module):
            self._set_module(name, value)
        elif name in own.get("_modules", ()):
            if value is not None:
                raise _wrong_value(value, "child module", name, "torch.nn.Module")
            self._modules[name] = _registered(_hooks.MODULE_REGISTRATION, self, name, None)
        elif name in own.get("_buffers", ()) or _is_buffer(value):
            self._set_buffer(name, value)
        else:
            object.__setattr__(self, name, value)

    def _set_parameter(self, name: str, value: Parameter) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameters before Module.__init__() call")
        self._forget(name, "_parameters")
        self.register_parameter(name, value)

    def _set_module(self, name: str, value: Module) -> None:
        if "_modules" not in self.__dict__:
            raise AttributeError("cannot assign module before Module.__init__() call")
        self._forget(name, "_modules")
        self._modules[name] = _registered(_hooks.MODULE_REGISTRATION, self, name, value)

    def _set_buffer(self, name: str, value: Any) -> None:
        if value is not None and not isinstance(value, Tensor):
            raise _wrong_value(value, "buffer", name, "torch.nn.Buffer, torch.Tensor")
        if _is_buffer(value):
            if "_buffers" in self.__dict__:
                self._forget(name)
            self.register_buffer(name, value, getattr(value, "persistent", True))  # type: ignore[union-attr]
        else:
            self._buffers[name] = _registered(_hooks.BUFFER_REGISTRATION, self, name, value)

    def _forget(self, name: str, but: str = "") -> None:
        """Removes what had the name before, so that only one dict knows it; not from ``but``."""
        own = self.__dict__
        own.pop(name, None)
        for kind in ("_parameters", "_buffers", "_modules"):
            if kind != but:
                own[kind].pop(name, None)
        own["_non_persistent_buffers_set"].discard(name)

    def __delattr__(self, name: str) -> None:
        for kind in (self._parameters, self._buffers, self._modules):
            if name in kind:
                del kind[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__}
        names.update(self._parameters, self._modules, self._buffers)
        return sorted(name for name in names if not name[0].isdigit())

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # Pickles made by older versions know fewer kinds of hooks.
        for name in (*_HOOK_DICTS, "_backward_pre_hooks", "_backward_hooks"):
            self.__dict__.setdefault(name, OrderedDict())
        self.__dict__.setdefault("_non_persistent_buffers_set", set())
        self.__dict__.setdefault("_is_full_backward_hook", None)

    # ----------------------------------------------------------------------- registration

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter, which may be None, under ``name``, as assigning it as attribute does.

        Raises KeyError for a name that is taken, empty or has a dot, and TypeError for anything
        but a Parameter.
        """
        _check_name(self, "_parameters", "parameter", name)
        if param is None:
            self._parameters[name] = None
            return
        if not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_typename(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        if param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                f"created explicitly. To express '{name}' as a function of another Tensor, compute "
                "the value in the forward() method."
            )
        self._parameters[name] = _registered(_hooks.PARAMETER_REGISTRATION, self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a buffer: a tensor that belongs to the state but is not trained.

        It moves with the module and, if ``persistent``, is in its state dict.

        >>> layer = torch.nn.Module()
        >>> layer.register_buffer("mean", torch.zeros(2)); layer.mean
        tensor([0., 0.])
        """
        _check_name(self, "_buffers", "buffer", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        self._buffers[name] = _registered(_hooks.BUFFER_REGISTRATION, self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a submodule, which may be None, under ``name``."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{_typename(module)} is not a Module subclass")
        _check_name(self, "_modules", "module", name)
        self._modules[name] = _registered(_hooks.MODULE_REGISTRATION, self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Adds a submodule under ``name``: ``add_module`` by another name."""
        self.add_module(name, module)

    # ------------------------------------------------------------------------- whole tree

    def apply(self, fn: Callable[[Module], None]) -> Self:
        """Calls ``fn`` with every submodule, children first, then with this module.

        >>> def init(module):
        ...     if isinstance(module, torch.nn.Linear):
        ...         torch.nn.init.ones_(module.weight)
        >>> torch.nn.Sequential(torch.nn.Linear(1, 2)).apply(init)[0].weight.tolist()
        [[1.0], [1.0]]
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Sets ``training`` here and below: dropout and batch norm act differently by it."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Sets ``training`` to False here and below.

        >>> torch.nn.Dropout().eval()(torch.ones(3))
        tensor([1., 1., 1.])
        """
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Sets ``requires_grad`` of all parameters: False freezes the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Removes the gradients of all parameters, or fills them with zeros."""
        for parameter in self.parameters():
            grad = parameter.grad
            if grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            elif grad.grad_fn is not None:
                parameter.grad = grad.detach().zero_()
            else:
                grad.requires_grad_(False).zero_()

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Leaves the module as it is: nothing is compiled, as a warning says once."""
        say_once("Module.compile")

    # --------------------------------------------------------------------------- printing

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """Returns what ``repr`` shows between the parentheses; a subclass may override it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({k}): {_addindent(repr(m), 2)}" for k, m in self._modules.items()]
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({extra})"
        if not lines and not children:
            return f"{self._get_name()}()"
        return "\n  ".join([f"{self._get_name()}(", *lines, *children]) + "\n)"


def _locate(error: Exception, module: Module) -> None:
    """Adds to an exception the innermost module whose forward it left."""
    notes = getattr(error, "__notes__", ())
    if not any(note.startswith("In the forward of") for note in notes):
        extra = "" if module._modules else f"({module.extra_repr()})"
        error.add_note(f"In the forward of {module._get_name()}{extra}.")


def _addindent(text: str, spaces: int) -> str:
    return text.replace("\n", "\n" + " " * spaces)


def _is_buffer(value: Any) -> bool:
    # As isinstance(value, Buffer), without its call of a Python function for every attribute set.
    return isinstance(value, Tensor) and "_is_buffer" in value.__dict__


def _registered(hooks: Any, module: Module, name: str, value: Any) -> Any:
    """The value to register, after the global hooks had their say."""
    for hook in hooks.values():
        new = hook(module, name, value)
        value = value if new is None else new
    return value


def _check_name(module: Module, kind: str, what: str, name: Any) -> None:
    if kind not in module.__dict__:
        raise AttributeError(f"cannot assign {what} before Module.__init__() call")
    if not isinstance(name, str):
        raise TypeError(f"{what} name should be a string. Got {_typename(name)}")
    if hasattr(module, name) and name not in module.__dict__[kind]:
        raise KeyError(f"attribute '{name}' already exists")
    if "." in name:
        got = f", got: {name}" if what == "module" else ""
        raise KeyError(f'{what} name can\'t contain "."{got}')
    if name == "":
        raise KeyError(f'{what} name can\'t be empty string ""')


def _wrong_value(value: Any, what: str, name: str, expected: str) -> TypeError:
    return TypeError(
        f"cannot assign '{_typename(value)}' as {what} '{name}' ({expected} or None expected)"
    )


def _typename(value: Any) -> str:
    """How PyTorch's messages name a value: its tensor type, or its (or its class's) full name."""
    if isinstance(value, Tensor):
        return value.type()
    cls = value if hasattr(value, "__qualname__") else type(value)
    module = getattr(cls, "__module__", None)
    return cls.__qualname__ if module in (None, "builtins") else f"{module}.{cls.__qualname__}"
