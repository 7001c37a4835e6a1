"""The few names of PyTorch's extension that libraries use for their own sake."""

from __future__ import annotations

from enum import Enum
from typing import Any

from ._tensor import Tensor
from .autograd.modes import autocast_dtypes
from .backends.batched_levels import current
from .nn.modules._convert import _parse_to
from .ops import _intercept
from .ops._intercept import disabled as _disabled_torch_function_impl

__all__ = [
    "DisableTorchFunction",
    "DisableTorchFunctionSubclass",
    "DispatchKey",
    "DispatchKeySet",
    "_TensorMeta",
    "_disabled_torch_function_impl",
]


_TensorMeta = type(Tensor)


class DisableTorchFunctionSubclass:
    """Inside ``with``, no class of arguments overrides functions; modes do."""

    def __enter__(self) -> None:
        self._token = _intercept.subclasses_ignored.set(True)

    def __exit__(self, *_: Any) -> None:
        _intercept.subclasses_ignored.reset(self._token)


class DisableTorchFunction(DisableTorchFunctionSubclass):
    """Inside ``with``, neither classes of arguments nor modes override functions."""

    def __enter__(self) -> None:
        super().__enter__()
        self._modes = _intercept.modes.set(())

    def __exit__(self, *_: Any) -> None:
        _intercept.modes.reset(self._modes)
        super().__exit__()


class DispatchKey(Enum):
    """The kinds of devices for which autocast may be excluded."""

    AutocastCPU = "cpu"
    AutocastCUDA = "cuda"
    AutocastXPU = "xpu"


class DispatchKeySet:
    """Several of those, joined by ``|``."""

    def __init__(self, *keys: DispatchKey) -> None:
        self.keys = frozenset(keys)

    def __or__(self, other: DispatchKeySet) -> DispatchKeySet:
        return DispatchKeySet(*self.keys, *other.keys)


class _ExcludeDispatchKeyGuard:
    """Inside ``with``, autocast leaves out the kinds of devices of a set."""

    def __init__(self, keys: DispatchKeySet) -> None:
        self._excluded = {key.value for key in keys.keys}

    def __enter__(self) -> None:
        left = {k: d for k, d in autocast_dtypes.get().items() if k not in self._excluded}
        self._token = autocast_dtypes.set(left)

    def __exit__(self, *_: Any) -> None:
        autocast_dtypes.reset(self._token)


def _are_functorch_transforms_active() -> bool:
    """Returns whether `vmap` maps a function now; derivatives of functions are ordinary ones here."""
    return bool(current.get())


class _nn:
    """Functions about modules."""

    _parse_to = staticmethod(_parse_to)


def _get_tracing_state() -> None:
    """Returns None: TorchScript traces nothing here."""


def _log_api_usage_once(event: str) -> None:
    """Tells nobody that a part of a library is used, as PyTorch does unless it was built to."""
