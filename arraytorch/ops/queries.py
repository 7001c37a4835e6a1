"""Questions about tensors, as functions."""

from __future__ import annotations

from math import prod
from typing import Any

from .._dtypes import scalar_type_name
from ..autograd.tape import TensorBase
from ..backends import dtype_of

Tensor = Any


def is_floating_point(input: Tensor) -> bool:
    """Returns whether the dtype is a real floating-point one.

    >>> torch.is_floating_point(torch.ones(1))
    True
    """
    return dtype_of(input._data).is_floating_point


def is_complex(input: Tensor) -> bool:
    """Returns whether the dtype is complex.

    >>> torch.is_complex(torch.ones(1))
    False
    """
    return dtype_of(input._data).is_complex


def is_signed(input: Tensor) -> bool:
    """Returns whether the dtype has negative numbers.

    >>> torch.is_signed(torch.ones(1, dtype=torch.uint8))
    False
    """
    return dtype_of(input._data).is_signed


def numel(input: Tensor) -> int:
    """Returns the number of elements.

    >>> torch.numel(torch.ones(2, 3))
    6
    """
    return prod(input._data.shape)


def is_nonzero(input: Tensor) -> bool:
    """Returns whether the only element is nonzero; RuntimeError if there is not just one.

    >>> torch.is_nonzero(torch.tensor([0.0]))
    False
    """
    count = prod(input._data.shape)
    if count != 1:
        what = "no values" if not count else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous")
    return bool(input._data.item())


def typename(obj: Any) -> str:
    """Returns the name of an object's type; of a tensor PyTorch's name by dtype.

    >>> torch.typename(torch.ones(1))
    'torch.FloatTensor'
    """
    if isinstance(obj, TensorBase):
        return f"torch.{scalar_type_name(dtype_of(obj._data))}Tensor"
    kind = type(obj)
    module = "" if kind.__module__ in (None, "builtins") else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"
