"""Parametrizations: parameters that are functions of others."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from typing import Any

from ..._tensor import Tensor
from ...autograd.modes import no_grad
from ..modules.container import ModuleDict, ModuleList
from ..modules.module import Module
from ..parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

_UNPICKLABLE = (
    "Serialization of parametrized modules is only supported through state_dict(). See:\n"
    "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
    "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"
)


class _Cache:
    """The values computed since the outermost `cached` began."""

    depth = 0
    values: dict[tuple[int, str], Tensor] = {}


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Computes each parametrized tensor once while it lasts, at its first use.

    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2))
    >>> with torch.nn.utils.parametrize.cached():
    ...     layer.weight is layer.weight
    True
    >>> layer.weight is layer.weight
    False
    """
    _Cache.depth += 1
    try:
        yield
    finally:
        _Cache.depth -= 1
        if not _Cache.depth:
            _Cache.values = {}


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, and ``original``, or ``original0`` and so on, below them.

    Calling it gives the tensor. ``right_inverse`` sets the originals for a value that it shall have.
    """

    original: Tensor
    unsafe: bool

    def __init__(
        self, modules: Sequence[Module], original: Tensor | Parameter, unsafe: bool = False
    ) -> None:
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        with no_grad():
            start: Any = original
            for module in reversed(self):  # type: ignore[call-overload]
                if hasattr(module, "right_inverse"):
                    with contextlib.suppress(NotImplementedError):
                        start = module.right_inverse(start)
        _check_sequence(start)
        self.is_tensor = isinstance(start, Tensor)
        self.ntensors = 1 if self.is_tensor else len(start)
        if self.is_tensor:
            _check_kept_dtype(original, start)
            original.data = start  # the object stays, as optimizers may know it
            _register(self, "original", original)
        else:
            for i, part in enumerate(start):
                _check_part(i, part)
                if isinstance(original, Parameter):
                    part = Parameter(part, original.requires_grad)
                part.requires_grad_(original.requires_grad)
                _register(self, f"original{i}", part)
        if not unsafe:
            value = self()
            if not isinstance(value, Tensor):
                raise ValueError(
                    f"A parametrization must return a tensor. Got {type(value).__name__}."
                )
            _check_same("dtype", dtype, value.dtype)
            _check_same("shape", shape, value.shape)

    def originals(self) -> list[Tensor]:
        """Returns what the tensor is computed from."""
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value: Tensor) -> None:
        """Sets the originals so that the tensor gets this value."""
        with no_grad():
            new: Any = value
            for module in reversed(self):  # type: ignore[call-overload]
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement right_inverse."
                    )
                new = module.right_inverse(new)
            if self.is_tensor != isinstance(new, Tensor):
                raise ValueError(
                    f"`right_inverse` should return a tensor. Got {type(new).__name__}"
                )
            parts = [new] if self.is_tensor else list(new)
            if len(parts) != self.ntensors:
                raise ValueError(
                    "'right_inverse' must return a sequence of tensors of length "
                    f"{self.ntensors}. Got a sequence of length {len(parts)}."
                )
            for own, part in zip(self.originals(), parts, strict=True):
                if part.dtype != own.dtype:
                    raise ValueError(
                        f"The tensor returned by `right_inverse` has dtype {part.dtype} while "
                        f"`original` has dtype {own.dtype}"
                    )
                own.data = part

    def forward(self) -> Tensor:
        first, *rest = self
        value = first(*self.originals())
        for module in rest:
            value = module(value)
        return value


def _check_sequence(value: Any) -> None:
    if not isinstance(value, (Tensor, Sequence)):
        raise ValueError(
            "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
            f"Got {type(value).__name__}"
        )


def _check_kept_dtype(original: Tensor, start: Tensor) -> None:
    if original.dtype != start.dtype:
        raise ValueError(
            "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
            f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {start.dtype}"
        )


def _check_part(i: int, part: Any) -> None:
    if not isinstance(part, Tensor):
        raise ValueError(
            "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got "
            f"element {i} of the sequence with type {type(part).__name__}."
        )


def _check_same(what: str, before: Any, after: Any) -> None:
    if before != after:
        raise ValueError(
            f"Registering a parametrization may not change the {what} of the tensor, unless "
            f"`unsafe` flag is enabled.\nunparametrized {what}: {before}\n"
            f"parametrized {what}: {after}"
        )


def _register(module: Module, name: str, value: Tensor) -> None:
    if isinstance(value, Parameter):
        module.register_parameter(name, value)
    else:
        module.register_buffer(name, value)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Makes a parameter or buffer the result of a module, called with what it was before.

    The new parameter is ``module.parametrizations.<tensor_name>.original``. A parametrization with a
    method ``right_inverse`` allows to assign to the tensor; at first it sets the original for the
    present value, and it may return several tensors, which become ``original0`` and so on. Further
    parametrizations are applied to what the earlier ones give. Without ``unsafe`` the result has to
    have the tensor's dtype and shape.

    >>> class Symmetric(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).mT
    >>> layer = torch.nn.Linear(3, 3)
    >>> layer = torch.nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
    >>> layer.weight.equal(layer.weight.mT), list(layer.state_dict())
    (True, ['bias', 'parametrizations.weight.original'])
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_on_top(getattr(module, tensor_name), parametrization)
        stack = module.parametrizations[tensor_name]
        stack.append(parametrization)
        stack.unsafe |= unsafe
        return module
    if tensor_name not in module._buffers and tensor_name not in module._parameters:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element "
            f"with name '{tensor_name}'"
        )
    stack = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.__class__ = _parametrized(type(module))
        module.parametrizations = ModuleDict()
    setattr(type(module), tensor_name, _computed(tensor_name))
    module.parametrizations[tensor_name] = stack
    return module


def _check_on_top(before: Tensor, parametrization: Module) -> None:
    """Checks that a further parametrization keeps dtype and shape, and that its inverse does."""
    with no_grad():
        after = parametrization(before)
        if not isinstance(after, Tensor):
            raise ValueError(f"A parametrization must return a tensor. Got {type(after).__name__}.")
        _check_same("dtype", before.dtype, after.dtype)
        _check_same("shape", before.shape, after.shape)
        if hasattr(parametrization, "right_inverse"):
            back = parametrization.right_inverse(after)
            if not isinstance(back, Tensor):
                raise ValueError(
                    f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}"
                )
            if (back.dtype, back.shape) != (before.dtype, before.shape):
                raise ValueError(
                    "The tensor returned by parametrization.right_inverse must have the same dtype "
                    f"and shape as the tensor, unless the `unsafe` flag is enabled.\n"
                    f"tensor: {before.dtype}, {before.shape}\n"
                    f"returned: {back.dtype}, {back.shape}"
                )


def _parametrized(cls: type[Module]) -> type[Module]:
    """Returns a subclass of a module's class that can get properties of its own."""

    def refuse(self: Module) -> Any:
        raise RuntimeError(_UNPICKLABLE)

    def deepcopied(self: Module, memo: dict[int, Any]) -> Module:
        if id(self) not in memo:
            new = memo[id(self)] = type(self).__new__(type(self))
            new.__dict__ = copy.deepcopy(self.__dict__, memo)
        return memo[id(self)]

    members: dict[str, Any] = {"__module__": __name__, "__getstate__": refuse}
    if not hasattr(cls, "__deepcopy__"):
        members["__deepcopy__"] = deepcopied
    return type(f"Parametrized{cls.__name__}", (cls,), members)


