"""Parameter and Buffer: tensors that a module registers when they are assigned to it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .._tensor import Tensor
from ..ops import _intercept
from ..ops.creation import empty

__all__ = ["Buffer", "Parameter"]


class _ParameterType(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return super().__instancecheck__(instance) or (
            cls is Parameter and isinstance(instance, Tensor) and hasattr(instance, "_is_param")
        )


class Parameter(Tensor, metaclass=_ParameterType):
    """A tensor to be trained: a module that gets it as attribute lists it in ``parameters()``.

    It shares the memory of ``data`` and requires gradients by default. Raises RuntimeError if it
    should and is of an integer dtype. Data of a class that overrides functions keeps its class.

    >>> torch.nn.Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __torch_function__ = staticmethod(_intercept.disabled)

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        tensor = empty(0) if data is None else data.detach()
        if requires_grad and not (tensor.is_floating_point() or tensor.is_complex()):
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients"
            )
        if (
            tensor.__class__ is not Tensor
            and _intercept.overrides(type(tensor))
            and cls is Parameter
        ):
            tensor._is_param = True
        else:
            tensor.__class__ = cls
        return tensor.requires_grad_() if requires_grad else tensor

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        # Unlike other tensors, a parameter leaves its gradient behind.
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        return memo[id(self)]

    def __repr__(self) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()


class _BufferType(type):  # type: ignore[misc]
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and hasattr(instance, "_is_buffer")


class Buffer(Tensor, metaclass=_BufferType):
    """Makes a tensor that belongs to a module's state without being trained.

    A module that gets it as attribute lists it in ``buffers()`` and, if ``persistent``, in its
    state dict. It is an ordinary tensor, marked so, which shares the memory of ``data``.

    >>> layer = torch.nn.Module()
    >>> layer.mean = torch.nn.Buffer(torch.zeros(2))
    >>> list(layer.state_dict())
    ['mean']
    """

    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        tensor = empty(0) if data is None else data.detach().requires_grad_(data.requires_grad)
        tensor._is_buffer, tensor.persistent = True, persistent
        return tensor


def __getattr__(name: str) -> Any:
    # They are made of what is here, in a module of their own.
    if name in ("UninitializedBuffer", "UninitializedParameter", "UninitializedTensorMixin"):
        return getattr(import_module("._uninitialized", __package__), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
