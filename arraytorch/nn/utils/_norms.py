"""What both forms of weight norm and spectral norm compute."""

from __future__ import annotations

from ..._tensor import Tensor


def magnitudes(v: Tensor, dim: int) -> Tensor:
    """Returns the lengths of a tensor's parts, one for each index of ``dim``; of all of it for -1."""
    if dim == -1:
        return v.norm()
    others = [d for d in range(v.ndim) if d != dim % v.ndim]
    return (v * v).sum(others, keepdim=True).sqrt() if others else v.abs()


def scaled(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """Returns ``v`` with the lengths ``g``."""
    return v * (g / magnitudes(v, dim))


def reshaped_to_matrix(weight: Tensor, dim: int) -> Tensor:
    """Returns a tensor as a matrix whose rows are dimension ``dim``."""
    if dim != 0:
        weight = weight.permute(dim, *(d for d in range(weight.ndim) if d != dim))
    return weight.flatten(1)
