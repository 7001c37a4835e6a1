"""Slopes of sampled functions."""

from __future__ import annotations

from typing import Any

from ..autograd.tape import TensorBase
from ._promote import dim_of, is_number
from ._results import check_tensor
from .indexing import getitem
from .joining import cat
from .shape import reshape

Tensor = Any


def gradient(
    input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1
) -> tuple[Tensor, ...]:
    """Returns the slope of sampled values along each of ``dim``, by central differences.

    ``spacing`` is the distance of the samples: one for all dimensions, one for each, or for each the
    coordinates in a vector. At both ends the difference is one-sided, of the first or the second
    order (``edge_order``).

    >>> torch.gradient(torch.tensor([1.0, 4.0, 9.0]))
    (tensor([3., 4., 5.]),)
    """
    check_tensor("gradient", input)
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    shape = input._data.shape
    given = range(len(shape)) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    dims = [dim_of(d, len(shape)) for d in given]
    if len(set(dims)) != len(dims):
        twice = next(d for d in dims if dims.count(d) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    spacing = 1 if spacing is None else spacing
    steps = [spacing] * len(dims) if is_number(spacing) else list(spacing)
    if len(steps) != len(dims):
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim "
            f"arguments to have the same length, but got a spacing argument of length {len(steps)} "
            f"and a dim argument of length {len(dims)}."
        )
    for d, step in zip(dims, steps, strict=True):
        if shape[d] < edge_order + 1:
            raise RuntimeError(
                "torch.gradient expected each dimension size to be at least edge_order+1"
            )
        if isinstance(step, TensorBase) and step._data.ndim:
            if step._data.shape != (shape[d],):
                raise RuntimeError(
                    f"torch.gradient expected the coordinates of dimension {d} to be a vector of "
                    f"{shape[d]} elements, but got shape {list(step._data.shape)}"
                )
    if input._data.dtype.kind in "biu":
        input = input * 1.0
    return tuple([_slope(input, d, s, edge_order) for d, s in zip(dims, steps, strict=True)])


def _slope(x: Tensor, d: int, step: Any, edge_order: int) -> Tensor:
    """The slope along one dimension, in the middle of the second order in the distances."""
    n = x._data.shape[d]
    if isinstance(step, TensorBase) and step._data.ndim:
        places: Any = step
        h = reshape(places[1:] - places[:-1], [-1 if k == d else 1 for k in range(x._data.ndim)])
    else:
        h = None

    def at(t: Tensor, start: int, stop: int) -> Tensor:
        return getitem(t, (*(slice(None),) * d, slice(start, stop)))

    if h is None:
        middle = (at(x, 2, n) - at(x, 0, n - 2)) / (step * 2)
        first, last = step, step
    else:
        before, behind = at(h, 0, n - 2), at(h, 1, n - 1)
        a = -behind / (before * (before + behind))
        b = (behind - before) / (before * behind)
        c = before / (behind * (before + behind))
        middle = a * at(x, 0, n - 2) + b * at(x, 1, n - 1) + c * at(x, 2, n)
        first, last = at(h, 0, 1), at(h, n - 2, n - 1)
    if edge_order == 1:
        head = (at(x, 1, 2) - at(x, 0, 1)) / first
        tail = (at(x, n - 1, n) - at(x, n - 2, n - 1)) / last
    else:
        second = first if h is None else at(h, 1, 2)
        head = _edge(at(x, 0, 1), at(x, 1, 2), at(x, 2, 3), first, second)
        second = last if h is None else at(h, n - 3, n - 2)
        tail = -_edge(at(x, n - 1, n), at(x, n - 2, n - 1), at(x, n - 3, n - 2), last, second)
    return cat([head, middle, tail], d)


def _edge(x: Tensor, y: Tensor, z: Tensor, h: Any, k: Any) -> Tensor:
    """The slope at the first of three samples, h and k apart: that of the parabola through them."""
    a, b, c = -(2 * h + k) / (h * (h + k)), (h + k) / (h * k), -h / (k * (h + k))
    return a * x + b * y + c * z
