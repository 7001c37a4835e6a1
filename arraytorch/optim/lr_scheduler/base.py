"""The base of the learning rate schedulers."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from ..._tensor import Tensor
from ..optimizer import Optimizer

Rate = float | Tensor

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if "
    "epoch is different from None, the closed form is used instead of the new chainable form, "
    "where available. Please open an issue if you are unable to replicate your use case: "
    "https://github.com/pytorch/pytorch/issues/new/choose."
)
_HOW_TO = (
    "See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)


class LRScheduler:
    """Sets the learning rate of each parameter group, epoch by epoch.

    A subclass defines `get_lr`, which returns the rates of the groups at ``last_epoch``, as a
    rule from the present ones, so that schedulers can be chained; it may define
    ``_get_closed_form_lr``, which computes them from the initial rates. ``last_epoch`` other than
    -1 resumes an earlier run, whose optimizer state was loaded before.

    Raises TypeError unless ``optimizer`` is an Optimizer, and KeyError when resuming with groups
    that have no ``initial_lr``.
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(optimizer)
        if last_epoch == -1:
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", copied(group["lr"]))
        else:
            _check_resumed(optimizer)
        self.base_lrs: list[Rate] = [copied(g["initial_lr"]) for g in optimizer.param_groups]
        self.last_epoch = last_epoch
        optimizer._scheduled_step = _function_of(optimizer.step)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        with flag(self, "_is_initial"):
            self.step()

    def state_dict(self) -> dict[str, Any]:
        """Returns all attributes but the optimizer."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` returned."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Rate]:
        """Returns the rates that the last step has set."""
        return self._last_lr

    def get_lr(self) -> list[Rate]:
        """Returns the rates for ``last_epoch``; `get_last_lr` tells the present ones."""
        raise NotImplementedError

    def step(self, epoch: int | None = None) -> None:
        """Sets the rates of the next epoch, or (deprecated) of the given one.

        To be called after the optimizer's step: a warning says so otherwise.
        """
        if self._step_count == 1:
            self._warn_about_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _warn_about_order(self) -> None:
        if _function_of(self.optimizer.step) is not self.optimizer._scheduled_step:
            warnings.warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
                "initialization. Please, make sure to call `optimizer.step()` before "
                f"`lr_scheduler.step()`. {_HOW_TO}",
                UserWarning,
                stacklevel=3,
            )
        elif not self.optimizer._opt_called:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. "
                "In PyTorch 1.1.0 and later, you should call them in the opposite order: "
                "`optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result "
                f"in PyTorch skipping the first value of the learning rate schedule. {_HOW_TO}",
                UserWarning,
                stacklevel=3,
            )

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed_form = getattr(self, "_get_closed_form_lr", None)
        with flag(self, "_get_lr_called_within_step"):
            rates = self.get_lr() if epoch is None or closed_form is None else closed_form()
        self._set_lr(rates)

    def _set_lr(self, rates: list[Rate]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            assign(group, "lr", rate)
        self._last_lr = self._current_lr()

    def _current_lr(self) -> list[Rate]:
        return current_lr(self.optimizer)

    def _warn_unless_stepping(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, "
                "please use `get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def _scaled(self, factor: float) -> list[Rate]:
        return [group["lr"] * factor for group in self.optimizer.param_groups]


class _LRScheduler(LRScheduler):
    """The base under the name it had before PyTorch 2.0, which many schedulers still inherit."""


def checked(optimizer: Any) -> Optimizer:
    """Returns the optimizer; raises TypeError if it is none."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def _check_resumed(optimizer: Optimizer) -> None:
    for i, group in enumerate(optimizer.param_groups):
        if "initial_lr" not in group:
            raise KeyError(
                f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                "scheduler with last_epoch >= 0.\nThis typically happens when:\n"
                "1. You're trying to resume training from a checkpoint but haven't properly "
                "loaded the optimizer state\n"
                "2. You're using last_epoch >= 0 for a fresh training run (not recommended)"
            )


def copied(value: Any) -> Any:
    """Returns a value that in-place changes of the original do not reach."""
    return value.clone() if isinstance(value, Tensor) else value


def current_lr(optimizer: Optimizer) -> list[Rate]:
    """Returns the present rates of an optimizer's groups."""
    return [copied(group["lr"]) for group in optimizer.param_groups]


def assign(group: dict[str, Any], name: str, value: Any) -> None:
    """Sets an option of a parameter group; where it is a tensor, that tensor is filled."""
    if isinstance(group[name], Tensor):
        group[name].fill_(value.squeeze() if isinstance(value, Tensor) else value)
    else:
        group[name] = value


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """Returns one value per parameter group; raises ValueError for a list of another length."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [copied(value) for _ in range(count)]
    if len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {count}."
        )
    return [copied(v) for v in value]


def function_state(function: Callable[..., Any]) -> dict[str, Any] | None:
    """Returns the attributes of a callable object; a plain function has none to save."""
    return None if isinstance(function, FunctionType) else function.__dict__.copy()


def _function_of(method: Any) -> Any:
    return getattr(method, "__func__", method)


@contextlib.contextmanager
def flag(scheduler: LRScheduler, name: str) -> Iterator[None]:
    setattr(scheduler, name, True)
    try:
        yield
    finally:
        setattr(scheduler, name, False)


def set_momentum(group: dict[str, Any], momentum: float, is_beta: bool) -> None:
    """Sets a group's momentum, or the first of its betas."""
    if is_beta:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def cycles_beta(optimizer: Optimizer) -> bool:
    """Returns whether momentum is called beta1 here; raises ValueError if there is none at all."""
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError(
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
        )
    return "betas" in optimizer.defaults
