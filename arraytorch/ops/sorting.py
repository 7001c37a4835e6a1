"""Order: sorting, ranks, medians, searching."""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from ..autograd.tape import TensorBase, taped, wrap
from ..backends import backend_of, dtype_of, numpy_dtype
from . import _return_types as return_types
from ._declare import derivative
from ._promote import common_device, dim_of, integer, is_number
from ._results import check_tensor, finished, promoted, refuse, refuse_kernel
from ._write import forbid_shared
from .blending import lerp
from .comparison import isnan
from .extremes import evenly_or_to_nan
from .reduction import any, over, sum
from .scattering import gather, picked
from .selection import where
from .shape import flatten, movedim, reshape, unsqueeze

Tensor = Any
Number = int | float


def _order(name: str, input: Tensor, dim: int, descending: bool) -> tuple[Tensor, int]:
    refuse(name, input, "c")
    x = input._data
    d = dim_of(dim, x.ndim)
    B = backend_of(x)
    if not x.ndim:
        return wrap(B.zeros((), numpy_dtype(_dtypes.int64))), 0
    return wrap(B.argsort(x, d, bool(descending))), d


def sort(
    input: Tensor,
    dim: int = -1,
    descending: bool = False,
    stable: bool = False,
    axis: Any = None,
    *,
    out: Any = None,
) -> Any:
    """Returns the elements sorted along ``dim`` and where they were; equal ones keep their order.

    >>> torch.sort(torch.tensor([3, 1, 2])).values
    tensor([1, 2, 3])
    """
    if axis is not None:
        dim = axis
    order, d = _order("sort", input, dim, descending)
    pair = picked("sort", input, d, order._data) if input._data.ndim else (input.clone(), order)
    return finished("sort", return_types.sort(pair), out, (input,))


def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, axis: Any = None
) -> Tensor:
    """Returns the indices that sort along ``dim``; equal elements keep their order.

    >>> torch.argsort(torch.tensor([3, 1, 2]))
    tensor([1, 2, 0])
    """
    if axis is not None:
        dim = axis
    return _order("argsort", input, dim, descending)[0]


