"""What autocast is told, per thread and task."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from .._device import device
from .._dtypes import bfloat16, dtype, float16
from ..autograd.modes import grad_enabled

DEFAULTS = {"cpu": bfloat16, "cuda": float16, "xpu": float16}


class State:
    """The dtypes that regions without one take, the cache of weights, and how deep regions nest."""

    def __init__(self) -> None:
        self.defaults = dict(DEFAULTS)
        self.cached = True
        self.nesting = 0
        self.cache: dict[Any, Any] = {}

    def records(self) -> bool:
        """Whether casts are recorded: those made under no_grad serve no gradient later."""
        return grad_enabled.get()


class _Own:
    """A state for each thread, made when first asked for."""

    def __init__(self) -> None:
        self._var: ContextVar[State | None] = ContextVar("autocast_state", default=None)

    def get(self) -> State:
        """The state of this thread or task."""
        state = self._var.get()
        if state is None:
            state = State()
            self._var.set(state)
        return state


STATE = _Own()


def kind_of(device_type: str) -> str:
    """The name of a type of device that can autocast; RuntimeError for others."""
    kind = device(device_type).type
    if kind not in DEFAULTS:
        raise RuntimeError(
            "unknown device type for autocast in get_autocast_dispatch_key_from_device_type"
        )
    return kind


def default_dtype(device_type: str) -> dtype:
    """The dtype that a region without one takes; RuntimeError for devices that cannot autocast."""
    kind = device(device_type).type
    if kind not in DEFAULTS:
        raise RuntimeError("unsupported scalarType")
    return STATE.get().defaults[kind]
