"""Autocast: regions in which listed ops choose the precision that they compute with."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from .. import backends
from .._accelerators.devices import Devices
from .._device import device
from .._dtypes import bfloat16, dtype, float16, float64
from ..autograd.modes import autocast_dtypes
from ..autograd.tape import TensorBase
from ._detours import closed, opened
from ._state import DEFAULTS, STATE, default_dtype, kind_of

F = TypeVar("F", bound=Callable[..., Any])


class autocast:
    """A region, or a function it decorates, in which listed ops choose their precision.

    On tensors of ``device_type`` products and convolutions run in ``dtype``, by default bfloat16 on
    the CPU and float16 elsewhere; losses and other sensitive ops run in float32. float64 stays.
    Regions nest; ``enabled=False`` makes an exception. ``cache_enabled`` keeps the casts of weights
    until the outermost region ends. Backward belongs outside: it takes the dtypes of forward.

    >>> w = torch.ones(2, 2, requires_grad=True)
    >>> with torch.autocast("cpu"):
    ...     y = torch.ones(1, 2) @ w
    >>> y.dtype
    torch.bfloat16
    >>> y.sum().backward()
    >>> w.grad.dtype
    torch.float32
    """

    def __init__(
        self,
        device_type: str,
        dtype: dtype | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device = device(device_type).type
        self.fast_dtype = default_dtype(self.device) if dtype is None else dtype
        if not is_autocast_available(self.device):
            raise RuntimeError(
                f"User specified an unsupported autocast device_type '{self.device}'"
            )
        self._cache_enabled = STATE.get().cached if cache_enabled is None else cache_enabled
        self._enabled = enabled and self._possible()
        self._before: list[tuple[Mapping[str, Any], dtype_, bool]] = []

    def _possible(self) -> bool:
        if self.device == "cuda" and not backends.is_available("cuda"):
            warnings.warn(
                "CUDA is not available or torch_xla is imported. Disabling autocast.", stacklevel=3
            )
            return False
        if self.fast_dtype not in (bfloat16, float16):
            name = self.device.upper()
            warnings.warn(
                f"In {name} autocast, but the target dtype is not supported. Disabling autocast.\n"
                f"{name} Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=3,
            )
            return False
        devices = Devices(self.device)
        if self.fast_dtype is bfloat16 and self.device != "cpu" and devices.is_available():
            if not devices.is_bf16_supported():
                raise RuntimeError(
                    f"Current {self.device.upper()} Device does not support bfloat16. Please switch "
                    "dtype to float16."
                )
        return True

    def __enter__(self) -> autocast:
        state, kind = STATE.get(), self.device
        self._before.append((autocast_dtypes.get(), state.defaults[kind], state.cached))
        state.defaults[kind], state.cached = self.fast_dtype, self._cache_enabled
        state.nesting += 1
        _switch(kind, self.fast_dtype if self._enabled else None)
        return self

    def __exit__(self, *_: object) -> None:
        state, kind = STATE.get(), self.device
        state.nesting -= 1
        if not state.nesting:
            state.cache.clear()
        dtypes, state.defaults[kind], state.cached = self._before.pop()
        _switch(kind, dtypes.get(kind))

    def __call__(self, func: F) -> F:
        """Returns the function with its calls in a region."""

        @functools.wraps(func)
        def cast(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return cast  # type: ignore[return-value]


dtype_ = dtype


def _switch(kind: str, to: dtype | None) -> None:
    """Makes a dtype the one of regions for a type of device, None for no region."""
    before = autocast_dtypes.get()
    if to is not None:
        opened(kind)
    after = {name: d for name, d in before.items() if name != kind}
    autocast_dtypes.set(after if to is None else {**after, kind: to})
    if kind in before:
        closed(kind)


# ----------------------------------------------------------------------- asking and telling


def is_autocast_available(device_type: str) -> bool:
    """Returns whether there are lists of ops for a type of device.

    >>> torch.amp.is_autocast_available("cpu"), torch.amp.is_autocast_available("meta")
    (True, False)
    """
    return device(device_type).type in DEFAULTS


# Types of devices that autocast exists for, and that there are none of here.
OTHERS = ("hpu", "ipu", "mps", "mtia", "xla")


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Returns whether code runs in a region for a type of device.

    >>> with torch.autocast("cpu"):
    ...     torch.is_autocast_enabled("cpu")
    True
    """
    if device_type in OTHERS:
        return False
    return kind_of(device_type) in autocast_dtypes.get()


def set_autocast_enabled(device_type: Any, enabled: bool | None = None) -> None:
    """Opens or closes a region without an end for a type of device, "cuda" unless it is named.

    >>> torch.set_autocast_enabled("cpu", True)
    >>> torch.is_autocast_enabled("cpu")
    True
    >>> torch.set_autocast_enabled("cpu", False)
    """
    if enabled is None:
        device_type, enabled = "cuda", device_type
    kind = kind_of(device_type)
    _switch(kind, default_dtype(kind) if enabled else None)


def get_autocast_dtype(device_type: str) -> dtype:
    """Returns the dtype of regions for a type of device that are told none.

    >>> torch.get_autocast_dtype("cpu")
    torch.bfloat16
    """
    return default_dtype(device_type)


