"""The names that NumPy has for joining and splitting, and tensors of at least so many dimensions."""

from __future__ import annotations

from typing import Any

from ..autograd.tape import TensorBase
from ._promote import dim_of
from ._results import check_tensor
from ._write import write_result
from .indexing import getitem, split
from .joining import cat
from .shape import reshape, unsqueeze

Tensor = Any


def _each(function: Any, tensors: tuple[Any, ...]) -> Any:
    """PyTorch's atleast_*: one tensor gives a tensor, several or a sequence give a tuple."""
    if len(tensors) == 1 and isinstance(tensors[0], TensorBase):
        return function(tensors[0])
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    for t in tensors:
        check_tensor(function.__name__.strip("_"), t)
    return tuple([function(t) for t in tensors])


def _one(t: Tensor) -> Tensor:
    return t if t._data.ndim else reshape(t, (1,))


def _two(t: Tensor) -> Tensor:
    return t if t._data.ndim >= 2 else unsqueeze(_one(t), 0)


def _three(t: Tensor) -> Tensor:
    return t if t._data.ndim >= 3 else unsqueeze(_two(t), -1)


def atleast_1d(*tensors: Any) -> Any:
    """Returns the tensor, or a tuple of several, with 0-d ones made vectors.

    >>> torch.atleast_1d(torch.tensor(1))
    tensor([1])
    """
    return _each(_one, tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Returns the tensor, or a tuple of several, with vectors made rows.

    >>> torch.atleast_2d(torch.tensor([1, 2]))
    tensor([[1, 2]])
    """
    return _each(_two, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """Returns the tensor, or a tuple of several, with matrices given a last dimension of size 1.

    >>> torch.atleast_3d(torch.tensor([1, 2])).shape
    torch.Size([1, 2, 1])
    """
    return _each(_three, tensors)


def _joined(name: str, tensors: Any, dim: int, out: Any) -> Tensor:
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    result = cat(tensors, dim)
    return result if out is None else write_result(name, out, result, tensors)


def hstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Joins tensors along the second dimension, vectors along the first.

    >>> torch.hstack((torch.tensor([1, 2]), torch.tensor([3])))
    tensor([1, 2, 3])
    """
    parts = tuple(tensors)
    for t in parts:
        if not isinstance(t, TensorBase) or not t._data.ndim:
            parts = atleast_1d(parts)
            break
    return _joined("hstack", parts, 0 if parts and parts[0]._data.ndim == 1 else 1, out)


def vstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Joins tensors along the first dimension, vectors as rows.

    >>> torch.vstack((torch.tensor([1, 2]), torch.tensor([3, 4])))
    tensor([[1, 2],
            [3, 4]])
    """
    return _joined("vstack", atleast_2d(tuple(tensors)), 0, out)


def dstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Joins tensors along the third dimension.

    >>> torch.dstack((torch.tensor([1, 2]), torch.tensor([3, 4]))).shape
    torch.Size([1, 2, 2])
    """
    return _joined("dstack", atleast_3d(tuple(tensors)), 2, out)


def column_stack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Joins tensors along the second dimension, vectors as columns.

    >>> torch.column_stack((torch.tensor([1, 2]), torch.tensor([3, 4])))
    tensor([[1, 3],
            [2, 4]])
    """
    parts = [t if t._data.ndim > 1 else reshape(t, (-1, 1)) for t in tensors]
    return _joined("column_stack", parts, 1, out)


def tensor_split(
    input: Tensor,
    indices_or_sections: Any = None,
    dim: int = 0,
    *,
    sections: int | None = None,
    indices: Any = None,
    tensor_indices_or_sections: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Returns views of parts of a dimension: so many, as equal as can be, or cut at these indices.

    ``sections``, ``indices`` and ``tensor_indices_or_sections`` are other names of the argument.

    >>> torch.tensor_split(torch.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    check_tensor("tensor_split", input)
    given = (indices_or_sections, sections, indices, tensor_indices_or_sections)
    if given.count(None) != 3:
        raise TypeError("tensor_split() takes either a number of sections or indices")
    indices_or_sections = next(v for v in given if v is not None)
    if not input._data.ndim:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    d = dim_of(dim, input._data.ndim)
    n = input._data.shape[d]
    if isinstance(indices_or_sections, TensorBase):
        t: Any = indices_or_sections
        if t._data.dtype.kind != "i" or t._data.dtype.itemsize != 8 or t._data.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to have dtype of long and to be a "
                "zero-dimensional or one-dimensional tensor"
            )
        indices_or_sections = t.tolist()
    if isinstance(indices_or_sections, (tuple, list)):
        cuts = [int(i) for i in indices_or_sections]
        lead = (slice(None),) * d
        return tuple(
            [
                getitem(input, (*lead, slice(a, b)))
                for a, b in zip([0, *cuts], [*cuts, n], strict=True)
            ]
        )
    count = indices_or_sections.__index__()
    if count <= 0:
        raise RuntimeError(f"number of sections must be larger than 0, got {count}")
    parts, at, lead = [], 0, (slice(None),) * d
    for i in range(count):
        size = n // count + (i < n % count)
        parts.append(getitem(input, (*lead, slice(at, at + size))))
        at += size
    return tuple(parts)


def _equal_parts(name: str, input: Tensor, wanted: Any, dim: int, least: int) -> tuple[Tensor, ...]:
    check_tensor(name, input)
    if input._data.ndim < least:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with "
            f"{input._data.ndim} dimensions!"
        )
    n = input._data.shape[dim]
    if not isinstance(wanted, (int, tuple, list)):
        raise TypeError(
            f"{name}(): argument 'indices_or_sections' must be int or tuple of ints, not "
            f"{type(wanted).__name__}"
        )
    if isinstance(wanted, int) and (wanted <= 0 or n % wanted):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension "
            f"{n} is not divisible by the split_size {wanted}!"
        )
    return tensor_split(input, wanted, dim)


def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Returns views of parts of the second dimension, of the first for vectors.

    >>> torch.hsplit(torch.arange(4), 2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    try:
        dim = 0 if input._data.ndim == 1 else 1
    except AttributeError:
        check_tensor("hsplit", input)
        raise
    return _equal_parts("hsplit", input, indices_or_sections, dim, 1)


def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Returns views of parts of the first dimension.

    >>> torch.vsplit(torch.zeros(4, 2), 2)[0].shape
    torch.Size([2, 2])
    """
    return _equal_parts("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Returns views of parts of the third dimension.

    >>> torch.dsplit(torch.zeros(1, 2, 4), 2)[0].shape
    torch.Size([1, 2, 2])
    """
    return _equal_parts("dsplit", input, indices_or_sections, 2, 3)


row_stack = vstack


def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Returns views of parts of a dimension, of these sizes; see `split`.

    >>> torch.split_with_sizes(torch.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    return split(input, list(split_sizes), dim)
