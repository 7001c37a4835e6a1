"""Distances between vectors: of pairs, of all pairs, and by angle."""

from __future__ import annotations

from math import inf
from typing import Any

from ..autograd.tape import wrap
from ..backends import backend_of
from ._results import check_tensor, promoted
from .arithmetic import abs, pow
from .diagonals import triu_indices
from .elementary import exp, log
from .extremes import amax
from .indexing import getitem
from .rearranging import broadcast_tensors
from .reduction import sum
from .selection import clamp, where
from .spread import vector_norm

Tensor = Any


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Returns the cosine of the angle between vectors along ``dim``.

    Norms below ``eps`` are taken for ``eps``. Raises RuntimeError for integers.

    >>> F = torch.nn.functional
    >>> F.cosine_similarity(torch.tensor([[1., 0.]]), torch.tensor([[1., 1.]]))
    tensor([0.7071])
    """
    for position, t in enumerate((x1, x2), 1):
        check_tensor("cosine_similarity", t, names=(f"x{position}",))
    x1, x2 = promoted("cosine_similarity", x1, x2)
    if x1._data.dtype.kind in "biu":
        raise RuntimeError(
            "expected common dtype to be floating point, yet common dtype is "
            f"{str(x1.dtype).removeprefix('torch.')}"
        )
    if x1._data.shape != x2._data.shape:
        x1, x2 = broadcast_tensors(x1, x2)
    return sum(_unit(x1, dim, eps) * _unit(x2, dim, eps), dim)


def _unit(x: Tensor, dim: int, eps: float) -> Tensor:
    length = vector_norm(x, 2, dim, True)
    # Only the value is held above eps: the gradient is that of the norm, as in PyTorch.
    B = backend_of(length._data)
    if (seen := B.bounds_at_hand(length._data)) is None or not seen[0] >= eps:
        held = clamp(length.detach(), min=eps)._data - length._data
        length = length + wrap(B.asarray(held))
    return x / length


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Returns the p-norm of ``x1 - x2 + eps`` along the last dimension.

    >>> torch.nn.functional.pairwise_distance(torch.tensor([[3., 4.]]), torch.zeros(1, 2))
    tensor([5.0000])
    """
    for position, t in enumerate((x1, x2), 1):
        check_tensor("pairwise_distance", t, names=(f"x{position}",))
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)


def pdist(input: Tensor, p: float = 2) -> Tensor:
    """Returns the p-norm distances of all pairs of rows, in the order (0, 1), (0, 2) ... (1, 2) ...

    Where rows are equal, the gradient is 0. Raises RuntimeError unless ``input`` is a floating
    matrix and ``p`` is not negative.

    >>> torch.pdist(torch.tensor([[0., 0.], [3., 4.], [0., 1.]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    check_tensor("pdist", input)
    x = input._data
    if x.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {x.ndim}D")
    if x.dtype.kind in "biuc":
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    first, second = triu_indices(x.shape[0], x.shape[0], 1, device=input.device)
    return _lengths(getitem(input, (first,)) - getitem(input, (second,)), float(p))


def _lengths(difference: Tensor, p: float) -> Tensor:
    """The p-norms of rows, of which those of zeros have no slope."""
    if not difference._data.shape[1]:
        return sum(difference, 1)
    if p == 0:
        return sum(where(difference != 0, 1.0, difference * 0), 1)  # type: ignore[call-overload]
    size = abs(difference)
    if p == inf:
        return amax(size, 1)
    if p == 1:
        return sum(size, 1)
    # Zeros are kept out of the powers, whose slopes are infinite there.
    zero = size == 0
    powers = where(zero, 0.0, exp(log(where(zero, 1.0, size)) * p) if p != 2 else size * size)
    total = sum(powers, 1)
    apart = total > 0
    return where(apart, pow(where(apart, total, 1.0), 1 / p), 0.0)