def set_autocast_dtype(device_type: str, dtype: dtype) -> None:
    """Sets the dtype of regions for a type of device that are told none, the open one's, too.

    >>> torch.set_autocast_dtype("cpu", torch.bfloat16)
    """
    kind = kind_of(device_type)
    STATE.get().defaults[kind] = dtype
    if kind in autocast_dtypes.get():
        _switch(kind, dtype)


def is_autocast_cache_enabled() -> bool:
    """Returns whether casts of weights are kept until the outermost region ends.

    >>> torch.is_autocast_cache_enabled()
    True
    """
    return STATE.get().cached


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Sets whether casts of weights are kept until the outermost region ends.

    >>> torch.set_autocast_cache_enabled(True)
    """
    STATE.get().cached = enabled


def clear_autocast_cache() -> None:
    """Forgets the casts of weights.

    >>> torch.clear_autocast_cache()
    """
    STATE.get().cache.clear()


def autocast_increment_nesting() -> int:
    """Counts one more region, for libraries that open them by hand; returns how many there are.

    >>> torch.autocast_increment_nesting(), torch.autocast_decrement_nesting()
    (1, 0)
    """
    state = STATE.get()
    state.nesting += 1
    return state.nesting


def autocast_decrement_nesting() -> int:
    """Counts one region less; returns how many there are."""
    state = STATE.get()
    state.nesting -= 1
    return state.nesting


# --------------------------------------------------------------------------- old names of these


def _deprecated(old: str, new: str) -> None:
    warnings.warn(
        f"torch.{old} is deprecated. Please use torch.{new} instead.",
        DeprecationWarning,
        stacklevel=3,
    )


def is_autocast_cpu_enabled() -> bool:
    """Returns ``is_autocast_enabled("cpu")``; deprecated."""
    _deprecated("is_autocast_cpu_enabled()", "is_autocast_enabled('cpu')")
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """Does ``set_autocast_enabled("cpu", enabled)``; deprecated."""
    _deprecated("set_autocast_cpu_enabled(enabled)", "set_autocast_enabled('cpu', enabled)")
    set_autocast_enabled("cpu", enabled)


def get_autocast_cpu_dtype() -> dtype:
    """Returns ``get_autocast_dtype("cpu")``; deprecated."""
    _deprecated("get_autocast_cpu_dtype()", "get_autocast_dtype('cpu')")
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype: dtype) -> None:
    """Does ``set_autocast_dtype("cpu", dtype)``; deprecated."""
    _deprecated("set_autocast_cpu_dtype(dtype)", "set_autocast_dtype('cpu', dtype)")
    set_autocast_dtype("cpu", dtype)


def get_autocast_gpu_dtype() -> dtype:
    """Returns ``get_autocast_dtype("cuda")``; deprecated."""
    _deprecated("get_autocast_gpu_dtype()", "get_autocast_dtype('cuda')")
    return get_autocast_dtype("cuda")


def set_autocast_gpu_dtype(dtype: dtype) -> None:
    """Does ``set_autocast_dtype("cuda", dtype)``; deprecated."""
    _deprecated("set_autocast_gpu_dtype(dtype)", "set_autocast_dtype('cuda', dtype)")
    set_autocast_dtype("cuda", dtype)


# --------------------------------------------------------------------- Functions of the user's


def custom_fwd(
    fwd: Any = None, *, device_type: str, cast_inputs: dtype | None = None
) -> Callable[..., Any]:
    """Decorates the forward of a `Function`: its backward, under `custom_bwd`, then runs likewise.

    With ``cast_inputs``, forward called in a region gets its tensors of floats in that dtype, and
    runs outside of it.
    """
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        ctx._dtype = get_autocast_dtype(device_type)
        inside = is_autocast_enabled(device_type)
        ctx._fwd_used_autocast = inside and cast_inputs is None
        if cast_inputs is None or not inside:
            return fwd(ctx, *args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(
                ctx,
                *_cast(args, device_type, cast_inputs),
                **_cast(kwargs, device_type, cast_inputs),
            )

    return forward


def custom_bwd(bwd: Any = None, *, device_type: str) -> Callable[..., Any]:
    """Decorates the backward of a `Function`: it runs in a region if forward did, with its dtype.

    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     @torch.amp.custom_fwd(device_type="cpu")
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...
    ...     @staticmethod
    ...     @torch.amp.custom_bwd(device_type="cpu")
    ...     def backward(ctx, g):
    ...         return 2 * g * ctx.saved_tensors[0]
    >>> x = torch.ones(2, requires_grad=True)
    >>> Square.apply(x).sum().backward()
    >>> x.grad
    tensor([2., 2.])
    """
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def backward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, enabled=ctx._fwd_used_autocast, dtype=ctx._dtype):
            return bwd(ctx, *args, **kwargs)

    return backward


def _cast(value: Any, kind: str, to: dtype) -> Any:
    """The value with its tensors of floats, however it nests them, in a dtype."""
    if isinstance(value, TensorBase):
        x: Any = value
        eligible = x.is_floating_point() and x.device.type == kind and x.dtype is not float64
        return x.to(to) if eligible else x
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {_cast(k, kind, to): _cast(v, kind, to) for k, v in value.items()}
    if isinstance(value, Iterable):
        converted = [_cast(v, kind, to) for v in value]
        return type(value)(converted) if isinstance(value, (list, tuple)) else converted  # type: ignore[call-arg]
    return value
