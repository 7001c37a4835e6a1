"""`Variable`: what tensors with gradients were before PyTorch 0.4; now a tensor is all there is."""

from __future__ import annotations

import warnings
from typing import Any

from .tape import TensorBase, final


class _VariableType(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, TensorBase)


class Variable(metaclass=_VariableType):
    """Makes a tensor over the same memory, without history; old programs wrap their data in it.

    Every tensor is an instance. ``volatile`` does nothing any more, and warns.

    >>> x = torch.ones(2)
    >>> torch.autograd.Variable(x, requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    >>> isinstance(x, torch.autograd.Variable)
    True
    """

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: bool = False) -> Any:
        if data is None:
            data = final.Tensor()
        if not isinstance(data, TensorBase):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        if volatile and requires_grad:
            raise ValueError("Variable can't be volatile and require_grad at the same time!")
        if volatile:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
                stacklevel=2,
            )
        tensor: Any = data
        return tensor.detach().requires_grad_(requires_grad)
