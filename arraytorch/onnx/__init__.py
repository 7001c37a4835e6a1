"""What libraries tell and ask an exporter to ONNX about their operations: there is none here.

What is registered is kept, so that libraries load; no export ever runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import symbolic_helper as symbolic_helper
from . import symbolic_opset11 as symbolic_opset11

__all__ = [
    "is_in_onnx_export",
    "register_custom_op_symbolic",
    "unregister_custom_op_symbolic",
]

_symbolics: dict[tuple[str, int], Callable[..., Any]] = {}


def is_in_onnx_export() -> bool:
    """Returns False: nothing is exported.

    >>> torch.onnx.is_in_onnx_export()
    False
    """
    return False


def register_custom_op_symbolic(
    symbolic_name: str, symbolic_fn: Callable[..., Any], opset_version: int
) -> None:
    """Keeps how an operation, ``namespace::name``, is written in a version of ONNX."""
    if symbolic_name.count("::") != 1:
        raise ValueError(
            f"Invalid symbolic name {symbolic_name}. Must be in the format of 'domain::name'"
        )
    _symbolics[symbolic_name, opset_version] = symbolic_fn


def unregister_custom_op_symbolic(symbolic_name: str, opset_version: int) -> None:
    """Forgets how an operation is written in a version of ONNX."""
    _symbolics.pop((symbolic_name, opset_version), None)
