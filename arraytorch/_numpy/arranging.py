"""NumPy's functions that shape, join, split and repeat."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..ops._promote import broadcast_shape
from .arguments import axis_of, counterpart, is_number, tensor, tensors, typed, written

Tensor = Any


@counterpart()
def reshape(a: Any, /, shape: Any = None, order: str = "C", *, copy: Any = None) -> Any:
    """Other dimensions for the same elements, a view where that is possible."""
    x = tensor(a)
    sizes = tuple(shape) if hasattr(shape, "__iter__") else (shape,)
    if order == "F":
        found = ops.reshape(_turned(x), tuple(reversed(sizes)))
        return _turned(found)
    return ops.reshape(x.clone() if copy else x, sizes)


def _turned(x: Tensor) -> Tensor:
    return x.permute(*reversed(range(x.ndim))) if x.ndim > 1 else x


@counterpart()
def ravel(a: Any, order: str = "C") -> Any:
    """All elements in a row."""
    return reshape(a, (-1,), order if order == "F" else "C")


@counterpart("transpose", "permute_dims")
def transpose(a: Any, axes: Any = None) -> Any:
    """The dimensions in another order, reversed by default."""
    x = tensor(a)
    return _turned(x) if axes is None else x.permute(*axes)


@counterpart()
@counterpart(of="numpy.linalg")
def matrix_transpose(x: Any, /) -> Any:
    """The last two dimensions exchanged."""
    return tensor(x).mT


@counterpart()
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Some dimensions at other places."""
    return ops.movedim(tensor(a), source, destination)


@counterpart()
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """One dimension moved to stand before another one."""
    x = tensor(a)
    source = axis_of(axis, x.ndim)
    start = start + x.ndim if start < 0 else start
    return ops.movedim(x, source, start - 1 if source < start else start)


@counterpart()
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Two dimensions exchanged."""
    return ops.transpose(tensor(a), axis1, axis2)


@counterpart()
def squeeze(a: Any, axis: Any = None) -> Any:
    """Without dimensions of size 1; those named must be."""
    x = tensor(a)
    if axis is None:
        return x.squeeze()
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    if any(x.shape[axis_of(i, x.ndim)] != 1 for i in axes):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return x.squeeze(tuple(axes))


@counterpart()
def expand_dims(a: Any, axis: Any) -> Any:
    """With new dimensions of size 1 at places in the result."""
    x = tensor(a)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    ndim = x.ndim + len(axes)
    for i in sorted(axis_of(i, ndim) for i in axes):
        x = x.unsqueeze(i)
    return x


@counterpart("concatenate", "concat")
def concatenate(arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None,
                casting: str = "same_kind") -> Any:  # fmt: skip
    """One after the other along an axis, or all elements in a row for None."""
    parts = _parts(arrays, dtype)
    if axis is None:
        parts, axis = [p.ravel() for p in parts], 0
    return written(ops.cat(parts, axis), out, casting, "concatenate")


def _parts(arrays: Any, dtype: Any) -> list[Tensor]:
    return tensors(arrays) if dtype is None else [typed(a, dtype) for a in arrays]


@counterpart()
def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None,
          casting: str = "same_kind") -> Any:  # fmt: skip
    """Side by side along a new axis."""
    return written(ops.stack(_parts(arrays, dtype), axis), out, casting, "stack")


@counterpart()
def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Below each other."""
    return ops.vstack(_parts(tup, dtype))


@counterpart()
def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Beside each other."""
    return ops.hstack(_parts(tup, dtype))


@counterpart()
def dstack(tup: Any) -> Any:
    """Behind each other."""
    return ops.dstack(tensors(tup))


@counterpart()
def column_stack(tup: Any) -> Any:
    """As columns beside each other."""
    return ops.column_stack(tensors(tup))


@counterpart()
def block(arrays: Any) -> Any:
    """Joined from nested lists: the innermost along the last dimension, and so on outwards."""
    depth = _depth(arrays)
    blocks, ndim = [], depth
    for b in _leaves(arrays):
        blocks.append(tensor(b))
        ndim = max(ndim, blocks[-1].ndim)
    return _joined(arrays, depth, ndim)


def _depth(nested: Any) -> int:
    return 1 + _depth(nested[0]) if isinstance(nested, list) else 0


def _leaves(nested: Any) -> Any:
    if not isinstance(nested, list):
        yield nested
    else:
        for part in nested:
            yield from _leaves(part)


def _joined(nested: Any, depth: int, ndim: int) -> Tensor:
    if not isinstance(nested, list):
        x = tensor(nested)
        return x.reshape(*(1,) * (ndim - x.ndim), *x.shape)
    return ops.cat([_joined(part, depth - 1, ndim) for part in nested], ndim - depth)


@counterpart()
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    """Values behind an array's."""
    return concatenate((arr, values), axis)


@counterpart()
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """A list of parts, whose sizes may differ by one."""
    return list(ops.tensor_split(tensor(ary), _places(indices_or_sections), axis))


def _places(where: Any) -> Any:
    return tensor(where).tolist() if hasattr(where, "__len__") else where


@counterpart()
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """A list of parts, equal ones for a number."""
    x, where = tensor(ary), _places(indices_or_sections)
    if not isinstance(where, list) and x.shape[axis_of(axis, x.ndim)] % where:
        raise ValueError("array split does not result in an equal division")
    return array_split(x, where, axis)


