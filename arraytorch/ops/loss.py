"""Losses of numbers; those of classes are in class_loss.py."""

from __future__ import annotations

import math
import warnings
from typing import Any

from .._dtypes import scalar_type_name
from ..autograd.tape import TensorBase, taped
from ..backends import backend_of, outermost
from . import arithmetic
from ._declare import derivative, kernel_op
from ._promote import result_type
from ._results import as_array, check_tensor, promoted, refuse_kernel
from .activation import logsigmoid
from .arithmetic import sgn
from .blending import xlogy
from .creation import full_like
from .elementary import exp, log
from .elementary import log1p as _log1p
from .rearranging import broadcast_tensors
from .reduction import mean, sum
from .selection import clamp, maximum, where

Tensor = Any
REDUCTIONS = ("mean", "sum", "none")


def _reduction(reduction: str, size_average: bool | None = None, reduce: bool | None = None) -> str:
    """The reduction that the deprecated pair of flags stands for, if given."""
    if size_average is not None or reduce is not None:
        size_average = True if size_average is None else size_average
        if reduce is False:
            chosen = "none"
        else:
            chosen = "mean" if size_average else "sum"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{chosen}' "
            "instead.",
            stacklevel=4,
        )
        return chosen
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def _reduced(loss: Tensor, reduction: str) -> Tensor:
    return loss if reduction == "none" else mean(loss) if reduction == "mean" else sum(loss)


def _pair(name: str, input: Tensor, target: Tensor) -> Any:
    """Returns both in one shape: expanded first, a number of a wider dtype widens the loss."""
    check_tensor(name, input, target, names=("input", "target"))
    if input._data.shape != target._data.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            stacklevel=3,
        )
        return broadcast_tensors(input, target)
    return input, target


def _gap(input: Tensor, target: Tensor, kind: str, delta: float, scale: float) -> Tensor:
    """The "square" of the difference, its "size", or "huber" of it; of floats in one pass."""
    if input._data.dtype is target._data.dtype and input._data.dtype.char in "fd":
        return gap(input, target, kind, delta, scale)
    dtype = result_type(input, target)
    if kind != "size" and not dtype.is_floating_point:
        name = "mse" if kind == "square" else "huber"
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{scalar_type_name(dtype)}'")
    difference = input - target
    if kind == "huber":
        return _huber(difference, delta, scale)
    return arithmetic.square(difference) if kind == "square" else arithmetic.abs(difference)


@derivative(
    saves=("input", "target", "kind", "delta", "scale"),
    d_input=lambda B, g, input, target, kind, delta, scale: B.gap_backward(
        g, input, target, kind, delta, scale
    ),
    d_target=lambda B, g, input, target, kind, delta, scale: B.gap_backward(
        g, target, input, kind, delta, scale
    ),
)
def gap(input: Tensor, target: Tensor, kind: str, delta: float, scale: float) -> Tensor:
    """Returns what `_gap` does of tensors of one type and shape."""
    x, y = input._data, target._data
    B = backend_of(x) if x.__class__ is y.__class__ else outermost(x, y)
    z = as_array(B, B.gap(x, y, kind, delta, scale), x)
    return taped(gap, z, (input, target), (input, target, kind, delta, scale))


