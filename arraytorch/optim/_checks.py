"""What optimizers have to say about PyTorch's flags for its several implementations."""

from __future__ import annotations

from typing import Any

_FUSED_DEVICES = ["mps", "cuda", "xpu", "hpu", "cpu", "mtia", "privateuseone"]
_CAPTURABLE_DEVICES = ["cuda", "xpu", "hpu", "privateuseone", "xla"]


def check_flags(fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
    """Raises RuntimeError for flags that exclude each other."""
    if fused:
        if differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def check_fused(params: list[Any]) -> None:
    """Raises RuntimeError if a parameter with a gradient is not of a floating-point type."""
    for param in params:
        if param.grad is not None and not param.is_floating_point():
            raise RuntimeError(
                "`fused=True` requires all the params to be floating point Tensors of supported "
                f"devices: {_FUSED_DEVICES} but {param.dtype} and {param.device.type}"
            )


def check_capturable(params: list[Any], what: str = "params and state_steps") -> None:
    """Raises AssertionError if a parameter with a gradient lies where nothing can be captured."""
    for param in params:
        if param.grad is not None and param.device.type not in _CAPTURABLE_DEVICES:
            raise AssertionError(
                f"If capturable=True, {what} must be on supported devices: {_CAPTURABLE_DEVICES}."
            )
