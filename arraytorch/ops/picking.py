"""Reading and writing whole slices, and single elements by mask or by flat index."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import _dtypes
from ..autograd.tape import TensorBase, wrap
from ..backends import backend_of, dtype_of, numpy_dtype
from ..backends.host import ndarray
from ._declare import cast
from ._fitting import fitting
from ._promote import broadcast_shape, common_device, dim_of
from ._results import check_tensor, finished, refuse_eight_bits, refuse_kernel, same_dtype
from .indexing import _advanced, _assigned, in_bounds, unindex
from .reduction import sum
from .scan import cumsum
from .scattering import check_index, gather, scatter_reduce
from .selection import where
from .shape import expand, flatten, reshape

Tensor = Any
Number = int | float | complex | bool


def _slices(
    name: str, input: Tensor, dim: int, index: Tensor, least: int
) -> tuple[Any, tuple[Any, ...]]:
    """The input as at least a vector, and the index tuple of slices along dim."""
    try:
        a, i = input._data, index._data
        if a.__class__ is i.__class__ is ndarray and i.ndim == 1 and a.ndim:
            d = dim_of(dim, a.ndim)
            check_index(name, index, a.shape[d], least and -a.shape[d])
            return input, (*(slice(None),) * d, i)  # half of the time
    except AttributeError:
        pass
    check_tensor(name, input)
    check_tensor(name, index, names=("index",))
    common_device(name, [input, index])
    if index._data.ndim > 1:
        raise IndexError(
            f"{name}(): Index is supposed to be a vector, but got {index._data.ndim} dims"
        )
    x = reshape(input, (1,)) if not input._data.ndim else input
    d = dim_of(dim, x._data.ndim)
    check_index(name, index, x._data.shape[d], least and -x._data.shape[d])
    return x, (*(slice(None),) * d, backend_of(index._data).reshape(index._data, (-1,)))


def _like(result: Tensor, input: Tensor) -> Tensor:
    return result if input._data.ndim else reshape(result, ())


def index_select(input: Tensor, dim: int, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the slices along ``dim`` that a vector of indices names.

    >>> torch.index_select(torch.tensor([[1, 2], [3, 4]]), 1, torch.tensor([1, 1]))
    tensor([[2, 2],
            [4, 4]])
    """
    x, at = _slices("index_select", input, dim, index, 0)
    if not input._data.ndim and index._data.size != 1:
        raise RuntimeError("index_select(): Index to scalar can have only 1 value")
    return finished("index_select", _like(_advanced(x, at), input), out, (input,))


