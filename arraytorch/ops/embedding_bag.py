"""Bags of rows of a table, each reduced to one row."""

from __future__ import annotations

from typing import Any

from .._dtypes import int64
from ..autograd.modes import grad_enabled
from ..autograd.tape import TensorBase, lying_in, wrap
from ..backends import backend_of, numpy_dtype
from ..backends.host import ndarray
from .creation import zeros
from .embedding import _renormalize, look_up
from .extremes import max as largest
from .picking import index_add
from .reduction import sum
from .selection import where
from .shape import reshape, unsqueeze

Tensor = Any


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Returns the sum, mean or maximum of the rows of ``weight`` that each bag names.

    The rows of an ``input`` (N, L) are bags; a vector is cut into bags that begin at ``offsets``,
    the last of which is the end if ``include_last_offset``. ``per_sample_weights`` weigh the rows,
    with ``mode="sum"`` only. ``padding_idx`` does not count, and empty bags give zeros. The other
    arguments are those of `embedding`. Raises ValueError for arguments that do not go together,
    RuntimeError for a row that does not exist.

    >>> table = torch.tensor([[1., 2.], [3., 4.], [5., 6.]])
    >>> bags, starts = torch.tensor([0, 2, 1]), torch.tensor([0, 2])
    >>> torch.nn.functional.embedding_bag(bags, table, starts, mode="sum")
    tensor([[6., 8.],
            [3., 4.]])
    """
    _check_tensors(input, weight, offsets)
    if weight._data.dtype.kind in "iu" and input._data.dtype.kind == "f":
        raise RuntimeError(
            "Argument order of nn.functional.embedding_bag was changed. Usage "
            "`embedding_bag(weight, input, ...)` is deprecated, and should now be "
            "`embedding_bag(input, weight, ...)`."
        )
    _check_weights(input, weight, mode, per_sample_weights)
    _check_bags(input, offsets, include_last_offset)
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and (scale_grad_by_freq or sparse):
        option = "scaling the gradient by the frequency" if scale_grad_by_freq else "sparse weights"
        raise ValueError(f"max mode does not support {option}")
    rows = weight._data.shape[0]
    padding = -1
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise AssertionError(
                "padding_idx must be within the number of embeddings, but got padding_idx "
                f"{padding_idx} for a table of {rows} rows"
            )
        padding = padding_idx % rows
    _check_rows(input._data, rows)
    if max_norm is not None:
        _renormalize(weight, input, max_norm, norm_type)
    index, inside, bag, bags = _bags(input._data, offsets, include_last_offset, mode == "max")
    if padding >= 0:
        inside = index != padding if inside is None else inside & (index != padding)
    plain = inside is bag is per_sample_weights is None and mode != "max"
    unrecorded = weight._node is None or not grad_enabled.get()
    if plain and unrecorded and weight._data.__class__ is index.__class__ is ndarray:
        total = wrap(backend_of(index).bags(weight._data, index))
        return total / max(index.shape[1], 1) if mode == "mean" else total
    found = look_up(sparse)(weight, lying_in(index, input), padding, bool(scale_grad_by_freq))
    if per_sample_weights is not None:
        found = found * unsqueeze(reshape(per_sample_weights, index.shape), -1)
    return _reduced(found, inside, bag, bags, mode)


def _check_tensors(input: Any, weight: Any, offsets: Any) -> None:
    for label, position, t in (("weight", 1, weight), ("input", 2, input), ("offsets", 3, offsets)):
        if not isinstance(t, TensorBase) and (t is not None or position < 3):
            raise TypeError(
                f"embedding_bag(): argument '{label}' (position {position}) must be Tensor, not "
                f"{type(t).__name__}"
            )


def _check_weights(input: Tensor, weight: Tensor, mode: str, each: Tensor | None) -> None:
    if each is not None:
        if each._data.shape != input._data.shape:
            raise ValueError(
                "embedding_bag: If per_sample_weights "
                f"({list(each._data.shape)}) is not None, then it must have the same shape as the "
                f"input ({list(input._data.shape)})"
            )
        if mode != "sum":
            raise NotImplementedError(
                "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
                f"for mode='sum' (got mode='{mode}'). Please open a feature request on GitHub."
            )
        if each._data.dtype is not weight._data.dtype:
            raise RuntimeError(
                "expected weight and per_sample_weights to have the same dtype, but got "
                f"{weight.dtype!r} and {each.dtype!r}"
            )
    x = input._data
    if x.dtype.kind != "i" or x.dtype.itemsize < 4:
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got {input.type()} instead (while checking arguments for embedding_bag)"
        )
    if weight._data.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if weight._data.dtype.kind in "biuc":
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: "
            f"Half, BFloat16, Float, Double; but got {weight.type()} instead (while checking "
            "arguments for embedding_bag)"
        )


def _check_bags(input: Tensor, offsets: Tensor | None, include_last: bool) -> None:
    ndim = input._data.ndim
    if ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of "
                f"fixed length sequences. However, found offsets of type {type(offsets)}"
            )
        return
    if ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {ndim}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    o = offsets._data
    if o.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    if o.dtype.kind != "i" or o.dtype.itemsize < 4:
        raise RuntimeError("offsets must be Long or Int")
    if include_last and not o.size:
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    if o.size and (start := int(o[0])) != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
            f"position 0. However, got {start}"
        )
    if o.size and (end := int(o[-1])) > input._data.shape[0]:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length({input._data.shape[0]}) but got "
            f"offsets[-1] of {end}"
        )


def _check_rows(index: Any, rows: int) -> None:
    bad = backend_of(index).first_outside(index, 0, rows, "embedding_bag")
    if bad is not None:
        raise RuntimeError(
            f"Expected all embedding indices to be in the range of 0 to {rows - 1}, but got {bad}"
        )


def _bags(x: Any, offsets: Tensor | None, include_last: bool, padded: bool) -> Any:
    """The rows to look up and which count, the bag of each, and how many bags there are.

    Bags that are rows of a matrix have no numbers. For maxima, bags of different lengths are made
    one, by filling up.
    """
    if offsets is None:
        return x, None, None, x.shape[0]
    B = backend_of(x)
    starts, lengths = _extents(x, offsets, include_last)
    bags = starts.shape[0]
    if not padded:
        bag = B.repeat(lengths)
        return x[: bag.shape[0]], None, bag, bags
    longest = int(lengths.max()) if bags else 0
    along = B.arange(0, longest, 1, starts.dtype)
    inside = along < lengths[:, None]
    if not x.shape[0]:
        return B.zeros(inside.shape, x.dtype), inside, None, bags
    return x[B.where(inside, starts[:, None] + along, 0)], inside, None, bags


def _extents(x: Any, offsets: Tensor, include_last: bool) -> tuple[Any, Any]:
    """Where the bags of a vector begin, and how long they are."""
    B = backend_of(x)
    starts = B.cast(offsets._data, numpy_dtype(int64))
    if include_last:
        starts, ends = starts[:-1], starts[1:]
    else:
        ends = B.cat([starts[1:], B.full((1,), x.shape[0], starts.dtype)], 0)[: starts.shape[0]]
    return starts, ends - starts


def bag_of_each(x: Any, offsets: Tensor, include_last: bool) -> tuple[Any, Any]:
    """The number of the bag of each index in a vector, and where the bags begin."""
    starts, lengths = _extents(x, offsets, include_last)
    return backend_of(x).repeat(lengths), starts


def _reduced(found: Tensor, inside: Any, bag: Any, bags: int, mode: str) -> Tensor:
    x = found._data
    B = backend_of(x)
    if bag is not None:
        counted = None if inside is None else B.cast(inside, x.dtype)
        if counted is not None:
            found = found * wrap(counted[:, None])
        start = zeros((bags, x.shape[-1]), dtype=found.dtype, device=found.device)
        total = index_add(start, 0, wrap(bag), found)
        if mode == "sum":
            return total
        ones = B.zeros((bag.shape[0],), x.dtype) + 1 if counted is None else counted
        count = index_add(start[:, :1], 0, wrap(bag), wrap(ones[:, None]))
        return total / count.clamp(min=1)
    if mode == "max":
        return _maxima(found, inside, bags)
    if inside is None:
        total = sum(found, 1)
        return total / max(x.shape[1], 1) if mode == "mean" else total
    counted = B.cast(inside, x.dtype)[:, :, None]
    total = sum(found * wrap(counted), 1)
    return total if mode == "sum" else total / wrap(B.sum(counted, (1,), False)).clamp(min=1)


def _maxima(found: Tensor, inside: Any, bags: int) -> Tensor:
    B = backend_of(found._data)
    if not found._data.shape[1] or not bags:
        return zeros((bags, found._data.shape[-1]), dtype=found.dtype, device=found.device)
    if inside is None:
        return largest(found, 1)[0]
    best = largest(where(wrap(inside[:, :, None]), found, -float("inf")), 1)[0]
    return where(wrap(B.any(inside, (1,), True)), best, 0.0)
