"""Helpers around the library: loading data, exchanging tensors, and the handles of hooks."""

from . import _pytree, checkpoint, data, dlpack, hooks

__all__ = ["checkpoint", "data", "dlpack", "hooks"]
