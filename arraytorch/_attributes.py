"""What may be stored on a tensor: any attribute, which ``__dict__`` shows, and a fitting gradient."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ._dtypes import scalar_type_name
from .autograd.tape import TensorBase
from .backends import backend_of, dtype_of

_STATE = {*TensorBase.__annotations__, "_grad_dtype"}
_all: Any = vars(TensorBase)["__dict__"]  # reads the real dictionary


class Attributes(dict[str, Any]):
    """The attributes of one tensor; what is written here is stored on the tensor."""

    def __init__(self, tensor: Any) -> None:
        super().__init__((n, v) for n, v in _all.__get__(tensor).items() if n not in _STATE)
        self._tensor = tensor

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self._tensor, name, value)
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        delattr(self._tensor, name)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Stores all items of another dictionary."""
        for name, value in dict(*args, **kwargs).items():
            self[name] = value

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Returns an attribute, stored first if it was not there."""
        if name not in self:
            self[name] = default
        return self[name]

    def pop(self, name: str, *default: Any) -> Any:
        """Removes an attribute and returns it."""
        if name not in self:
            return super().pop(name, *default)
        value = self[name]
        del self[name]
        return value

    def clear(self) -> None:
        """Removes all attributes."""
        for name in list(self):
            del self[name]

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return deepcopy(dict(self), memo)

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


def set_attributes(tensor: Any, values: dict[str, Any]) -> None:
    """Replaces what programs have stored on a tensor."""
    now = Attributes(tensor)
    now.clear()
    now.update(values)


def check_grad(tensor: Any, value: Any) -> None:
    """Raises unless a value can be the gradient of a tensor."""
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
            f"grad_dtype '{scalar_type_name(wanted)}'. The gradient must match the tensor's "
            "grad_dtype (defaults to the tensor's dtype). You can set the tensor's grad_dtype "
            "attribute with a specific dtype, or None to allow any dtype."
        )
    B = backend_of(tensor._data)
    if backend_of(value._data).device_of(value._data) != B.device_of(tensor._data):
        raise RuntimeError("assigned grad has data located on a different device")