def _source(name: str, x: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    check_tensor(name, source, names=("source",))
    same_dtype(name, x, source)
    d = dim_of(dim, x._data.ndim)
    wanted = (*x._data.shape[:d], index._data.size, *x._data.shape[d + 1 :])
    if source._data.shape == wanted:
        return source
    if not source._data.ndim and prod(wanted) == 1:
        return reshape(source, wanted)
    error = (
        IndexError
        if source._data.ndim not in (0, len(wanted)) and name == "index_copy"
        else RuntimeError
    )
    if name == "index_copy" and not source._data.ndim and index._data.size != 1:
        error = IndexError
    raise error(
        f"{name}(): source of shape {list(source._data.shape)} does not fit {index._data.size} "
        f"slices along dimension {d} of a tensor of shape {list(x._data.shape)}"
    )


def index_add(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    *,
    alpha: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``input`` with ``alpha * source`` added to the slices along ``dim`` that ``index`` names.

    >>> torch.index_add(torch.ones(3), 0, torch.tensor([0, 0]), torch.tensor([5.0, 6.0]))
    tensor([12.,  1.,  1.])
    """
    x, at = _slices("index_add", input, dim, index, 0)
    source = _source("index_add", x, dim, index, source)
    if alpha != 1:
        alpha = int(alpha) if source._data.dtype.kind in "iu" else alpha  # type: ignore[arg-type]
        source = cast(source * alpha, source._data.dtype)
    added = unindex(source, at, x._data.shape)
    result = x | added if x._data.dtype.kind == "b" else x + added
    return finished("index_add", _like(result, input), out, (input, source))


def index_copy(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, out: Tensor | None = None
) -> Tensor:
    """Returns ``input`` with ``source`` written over the slices along ``dim`` that ``index`` names.

    >>> torch.index_copy(torch.zeros(3), 0, torch.tensor([2, 0]), torch.tensor([5.0, 6.0]))
    tensor([6., 0., 5.])
    """
    x, at = _slices("index_copy", input, dim, index, 0)
    refuse_eight_bits("index_copy", x)
    source = _source("index_copy", x, dim, index, source)
    return finished("index_copy", _like(_assigned(x, source, at), input), out, (input, source))


def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """Returns ``input`` with one value, a number or 0-d tensor, in the slices that ``index`` names.

    >>> torch.index_fill(torch.zeros(3), 0, torch.tensor([1]), 7)
    tensor([0., 7., 0.])
    """
    x, at = _slices("index_fill", input, dim, index, 1)
    refuse_eight_bits("index_fill", x)
    if isinstance(value, TensorBase):
        if value._data.ndim:
            raise RuntimeError(
                "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
                f"{value._data.ndim} dimension(s)."
            )
        chosen = _assigned(
            wrap(backend_of(x._data).full(x._data.shape, False, numpy_dtype(_dtypes.bool))),
            True,
            at,
        )
        return _like(where(chosen, cast(value, x._data.dtype), x), input)
    elif isinstance(value, complex) and x._data.dtype.kind != "c":
        raise RuntimeError(
            "index_fill_(): Converting complex Scalar to non-complex type is not supported"
        )
    return _like(_assigned(x, fitting(value, x._data.dtype), at), input)


def index_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
    out: Tensor | None = None,
) -> Tensor:
    """Returns ``input`` with the slices that ``index`` names reduced with those of ``source``.

    ``reduce`` is "prod", "mean", "amax" or "amin".

    >>> torch.index_reduce(torch.ones(2), 0, torch.tensor([0, 0]), torch.tensor([5.0, 3.0]), "prod")
    tensor([15.,  1.])
    """
    refuse_kernel("index_func_", input, "b")
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            f"reduce argument must be either prod, mean, amax or amin, got {reduce}."
        )
    x, _ = _slices("index_reduce", input, dim, index, 0)
    source = _source("index_reduce", x, dim, index, source)
    d = dim_of(dim, x._data.ndim)
    at = reshape(index, [-1 if k == d else 1 for k in range(x._data.ndim)])
    result = scatter_reduce(
        x, d, expand(at, *source._data.shape), source, reduce, include_self=include_self
    )
    return finished("index_reduce", _like(result, input), out, (input, source))


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """Returns ``input`` with ``values``, broadcast, written (or added) at ``input[indices]``.

    >>> torch.index_put(torch.zeros(3), (torch.tensor([0, 2]),), torch.tensor([5.0, 6.0]))
    tensor([5., 0., 6.])
    """
    check_tensor("index_put", input)
    check_tensor("index_put", values, names=("values",))
    x = input._data
    if values._data.dtype is not x.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {dtype_of(x)!r} for "
            f"the destination and {dtype_of(values._data)!r} for the source."
        )
    at = tuple([slice(None) if i is None else i._data for i in indices])
    if len(at) > x.ndim:
        raise IndexError(f"too many indices for tensor of dimension {x.ndim} (got {len(at)})")
    at = in_bounds(at, x)
    try:
        if not accumulate:
            return _assigned(input, values, at)
        shape = backend_of(x).getitem(x, at).shape
        return input + unindex(expand(values, *shape), at, x.shape)
    except ValueError as error:
        raise RuntimeError(f"shape mismatch: {error}") from error


def _check_apart(name: str, out: Any, *inputs: Tensor) -> None:
    if out is not None and id(out) in [id(t) for t in inputs]:
        raise RuntimeError(
            f"unsupported operation: {name}() cannot write to out, as it is one of the inputs"
        )


def masked_select(input: Tensor, mask: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the elements where ``mask`` is true, after both are broadcast, in one dimension.

    >>> torch.masked_select(torch.tensor([1, 2, 3]), torch.tensor([True, False, True]))
    tensor([1, 3])
    """
    check_tensor("masked_select", input, mask, names=("input", "mask"))
    _check_apart("masked_select", out, input, mask)
    if mask._data.dtype.kind != "b":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    common_device("masked_select", [input, mask])
    shape = broadcast_shape("masked_select", input._data.shape, mask._data.shape) or (1,)
    picked = _advanced(expand(input, *shape), (expand(mask, *shape)._data,))
    return finished("masked_select", picked, out, (input,))


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Returns ``input`` with the elements of ``source``, in order, where ``mask`` is true.

    >>> mask = torch.tensor([True, False, True])
    >>> torch.masked_scatter(torch.zeros(3), mask, torch.tensor([5.0, 6.0]))
    tensor([5., 0., 6.])
    """
    check_tensor("masked_scatter", input, mask, source, names=("input", "mask", "source"))
    if mask._data.dtype.kind != "b":
        raise RuntimeError(
            f"masked_scatter_ only supports boolean masks, but got mask with dtype {dtype_of(mask._data)!r}"
        )
    same_dtype("masked_scatter", input, source)
    shape = broadcast_shape("masked_scatter", input._data.shape, mask._data.shape)
    input, mask = expand(input, *shape), expand(mask, *shape)
    have = source._data.size
    seen = backend_of(mask._data).bounds(sum(mask)._data)
    if seen is not None and seen[1] > have:
        raise RuntimeError(
            f"mask has {seen[1]} true elements, but source has only {have}: masked_scatter"
        )
    if not have:
        return input.clone()
    order = cumsum(flatten(mask), 0)._data - 1
    B = backend_of(order)
    order = B.reshape(B.clamp(order, 0, have - 1), shape)
    return where(mask, _advanced(reshape(source, (-1,)), (order,)), input)


def take(input: Tensor, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the elements of the flattened tensor at ``index``, in index's shape.

    >>> torch.take(torch.tensor([[1, 2], [3, 4]]), torch.tensor([0, -1]))
    tensor([1, 4])
    """
    check_tensor("take", input, index, names=("input", "index"))
    refuse_eight_bits("take", input)
    _check_apart("take", out, input, index)
    n = input._data.size
    if not n and index._data.size:
        raise IndexError("take(): tried to take from an empty tensor")
    if index._data.dtype.kind != "i" or index._data.dtype.itemsize != 8:
        raise RuntimeError(
            f"take(): Expected a long tensor for index, but got {dtype_of(index._data)!r}"
        )
    check_index("take", index, n, -n)
    flat = input if input._data.ndim == 1 else reshape(input, (-1,))
    z = _advanced(flat, (backend_of(index._data).reshape(index._data, (-1,)),))
    z = z if index._data.ndim == 1 else reshape(z, index._data.shape)
    return finished("take", z, out, (input,))


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Returns ``input`` with ``source`` written, or added, at flat indices.

    >>> torch.put(torch.zeros(2, 2), torch.tensor([0, 3]), torch.tensor([5.0, 6.0]))
    tensor([[5., 0.],
            [0., 6.]])
    """
    check_tensor("put", input, index, source, names=("input", "index", "source"))
    same_dtype("put", input, source)
    n = input._data.size
    if index._data.dtype.kind != "i" or index._data.dtype.itemsize != 8:
        raise RuntimeError(
            f"put_(): Expected a long tensor for index, but got {dtype_of(index._data)!r}"
        )
    if index._data.size != source._data.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {source._data.size}, index.numel() = {index._data.size}"
        )
    check_index("put", index, n, -n)
    at = (backend_of(index._data).reshape(index._data, (-1,)),)
    flat, values = reshape(input, (-1,)), reshape(source, (-1,))
    z = flat + unindex(values, at, (n,)) if accumulate else _assigned(flat, values, at)
    return reshape(z, input._data.shape)


def take_along_dim(
    input: Tensor, indices: Tensor, dim: int | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Returns `gather` after broadcasting; without ``dim``, of the flattened tensor.

    >>> x = torch.tensor([[10, 30, 20]])
    >>> torch.take_along_dim(x, torch.argsort(x, 1), 1)
    tensor([[10, 20, 30]])
    """
    check_tensor("take_along_dim", input, indices, names=("input", "indices"))
    if indices._data.dtype.kind != "i" or indices._data.dtype.itemsize < 4:
        raise RuntimeError(
            "torch.take_along_dim(): dtype of indices should be Long but got "
            f"{dtype_of(indices._data)!r}"
        )
    if dim is None:
        flat = gather(reshape(input, (-1,)), 0, reshape(indices, (-1,)))
        return finished("take_along_dim", flat, out, (input,))
    if input._data.ndim != indices._data.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {input._data.ndim} dimensions for input, and {indices._data.ndim} dimensions "
            "for indices"
        )
    d = dim_of(dim, input._data.ndim)
    n = input._data.shape[d]
    i = indices._data
    if backend_of(i).first_outside(i, 0, n, "take_along_dim") is not None:
        indices = where(indices < 0, indices + n, indices)
    a, b = list(input._data.shape), list(indices._data.shape)
    rest = list(
        broadcast_shape("take_along_dim", (*a[:d], 1, *a[d + 1 :]), (*b[:d], 1, *b[d + 1 :]))
    )
    whole, named = [*rest[:d], a[d], *rest[d + 1 :]], [*rest[:d], b[d], *rest[d + 1 :]]
    x = input if a == whole else expand(input, *whole)
    at = indices if b == named else expand(indices, *named)
    return finished("take_along_dim", gather(x, d, at), out, (input,))


def nonzero(input: Tensor, *, out: Tensor | None = None, as_tuple: bool = False) -> Any:
    """Returns the indices of the nonzero elements, a row for each, or as a tuple of columns.

    >>> torch.nonzero(torch.tensor([0, 7, 8]))
    tensor([[1],
            [2]])
    """
    check_tensor("nonzero", input)
    x = input._data
    B = backend_of(x)
    if as_tuple:
        return tuple([wrap(i) for i in B.nonzero(B.reshape(x, x.shape or (1,)))])
    if not x.ndim:
        count = int(bool(x.item()))
        return finished(
            "nonzero", wrap(B.zeros((count, 0), B.nonzero(B.reshape(x, (1,)))[0].dtype)), out
        )
    columns = list(B.nonzero(x))
    if len(columns) == 1:
        result = wrap(B.reshape(columns[0], (-1, 1)))
    else:
        result = wrap(B.stack(columns, 1))
    return result if out is None else finished("nonzero", result, out)


def argwhere(input: Tensor) -> Tensor:
    """Returns the indices of the nonzero elements, a row for each.

    >>> torch.argwhere(torch.tensor([0, 7]))
    tensor([[1]])
    """
    check_tensor("argwhere", input)
    x = input._data
    return wrap(backend_of(x).argwhere(x)) if x.ndim else nonzero(input)
