"""Modules that learn their sizes from their first input."""

from __future__ import annotations

import warnings
from typing import Any

from .._uninitialized import UninitializedBuffer, UninitializedParameter, is_lazy
from .module import Module

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin(Module):
    """What makes a module lazy: the base before the class it completes itself to.

    The subclass registers uninitialized parameters and defines ``initialize_parameters``, which
    gets the first call's inputs and gives them shapes. After that call the module is of the class
    ``cls_to_become``. Move a lazy module to its device, and call it once, before an optimizer gets
    its parameters.
    """

    cls_to_become: type[Module] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(
            self._infer_parameters, with_kwargs=True
        )
        if type(self).__module__.partition(".")[0] != __name__.partition(".")[0]:
            warnings.warn(
                "Lazy modules are a new feature under heavy development so changes to the API or "
                "functionality can happen at any moment.",
                stacklevel=3,
            )

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Gives the parameters their shapes, from the arguments of the first call."""
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {type(self).__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Returns whether a parameter or buffer of this module waits for its shape."""
        return any(map(is_lazy, (*self._parameters.values(), *self._buffers.values())))

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for name, value in self._persistent():
            keeps = keep_vars or is_lazy(value)
            destination[prefix + name] = value if keeps else value.detach()

    def _lazy_load_hook(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        """Gives parameters the shapes of what will be loaded into them."""
        for name, value in self._persistent():
            loaded = state_dict.get(prefix + name)
            if is_lazy(value) and loaded is not None and not is_lazy(loaded):
                value.materialize(loaded.shape)  # type: ignore[attr-defined]

    def _infer_parameters(self, module: Module, args: Any, kwargs: Any = None) -> None:
        self.initialize_parameters(*args, **(kwargs or {}))
        if self.has_uninitialized_params():
            raise RuntimeError(
                f"module {self._get_name()} has not been fully initialized by its first call"
            )
        self._initialize_hook.remove()
        self._load_hook.remove()
        del self._initialize_hook, self._load_hook
        if self.cls_to_become is not None:
            self.__class__ = self.cls_to_become  # type: ignore[assignment]


def waiting_parameter(device: Any, dtype: Any) -> UninitializedParameter:
    """Returns a parameter that waits for its shape."""
    return UninitializedParameter(device=device, dtype=dtype)  # type: ignore[no-any-return]


def waiting_buffer(device: Any, dtype: Any) -> UninitializedBuffer:
    """Returns a buffer that waits for its shape."""
    return UninitializedBuffer(device=device, dtype=dtype)  # type: ignore[no-any-return]
