"""Indexing by tensors without dimensions, where PyTorch's vmap would fail to read them."""

from __future__ import annotations

import contextlib

__all__ = ["TransformGetItemToIndex"]


class TransformGetItemToIndex(contextlib.nullcontext[None]):
    """Has ``x[i]`` index by the tensor ``i`` instead of reading a number from it.

    Where nothing is mapped or traced, as here, both give the same.
    """
