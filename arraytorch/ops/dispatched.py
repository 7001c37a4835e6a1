"""`torch.ops.aten`: operations by the names that PyTorch's dispatcher has for them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..autograd.tape import final
from .added_products import addmm

_PACKAGE: Any = import_module(__package__.partition(".")[0])  # the operations that load late, too

# What the parts of a name behind the second point are: which arguments an overload takes.
OVERLOADS = frozenset(
    {"Dimname", "Scalar", "Scalar_Tensor", "Scalar_mode", "Tensor", "Tensor_Scalar",
     "Tensor_Tensor", "Tensor_mode", "default", "dim", "dim_IntList", "dims", "dtype", "int",
     "int_out", "out", "self_int", "stable"}
)  # fmt: skip


class Overload:
    """One of the functions that share a name: ``torch.ops.aten.add.Tensor``."""

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self.__name__, self._call = name, call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<OpOverload(op='aten.{self.__name__.partition('.')[0]}', overload='{self.__name__.partition('.')[2]}')>"


class Packet(Overload):
    """The functions that share a name, each an attribute; called, it is whichever fits."""

    def __getattr__(self, overload: str) -> Overload:
        if overload not in OVERLOADS:
            raise AttributeError(
                f"The underlying op of 'aten.{self.__name__}' has no overload name '{overload}'"
            )
        found = Overload(f"{self.__name__}.{overload}", self._call)
        setattr(self, overload, found)
        return found

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='aten.{self.__name__}')>"


def _to_copy(self: Any, **options: Any) -> Any:
    """Converts, and copies also what needs no conversion."""
    options.pop("layout", None), options.pop("pin_memory", None)
    return self.to(**options, copy=True)


def _pin_memory(self: Any, device: Any = None) -> Any:
    """Returns a copy in memory that a device reads directly."""
    return self.pin_memory() if device is None else self.pin_memory(device)


def _slice(
    self: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """Returns a part of one dimension."""
    return self[(slice(None),) * (dim % self.dim()) + (slice(start, end, step),)]


def _index(self: Any, indices: Any) -> Any:
    """Returns the elements that tensors of indices tell; None takes a whole dimension."""
    return self[tuple(slice(None) if index is None else index for index in indices)]


OTHERS: dict[str, Callable[..., Any]] = {
    "_pin_memory": _pin_memory,
    "_sparse_addmm": addmm,
    "_to_copy": _to_copy,
    "alias": lambda self: self.view_as(self),
    "index": _index,
    "slice": _slice,
}


class Namespace:
    """The packets by name; an operation that is not there is an AttributeError."""

    def __getattr__(self, name: str) -> Packet:
        call = OTHERS.get(name)
        if call is None and not name.startswith("_"):
            call = getattr(_PACKAGE, name, None) or getattr(final.Tensor, name, None)
        if call is None:
            raise AttributeError(f"'_OpNamespace' 'aten' object has no attribute '{name}'")
        found = Packet(name, call)
        setattr(self, name, found)
        return found


aten = Namespace()
