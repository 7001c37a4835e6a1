"""GradScaler: a loss scaled up, so that gradients in float16 do not vanish."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable
from enum import Enum
from typing import Any

from .. import backends
from .._device import device as Device
from .._dtypes import float16, float32, int32
from .._tensor import Tensor
from ..autograd.tape import stamp, wrap
from ..ops.comparison import isfinite, logical_not
from ..ops.creation import full
from ..ops.selection import where


class OptState(Enum):
    """How far an optimizer is since the last update."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


class _Progress:
    """What is known of an optimizer since the last update."""

    def __init__(self) -> None:
        self.stage = OptState.READY
        self.found: dict[Any, Tensor] = {}  # by device: 1.0 if a gradient was infinite or NaN


class GradScaler:
    """Scales losses up and gradients back, and skips steps whose gradients overflowed.

    After ``growth_interval`` steps without an overflow the scale grows by ``growth_factor``; an
    overflow shrinks it by ``backoff_factor``. The scale stays on the device of the loss; only
    `step` and `get_scale` wait for it. ``enabled=False`` makes all methods do nothing.

    >>> w = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.5)
    >>> scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    >>> scaler.scale((w * w).sum()).backward()
    >>> w.grad
    tensor([8., 8.])
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> w
    tensor([0., 0.], requires_grad=True)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        if enabled and device == "cuda" and not backends.is_available("cuda"):
            warnings.warn(
                "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.",
                stacklevel=2,
            )
            enabled = False
        if enabled and not growth_factor > 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if enabled and not backoff_factor < 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._enabled = enabled
        self._init_scale, self._init_growth_tracker = init_scale, 0
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval = growth_interval
        # Made on the device of the first loss.
        self._scale: Any = None
        self._growth_tracker: Any = None
        self._progress: dict[int, _Progress] = {}

    # scaling

    def scale(self, outputs: Any) -> Any:
        """Returns a tensor, or an iterable of such, multiplied by the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            self._init(outputs.device)
            return outputs * self._scale.to(outputs.device, non_blocking=True)
        if not isinstance(outputs, Iterable):
            raise ValueError("outputs must be a Tensor or an iterable of Tensors")
        scaled = map(self.scale, outputs)
        return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled  # type: ignore[call-arg]

    def _init(self, device: Any) -> None:
        if self._scale is None:
            self._scale = full((), self._init_scale, dtype=float32, device=device)
            self._growth_tracker = full((), self._init_growth_tracker, dtype=int32, device=device)

    def _check(self, name: str) -> None:
        if self._scale is None:
            raise AssertionError(
                f"Attempted {name} but _scale is None.  This may indicate your script did not use "
                "scaler.scale(loss or outputs) earlier in the iteration."
            )

    def _of(self, optimizer: Any) -> _Progress:
        return self._progress.setdefault(id(optimizer), _Progress())

    # gradients

    def unscale_(self, optimizer: Any) -> None:
        """Divides the gradients of an optimizer's parameters by the scale, for clipping and the like.

        Once between updates, else RuntimeError; `step` does it unless it was done. Raises ValueError
        for float16 gradients: parameters are to be float32.
        """
        if not self._enabled:
            return
        self._check("unscale_")
        progress = self._of(optimizer)
        if progress.stage is OptState.UNSCALED:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        if progress.stage is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        progress.found = _checked(optimizer, self._scale.double().reciprocal().float())
        progress.stage = OptState.UNSCALED

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls the optimizer's ``step`` unless a gradient is infinite or NaN; returns its result.

        Once between updates, else RuntimeError. An optimizer that scales by itself, as its
        ``_step_supports_amp_scaling`` says, is left to it: it finds ``grad_scale`` and ``found_inf``.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._check("step")
        progress = self._of(optimizer)
        if progress.stage is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            result = self._left_to(optimizer, progress, args, kwargs)
        else:
            if progress.stage is OptState.READY:
                self.unscale_(optimizer)
            if not progress.found:
                raise AssertionError("No inf checks were recorded for this optimizer.")
            overflowed = any(found.item() for found in progress.found.values())
            result = None if overflowed else optimizer.step(*args, **kwargs)
        progress.stage = OptState.STEPPED
        return result

    def _left_to(self, optimizer: Any, progress: _Progress, args: Any, kwargs: Any) -> Any:
        if "grad_scaler" in inspect.signature(optimizer.step).parameters:
            warnings.warn(
                "GradScaler is going to stop passing itself as a keyword argument to the passed "
                "optimizer. In the near future GradScaler registers `grad_scale: Tensor` and "
                "`found_inf: Tensor` to the passed optimizer and let the optimizer use them directly.",
                FutureWarning,
                stacklevel=3,
            )
            return optimizer.step(*args, grad_scaler=self, **kwargs)
        unscaled = progress.stage is OptState.UNSCALED
        if not unscaled:
            progress.found = _checked(optimizer, None)
        optimizer.grad_scale = None if unscaled else self._scale
        optimizer.found_inf = self._sum(progress.found.values())
        try:
            return optimizer.step(*args, **kwargs)
        finally:
            del optimizer.grad_scale, optimizer.found_inf

    def _sum(self, found: Iterable[Tensor]) -> Any:
        total = full((), 0.0, dtype=float32, device=self._scale.device)
        for one in found:
            total = total + one.to(total.device, non_blocking=True)
        return total

    # the scale

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Ends an iteration: adapts the scale to whether gradients overflowed, or sets it."""
        if not self._enabled:
            return
        self._check("update")
        if new_scale is not None:
            self._set(new_scale)
        else:
            found = [f for p in self._progress.values() for f in p.found.values()]
            if not found:
                raise AssertionError("No inf checks were recorded prior to update.")
            self._adapt(self._sum(found) > 0)
        self._progress = {}

    def _set(self, new_scale: float | Tensor) -> None:
        if isinstance(new_scale, float):
            self._scale.fill_(new_scale)
            return
        if not isinstance(new_scale, Tensor) or new_scale.numel() != 1 or new_scale.requires_grad:
            raise AssertionError(
                "new_scale should be a float or a 1-element torch.cuda.FloatTensor or "
                "torch.FloatTensor with requires_grad=False."
            )
        self._scale.copy_(new_scale)

    def _adapt(self, overflowed: Tensor) -> None:
        """As tensors, so that the host need not wait for the device."""
        scale, steps = self._scale, self._growth_tracker + 1
        grows = logical_not(overflowed) & (steps == self._growth_interval)
        grown = scale * self._growth_factor
        grown = where(isfinite(grown), grown, scale)  # type: ignore[call-overload]
        self._scale = where(overflowed, scale * self._backoff_factor, where(grows, grown, scale))
        self._growth_tracker = steps.masked_fill(overflowed | grows, 0)

    def get_scale(self) -> float:
        """Returns the scale, 1.0 if it is not enabled; waits for the device."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()  # type: ignore[no-any-return]

    def get_growth_factor(self) -> float:
        """Returns by what the scale grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Sets by what the scale grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """Returns by what the scale shrinks after an overflow."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Sets by what the scale shrinks after an overflow."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """Returns after how many steps without an overflow the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Sets after how many steps without an overflow the scale grows."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        if not self._enabled:
            return 0
        tracker = self._growth_tracker
        return self._init_growth_tracker if tracker is None else int(tracker.item())

    def is_enabled(self) -> bool:
        """Returns whether it does anything."""
        return self._enabled

    # saving

    def state_dict(self) -> dict[str, Any]:
        """Returns the scale and what governs it; an empty dictionary if it is not enabled.

        >>> torch.amp.GradScaler("cpu").state_dict()["scale"]
        65536.0
        """
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` has returned. Raises RuntimeError if that is empty."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        self._init_scale, self._init_growth_tracker = (
            state_dict["scale"],
            state_dict["_growth_tracker"],
        )
        if self._scale is not None:
            self._scale.fill_(self._init_scale)
            self._growth_tracker.fill_(self._init_growth_tracker)
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]

    def __getstate__(self) -> dict[str, Any]:
        if self._enabled and self._progress:
            raise AssertionError(
                "A GradScaler instance may only be pickled at the beginning of an iteration, or at "
                "the end after scaler.update()."
            )
        return self.__dict__ | {
            "_init_scale": self.get_scale(),
            "_init_growth_tracker": self._get_growth_tracker(),
            "_scale": None,
            "_growth_tracker": None,
        }


def _checked(optimizer: Any, factor: Tensor | None) -> dict[Device, Any]:
    """Multiplies an optimizer's gradients by a factor; tells of each device whether one overflowed."""
    by_place: dict[Device, list[Any]] = {}
    for parameter in (p for group in optimizer.param_groups for p in group["params"]):
        if (grad := parameter.grad) is not None:
            if factor is not None and grad.dtype is float16:
                raise ValueError("Attempting to unscale FP16 gradients.")
            if grad.is_sparse:
                grad = grad._values()  # in the same memory
            by_place.setdefault(grad.device, []).append(grad)
    found = {}
    for place, grads in by_place.items():
        B = backends.backend_of(grads[0]._data)
        times = None if factor is None else factor.to(place, non_blocking=True)._data  # type: ignore[attr-defined]
        found[place] = wrap(B.unscale([g._data for g in grads], times))
        for grad in grads if factor is not None else ():
            stamp(grad)
    return found
