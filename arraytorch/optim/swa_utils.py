"""Averages of the weights that training passes through, and the schedule that goes with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

from .._device import device as Device
from .._dtypes import int64
from .._tensor import Tensor
from ..autograd.modes import no_grad
from ..nn.modules.batchnorm import _BatchNorm
from ..nn.modules.module import Module
from ..ops.creation import tensor
from .lr_scheduler.base import LRScheduler, per_group
from .optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Tensors = list[Tensor] | tuple[Tensor, ...]
Average = Callable[[Tensor, Tensor, Any], Tensor]
MultiAverage = Callable[[Tensors, Tensors, Any], None]


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """Returns a function that moves averages towards new values, ``decay`` being what they keep.

    It is called as ``fn(averages, values, count)``, with lists of tensors, and writes the averages.
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(averages: Tensors, values: Tensors, count: Any) -> None:
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point() or average.is_complex():
                average.lerp_(value, 1 - decay)
            else:
                average.copy_(average * decay + value * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn() -> MultiAverage:
    """Returns a function that takes new values into the means of ``count`` ones before.

    It is called as ``fn(averages, values, count)``, with lists of tensors, and writes the averages.
    """

    @no_grad()
    def swa_update(averages: Tensors, values: Tensors, count: Any) -> None:
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point() or average.is_complex():
                average.lerp_(value, float(1 / (count + 1)))
            else:
                average.add_((value - average).div(count + 1, rounding_mode="trunc"))

    return swa_update


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """Returns a function of an average, a new value and a count that weighs the average by ``decay``.

    >>> average = torch.optim.swa_utils.get_ema_avg_fn(0.75)
    >>> average(torch.tensor(4.0), torch.tensor(8.0), 1)
    tensor(5.)
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(average: Tensor, value: Tensor, count: Any) -> Tensor:
        return decay * average + (1 - decay) * value

    return ema_update


def get_swa_avg_fn() -> Average:
    """Returns a function of a mean, a new value and the count before that gives the new mean.

    >>> average = torch.optim.swa_utils.get_swa_avg_fn()
    >>> average(torch.tensor(4.0), torch.tensor(8.0), 3)
    tensor(5.)
    """

    @no_grad()
    def swa_update(average: Tensor, value: Tensor, count: Any) -> Tensor:
        return average + (value - average) / (count + 1)

    return swa_update


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's (Izmailov et al., 2018).

    Each ``update_parameters`` takes the model's present parameters in: the first copies them, later
    ones average by ``avg_fn``, for one tensor, or ``multi_avg_fn``, for lists, by default an equal
    mean. Buffers are averaged too if ``use_buffers``, and copied otherwise; `update_bn` computes the
    statistics of batch norm anew.

    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> averaged = torch.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = torch.nn.init.constant_(model.weight, value)
    ...     averaged.update_parameters(model)
    >>> averaged(torch.ones(1))
    tensor([3.], grad_fn=<...>)
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: int | str | Device | None = None,
        avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Takes the model's present parameters into the averages."""
        averages = [t.detach() for t in self._averaged(self.module)]
        values = [
            t.detach().to(a.device) for a, t in zip(averages, self._averaged(model), strict=False)
        ]
        if self.n_averaged == 0:
            for average, value in zip(averages, values, strict=True):
                average.copy_(value)
        elif self.avg_fn is None:
            for kind in dict.fromkeys((a.device, a.dtype) for a in averages):
                these = [i for i, a in enumerate(averages) if (a.device, a.dtype) == kind]
                (self.multi_avg_fn or get_swa_multi_avg_fn())(
                    [averages[i] for i in these],
                    [values[i] for i in these],
                    self.n_averaged.to(kind[0]),
                )
        else:
            for average, value in zip(averages, values, strict=True):
                average.copy_(self.avg_fn(average, value, self.n_averaged.to(average.device)))
        if not self.use_buffers:
            for own, new in zip(self.module.buffers(), model.buffers(), strict=True):
                own.detach().copy_(new.detach().to(own.device))
        self.n_averaged += 1

    def _averaged(self, model: Module) -> Iterable[Tensor]:
        if self.use_buffers:
            return chain(model.parameters(), model.buffers())
        return model.parameters()


@no_grad()
def update_bn(
    loader: Iterable[Any], model: Module, device: int | str | Device | None = None
) -> None:
    """Computes the statistics of all batch norms anew, as the means over one pass of ``loader``.

    Of a batch that is a list or tuple, the first is the model's input. ``device`` is where batches
    are moved to.

    >>> model = torch.nn.BatchNorm1d(1)
    >>> torch.optim.swa_utils.update_bn([torch.tensor([[1.0], [3.0]])], model)
    >>> model.running_mean, model.running_var
    (tensor([2.]), tensor([2.]))
    """
    momenta = {m: m.momentum for m in model.modules() if isinstance(m, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None  # which means: the mean of all batches
    for batch in loader:
        input = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(input if device is None else input.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


def _linear(t: float) -> float:
    return t


def _cosine(t: float) -> float:
    return (1 - math.cos(math.pi * t)) / 2


class SWALR(LRScheduler):
    """Leads the rates to ``swa_lr``, one or a list with one per group, and leaves them there.

    It takes ``anneal_epochs`` epochs, along a cosine or, with ``anneal_strategy="linear"``, a line.

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=1.0)
    >>> schedule = torch.optim.swa_utils.SWALR(optimizer, 0.5, 2, "linear")
    >>> for _ in range(3):
    ...     optimizer.step(); schedule.step(); print(schedule.get_last_lr())
    [0.75]
    [0.5]
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = per_group("swa_lr", optimizer, swa_lr)
        for rate, group in zip(rates, optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    @property
    def anneal_func(self) -> Callable[[float], float]:
        """What leads from 0 to 1, as a function of the time, which does so too."""
        return _cosine if self._anneal_strategy == "cos" else _linear

    def get_lr(self) -> list[Any]:
        """Returns the rates for ``last_epoch``; `get_last_lr` tells the present ones."""
        self._warn_unless_stepping()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._progress(step - 1), self._progress(step)
        return [
            group["swa_lr"] * now + _initial(group["lr"], group["swa_lr"], before) * (1 - now)
            for group in self.optimizer.param_groups
        ]

    def _progress(self, step: int) -> float:
        return self.anneal_func(max(0, min(1, step / max(1, self.anneal_epochs))))


def _initial(lr: Any, goal: Any, progress: float) -> Any:
    """Returns where a rate started that has come so far on its way to the goal."""
    return goal if progress == 1 else (lr - progress * goal) / (1 - progress)
