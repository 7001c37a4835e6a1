"""What users log, as tensors on the CPU."""

from __future__ import annotations

from typing import Any

from ..._dtypes import bfloat16, float16, float64
from ..._tensor import Tensor
from ...ops.creation import as_tensor


def to_tensor(x: Any) -> Tensor:
    """Returns a tensor, an array or a number as a tensor on the CPU; a number has one dimension."""
    if isinstance(x, Tensor):
        x = x.detach().cpu()
        return x.to(float16) if x.dtype == bfloat16 else x
    if isinstance(x, (bool, int, float)):
        return as_tensor([x], dtype=float64 if isinstance(x, float) else None)
    if hasattr(x, "__array_interface__"):  # an array of NumPy's, or one of its scalars
        return as_tensor(x)
    raise NotImplementedError(f"Got {type(x)}, but numpy array or torch tensor are expected.")
