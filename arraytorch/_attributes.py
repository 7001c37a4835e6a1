"""What a tensor's ``__dict__`` shows: what programs have stored on it, and not its own state."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from .autograd.tape import TensorBase

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
