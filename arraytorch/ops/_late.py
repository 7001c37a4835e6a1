"""Methods whose ops are rare and large: they load when first called for, not with the package."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ._declare import kernel_op


def loaded(where: str) -> Any:
    """Returns an op, given as "module:name", whose module may have to be loaded first."""
    module, _, name = where.partition(":")
    return getattr(import_module(f".{module}", __package__), name)


class Late:
    """Stands in a class for an op, given as "module:name", and makes way for it on first use."""

    def __init__(self, where: str) -> None:
        self.where = where

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner, self.name = owner, name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        op = loaded(self.where)
        setattr(self.owner, self.name, op)
        return op if instance is None else op.__get__(instance, owner)


class Module:
    """Stands for a module whose ops shall be methods, and load when first called for."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, op: str) -> Late:
        return Late(f"{self.name}:{op}")


@kernel_op
def by_samples(function: Any, tensors: Any) -> list[Any]:
    """Calls a function with tensors whose first dimensions count the samples of a vmap."""
    return import_module(".batching", __package__).by_samples(function, tensors)
