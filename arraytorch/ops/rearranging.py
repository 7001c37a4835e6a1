"""Elements in another order, repeated, or seen through a window."""

from __future__ import annotations

from itertools import combinations as _choices
from itertools import combinations_with_replacement as _choices_again
from typing import Any

from .._layouts import contiguous_format
from .._size import Size
from ..autograd.tape import taped, taped_view, wrap
from ..backends import backend_of, dtype_of
from ._declare import derivative
from ._promote import broadcast_shape, dim_of, integer, shape_of
from ._results import check_tensor
from .indexing import _advanced
from .joining import stack
from .shape import expand, flatten, reshape, transpose, unsqueeze

Tensor = Any


def _raw(x: Any) -> Any:
    return getattr(x, "_data", x)


@derivative(saves=("dims",), kernel="flip", name="FlipBackward0",
            d_input=lambda B, g, dims: B.flip(g, dims))  # fmt: skip
def _flip(input: Tensor, dims: tuple[int, ...]) -> Tensor:
    B = backend_of(input._data)
    return taped(_flip, B.copy(B.flip(input._data, dims)), (input,), (dims,))


def flip(input: Tensor, dims: Any) -> Tensor:
    """Returns a copy with the order along some dimensions reversed; ``x[::-1]`` is a view.

    >>> torch.flip(torch.tensor([[1, 2], [3, 4]]), (1,))
    tensor([[2, 1],
            [4, 3]])
    """
    check_tensor("flip", input)
    ndim = input._data.ndim
    order = tuple([dim_of(d, ndim) for d in shape_of((dims,), "flip")])
    if len(set(order)) != len(order):
        twice = next(d for d in order if order.count(d) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return _flip(input, order if ndim else ())


def fliplr(input: Tensor) -> Tensor:
    """Returns a copy with the columns in the opposite order.

    >>> torch.fliplr(torch.tensor([[1, 2]]))
    tensor([[2, 1]])
    """
    check_tensor("fliplr", input)
    if input._data.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return _flip(input, (1,))


def flipud(input: Tensor) -> Tensor:
    """Returns a copy with the rows in the opposite order.

    >>> torch.flipud(torch.tensor([1, 2]))
    tensor([2, 1])
    """
    check_tensor("flipud", input)
    if input._data.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return _flip(input, (0,))


def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """Returns a copy turned ``k`` times by 90 degrees, from the first of two dimensions to the second.

    >>> torch.rot90(torch.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    try:
        ndim = input._data.ndim
    except AttributeError:
        check_tensor("rot90", input)
        raise
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    a, b = dim_of(dims[0], ndim), dim_of(dims[1], ndim)
    if a == b:
        raise RuntimeError(
            f"expected rotation dims to be different, but got {dims[0]} and {dims[1]}"
        )
    turns = integer("rot90", "k", k) % 4
    if turns == 2:
        return _flip(input, (a, b))
    return transpose(_flip(input, (b if turns == 1 else a,)), a, b) if turns else input.clone()


@derivative(
    saves=("shifts", "dims"),
    kernel="roll",
    name="RollBackward0",
    d_input=lambda B, g, shifts, dims: B.roll(g, tuple([-s for s in shifts]), dims),
)
def _roll(input: Tensor, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Tensor:
    x = input._data
    return taped(_roll, backend_of(x).roll(x, shifts, dims), (input,), (shifts, dims))


def roll(input: Tensor, shifts: Any, dims: Any = ()) -> Tensor:
    """Returns the elements moved along ``dims`` (or in the flattened tensor), the last coming first.

    >>> torch.roll(torch.tensor([1, 2, 3]), 1)
    tensor([3, 1, 2])
    """
    check_tensor("roll", input)
    shifts = tuple(shifts) if isinstance(shifts, (tuple, list)) else (shifts,)
    shifts = tuple([integer("roll", "shifts", s) for s in shifts])
    dims = () if dims is None else tuple(dims) if isinstance(dims, (tuple, list)) else (dims,)
    if not dims and len(shifts) == 1:
        flat = _roll(reshape(input, (-1,)), shifts, (0,))
        return reshape(flat, input._data.shape)
    if not shifts:
        raise RuntimeError("`shifts` required")
    if len(shifts) != len(dims):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}"
        )
    ndim = input._data.ndim
    if not ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    order = tuple([dim_of(d, ndim) for d in dims])
    return _roll(input, shifts, order)


def repeat(input: Tensor, *sizes: Any, repeats: Any = None) -> Tensor:
    """Returns the tensor repeated along each dimension; more numbers than dimensions add new ones.

    >>> torch.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times = shape_of(sizes if repeats is None else (repeats,), "repeat")
    shape = input._data.shape
    if len(times) < len(shape):
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        )
    if any(n < 0 for n in times):
        raise RuntimeError(f"Trying to create tensor with negative dimension: repeat{times}")
    shape = (1,) * (len(times) - len(shape)) + tuple(shape)
    if all(n == 1 for n in times):
        return reshape(input, shape).clone(memory_format=contiguous_format)
    apart = reshape(input, [k for n in shape for k in (1, n)])
    wide = expand(apart, *[k for n, r in zip(shape, times, strict=True) for k in (r, n)])
    out = reshape(wide, [n * r for n, r in zip(shape, times, strict=True)])
    # Repeated along new dimensions alone, it would be a view of the input.
    shared = out._owner is (input if input._owner is None else input._owner)
    return out.clone(memory_format=contiguous_format) if shared else out


