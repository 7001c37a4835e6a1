"""torch.embedding_bag: bags as `nn.functional` has them, and where their rows came from."""

from __future__ import annotations

from typing import Any

from .._dtypes import int32, int64
from ..autograd.tape import wrap
from ..backends import backend_of, numpy_dtype
from . import embedding_bag as bags
from ._results import check_tensor

Tensor = Any

_MODES = ("sum", "mean", "max")


def embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Returns the sum (``mode`` 0), mean (1) or maximum (2) of the rows that each bag names.

    After the bags come three tensors of integers, which PyTorch's backward reads: the bag of each
    index and the sizes of the bags (nothing and zeros for sums), and for maxima the indices of the
    rows that they are from. For the arguments see `nn.functional.embedding_bag`.

    >>> table = torch.tensor([[1., 2.], [3., 4.], [5., 6.]])
    >>> where, starts = torch.tensor([0, 2, 1]), torch.tensor([0, 2])
    >>> torch.embedding_bag(table, where, starts, mode=1)[:3]
    (tensor([[3., 4.],
            [3., 4.]]), tensor([0, 0, 1]), tensor([2, 1]))
    """
    check_tensor("embedding_bag", weight, indices, offsets, names=("weight", "indices", "offsets"))
    if isinstance(mode, bool) or not isinstance(mode, int):
        raise TypeError(f"embedding_bag(): argument 'mode' must be int, not {type(mode).__name__}")
    if mode not in (0, 1, 2):
        raise RuntimeError("`mode` must be sum, mean, or max.")
    if per_sample_weights is not None and mode != 0:
        raise RuntimeError("embedding_bag: per_sample_weights only supported with mode='sum'")
    if weight._data.ndim != 2:
        raise RuntimeError(
            f"weight has to be a 2D Tensor, but got Tensor of dimension {weight._data.ndim}"
        )
    plain = mode == 2  # where frequencies and sparse gradients are not asked for
    out = bags.embedding_bag(
        indices, weight, offsets, None, 2, scale_grad_by_freq and not plain, _MODES[mode],
        sparse and not plain, per_sample_weights, include_last_offset, padding_idx,
    )  # fmt: skip
    return (out, *_traces(weight, indices, offsets, mode, include_last_offset, padding_idx))


def _traces(
    weight: Tensor, indices: Tensor, offsets: Tensor, mode: int, last: bool, padding: int | None
) -> tuple[Tensor, Tensor, Tensor]:
    """The bag of each index, the sizes of bags, and where maxima are from."""
    x = indices._data
    B = backend_of(x)
    wide = any(t._data.dtype.itemsize == 8 for t in (indices, offsets))
    native = numpy_dtype(int64 if wide else int32)
    bag, starts = bags.bag_of_each(x, offsets, last)
    count = starts.shape[0]
    if mode == 0 and padding is None:
        every = (offsets._data.shape[0],)
        return (
            wrap(B.zeros((0,), native)),
            wrap(B.zeros(every, native)),
            wrap(B.zeros(every, native)),
        )
    padding = None if padding is None else padding % weight._data.shape[0]
    kept = x[: bag.shape[0]] != (-1 if padding is None else padding)
    sizes = B.zeros((count,), native)
    B.add_at(sizes, (bag,), B.cast(kept, native))
    traced = wrap(B.cast(bag, native)), wrap(sizes)
    if mode < 2:
        return (*traced, wrap(B.copy(sizes)))
    return (*traced, wrap(B.cast(_winners(weight, x, offsets, last, padding), native)))


def _winners(weight: Tensor, x: Any, offsets: Tensor, last: bool, padding: Any) -> Any:
    """The rows of the table that hold the maxima; 0 for empty bags."""
    B, table = backend_of(x), weight._data
    index, inside, _, count = bags._bags(x, offsets, last, True)
    if not count or not index.shape[1]:
        return B.zeros((count, table.shape[1]), index.dtype)
    if padding is not None:
        inside = inside & (index != padding)
    best = B.argmax(B.where(inside[:, :, None], table[index], -float("inf")), 1, False)
    found = index[B.arange(0, count, 1, best.dtype)[:, None], best]
    return B.where(B.any(inside, (1,), True), found, 0)
