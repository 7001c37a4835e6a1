"""Samples of categories that gradients can pass."""

from __future__ import annotations

from typing import Any

from .._layouts import contiguous_format
from ._results import check_tensor
from .creation import empty_like
from .elementary import log
from .extremes import argmax
from .sampling import exponential_, unset
from .scattering import scatter
from .selection import zeroed
from .softmaxes import softmax

Tensor = Any


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """Returns samples of a softened categorical distribution (Jang et al. 2017).

    The softmax of ``logits`` plus Gumbel noise, over the temperature ``tau``. ``hard`` returns a one
    for the category and zeros elsewhere, with the gradient of the soft sample. ``eps`` has no effect.

    >>> torch.nn.functional.gumbel_softmax(torch.tensor([0.0, 100.0]), hard=True)
    tensor([0., 1.])
    """
    check_tensor("gumbel_softmax", logits, names=("logits",))
    gumbel = -log(exponential_(unset(empty_like(logits.detach(), memory_format=contiguous_format))))
    soft = softmax((logits + gumbel) / tau, dim)
    if not hard:
        return soft
    value = soft.detach()
    one = scatter(zeroed(value), dim, argmax(value, dim, True), 1.0)
    return one - value + soft
