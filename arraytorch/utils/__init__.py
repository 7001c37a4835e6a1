"""Helpers around the library: loading data, exchanging tensors, and the handles of hooks."""

from importlib import import_module

from . import _pytree, checkpoint, data, dlpack, hooks

__all__ = ["checkpoint", "data", "dlpack", "hooks"]


def __getattr__(name: str) -> object:
    if name in ("flop_counter", "model_zoo"):  # rarely wanted, and they bring much along
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
