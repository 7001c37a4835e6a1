"""NumPy's functions that choose, sort, search, compare and count."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..ops import places
from .arguments import (
    axis_of,
    counterpart,
    is_number,
    operands,
    tensor,
    tensors,
    written,
)

Tensor = Any


@counterpart()
def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """Elements of one where a condition holds, of the other elsewhere; with neither, `nonzero`."""
    if x is None and y is None:
        return nonzero(condition)
    return ops.where(tensor(condition).bool(), *operands(x, y))


@counterpart()
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Elements of the first choice whose condition holds."""
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = ops.where(tensor(condition), *operands(choice, result))
    return result


@counterpart()
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    """Elements of the choice that each index names."""
    options = ops.broadcast_tensors(tensor(a).long(), *tensors(choices))
    index = _within(options[0], len(options) - 1, mode)
    stacked = ops.stack(list(options[1:]))
    return written(ops.take_along_dim(stacked, index.unsqueeze(0), 0).squeeze(0), out)


def _within(index: Tensor, n: int, mode: str) -> Tensor:
    if mode == "wrap":
        return ops.remainder(index, n)
    return ops.clamp(index, 0, n - 1) if mode == "clip" else index


@counterpart()
def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None,
         max: Any = None, **options: Any) -> Any:  # fmt: skip
    """Elements no less and no greater than bounds."""
    low, high = a_min if min is None else min, a_max if max is None else max
    x = tensor(a)
    if low is None and high is None:
        return written(x.clone(), out, name="clip")
    if not all(b is None or is_number(b) for b in (low, high)):
        low, high = (None if b is None else tensor(b) for b in (low, high))
    return written(ops.clamp(x, low, high), out, name="clip")


@counterpart()
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *,
         stable: Any = None) -> Any:  # fmt: skip
    """Elements in order; NaN at the end."""
    x = tensor(a)
    return ops.sort(x.ravel(), 0)[0] if axis is None else ops.sort(x, axis)[0]


@counterpart()
def argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *,
            stable: Any = None) -> Any:  # fmt: skip
    """Which elements come in order; equal ones as they stand."""
    x = tensor(a)
    return ops.argsort(x.ravel() if axis is None else x, 0 if axis is None else axis, stable=True)


@counterpart()
def partition(a: Any, kth: Any, axis: Any = -1, kind: str = "introselect",
              order: Any = None) -> Any:  # fmt: skip
    """A sort, which is one of the results that a partition may give."""
    return sort(a, axis)


@counterpart()
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """Where elements would have to be put in to keep an order."""
    row, values = operands(a, v)
    shared = ops.result_type(row, values)
    by = None if sorter is None else tensor(sorter).long()
    return ops.searchsorted(row.to(shared), values.to(shared), side=side, sorter=by)


@counterpart()
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """Which of the intervals between edges each element falls in."""
    edges = tensor(bins)
    side = "left" if right else "right"
    if edges.numel() > 1 and bool(edges[0] > edges[-1]):
        other = "right" if right else "left"
        return edges.numel() - searchsorted(ops.flip(edges, (0,)), x, other)
    return searchsorted(edges, x, side)


@counterpart()
def unique(ar: Any, return_index: Any = False, return_inverse: Any = False,
           return_counts: Any = False, axis: Any = None, *, equal_nan: Any = True,
           sorted: Any = True) -> Any:  # fmt: skip
    """Distinct elements in order, on request with where they were and how often."""
    if return_index:
        return NotImplemented
    return ops.unique(
        tensor(ar), return_inverse=bool(return_inverse), return_counts=bool(return_counts), dim=axis
    )


@counterpart()
def nonzero(a: Any) -> Any:
    """The indices of what is not 0, a tensor for each dimension."""
    return tuple(ops.nonzero(tensor(a), as_tuple=True))


@counterpart()
def flatnonzero(a: Any) -> Any:
    """The indices of what is not 0 among all elements in a row."""
    return ops.nonzero(tensor(a).ravel()).squeeze(1)


@counterpart()
def argwhere(a: Any) -> Any:
    """The indices of what is not 0, a row for each."""
    return ops.argwhere(tensor(a))


@counterpart()
def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    """Elements, or slices along an axis, at indices."""
    x, index = tensor(a), tensor(indices).long()
    x, dim = (x.ravel(), 0) if axis is None else (x, axis_of(axis, x.ndim))
    index = _within(index, x.shape[dim], mode)
    return written(x[(slice(None),) * dim + (index,)], out, name="take")


@counterpart()
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    """Elements at indices along an axis, which differ from place to place."""
    x, index = tensor(arr), tensor(indices)
    if axis is None:
        return ops.take_along_dim(x.ravel(), index.long(), 0)
    return ops.take_along_dim(x, index.long(), axis)


@counterpart()
def compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Any:
    """Slices along an axis for which a condition holds."""
    at = flatnonzero(condition)
    return written(take(a, at, axis), out, name="compress")


@counterpart()
def extract(condition: Any, arr: Any) -> Any:
    """Elements for which a condition holds."""
    return tensor(arr).ravel()[tensor(condition).ravel().bool()]


@counterpart()
def delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    """What is left without some elements, or slices along an axis."""
    x = tensor(arr).ravel() if axis is None else tensor(arr)
    dim = 0 if axis is None else axis_of(axis, x.ndim)
    keep = ops.ones(x.shape[dim], dtype=ops.isnan(ops.empty(0)).dtype, device=x.device)
    keep[obj if isinstance(obj, (int, slice)) else tensor(obj)] = False
    return compress(keep, x, dim)


@counterpart()
def resize(a: Any, new_shape: Any) -> Any:
    """Another shape, filled by repeating all elements in a row."""
    shape = tuple(new_shape) if hasattr(new_shape, "__iter__") else (new_shape,)
    row, n = tensor(a).ravel(), 1
    for size in shape:
        n *= size
    return ops.tile(row, (-(-n // max(row.numel(), 1)),))[:n].reshape(shape)


@counterpart()
def isin(element: Any, test_elements: Any, assume_unique: Any = False, invert: Any = False, *,
         kind: Any = None) -> Any:  # fmt: skip
    """Whether elements are among others."""
    return ops.isin(tensor(element), tensor(test_elements), invert=bool(invert))


@counterpart()
def unravel_index(indices: Any, shape: Any, order: str = "C") -> Any:
    """Indices into a row as indices into a shape."""
    if order != "C":
        return NotImplemented
    return places.unravel_index(tensor(indices), tuple(shape))