@counterpart()
def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    """A list of parts along the second dimension, or the only one."""
    x = tensor(ary)
    return split(x, indices_or_sections, 1 if x.ndim > 1 else 0)


@counterpart()
def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    """A list of parts along the first dimension."""
    if tensor(ary).ndim < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return split(ary, indices_or_sections, 0)


@counterpart()
def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    """A list of parts along the third dimension."""
    if tensor(ary).ndim < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return split(ary, indices_or_sections, 2)


@counterpart()
def unstack(x: Any, /, *, axis: int = 0) -> Any:
    """The slices along an axis."""
    return tensor(x).unbind(axis)


@counterpart()
def tile(A: Any, reps: Any) -> Any:
    """Repeated as a whole."""
    sizes = tuple(reps) if hasattr(reps, "__iter__") else (reps,)
    return ops.tile(tensor(A), tuple(int(n) for n in sizes))


@counterpart()
def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    """Each element repeated."""
    x = tensor(a)
    counts = int(repeats) if is_number(repeats) else tensor(repeats)
    if isinstance(counts, int):
        return ops.repeat_interleave(x, counts, axis)
    n = x.numel() if axis is None else x.shape[axis_of(axis, x.ndim)]
    return ops.repeat_interleave(x, counts.reshape(-1).expand(n), axis)


@counterpart()
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """Moved along axes, around the end."""
    x = tensor(a)
    if axis is None:
        return ops.roll(x, shift)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    shifts = tuple(shift) if hasattr(shift, "__iter__") else (shift,)
    many = max(len(axes), len(shifts))
    shifts, axes = (s * many if len(s) == 1 else s for s in (tuple(shifts), tuple(axes)))
    for by, along in zip(shifts, axes, strict=True):
        x = ops.roll(x, int(by), along)
    return x


@counterpart()
def flip(m: Any, axis: Any = None) -> Any:
    """Backwards along axes, all of them by default; a copy."""
    x = tensor(m)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    return ops.flip(x, tuple(axes))


@counterpart()
def fliplr(m: Any) -> Any:
    """Backwards along the second dimension."""
    return ops.fliplr(tensor(m))


@counterpart()
def flipud(m: Any) -> Any:
    """Backwards along the first dimension."""
    return ops.flipud(tensor(m))


@counterpart()
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """Turned by right angles."""
    return ops.rot90(tensor(m), k, tuple(axes))


@counterpart()
def broadcast_to(array: Any, shape: Any, subok: Any = False) -> Any:
    """A view of another shape, repeated without copies."""
    return tensor(array).broadcast_to(tuple(shape) if hasattr(shape, "__iter__") else (shape,))


@counterpart()
def broadcast_arrays(*args: Any, subok: Any = False) -> Any:
    """Views of a common shape."""
    given = tensors(args)
    shape = broadcast_shape("broadcast_arrays", *[x.shape for x in given])
    return tuple(x.broadcast_to(shape) for x in given)


def _at_least(op: Any, name: str) -> Any:
    def function(*arys: Any) -> Any:
        found = tuple(op(tensor(a)) for a in arys)
        return found[0] if len(found) == 1 else found

    return counterpart(name)(function)


atleast_1d = _at_least(ops.atleast_1d, "atleast_1d")
atleast_2d = _at_least(ops.atleast_2d, "atleast_2d")
atleast_3d = _at_least(ops.atleast_3d, "atleast_3d")


@counterpart()
def meshgrid(*xi: Any, copy: Any = True, sparse: Any = False, indexing: str = "xy") -> Any:
    """Coordinates as grids."""
    given = [tensor(x).reshape(-1) for x in xi]
    if sparse:
        grids: Any = [x.reshape(*(-1 if i == j else 1 for j in range(len(given))))
                      for i, x in enumerate(given)]  # fmt: skip
        grids = [g.transpose(0, 1) for g in grids] if indexing == "xy" and len(xi) > 1 else grids
    else:
        grids = ops.meshgrid(*given, indexing=indexing) if given else ()
    return tuple(g.clone() if copy else g for g in grids)


@counterpart()
def tril(m: Any, k: int = 0) -> Any:
    """What lies below a diagonal."""
    return ops.tril(_square(m), k)


@counterpart()
def triu(m: Any, k: int = 0) -> Any:
    """What lies above a diagonal."""
    return ops.triu(_square(m), k)


def _square(m: Any) -> Tensor:
    x = tensor(m)
    return x.expand(x.shape[0], x.shape[0]) if x.ndim == 1 else x


@counterpart()
def diag(v: Any, k: int = 0) -> Any:
    """A diagonal as a vector, or a vector as a diagonal."""
    return ops.diag(tensor(v), k)


@counterpart()
def diagflat(v: Any, k: int = 0) -> Any:
    """All elements as a diagonal."""
    return ops.diagflat(tensor(v), k)


@counterpart()
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """A view of a diagonal."""
    return ops.diagonal(tensor(a), offset, axis1, axis2)


@counterpart()
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None,
          out: Any = None) -> Any:  # fmt: skip
    """The sum of a diagonal."""
    return written(diagonal(typed(a, dtype), offset, axis1, axis2).sum(-1), out, name="trace")


@counterpart("diagonal", of="numpy.linalg")
def matrix_diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """A view of the diagonals of matrices."""
    return diagonal(x, offset, -2, -1)


@counterpart("trace", of="numpy.linalg")
def matrix_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sums of the diagonals of matrices."""
    return trace(x, offset, -2, -1, dtype)