def msort(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns the elements sorted along the first dimension.

    >>> torch.msort(torch.tensor([3, 1, 2]))
    tensor([1, 2, 3])
    """
    return finished("msort", sort(input, 0).values, out, (input,))


def topk(
    input: Tensor,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
    axis: Any = None,
    *,
    out: Any = None,
) -> Any:
    """Returns the ``k`` largest (or smallest) elements along ``dim``, in order, and their indices.

    >>> torch.topk(torch.tensor([1, 5, 3]), 2).values
    tensor([5, 3])
    """
    if axis is not None:
        dim = axis
    refuse("topk", input, "bc")
    x = input._data
    d, k = dim_of(dim, x.ndim), integer("topk", "k", k)
    if not 0 <= k <= (x.shape[d] if x.ndim else 1):
        raise RuntimeError("selected index k out of range")
    B = backend_of(x)
    if not x.ndim:
        pair = input.clone(), wrap(B.zeros((), numpy_dtype(_dtypes.int64)))
    else:
        # not a view of all places, which the result would keep alive
        at = B.contiguous(B.topk(x, k, d, bool(largest)))
        pair = picked("topk", input, d, at)
    return finished("topk", return_types.topk(pair), out, (input,))


def _placed(name: str, input: Tensor, d: int, keepdim: bool, at: Any, out: Any) -> Any:
    """The elements at these indices along d, and the indices."""
    if not input._data.ndim:
        at = backend_of(input._data).zeros((1,), numpy_dtype(_dtypes.int64))
    at = backend_of(at).contiguous(at)
    result = getattr(return_types, name)(picked(name, input, d, at, keepdim))
    return finished(name, result, out, (input,))


def _not_empty(name: str, input: Tensor, dim: int) -> int:
    check_tensor(name, input)
    d = dim_of(dim, input._data.ndim)
    if input._data.ndim and not input._data.shape[d]:
        raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")
    return d


def kthvalue(
    input: Tensor, k: int, dim: int = -1, keepdim: bool = False, *, out: Any = None
) -> Any:
    """Returns the ``k``-th smallest elements along ``dim``, counted from 1, and their indices.

    >>> torch.kthvalue(torch.tensor([3, 1, 2]), 2).values
    tensor(2)
    """
    refuse("kthvalue", input, "bc")
    d, k = _not_empty("kthvalue", input, dim), integer("kthvalue", "k", k)
    n = input._data.shape[d] if input._data.ndim else 1
    if not 1 <= k <= n:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {d}")
    if out is not None:
        forbid_shared("kthvalue", input, out[0])
    x = input._data
    at = backend_of(x).arg_of_rank(x, k - 1, d) if x.ndim else None
    return _placed("kthvalue", input, d, keepdim, at, out)


@derivative(
    saves=("input", "out", "dims", "kept"), name="MedianBackward0", d_input=evenly_or_to_nan
)
def _median_of_all(input: Tensor, z: Any) -> Tensor:
    dims, kept = over(input._data.shape, None)
    return taped(_median_of_all, z, (input,), (input, z, dims, kept))


def _median(name: str, input: Tensor, dim: Any, keepdim: bool, out: Any, ignore_nan: bool) -> Any:
    refuse(name, input, "bc")
    x = input._data
    B = backend_of(x)
    if dim is None:
        flat = B.reshape(x, (-1,))
        if not x.size:
            nothing = (
                float("nan") if x.dtype.kind not in "iu" else -(1 << (8 * x.dtype.itemsize - 1))
            )
            return finished(name, wrap(B.full((), nothing, x.dtype)), out)
        z = B.reshape(B.gather(flat, 0, B.arg_of_median(flat, 0, ignore_nan)), ())
        return finished(name, _median_of_all(input, z), out, (input,))
    d = _not_empty(name, input, dim)
    at = B.arg_of_median(x, d, ignore_nan) if x.ndim else None
    return _placed(name, input, d, keepdim, at, out)


def median(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    out: Any = None,
) -> Any:
    """Returns the median, the lower of two; with ``dim``, those along it and their indices.

    NaN if there is one.

    >>> torch.median(torch.tensor([1, 4, 2, 3]))
    tensor(2)
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    return _median("median", input, dim, keepdim, out, False)


def nanmedian(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    out: Any = None,
) -> Any:
    """Returns the median with NaN left out; see `median`.

    >>> torch.nanmedian(torch.tensor([1.0, float("nan"), 2.0]))
    tensor(1.)
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    return _median("nanmedian", input, dim, keepdim, out, True)


def mode(
    input: Tensor,
    dim: int = -1,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    out: Any = None,
) -> Any:
    """Returns the most frequent elements along ``dim``, the smallest of several, and their indices.

    >>> torch.mode(torch.tensor([1, 2, 2, 1, 2])).values
    tensor(2)
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    refuse("mode", input, "c")
    d = _not_empty("mode", input, dim)
    x = input._data
    B = backend_of(x)
    at = B.mode(x, d) if x.ndim else B.zeros((1,), numpy_dtype(_dtypes.int64))
    result = return_types.mode(picked("mode", input, d, at, keepdim))
    return finished("mode", result, out, (input,))


def _quantile(
    name: str, input: Tensor, q: Any, dim: Any, keepdim: bool, interpolation: str, out: Any,
    ignore_nan: bool,
) -> Tensor:  # fmt: skip
    check_tensor(name, input)
    x = input._data
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    B = backend_of(x)
    if isinstance(q, TensorBase):
        if q._data.dtype is not x.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
        if q._data.ndim > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    else:
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
        q = wrap(B.full((), float(q), x.dtype))
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but "
            f"got {interpolation}"
        )
    if not x.size:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    seen = B.bounds(q._data)
    if seen is not None and not 0 <= seen[0] <= seen[1] <= 1:
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    row = flatten(input) if dim is None or not x.ndim else movedim(input, dim_of(dim, x.ndim), -1)
    ranked = unsqueeze(sort(row, -1).values, 0)  # (1, ..., n)
    n = row._data.shape[-1]
    lacking = isnan(row)
    last = unsqueeze(sum(~lacking, -1, True), 0) - 1 if ignore_nan else n - 1
    rank = reshape(q, (-1, *(1,) * row._data.ndim)) * last
    if ignore_nan:
        rank = where(rank < 0, rank * 0, rank)
    else:
        rank = where(any(unsqueeze(lacking, 0), -1, True), rank * 0 + (n - 1), rank)
    result = _between(ranked, rank, interpolation)
    result = reshape(result, result._data.shape[:-1])
    if keepdim:
        if dim is None:
            result = reshape(result, (-1, *(1,) * x.ndim))
        elif x.ndim:
            result = unsqueeze(result, dim_of(dim, x.ndim) + 1)
    if not q._data.ndim:
        result = reshape(result, result._data.shape[1:])
    if dim is not None and not x.ndim:
        result = reshape(result, q._data.shape)
    return finished(name, result, out, (input,))


def _between(ranked: Tensor, rank: Tensor, interpolation: str) -> Tensor:
    """The elements at ranks between two places of the sorted rows."""
    if interpolation == "nearest":
        rank = rank.round()
    low = rank.floor() if interpolation != "higher" else rank.ceil()
    shape = (rank._data.shape[0], *ranked._data.shape[1:-1])
    ranked = ranked.expand(*shape, ranked._data.shape[-1])
    under = gather(ranked, -1, low.expand(*shape, 1).long())
    if interpolation not in ("linear", "midpoint"):
        return under
    over_ = gather(ranked, -1, rank.ceil().expand(*shape, 1).long())
    weight = rank - low if interpolation == "linear" else (rank != low) * 0.5
    return lerp(under, over_, weight.to(under.dtype))


def quantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """Returns the ``q``-quantiles over ``dim`` or everything; q may be a number or a vector.

    >>> torch.quantile(torch.tensor([1.0, 2.0, 4.0]), 0.75)
    tensor(3.)
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    return _quantile("quantile", input, q, dim, keepdim, interpolation, out, False)


def nanquantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """Returns the ``q``-quantiles with NaN left out; see `quantile`.

    >>> torch.nanquantile(torch.tensor([1.0, float("nan"), 3.0]), 0.5)
    tensor(2.)
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, out, True)


def _side(name: str, right: bool, side: str | None) -> bool:
    if side not in (None, "left", "right"):
        raise RuntimeError(f"{name}(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            f"{name}(): side and right can't be set to opposites, got side of left while right was "
            "True"
        )
    return right or side == "right"


def searchsorted(
    sorted_sequence: Tensor,
    input: Tensor | Number,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    out: Tensor | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Returns where in the sorted rows the values belong: before equal ones, or behind if ``right``.

    >>> torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([3, 6]))
    tensor([1, 3])
    """
    check_tensor("searchsorted", sorted_sequence, names=("sorted_sequence",))
    refuse_kernel("searchsorted_out_cpu", sorted_sequence, "c")
    right = _side("searchsorted", right, side)
    rows, values = _boundaries_and_values(sorted_sequence, input)
    B = backend_of(rows)
    if not rows.ndim:
        raise RuntimeError("searchsorted(): boundaries tensor should have positive dimension")
    if rows.ndim != 1 and rows.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            "searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of "
            "boundaries tensor and input value tensor must match, but we got boundaries tensor "
            f"{list(rows.shape)} and input value tensor {list(values.shape)}"
        )
    if sorter is not None:
        rows = _in_order(rows, sorter)
    if rows.ndim == 1 != values.ndim:
        z = B.reshape(B.searchsorted(rows, B.reshape(values, (-1,)), right), values.shape)
    else:
        z = B.searchsorted(rows, values, right)
    if out_int32:
        z = B.cast(z, numpy_dtype(_dtypes.int32))
    return finished("searchsorted", wrap(z), out)


def _boundaries_and_values(boundaries: Tensor, input: Tensor | Number) -> tuple[Any, Any]:
    """Both as arrays of one dtype."""
    rows = boundaries._data
    if is_number(input):
        if rows.ndim != 1:
            raise RuntimeError(
                "searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1"
            )
        B = backend_of(rows)
        fits = rows.dtype.kind != "i" or isinstance(input, int)
        return rows, B.full((), input, numpy_dtype(dtype_of(rows)) if fits else B.double)
    check_tensor("searchsorted", input, names=("input",))
    common_device("searchsorted", [boundaries, input])
    values = input._data  # type: ignore[union-attr]
    if rows.dtype is not values.dtype:
        refuse_kernel("searchsorted_out_cpu", input, "c")
        rows, values = (t._data for t in promoted("searchsorted", boundaries, input))
    elif rows.dtype.kind == "b":
        refuse_kernel("searchsorted_out_cpu", input, "b")
    return rows, values


def _in_order(rows: Any, sorter: Tensor) -> Any:
    """Rows in the order that ``sorter`` tells."""
    check_tensor("searchsorted", sorter, names=("sorter",))
    at = sorter._data
    if at.shape != rows.shape or at.dtype.kind != "i" or at.dtype.itemsize != 8:
        raise RuntimeError(
            "searchsorted(): sorter must be a long tensor of the shape of boundaries, got "
            f"{list(at.shape)} for {list(rows.shape)}"
        )
    return gather(wrap(rows), -1, sorter)._data


def bucketize(
    input: Tensor | Number,
    boundaries: Tensor,
    *,
    out_int32: bool = False,
    right: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the bucket between sorted ``boundaries`` that each value falls into.

    >>> torch.bucketize(torch.tensor([3, 6]), torch.tensor([1, 3, 5]))
    tensor([1, 3])
    """
    check_tensor("bucketize", boundaries, names=("boundaries",))
    refuse_kernel("searchsorted_out_cpu", boundaries, "c")
    if boundaries._data.ndim != 1:
        raise RuntimeError(
            f"boundaries tensor must be 1 dimension, but got dim({boundaries._data.ndim})"
        )
    return searchsorted(boundaries, input, out_int32=out_int32, right=right, out=out)
