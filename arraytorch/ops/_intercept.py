"""Who may override the public functions: modes, and classes with ``__torch_function__``.

Functions of exact tensors never ask. Detours that do (`_detours`) lie in all public functions while a
mode is open, and for good from the first object of a class that overrides.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from importlib import import_module
from types import FunctionType
from typing import Any

from ..autograd.tape import TensorBase, final
from ._detours import OVERRIDES, Detour, detour_of
from ._detours import known as known

modes: ContextVar[tuple[Any, ...]] = ContextVar("torch_function_modes", default=())
subclasses_ignored: ContextVar[bool] = ContextVar("subclasses_ignored", default=False)

_ROOT = __package__.rpartition(".")[0]
NAMESPACES = ("", "nn.functional", "nn.init", "linalg", "fft", "special")
# Functions with a tensor argument that no class of it overrides; modes override them.
FOR_MODES = {"tensor", "as_tensor", "asarray"}
# What neither overrides, as they ask for facts that no object can change, or make the first tensor.
NEVER = {
    "broadcast_shapes", "calculate_gain", "default_generator", "from_dlpack", "from_numpy",
    "frombuffer", "get_default_device", "is_storage", "is_tensor", "typename",
    "__array_function__", "__array_ufunc__", "__array_wrap__", "__dir__", "__getattr__", "__hash__",
    "__init_subclass__", "__iter__", "__new__", "__torch_function__", "as_subclass",
}  # fmt: skip
# The operators that PyTorch passes on as the method for which they stand.
OPERATORS = {
    "__add__": "add", "__sub__": "sub", "__mul__": "mul", "__truediv__": "div",
    "__mod__": "remainder", "__matmul__": "matmul", "__lt__": "lt", "__le__": "le", "__gt__": "gt",
    "__ge__": "ge", "__iadd__": "add_", "__isub__": "sub_", "__imul__": "mul_", "__itruediv__": "div_",
}  # fmt: skip
REFLECTED = {"add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor",
             "lshift", "rshift"}  # fmt: skip

_lock = allocate_lock()
_open = {"modes": 0, "objects": 0, "traces": 0}
_kinds: dict[type, int] = {}  # what is known of classes of arguments: _PLAIN, _OVERRIDING, _HOLDING
_PLAIN, _OVERRIDING, _HOLDING = 0, 1, 2
_functions: dict[
    Detour, Any
] = {}  # what handlers are told was called, where it is another function
_leaving: set[Detour] = set()  # operators, which leave to the other operand what nobody handles


# ----------------------------------------------------------------------------------- handlers


def disabled(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """The ``__torch_function__`` of classes that do not override: calls the function."""
    token = subclasses_ignored.set(True)
    try:
        return func(*args, **(kwargs or {}))
    finally:
        subclasses_ignored.reset(token)


def default(cls: Any, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Calls the function on tensors as they are, and makes its results tensors of the subclass.

    This is what a class inherits, and what its own ``__torch_function__`` ends in by ``super()``.
    NotImplemented where an argument is of a class that is no base of this one.
    """
    if not all(issubclass(cls, t) for t in types):
        return NotImplemented
    result = disabled(func, types, args, kwargs)
    return result if func in unwrapped() else _as_subclass(result, cls)


def unwrapped() -> set[Any]:
    """Returns the functions whose results do not become tensors of the subclass."""
    return {final.Tensor.grad.__get__}  # type: ignore[attr-defined]


def _as_subclass(result: Any, cls: Any) -> Any:
    if isinstance(result, TensorBase):
        if cls is final.Tensor or isinstance(result, cls):
            return result
        return result.as_subclass(cls)  # type: ignore[attr-defined]
    if isinstance(result, (tuple, list)) and any(isinstance(r, TensorBase) for r in result):
        return type(result)([_as_subclass(r, cls) for r in result])  # type: ignore[arg-type]
    return result


# ----------------------------------------------------------------------------------- dispatch


def overrides(cls: type) -> bool:
    """Whether objects of a class have functions called with them overridden."""
    handler = getattr(cls, "__torch_function__", None)
    return handler is not None and handler is not disabled and cls is not final.Tensor


def overriding(values: Iterable[Any]) -> list[Any]:
    """Returns the arguments that override: one of each class, subclasses before their bases."""
    found: list[Any] = []
    for value in values:
        kind = _kinds.get(value.__class__)
        if kind is None:
            kind = _kinds[value.__class__] = _kind_of(value.__class__)
        if kind == _OVERRIDING and type(value) not in map(type, found):
            at = [i for i, f in enumerate(found) if issubclass(type(value), type(f))]
            found.insert(at[0] if at else len(found), value)
        elif kind == _HOLDING:
            for inner in overriding(value):
                if type(inner) not in map(type, found):
                    found.append(inner)
    return found


def _kind_of(cls: type) -> int:
    if overrides(cls):
        return _OVERRIDING
    return _HOLDING if cls in (list, tuple) else _PLAIN


