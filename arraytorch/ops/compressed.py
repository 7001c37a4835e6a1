"""Sorted indices, written out or as the places where each number begins (COO and CSR)."""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from .counting import bincount
from .joining import cat, stack
from .rearranging import repeat_interleave
from .scan import cumsum
from .sequences import arange

Tensor = Any


def _convert_indices_from_coo_to_csr(
    input: Tensor, size: int, *, out_int32: bool = False
) -> Tensor:
    """Returns where each of ``size`` numbers begins among sorted indices, and where the last ends.

    >>> torch._convert_indices_from_coo_to_csr(torch.tensor([0, 0, 2]), 3)
    tensor([0, 2, 2, 3])
    """
    ends = cumsum(bincount(input, minlength=size), 0)
    starts = cat([ends.new_zeros(1), ends])
    return starts.to(_dtypes.int32 if out_int32 else _dtypes.int64)


def _convert_indices_from_csr_to_coo(
    crow_indices: Tensor, col_indices: Tensor, *, out_int32: bool = False, transpose: bool = False
) -> Tensor:
    """Returns rows and columns, or columns and rows, of what is given by where each row begins.

    >>> torch._convert_indices_from_csr_to_coo(torch.tensor([0, 2, 2, 3]), torch.tensor([1, 2, 0]))
    tensor([[0, 0, 2],
            [1, 2, 0]])
    """
    count = crow_indices.numel() - 1
    rows = repeat_interleave(arange(count, device=crow_indices.device), crow_indices.diff())
    dtype = _dtypes.int32 if out_int32 else _dtypes.int64
    pair = [rows.to(dtype), col_indices.to(dtype)]
    return stack(pair[::-1] if transpose else pair)
