"""Histograms of one and of several dimensions."""

from __future__ import annotations

from math import isfinite, prod
from typing import Any

from .. import _dtypes
from ..autograd.tape import TensorBase, wrap
from ..backends import backend_of, dtype_of, numpy_dtype
from . import _return_types as return_types
from ._results import check_tensor, finished, refuse
from .shape import reshape

Tensor = Any


def histogram(
    input: Tensor,
    bins: int | Tensor = 100,
    *,
    range: Any = None,
    weight: Tensor | None = None,
    density: bool = False,
    out: Any = None,
) -> Any:
    """Returns how many elements fall into each bin, or the sum of their weights, and the bins' edges.

    ``bins`` is a number of equal bins over ``range`` (by default from the least element to the
    greatest), or their edges in order. The last bin holds its right edge too. ``density`` divides by
    the total and the width of each bin.

    >>> torch.histogram(torch.tensor([1.0, 2.0, 1.0]), bins=4, range=(0.0, 4.0)).hist
    tensor([0., 2., 1., 0.])
    """
    check_tensor("histogram", input)
    if isinstance(bins, TensorBase):
        if range is not None:
            raise TypeError("histogram(): range goes with a number of bins, not with their edges")
        if bins._data.ndim != 1:
            raise RuntimeError("torch.histogram(): bins tensor should have one dimension")
    flat = reshape(input, (-1, 1))
    w = None if weight is None else weight
    if weight is not None and weight._data.shape == input._data.shape:
        w = reshape(weight, (-1,))
    ends = None if range is None else tuple(range)
    if ends is not None and len(ends) != 2:
        raise RuntimeError(f"torch.histogram(): range should have 2 elements, but got {len(ends)}")
    counts, edges = _counted("histogram", flat, [bins], ends, w, density)
    return finished("histogram", return_types.histogram((counts, edges[0])), out, (input,))


def histogramdd(
    input: Tensor,
    bins: Any,
    *,
    range: Any = None,
    weight: Tensor | None = None,
    density: bool = False,
    out: Any = None,
) -> Any:
    """Returns how many points fall into each box of a grid, and the edges along each dimension.

    The last dimension of ``input`` holds the coordinates. ``bins`` is a number, or for each
    coordinate a number or the edges; ``range`` has the two ends of each in a row. See `histogram`.

    >>> torch.histogramdd(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), bins=[2, 2]).hist
    tensor([[0., 1.],
            [1., 0.]])
    """
    check_tensor("histogramdd", input)
    x = input._data
    if x.ndim < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    n = x.shape[-1]
    grid = list(bins) if isinstance(bins, (list, tuple)) else [bins] * n
    if len(grid) != n:
        raise RuntimeError(
            "histogramdd: The size of bins must be equal to the innermost dimension of the input."
        )
    if range is not None and len(range) != 2 * n:
        raise RuntimeError(
            f"torch.histogramdd: for a {n}-dimensional histogram range should have {2 * n} elements, "
            f"but got {len(range)}"
        )
    w = weight
    if weight is not None and weight._data.shape == x.shape[:-1]:
        w = reshape(weight, (-1,))
    ends = None if range is None else tuple(range)
    counts, edges = _counted("histogramdd", reshape(input, (-1, n)), grid, ends, w, density)
    return return_types.histogramdd((counts, edges))


def _counted(
    name: str, points: Tensor, bins: list[Any], ends: Any, weight: Tensor | None, density: bool
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The histogram of the rows of a matrix, and the edges of the bins."""
    refuse("histogramdd", points, "biuc")
    x = points._data
    B = backend_of(x)
    count, n = x.shape
    if weight is not None:
        _check_weight(points, weight, count)
    edges = [_edges(name, B, x, d, bins[d], ends) for d in range(n)]
    sizes = tuple([e.shape[0] - 1 for e in edges])
    place, inside = None, None
    for d, e in enumerate(edges):
        column = x[:, d]
        last = sizes[d]
        at = B.searchsorted(e, column, True) - 1
        at = B.where(column == e[last], last - 1, at)
        fits = (column >= e[0]) & (column <= e[last])
        place = at if place is None else place * last + at
        inside = fits if inside is None else inside & fits
    boxes = prod(sizes)
    place = B.where(inside, place, boxes)  # what is outside is counted in one more
    weights = None if weight is None else B.cast(weight._data, B.double)
    total = B.bincount(B.cast(place, numpy_dtype(_dtypes.int64)), weights, boxes + 1)[:boxes]
    result = wrap(B.cast(B.reshape(total, sizes), x.dtype))
    axes = tuple([wrap(e) for e in edges])
    if density:
        result = result / result.sum()
        for d, e in enumerate(axes):
            shape = [-1 if k == d else 1 for k in range(n)]
            result = result / reshape(e[1:] - e[:-1], shape)
    return result, axes


def _check_weight(points: Tensor, weight: Tensor, count: int) -> None:
    if weight._data.shape != (count,):
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the "
            "input tensor excluding its innermost dimension, but got input with shape "
            f"{list(points._data.shape)} and weight with shape {list(weight._data.shape)}"
        )
    if weight._data.dtype is not points._data.dtype:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should "
            f"have the same dtype, but got input({dtype_of(points._data).name}), and "
            f"weight({dtype_of(weight._data).name})"
        )


def _edges(name: str, B: Any, x: Any, d: int, bins: Any, ends: Any) -> Any:
    """The edges of the bins along one coordinate."""
    if isinstance(bins, TensorBase):
        if bins._data.dtype is not x.dtype:
            raise RuntimeError(
                "torch.histogramdd: input tensor and bins tensors should have the same dtype, but "
                f"got input({dtype_of(x).name}) and bins({dtype_of(bins._data).name})"
            )
        if not bins._data.size:
            raise RuntimeError("torch.histogramdd: bins tensor should have one or more elements")
        return bins._data
    if bins <= 0:
        raise RuntimeError(f"torch.{name}(): bins must be > 0, but got {bins} for dimension {d}")
    low, high = 0.0, 1.0
    if ends is not None:
        low, high = float(ends[2 * d]), float(ends[2 * d + 1])
    elif x.shape[0]:
        seen = B.bounds(x[:, d])
        low, high = (0.0, 1.0) if seen is None else (float(seen[0]), float(seen[1]))
    if not (isfinite(low) and isfinite(high)):
        raise RuntimeError(
            f"torch.histogramdd: dimension {d}'s range [{low:g}, {high:g}] is not finite"
        )
    if low > high:
        raise RuntimeError(
            f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for "
            f"dimension {d}"
        )
    if low == high:
        low, high = low - 0.5, high + 0.5
    return B.linspace(low, high, int(bins) + 1, x.dtype)