def _computed(name: str) -> property:
    """Returns the property in a parametrized tensor's place."""

    def get(self: Module) -> Tensor:
        if not _Cache.depth:
            return self.parametrizations[name]()
        key = id(self), name
        if key not in _Cache.values:
            _Cache.values[key] = self.parametrizations[name]()
        return _Cache.values[key]

    def assign(self: Module, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(get, assign)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Returns whether a module has a parametrization, or one of the tensor of that name."""
    own = getattr(module, "parametrizations", None)
    if not isinstance(own, ModuleDict):
        return False
    return len(own) > 0 if tensor_name is None else tensor_name in own


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Makes a tensor an ordinary one again, with its present value.

    With ``leave_parametrized=False`` it gets its original's, which must be a single tensor.

    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2))
    >>> layer = torch.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    >>> layer, list(layer.state_dict())
    (Linear(in_features=2, out_features=2, bias=True), ['bias', 'weight'])
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    stack = module.parametrizations[tensor_name]
    if stack.is_tensor:
        original = stack.original
        if leave_parametrized:
            with no_grad():
                original.data = getattr(module, tensor_name)
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors."
        )
    cls = type(module)
    delattr(cls, tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = cls.__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """Returns the class that a module had before it was parametrized.

    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2))
    >>> type(layer).__name__
    'ParametrizedLinear'
    >>> torch.nn.utils.parametrize.type_before_parametrizations(layer).__name__
    'Linear'
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Gives the second module the first one's parametrizations, all or one tensor's, and originals.

    Both have them afterwards. Returns the second.
    """
    if not is_parametrized(from_module):
        return to_module
    stacks = from_module.parametrizations
    for name in stacks if tensor_name is None else [tensor_name]:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        for parametrization in stacks[name]:
            register_parametrization(to_module, name, parametrization, unsafe=stacks[name].unsafe)
        target = to_module.parametrizations[name]
        if stacks[name].is_tensor:
            target.original = stacks[name].original
        else:
            for i in range(stacks[name].ntensors):
                setattr(target, f"original{i}", getattr(stacks[name], f"original{i}"))
    return to_module