def _take(detour: Detour, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    found: list[Any] = []
    if not subclasses_ignored.get():
        found = overriding(args)
        if kwargs:
            found = overriding([*found, *kwargs.values()])
    if not found and not modes.get():
        return detour.after_overrides(args, kwargs)
    function = _functions.get(detour, detour.function)
    result = dispatch(function, found, args, kwargs)
    if result is NotImplemented and detour not in _leaving:
        raise unhandled(function, found)
    return result


def _take_for_modes(detour: Detour, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not modes.get():
        return detour.after_overrides(args, kwargs)
    return dispatch(detour.function, [], args, kwargs)


def dispatch(function: Any, found: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Asks the innermost mode and then the arguments; the result is NotImplemented if all decline."""
    types = tuple([type(value) for value in found])
    stack = modes.get()
    if stack:
        token = modes.set(
            stack[:-1]
        )  # so that the mode's own calls are the business of the outer ones
        try:
            result = stack[-1].__torch_function__(function, types, args, kwargs)
        finally:
            modes.reset(token)
        if result is not NotImplemented:
            return result
    for value in found:
        result = type(value).__torch_function__(function, types, args, kwargs)
        if result is not NotImplemented:
            return result
    return NotImplemented


def handled(name: str, operands: list[Any], kwargs: dict[str, Any]) -> Any:
    """Has the operands of a call of the public function of a name answer it; TypeError if none does."""
    function, found = getattr(package(""), name), overriding(operands)
    result = dispatch(function, found, tuple(operands), kwargs)
    if result is NotImplemented:
        raise unhandled(function, found)
    return result


def answer(name: str, *operands: Any) -> Any:
    """Has the operands of an operator, which stands for a public function, answer it."""
    return dispatch(getattr(package(""), name), overriding(operands), operands, {})


def unhandled(function: Any, found: list[Any]) -> TypeError:
    """Returns the error for a call that all who might have handled it declined."""
    name = getattr(function, "__qualname__", repr(function))
    lines = [f"  - mode object {mode!r}" for mode in modes.get()[-1:]]
    lines += [f"  - tensor subclass {type(value)!r}" for value in found]
    return TypeError(
        f"Multiple dispatch failed for 'torch.{name}'; all __torch_function__ handlers returned "
        "NotImplemented:\n\n" + "\n".join(lines)
    )


# ------------------------------------------------------------------------ opening and closing


def notice(cls: type) -> bool:
    """Has the public functions ask their arguments from now on, if objects of a class override."""
    if not overrides(cls):
        return False
    if not _open["objects"]:
        _count("objects", 1)
    return True


def forget_objects() -> None:
    """Ends what `notice` began, for tests: objects that are left are not asked any more."""
    if _open["objects"]:
        _count("objects", -1)


def enter_mode(mode: Any) -> None:
    """Has a mode handle the calls of this thread or task until it is left."""
    _count("modes", 1)
    modes.set((*modes.get(), mode))


def leave_mode() -> None:
    """Ends the innermost mode."""
    modes.set(modes.get()[:-1])
    _count("modes", -1)


def begin_tracing() -> None:
    """Has the public functions ask their arguments until `end_tracing`."""
    _count("traces", 1)


def end_tracing() -> None:
    """Ends what `begin_tracing` began."""
    _count("traces", -1)


def _count(what: str, change: int) -> None:
    with _lock:
        before = any(_open.values())
        _open[what] += change
        after = any(_open.values())
        if before != after:
            for detour, taker in targets().items():
                detour.put(OVERRIDES, taker if after else None)


_targets: dict[Detour, Any] = {}


def targets() -> dict[Detour, Any]:
    """Returns all functions that can be overridden, as detours with those who look at them."""
    if not _targets:
        for name, function in _public():
            _targets[detour_of(function)] = _take_for_modes if name in FOR_MODES else _take
        _name_operators()
    return _targets


def package(name: str) -> Any:
    """Returns a public namespace, "" for the package's own."""
    return import_module(f"{_ROOT}.{name}" if name else _ROOT)


def _public() -> Iterator[tuple[str, Callable[..., Any]]]:
    for where in NAMESPACES:
        module = package(where)
        homes = (f"{__package__}.", f"{_ROOT}.nn.")
        for name in dir(module):
            if name[0] != "_" and name not in NEVER:
                value = getattr(module, name)
                if isinstance(value, FunctionType) and value.__module__.startswith(homes):
                    yield name, value
    for name, value in methods():
        if isinstance(value, property):
            for accessor, used in (
                ("fget", "__get__"),
                ("fset", "__set__"),
                ("fdel", "__delete__"),
            ):
                if isinstance(found := getattr(value, accessor), FunctionType):
                    _functions[detour_of(found)] = getattr(value, used)
                    yield name, found
        else:
            yield name, value


def methods() -> Iterator[tuple[str, Any]]:
    """Yields the methods and properties of Tensor that can be overridden."""
    cls: Any = final.Tensor
    for name in dict.fromkeys(n for base in cls.__mro__[:-1] for n in vars(base)):
        private = name[0] == "_" and not name.startswith("__") and name != "_version"
        if not private and name not in NEVER:
            value = getattr(cls, name)
            if isinstance(value, (FunctionType, property)):
                yield name, value


def _name_operators() -> None:
    cls: Any = final.Tensor
    for name, value in methods():
        if isinstance(value, FunctionType) and not hasattr(cls, value.__name__):
            value.__name__ = name  # handlers look at it
    for operator, name in OPERATORS.items():
        _functions[detour_of(getattr(cls, operator))] = getattr(cls, name)
    for name in REFLECTED:
        for operator in (f"__{name}__", f"__r{name}__"):
            _leaving.add(detour_of(getattr(cls, operator)))
