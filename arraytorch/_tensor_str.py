"""What libraries print tensors of their own with, under PyTorch's name for the module."""

from __future__ import annotations

from typing import Any

from ._printing import _contents, _options, tensor_str

PRINT_OPTS = _options


def _tensor_str(self: Any, indent: int) -> str:
    """Returns the elements alone, as they stand in a tensor's text, ``indent`` columns to the right."""
    return _contents(self, indent)


def _str_intern(inp: Any, *, tensor_contents: str | None = None) -> str:
    """Returns the text of a tensor, with other contents if they are given."""
    return tensor_str(inp, tensor_contents=tensor_contents)
