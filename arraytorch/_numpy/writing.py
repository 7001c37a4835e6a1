"""NumPy's functions that write into their first argument, recorded like other in-place writes."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..autograd.tape import TensorBase
from .arguments import check_castable, counterpart, tensor, tensors, written

Tensor = Any


def _target(a: Any, result: Tensor, name: str) -> None:
    """Writes a result into a tensor, or into an array, which takes none with a gradient."""
    if isinstance(a, TensorBase):
        a.copy_(result)  # type: ignore[attr-defined]
    else:
        written(result, a, "unsafe", name)


@counterpart()
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Writes one into another, where a mask is True."""
    kept = tensor(dst)
    source = tensors((src, kept))[0]
    check_castable("array data", source, dst, casting)
    source = source.to(kept.dtype).broadcast_to(kept.shape)
    _target(dst, source if where is True else ops.where(tensor(where), source, kept), "copyto")


@counterpart()
def putmask(a: Any, /, mask: Any, values: Any) -> None:
    """Writes values where a mask is True: of the row of values, repeated, those at these places."""
    kept = tensor(a)
    row = _row(values, kept, kept.numel()).reshape(kept.shape)
    _target(a, ops.where(tensor(mask).bool(), row, kept), "putmask")


@counterpart()
def place(arr: Any, mask: Any, vals: Any) -> None:
    """Writes values where a mask is True, one after the other, repeated if there are too few."""
    kept, where = tensor(arr), tensor(mask).bool()
    row = _row(vals, kept, int(where.sum()))
    _target(arr, kept.masked_scatter(where, row), "place")


@counterpart()
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Writes values at indices into all elements in a row."""
    kept, index = tensor(a), tensor(ind).long().ravel()
    n = kept.numel()
    index = ops.remainder(index, n) if mode == "wrap" else index
    index = ops.clamp(index, 0, n - 1) if mode == "clip" else index
    _target(a, ops.put(kept, index, _row(v, kept, index.numel())), "put")


@counterpart()
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    """Writes values at indices along an axis, which differ from place to place."""
    kept = tensor(arr)
    index, x = tensor(indices).long(), kept.ravel() if axis is None else kept
    dim = 0 if axis is None else axis
    shape = list(x.shape)
    shape[dim] = index.shape[dim]
    source = tensors((values, x))[0].to(x.dtype).broadcast_to(shape)
    index = ops.where(index < 0, index + x.shape[dim], index).broadcast_to(shape)
    _target(arr, ops.scatter(x, dim, index, source).reshape(kept.shape), "put_along_axis")


@counterpart()
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Writes values into the main diagonal, where all indices are equal."""
    kept = tensor(a)
    if kept.ndim < 2:
        raise ValueError("array must be at least 2-d")
    if kept.ndim > 2 and len(set(kept.shape)) > 1:
        raise ValueError("All dimensions of input must be of equal length")
    step, end = kept.shape[-1] + 1, kept.numel()
    if kept.ndim > 2:
        step = 1 + sum(kept.shape[-1] ** i for i in range(1, kept.ndim))
    elif not wrap:
        end = min(end, kept.shape[1] * kept.shape[1])
    at = ops.arange(0, end, step, device=kept.device)
    _target(a, ops.put(kept, at, _row(val, kept, at.numel())), "fill_diagonal")


def _row(values: Any, like: Tensor, n: int) -> Tensor:
    """The first n of values, repeated, in a tensor's dtype."""
    row = tensors((values, like))[0].to(like.dtype).to(like.device).ravel()
    if not row.numel():
        if n:
            raise ValueError("Cannot insert from an empty array!")
        return row
    return ops.tile(row, (-(-n // row.numel()),))[:n]
