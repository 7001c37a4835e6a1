"""Keeping gradients small."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable

from ..._tensor import Tensor
from ...autograd.modes import no_grad
from ...ops.creation import tensor
from ...ops.extremes import amax, amin
from ...ops.joining import stack

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]


@no_grad()
def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Returns the norm of all elements of all tensors, as of one vector.

    >>> torch.nn.utils.get_total_norm([torch.tensor([3.]), torch.tensor([4.])])
    tensor(5.)
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if not tensors:
        return tensor(0.0)
    for t in tensors:
        if t.is_sparse:
            raise NotImplementedError(
                "Could not run 'aten::linalg_vector_norm' with arguments from the "
                f"'Sparse{t.device.type.upper()}' backend."
            )
    device = tensors[0].device
    norm_type = float(norm_type)
    norms = [_norm(t, norm_type).to(device) for t in tensors]
    total = _norm(stack(norms), norm_type)
    if error_if_nonfinite and not total.isfinite():
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, "
            "so it cannot be clipped. To disable this error and scale the gradients by the "
            "non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scales gradients whose norm is ``total_norm`` down to ``max_norm``; smaller ones stay."""
    scale = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    for grad in _grads(parameters):
        grad.mul_(scale.to(grad.device))


@no_grad()
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales the gradients of ``parameters`` so that their common norm is at most ``max_norm``.

    Returns the norm they had. ``norm_type`` may be ``inf``.

    >>> p = torch.nn.Parameter(torch.zeros(2)); p.grad = torch.tensor([3., 4.])
    >>> torch.nn.utils.clip_grad_norm_(p, 1.0)
    tensor(5.)
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    total = get_total_norm(_grads(parameters), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Is `clip_grad_norm_` under its name of old, which warns."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of "
        "`torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Clamps the gradients of ``parameters`` to the range from -clip_value to clip_value.

    >>> p = torch.nn.Parameter(torch.zeros(2)); p.grad = torch.tensor([3., -0.5])
    >>> torch.nn.utils.clip_grad_value_(p, 1.0); p.grad
    tensor([ 1.0000, -0.5000])
    """
    clip_value = float(clip_value)
    for grad in _grads(parameters):
        grad.clamp_(min=-clip_value, max=clip_value)


def _grads(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in parameters if p.grad is not None]


def _norm(x: Tensor, p: float) -> Tensor:
    if p == 2:
        return (x * x).sum().sqrt()
    size = x.abs()
    if math.isinf(p):
        return amax(size) if p > 0 else amin(size)
    if p == 0:
        return (size != 0).sum().to(x.dtype)
    return size.sum() if p == 1 else (size**p).sum() ** (1 / p)
