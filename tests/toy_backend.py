"""A third party's backend: arrays that hold a NumPy array and are none themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from arraytorch import device
from arraytorch.backends.generic import ArrayModuleBackend


class Toy:
    """An array of the toy device. NumPy cannot take it for its own: nothing converts it."""

    __array_ufunc__ = None
    __hash__ = object.__hash__

    current = 0  # the number of the device on which new ones are made

    def __init__(self, array: Any, place: int | None = None) -> None:
        self.array = np.asarray(array)
        self.place = Toy.current if place is None else place

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return wrapped(getattr(self.array, name), self.place)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("real", "imag"):
            setattr(self.array, name, unwrapped(value))
        else:
            object.__setattr__(self, name, value)

    def __getitem__(self, index: Any) -> Any:
        return Toy(self.array[unwrapped(index)], self.place)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.array[unwrapped(index)] = unwrapped(value)

    def __len__(self) -> int:
        return len(self.array)

    def __bool__(self) -> bool:
        return bool(self.array)

    def __int__(self) -> int:
        return int(self.array)

    def __float__(self) -> float:
        return float(self.array)


def _operator(name: str) -> Any:
    method = getattr(np.ndarray, name)

    def operator(self: Toy, *others: Any) -> Any:
        result = method(self.array, *map(unwrapped, others))
        return (
            self if name.startswith("__i") and name != "__invert__" else wrapped(result, self.place)
        )

    return operator


for _name in [
    "add",
    "radd",
    "iadd",
    "sub",
    "rsub",
    "isub",
    "mul",
    "rmul",
    "imul",
    "truediv",
    "rtruediv",
    "itruediv",
    "floordiv",
    "rfloordiv",
    "mod",
    "rmod",
    "pow",
    "rpow",
    "matmul",
    "rmatmul",
    "and",
    "rand",
    "or",
    "ror",
    "xor",
    "rxor",
    "lshift",
    "rshift",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "neg",
    "pos",
    "abs",
    "invert",
]:
    setattr(Toy, f"__{_name}__", _operator(f"__{_name}__"))


def unwrapped(value: Any) -> Any:
    """The value with NumPy's arrays for toys, also within tuples and lists."""
    if isinstance(value, Toy):
        return value.array
    return type(value)(map(unwrapped, value)) if type(value) in (tuple, list) else value


def wrapped(value: Any, place: int | None = None) -> Any:
    """The value with toys for NumPy's arrays, also within tuples; functions return toys.

    These are on the device of a number, or on that of a function's first toy.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return Toy(value, place)
    if type(value) is tuple or hasattr(value, "_fields"):
        return tuple(wrapped(item, place) for item in value)
    if not callable(value) or isinstance(value, (type, np.dtype)):
        return value

    def function(*args: Any, **kwargs: Any) -> Any:
        named = {k: unwrapped(v) for k, v in kwargs.items()}
        out = kwargs.get("out")
        result = value(*map(unwrapped, args), **named)
        return out if out is not None else wrapped(result, place_of(args, place))

    return function


def place_of(values: Any, default: int | None) -> int | None:
    """The number of the device of the first toy among values, also within tuples and lists."""
    for value in values:
        if isinstance(value, Toy):
            return value.place
        if type(value) in (tuple, list) and value:
            default = place_of(value, default)
    return default


class Namespace:
    """NumPy's functions over toys."""

    def __init__(self, module: Any = np) -> None:
        self.module = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.module, name)
        return Namespace(found) if type(found) is type(np) else wrapped(found)


class ToyBackend(ArrayModuleBackend):
    """The generic kernels over toys, and nothing better."""

    device_type = "toy"
    array_types = (Toy,)

    def __init__(self) -> None:
        super().__init__(Namespace())

    def device_of(self, x: Any) -> device:
        return device("toy", 0)

    def device_count(self) -> int:
        return 1

    def describe(self) -> str:
        return "toys"

    def from_host(self, x: Any, index: int | None = None) -> Any:
        return Toy(np.array(x))

    def to_host(self, x: Any) -> Any:
        return x.array

    def data_ptr(self, x: Any) -> int:
        return x.array.ctypes.data

    def shares(self, x: Any, y: Any) -> bool:
        return x is y or (np.may_share_memory(x.array, y.array) and x.size > 0)

    def _special_namespace(self) -> Any:
        return Namespace(scipy.special)
