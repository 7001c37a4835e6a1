"""Helpers around the library: loading data, exchanging tensors, and the handles of hooks."""

from . import data, dlpack, hooks

__all__ = ["data", "dlpack", "hooks"]
