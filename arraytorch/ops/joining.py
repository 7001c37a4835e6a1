"""Joining and repeating."""

from __future__ import annotations

from typing import Any

from ..autograd.tape import TensorBase, taped, wrap
from ..backends import backend_of, numpy_dtype, outermost
from ..backends.host import ndarray
from ._declare import cast, derivative
from ._promote import common_device, dim_of, result_type
from ._write import forbid_shared, write_result

Tensor = Any


def _same_dtype(name: str, tensors: Any) -> list[Tensor]:
    tensors = list(tensors)
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    for i, t in enumerate(tensors):
        if not isinstance(t, TensorBase):
            raise TypeError(
                f"{name}(): expected Tensor as element {i} in argument 0, but got {type(t).__name__}"
            )
    first = tensors[0]._data
    native, kind = first.dtype, first.__class__
    alike = True
    for t in tensors:
        if t._data.dtype is not native or t._data.__class__ is not kind:
            alike = False
    if alike and backend_of(first).device_count() == 1:
        return tensors
    if any(t._data.dtype is not native for t in tensors):
        native = numpy_dtype(result_type(*tensors))
        tensors = [t if t._data.dtype is native else cast(t, native) for t in tensors]
    common_device(name, tensors)
    return tensors


def _alike(tensors: Any, dim: Any) -> list[Any] | None:
    """The arrays of tensors of one dtype on the host that have a dimension ``dim``, else None.

    All else that can be wrong with them NumPy finds out.
    """
    try:
        arrays = [t._data for t in tensors]
    except AttributeError:
        return None
    first = arrays[0]
    native, ndim = first.dtype, first.ndim
    if dim.__class__ is not int or not -ndim <= dim < ndim:
        return None
    for x in arrays:
        if x.__class__ is not ndarray or x.dtype is not native:
            return None
    return arrays


def _recorded(op: Any, array: Any, tensors: list[Tensor], saved: tuple[Any, ...]) -> Tensor:
    return taped(op, array, tuple(tensors), saved)


def _uncat(B: Any, g: Any, needs: Any, dim: int, sizes: tuple[int, ...]) -> list[Any]:
    parts, start = [], 0
    for need, n in zip(needs, sizes, strict=True):
        if n < 0:  # an empty vector that was left out
            parts.append(B.reshape(g[(slice(None),) * dim + (slice(0, 0), ...)], (0,)))
            continue
        part = (slice(None),) * dim + (slice(start, start + n), ...)
        parts.append(g[part] if need else None)
        start += n
    return parts


@derivative(saves=("dim", "sizes"), kernel="cat", joint=_uncat)
def _cat(tensors: list[Tensor], dim: int) -> Tensor:
    arrays = [t._data for t in tensors]
    ndim = max([a.ndim for a in arrays])
    sizes = tuple([a.shape[dim] if a.ndim == ndim else -1 for a in arrays])
    kept = [a for a in arrays if a.ndim == ndim]
    return _recorded(_cat, outermost(*arrays).cat(kept, dim), tensors, (dim, sizes))


def cat(tensors: Any, dim: int = 0, axis: Any = None, *, out: Tensor | None = None) -> Tensor:
    """Joins tensors one behind the other along a dimension that exists.

    Their other sizes must agree; empty 1-d tensors are left out, as in PyTorch.

    >>> torch.cat([torch.tensor([1, 2]), torch.tensor([3])])
    tensor([1, 2, 3])
    """
    if axis is not None:
        dim = axis
    if isinstance(tensors, TensorBase):
        raise TypeError(
            "cat(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor"
        )
    tensors = list(tensors)
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    if out is None and (arrays := _alike(tensors, dim)) is not None:
        try:
            z = backend_of(arrays[0]).cat(arrays, dim)
        except ValueError:
            pass  # sizes that do not fit: see below
        else:
            d = dim if dim >= 0 else dim + z.ndim
            for t in tensors:
                if t._node is not None:
                    return _recorded(_cat, z, tensors, (d, tuple([a.shape[d] for a in arrays])))
            return wrap(z)
    given = _same_dtype("cat", tensors)
    parts = [t for t in given if t._data.shape != (0,)] or given[:1]
    shape = parts[0]._data.shape
    if not shape:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    d = dim_of(dim, len(shape))
    for i, t in enumerate(parts):
        other = t._data.shape
        if other == shape:
            continue
        if len(other) != len(shape):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(shape)} and {len(other)}"
            )
        for k, (a, b) in enumerate(zip(shape, other, strict=True)):
            if k != d and a != b:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {d}. Expected size {a} but got "
                    f"size {b} for tensor number {i} in the list."
                )
    for t in given if out is not None else ():
        forbid_shared("cat", t, out)
    result = _cat(given, d)
    return result if out is None else write_result("cat", out, result, given)


@derivative(
    saves=("dim", "count"),
    kernel="stack",
    joint=lambda B, g, needs, dim, count: [
        g[(slice(None),) * dim + (i, ...)] if needs[i] else None for i in range(count)
    ],
)
def _stack(tensors: list[Tensor], dim: int) -> Tensor:
    arrays = [t._data for t in tensors]
    return _recorded(_stack, outermost(*arrays).stack(arrays, dim), tensors, (dim, len(arrays)))


def stack(tensors: Any, dim: int = 0, axis: Any = None, *, out: Tensor | None = None) -> Tensor:
    """Joins tensors of one shape along a new dimension.

    >>> torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    if axis is not None:
        dim = axis
    if out is None and tensors.__class__ in (list, tuple) and tensors:
        if (arrays := _alike(tensors, 0 if dim.__class__ is int else None)) is not None:
            shape = arrays[0].shape
            for x in arrays:
                if x.shape != shape:
                    break
            else:
                d = dim_of(dim, len(shape) + 1)
                z = backend_of(arrays[0]).stack(arrays, d)
                return taped(_stack, z, tuple(tensors), (d, len(arrays)))
    given = _same_dtype("stack", tensors)
    shape = given[0]._data.shape
    for i, t in enumerate(given):
        if t._data.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(t._data.shape)} at entry {i}"
            )
    result = _stack(given, dim_of(dim, len(shape) + 1))
    return result if out is None else write_result("stack", out, result, given)


def concatenate(
    tensors: Any, axis: int = 0, out: Tensor | None = None, *, dim: int | None = None
) -> Tensor:
    """Joins tensors one behind the other; see `cat`.

    >>> torch.concatenate([torch.tensor([1, 2]), torch.tensor([3])])
    tensor([1, 2, 3])
    """
    return cat(tensors, axis if dim is None else dim, out=out)


concat = cat
_cat.rules.backward_name, _stack.rules.backward_name = "CatBackward0", "StackBackward0"