@kernel_op
def gap_backward(
    g: Tensor, input: Tensor, target: Tensor, kind: str, delta: float, scale: float
) -> Tensor:
    """Returns g times the slope of `gap`, by ops that are differentiable in turn."""
    difference = input - target
    if kind == "square":
        return g * (difference * scale)
    return g * (sgn(difference) if kind == "size" else clamp(difference, -delta, delta) * scale)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Returns the squared error, averaged, summed or ("none") of each element.

    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """
    reduction = _reduction(reduction, size_average, reduce)
    input, target = _pair("mse_loss", input, target)
    return _weighted(_gap(input, target, "square", math.inf, 2.0), weight, reduction)


def _weighted(loss: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    if weight is None:
        return _reduced(loss, reduction)
    if weight._data.shape != loss._data.shape:
        raise ValueError("Weights and input must have the same size.")
    loss = loss * weight
    return sum(loss) / sum(weight) if reduction == "mean" else _reduced(loss, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Returns the absolute error.

    >>> torch.nn.functional.l1_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(1.)
    """
    reduction = _reduction(reduction, size_average, reduce)
    input, target = _pair("l1_loss", input, target)
    return _weighted(_gap(input, target, "size", 0.0, 0.0), weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Returns the error, squared over 2 beta where below ``beta``, absolute less beta/2 beyond.

    >>> torch.nn.functional.smooth_l1_loss(torch.tensor([0.5, 3.0]), torch.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    reduction = _reduction(reduction, size_average, reduce)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    input, target = _pair("smooth_l1_loss", input, target)
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return _reduced(_gap(input, target, "huber", beta, 1 / beta), reduction)


@derivative(
    saves=("input", "delta", "scale"),
    name="HuberLossBackward0",
    d_input=lambda B, g, input, delta, scale: g * (B.clamp(input, -delta, delta) * scale),
)
def _huber(input: Tensor, delta: float, scale: float) -> Tensor:
    """Returns scale times (half the square up to ``delta``, and ``delta`` times the rest beyond)."""
    x = input._data
    B = backend_of(x)
    z = B.cast(B.asarray(B.huber(x, delta, scale)), x.dtype)
    return taped(_huber, z, (input,), (input, delta, scale))


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Returns half the squared error up to ``delta``, and delta times the rest beyond.

    >>> torch.nn.functional.huber_loss(torch.tensor([0.5, 3.0]), torch.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    reduction = _reduction(reduction)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    input, target = _pair("huber_loss", input, target)
    loss = _gap(input, target, "huber", delta, 1.0)
    if weight is None or reduction != "mean":
        return _weighted(loss, weight, reduction)
    return mean(_weighted(loss, weight, "none"))  # of all, where the others' means are weighted


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Returns the cross entropy of probabilities; logarithms are held at -100 and above.

    Raises RuntimeError for an input outside [0, 1], ValueError where shapes differ.

    >>> torch.nn.functional.binary_cross_entropy(torch.tensor([0.5]), torch.tensor([1.0]))
    tensor(0.6931)
    """
    refuse_kernel("binary_cross_entropy", input, "biuc")
    reduction = _reduction(reduction, size_average, reduce)
    check_tensor("binary_cross_entropy", input, target, names=("input", "target"))
    if input._data.shape != target._data.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    for name, t in (("input", input), ("target", target)):
        x = t._data
        seen = backend_of(x).bounds_at_hand(x)
        if seen is not None and not (seen[0] >= 0 and seen[1] <= 1):
            raise RuntimeError(f"all elements of {name} should be between 0 and 1")
    loss = _cross_entropy_of_two(input, target)
    return _reduced(loss if weight is None else loss * weight, reduction)


def _slope_of_two(B: Any, g: Any, input: Any, target: Any) -> Any:
    """(p - t) / (p (1 - p)), with the divisor held at 1e-12: finite where p is 0 or 1."""
    variance = input * (1 - input)
    held = B.where(variance < 1e-12, variance * 0 + 1e-12, variance)
    return g * ((input - target) / held)


@derivative(
    saves=("input", "target"),
    name="BinaryCrossEntropyBackward0",
    d_input=_slope_of_two,
    d_target=lambda B, g, input: g * (B.log1p(-input) - B.log(input)),
)
def _cross_entropy_of_two(input: Tensor, target: Tensor) -> Tensor:
    """-(t log p + (1 - t) log(1 - p)), logarithms held at -100 and above."""
    if input._data.dtype is not target._data.dtype:
        input, target = promoted("binary_cross_entropy", input, target)
    x, t = input._data, target._data
    z = outermost(x, t).binary_cross_entropy(x, t)
    return taped(_cross_entropy_of_two, z, (input, target), (input, target))


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Returns the cross entropy of sigmoid(input), without overflow.

    ``pos_weight`` weighs the positive class.

    >>> torch.nn.functional.binary_cross_entropy_with_logits(torch.zeros(1), torch.ones(1))
    tensor(0.6931)
    """
    reduction = _reduction(reduction, size_average, reduce)
    name = "binary_cross_entropy_with_logits"
    check_tensor(name, input, target, names=("input", "target"))
    if input._data.shape != target._data.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    if pos_weight is None:
        # x - x t + log(1 + exp(-x)), as (1 - t) x - log sigmoid(x)
        loss = (1 - target) * input - logsigmoid(input)
    else:
        loss = (1 - target) * input - (1 + (pos_weight - 1) * target) * logsigmoid(input)
    return _reduced(loss if weight is None else loss * weight, reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Returns target * (log target - input), for an input of logarithms; 0 where target is 0.

    ``reduction="batchmean"`` divides the sum by the first size, as the definition does.

    >>> torch.nn.functional.kl_div(torch.tensor([[-1.0]]), torch.tensor([[1.0]]), reduction="sum")
    tensor(1.)
    """
    check_tensor("kl_div", input, target, names=("input", "target"))
    batch = reduction == "batchmean"
    reduction = "sum" if batch else _reduction(reduction, size_average, reduce)
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    if log_target:
        loss = exp(target) * (target - input)
    else:
        loss = xlogy(target, target) - target * input
    result = _reduced(loss, reduction)
    return result / input._data.shape[0] if batch and input._data.ndim else result


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Returns minus the log-likelihood of a Poisson rate, given as its logarithm or itself.

    >>> torch.nn.functional.poisson_nll_loss(torch.zeros(1), torch.ones(1))
    tensor(1.)
    """
    reduction = _reduction(reduction, size_average, reduce)
    check_tensor("poisson_nll_loss", input, target, names=("input", "target"))
    loss = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        stirling = target * log(target) - target + 0.5 * log(2 * math.pi * target)
        loss = loss + where(target > 1, stirling, 0.0)
    return _reduced(loss, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Returns minus the log-likelihood of a normal distribution's mean and variance.

    >>> torch.nn.functional.gaussian_nll_loss(torch.zeros(1), torch.ones(1), torch.ones(1))
    tensor(0.5000)
    """
    reduction = _reduction(reduction)
    check_tensor("gaussian_nll_loss", input, target, names=("input", "target"))
    if not isinstance(var, TensorBase):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = full_like(input, var)
    elif (seen := backend_of(var._data).bounds_at_hand(var._data)) is not None and seen[0] < 0:
        raise ValueError("var has negative entry/entries")
    v, x = var._data.shape, input._data.shape
    if v != x:
        if v == x[:-1]:
            var = var.unsqueeze(-1)
        elif len(v) != len(x) or [n for m, n in zip(x, v) if m != n] != [1]:
            raise ValueError("var is of incorrect size")
    held = maximum(var, full_like(var, eps))
    var = where(var < eps, held.detach(), var)  # type: ignore[operator]
    loss = 0.5 * (log(var) + (input - target) ** 2 / var)
    return _reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Returns log(1 + exp(-target * input)).

    >>> torch.nn.functional.soft_margin_loss(torch.zeros(1), torch.ones(1))
    tensor(0.6931)
    """
    check_tensor("soft_margin_loss", input, target, names=("input", "target"))
    return _reduced(_log1p(exp(-target * input)), _reduction(reduction, size_average, reduce))


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Returns x where the target is 1, and max(0, margin - x) where it is -1.

    >>> torch.nn.functional.hinge_embedding_loss(torch.tensor([0.5]), torch.tensor([-1.0]))
    tensor(0.5000)
    """
    check_tensor("hinge_embedding_loss", input, target, names=("input", "target"))
    near = where(target != -1, input, 0.0)
    far = where(target != 1, clamp(margin - input, min=0), 0.0)
    return _reduced(near + far, _reduction(reduction, size_average, reduce))
