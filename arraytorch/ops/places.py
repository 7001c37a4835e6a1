"""Places in tensors, as numbers and as coordinates."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import _dtypes
from ..autograd.tape import TensorBase, wrap
from ..backends import backend_of, dtype_of, numpy_dtype
from ._declare import cast
from ._results import check_tensor, finished

Tensor = Any


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Returns the coordinates of elements that are numbered in C order, a tensor per dimension.

    Raises TypeError for indices that are no integers and ValueError for negative sizes.

    >>> torch.unravel_index(torch.tensor([5, 1]), (2, 3))
    (tensor([1, 0]), tensor([2, 1]))
    """
    if not isinstance(indices, TensorBase) or indices._data.dtype.kind not in "iu":
        kind = (
            repr(dtype_of(indices._data))
            if isinstance(indices, TensorBase)
            else type(indices).__name__
        )
        raise TypeError(f"expected 'indices' to be integer dtype, but got {kind}")
    sizes = (shape,) if hasattr(shape, "__index__") else tuple(shape)
    if not all(hasattr(n, "__index__") for n in sizes):
        raise TypeError(f"expected 'shape' to be an int or a sequence of ints, but got {shape}")
    sizes = tuple([n.__index__() for n in sizes])
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    indices = cast(indices, numpy_dtype(_dtypes.int64))
    steps = [prod(sizes[i + 1 :]) for i in range(len(sizes))]
    return tuple(
        [indices // step % n if n else indices for n, step in zip(sizes, steps, strict=True)]
    )


def nonzero_static(
    input: Tensor, *, size: int, fill_value: int = -1, out: Tensor | None = None
) -> Tensor:
    """Returns the indices of the first ``size`` nonzero elements, a row each, filled up if fewer.

    >>> torch.nonzero_static(torch.tensor([0, 1, 1]), size=3)
    tensor([[ 1],
            [ 2],
            [-1]])
    """
    check_tensor("nonzero_static", input)
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    x = input._data
    B = backend_of(x)
    if x.ndim:
        result = B.argwhere_padded(x, size, fill_value)
    else:  # rows of nothing, however many
        result = B.full((size, 0), fill_value, numpy_dtype(_dtypes.int64))
    return finished("nonzero_static", wrap(result), out)
