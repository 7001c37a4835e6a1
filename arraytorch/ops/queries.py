"""Questions about tensors, as functions."""

from __future__ import annotations

from math import prod
from typing import Any

from .._dtypes import dtype, scalar_type_name
from ..autograd.tape import Leaf, TensorBase
from ..backends import backend_of, dtype_of, numpy_dtype
from ._results import check_tensor
from ._strides import order_of

Tensor = Any


def is_floating_point(input: Tensor) -> bool:
    """Returns whether the dtype is a real floating-point one.

    >>> torch.is_floating_point(torch.ones(1))
    True
    """
    try:
        return dtype_of(input._data).is_floating_point
    except AttributeError:
        check_tensor("is_floating_point", input)
        raise


def is_complex(input: Tensor) -> bool:
    """Returns whether the dtype is complex.

    >>> torch.is_complex(torch.ones(1))
    False
    """
    try:
        return dtype_of(input._data).is_complex
    except AttributeError:
        check_tensor("is_complex", input)
        raise


def is_signed(input: Tensor) -> bool:
    """Returns whether the dtype has negative numbers.

    >>> torch.is_signed(torch.ones(1, dtype=torch.uint8))
    False
    """
    try:
        return dtype_of(input._data).is_signed
    except AttributeError:
        check_tensor("is_signed", input)
        raise


def numel(input: Tensor) -> int:
    """Returns the number of elements.

    >>> torch.numel(torch.ones(2, 3))
    6
    """
    try:
        return prod(input._data.shape)
    except AttributeError:
        check_tensor("numel", input)
        raise


def is_nonzero(input: Tensor) -> bool:
    """Returns whether the only element is nonzero; RuntimeError if there is not just one.

    >>> torch.is_nonzero(torch.tensor([0.0]))
    False
    """
    try:
        count = prod(input._data.shape)
    except AttributeError:
        check_tensor("is_nonzero", input)
        raise
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


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Tells whether two tensors have the same shape.

    >>> torch.is_same_size(torch.ones(2), torch.ones(1))
    False
    """
    check_tensor("is_same_size", input, other)
    return input._data.shape == other._data.shape


def get_device(input: Tensor) -> int:
    """Returns the index of the device, -1 for the CPU.

    >>> torch.get_device(torch.ones(1))
    -1
    """
    check_tensor("get_device", input)
    where = backend_of(input._data).device_of(input._data)
    return -1 if where.type == "cpu" else where.index or 0


def is_conj(input: Tensor) -> bool:
    """Tells whether a conjugate is still to be taken: never here, `conj` computes it at once.

    >>> torch.is_conj(torch.tensor([1j]).conj())
    False
    """
    check_tensor("is_conj", input)
    return False


def is_neg(input: Tensor) -> bool:
    """Tells whether a sign is still to be changed: never here.

    >>> torch.is_neg(torch.tensor([1j]).conj().imag)
    False
    """
    check_tensor("is_neg", input)
    return False


def is_inference(input: Tensor) -> bool:
    """Tells whether the tensor is barred from autograd: never here, inference mode only records nothing.

    >>> torch.is_inference(torch.ones(1))
    False
    """
    check_tensor("is_inference", input)
    return False


def resolve_conj(input: Tensor) -> Tensor:
    """Returns the tensor itself: its conjugate was computed when it was asked for.

    >>> torch.resolve_conj(torch.tensor([1j]).conj())
    tensor([0.-1.j])
    """
    check_tensor("resolve_conj", input)
    return input


def resolve_neg(input: Tensor) -> Tensor:
    """Returns the tensor itself: its sign was changed when that was asked for.

    >>> torch.resolve_neg(torch.tensor([1j]).conj().imag)
    tensor([-1.])
    """
    check_tensor("resolve_neg", input)
    return input


def is_shared(self: Tensor) -> bool:
    """Tells whether other processes see the memory, as they may that of a CUDA device."""
    return backend_of(self._data).device_of(self._data).type == "cuda"


def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Tells whether two tensors are the same elements of the same memory."""
    check_tensor("is_set_to", self, tensor)
    x, y = self._data, tensor._data
    return (
        x.dtype is y.dtype
        and x.shape == y.shape
        and tuple(x.strides) == tuple(y.strides)
        and self.data_ptr() == tensor.data_ptr()
        and bool(x.size)
    )


def dim_order(self: Tensor, *, ambiguity_check: Any = False) -> tuple[int, ...]:
    """Returns the dimensions as they lie in memory, the outermost first.

    >>> torch.ones(2, 3).t().dim_order()
    (1, 0)
    """
    return order_of(self._data) or tuple(range(self._data.ndim))


def grad_dtype(self: Tensor) -> dtype | None:
    """The dtype of the gradients that the tensor gathers, its own unless set; None for any."""
    if self._node is not None and self._node.__class__ is not Leaf:
        raise RuntimeError("grad_dtype can only be accessed on leaf tensors.")
    return getattr(self, "_grad_dtype", dtype_of(self._data))


def set_grad_dtype(self: Tensor, value: dtype | None) -> None:
    """Makes the engine cast gradients for this leaf to a dtype, or with None to none."""
    if self._node is not None and self._node.__class__ is not Leaf:
        raise RuntimeError("grad_dtype can only be set on leaf tensors.")
    if value is not None and not isinstance(value, dtype):
        raise RuntimeError(
            f"grad_dtype must be a torch.dtype or None, but got {type(value).__name__}"
        )
    have = None if self._grad is None else dtype_of(self._grad._data)
    if value is not None and have is not None and have is not value:
        raise RuntimeError(
            f"Cannot set grad_dtype to '{scalar_type_name(value)}' because there is already a "
            f"gradient with dtype '{scalar_type_name(have)}'. Please clear the gradient (.grad = "
            "None) before changing grad_dtype, or ensure the new grad_dtype matches the existing "
            "gradient's dtype."
        )
    self._grad_dtype = value
    if self._node is not None:
        self._node.dtype = None if value is None else numpy_dtype(value)


def no_name(self: Tensor) -> None:
    """None: tensors have no names."""