def tile(input: Tensor, *sizes: Any, dims: Any = None) -> Tensor:
    """Returns the tensor repeated along each of the last dimensions, new ones coming first.

    >>> torch.tile(torch.tensor([1, 2]), (2,))
    tensor([1, 2, 1, 2])
    """
    check_tensor("tile", input)
    times = shape_of(sizes if dims is None else (dims,), "tile")
    return repeat(input, *(1,) * (input._data.ndim - len(times)), *times)


def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Returns each slice along ``dim`` (or each element) repeated, as often as ``repeats`` tells.

    With one argument, returns each index repeated as often as the number there.

    >>> torch.repeat_interleave(torch.tensor([1, 2]), torch.tensor([2, 1]))
    tensor([1, 1, 2])
    """
    check_tensor("repeat_interleave", input)
    if repeats is None:
        return wrap(_repeated(input, input._data.size, output_size))
    x = flatten(input) if dim is None else input
    d = dim_of(-1 if dim is None else dim, x._data.ndim)
    if not x._data.ndim:
        x = reshape(x, (1,))
    n = x._data.shape[d]
    if isinstance(repeats, int):
        if repeats < 0:
            raise RuntimeError("Repeats must be non-negative")
        shape = x._data.shape
        wide = expand(unsqueeze(x, d + 1), *shape[: d + 1], repeats, *shape[d + 1 :])
        own = wide.clone(memory_format=contiguous_format)
        return reshape(own, (*shape[:d], n * repeats, *shape[d + 1 :]))
    check_tensor("repeat_interleave", input, repeats, names=("input", "repeats"))
    return _advanced(x, (*(slice(None),) * d, _repeated(repeats, n, output_size)))


def _repeated(repeats: Tensor, n: int, output_size: int | None) -> Any:
    r = repeats._data
    if r.ndim > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    if r.dtype.kind != "i" or r.dtype.itemsize < 4:
        raise RuntimeError(f"repeats has to be Long or Int tensor, not {dtype_of(r)!r}")
    if r.size not in (1, n) or (r.size != n and r.ndim == 0 and n == 0 and r.size != 1):
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {r.size} "
            f"and input.size(dim) = {n}"
        )
    B = backend_of(r)
    bounds = B.bounds(r)
    if bounds is not None and bounds[0] < 0:
        raise RuntimeError("repeats can not be negative")
    places = B.repeat(B.expand(B.reshape(r, (-1,)), (n,)))
    if output_size is not None and places.size != output_size:
        raise RuntimeError(
            f"allocated size {output_size} does not match required size {places.size}"
        )
    return places


def _restrided(B: Any, g: Any, layout: Any, size: Any, stride: Any, offset: int) -> Any:
    """Adds g into the memory that as_strided read, and reads that as the input did."""
    K = backend_of(_raw(g))
    own_size, own_stride, own_offset = layout
    least = min(offset, own_offset)
    ends = [
        sum((n - 1) * s for n, s in zip(z, t, strict=True)) + o
        for z, t, o in ((size, stride, offset), (own_size, own_stride, own_offset)) if 0 not in z
    ]  # fmt: skip
    room = max(ends, default=least) - least + 1
    read = K.strided_places(_raw(g), size, stride, offset - least)
    own = K.strided_places(_raw(g), own_size, own_stride, own_offset - least)
    return B.getitem(B.unindex(g, (read,), (room,)), (own,))


@derivative(
    saves=("layout", "size", "stride", "offset"),
    name="AsStridedBackward0",
    d_input=_restrided,
)
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """Returns a view of the memory with any shape and strides, counted in elements.

    Raises RuntimeError where that would leave the memory.

    >>> torch.as_strided(torch.arange(5), (3, 2), (1, 1))
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    check_tensor("as_strided", input)
    size, stride = shape_of((size,)), shape_of((stride,))
    if len(size) != len(stride):
        raise RuntimeError(
            f"mismatch in length of strides and shape: {len(stride)} and {len(size)}"
        )
    if any(s < 0 for s in stride):
        raise RuntimeError(
            "as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}"
        )
    x = input._data
    B = backend_of(x)
    own = B.storage_offset(x)
    offset = own if storage_offset is None else storage_offset
    try:
        z = B.as_strided(x, size, stride, offset)
    except ValueError as error:
        raise RuntimeError(f"setStorage: {error}") from None
    strides = tuple([s // x.dtype.itemsize for s in B.strides_of(x)])
    saved = ((x.shape, strides, own), size, stride, offset)
    return taped_view(as_strided, z, input, (size, stride, offset), saved)


def _windows(B: Any, g: Any, dim: int, at: Any, shape: Any) -> Any:
    """The windows' last dimension goes next to the one they run along, where indexing had put it."""
    ndim = len(shape)
    order = (*range(dim + 1), ndim, *range(dim + 1, ndim))
    return B.unindex(B.permute(g, order), (*(slice(None),) * dim, at), shape)


@derivative(saves=("dim", "at", "shape"), name="UnfoldBackward0", d_input=_windows)
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Returns a view of all windows of ``size`` along a dimension, ``step`` apart, in a new last one.

    >>> torch.arange(4).unfold(0, 2, 1)
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    x = input._data
    d = dim_of(dimension, x.ndim)
    n = x.shape[d] if x.ndim else 1
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {d} is {n} but size is {size}")
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    B = backend_of(x)
    strides = tuple([s // x.dtype.itemsize for s in B.strides_of(x)])
    if not x.ndim:
        return as_strided(input, (size,), (1,))
    count = (n - size) // step + 1
    at = None
    if input._node is not None:  # half of the time, and only gradients need it
        at = B.strided_places(x, (count, size), (step, 1), 0)
    z = B.as_strided(
        x,
        (*x.shape[:d], count, *x.shape[d + 1 :], size),
        (*strides[:d], strides[d] * step, *strides[d + 1 :], strides[d]),
        B.storage_offset(x),
    )
    return taped_view(unfold, z, input, (d, size, step), (d, at, x.shape))


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Returns the coordinates of the grid over some vectors, one tensor for each of them.

    ``indexing`` is "ij" (rows first, the default) or "xy".

    >>> torch.meshgrid(torch.tensor([1, 2]), torch.tensor([3, 4]), indexing="ij")[0]
    tensor([[1, 1],
            [2, 2]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for t in tensors:
        check_tensor("meshgrid", t)
        if t._data.ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {t._data.ndim}D"
            )
        if t._data.dtype is not tensors[0]._data.dtype:
            raise RuntimeError("torch.meshgrid expects all tensors to have the same dtype")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    swap = indexing == "xy" and len(tensors) >= 2
    order = list(tensors)
    if swap:
        order[0], order[1] = order[1], order[0]
    shape = [t._data.size for t in order]
    grids = [
        expand(reshape(t, [-1 if k == i else 1 for k in range(len(order))]), *shape)
        for i, t in enumerate(order)
    ]
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Returns all ways to take one element of each vector, in rows.

    >>> torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    for t in tensors:
        check_tensor("cartesian_prod", t)
        if t._data.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(t._data.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([flatten(g) for g in meshgrid(*tensors)], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Returns all ways to take ``r`` elements of a vector, in rows.

    >>> torch.combinations(torch.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    check_tensor("combinations", input)
    x = input._data
    if x.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(x.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    B = backend_of(x)
    if r == 0:
        return wrap(B.empty((0,), x.dtype))
    choose = _choices_again if with_replacement else _choices
    rows = list(choose(range(x.size), r))
    return _advanced(input, (B.host_index(x, rows, (len(rows), r)),))


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Returns all tensors expanded to their common shape, as views.

    >>> torch.broadcast_tensors(torch.zeros(2, 1), torch.zeros(3))[1].shape
    torch.Size([2, 3])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    shape = broadcast_shape("broadcast_tensors", *[t._data.shape for t in tensors])
    return tuple([expand(t, *shape) for t in tensors])


def broadcast_shapes(*shapes: Any) -> Any:
    """Returns the shape that these shapes broadcast to; RuntimeError if there is none.

    >>> torch.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    wanted = [
        tuple([int(n) for n in s]) if isinstance(s, (tuple, list)) else (int(s),) for s in shapes
    ]
    if any(n < 0 for s in wanted for n in s):
        raise RuntimeError("Trying to create tensor with negative dimension: broadcast_shapes")
    return Size(broadcast_shape("broadcast_shapes", *wanted))
