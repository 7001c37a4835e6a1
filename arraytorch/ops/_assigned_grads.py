"""What may be assigned to a tensor's ``grad``."""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from ..autograd.tape import TensorBase
from ..backends import backend_of, dtype_of


def check_grad(tensor: Any, value: Any) -> None:
    """Raises RuntimeError, or TypeError, for what cannot be the gradient of a tensor."""
    if not isinstance(value, TensorBase):
        raise TypeError(
            f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
        )
    if value is tensor:
        raise RuntimeError("can't assign Variable as its own grad")
    if value._data.shape != tensor._data.shape:
        raise RuntimeError(
            "assigned grad has data of a different size: "
            f"{list(value._data.shape)} for a tensor of {list(tensor._data.shape)}"
        )
    have, wanted = dtype_of(value._data), tensor.grad_dtype if tensor.is_leaf else tensor.dtype
    if wanted is not None and have is not wanted:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{have.name}' to a tensor with "
            f"grad_dtype '{_dtypes.scalar_type_name(wanted)}'. The gradient must match the tensor's "
            "grad_dtype (defaults to the tensor's dtype). You can set the tensor's grad_dtype "
            "attribute with a specific dtype, or None to allow any dtype."
        )
    if tensor.is_sparse and not value.is_sparse:  # type: ignore[attr-defined]
        raise RuntimeError(
            "attempting to assign a gradient to a tensor that has data of a different type"
        )
    B = backend_of(tensor._data)
    if backend_of(value._data).device_of(value._data) != B.device_of(tensor._data):
        raise RuntimeError("assigned grad has data located on a different device")
