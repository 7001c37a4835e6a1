"""View ops whose result is a copy, and parts that are views under other names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._dtypes import dtype as Dtype
from .._layouts import contiguous_format
from ..autograd.tape import TensorBase
from . import complex_numbers, diagonals, indexing, rearranging, shape
from ._promote import dim_of, shape_of
from ._results import check_tensor, finished
from .conversion import clone
from .inplace import copy_
from .stacking import split_with_sizes

Tensor = Any


def _copied(name: str, view: Callable[..., Any], input: Tensor, args: Any, out: Any) -> Tensor:
    """A copy, in C order, of what a view op returns."""
    check_tensor(name, input)
    result = clone(view(input, *args), memory_format=contiguous_format)
    return finished(name, result, out, (input,))


def _parts(name: str, view: Callable[..., Any], input: Tensor, args: Any, out: Any) -> Any:
    """Copies of the views that an op returns; None if they were written into ``out``."""
    check_tensor(name, input)
    results = tuple([clone(v, memory_format=contiguous_format) for v in view(input, *args)])
    if out is None:
        return results
    if len(out) != len(results):
        raise RuntimeError(
            f"{name}(): expected as many tensors in out as there are parts, {len(results)}, but "
            f"got {len(out)}"
        )
    finished(name, results, tuple(out), (input,))
    return None


def alias_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns a copy in C order.

    >>> torch.alias_copy(torch.tensor([1, 2]))
    tensor([1, 2])
    """
    return _copied("alias_copy", shape.alias, input, (), out)


def detach_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns a copy without history.

    >>> torch.detach_copy(torch.ones(1, requires_grad=True))
    tensor([1.])
    """
    return _copied("detach_copy", shape.detach, input, (), out)


def as_strided_copy(
    input: Tensor,
    size: Any,
    stride: Any,
    storage_offset: int | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns a copy of what `as_strided` sees.

    >>> torch.as_strided_copy(torch.arange(4), (2,), (2,))
    tensor([0, 2])
    """
    args = (size, stride, storage_offset)
    return _copied("as_strided_copy", rearranging.as_strided, input, args, out)


def diagonal_copy(
    input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1, *, out: Tensor | None = None
) -> Tensor:
    """Returns a copy of diagonals; see `diagonal`.

    >>> torch.diagonal_copy(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    return _copied("diagonal_copy", diagonals.diagonal, input, (offset, dim1, dim2), out)


def expand_copy(
    input: Tensor, size: Any, *, implicit: bool = False, out: Tensor | None = None
) -> Tensor:
    """Returns a copy with dimensions of size 1 repeated.

    >>> torch.expand_copy(torch.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return _copied("expand_copy", shape.expand, input, shape_of((size,)), out)


def narrow_copy(
    input: Tensor, dim: int, start: int, length: int, *, out: Tensor | None = None
) -> Tensor:
    """Returns a copy of ``length`` slices of a dimension from ``start`` on.

    >>> torch.narrow_copy(torch.arange(4), 0, 1, 2)
    tensor([1, 2])
    """
    if isinstance(input, TensorBase) and dim >= input._data.ndim:
        raise RuntimeError(
            f"narrow_copy(): dim {dim} is out of range for a tensor of {input._data.ndim} dimensions"
        )
    return _copied("narrow_copy", indexing.narrow, input, (dim, start, length), out)


def permute_copy(input: Tensor, dims: Any, *, out: Tensor | None = None) -> Tensor:
    """Returns a copy with its dimensions in another order.

    >>> torch.permute_copy(torch.tensor([[1, 2]]), (1, 0))
    tensor([[1],
            [2]])
    """
    return _copied("permute_copy", shape.permute, input, (dims,), out)


def select_copy(input: Tensor, dim: int, index: int, *, out: Tensor | None = None) -> Tensor:
    """Returns a copy of the slice at one place of a dimension.

    >>> torch.select_copy(torch.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    return _copied("select_copy", indexing.select, input, (dim, index), out)


def _sliced(input: Tensor, dim: int, start: int | None, end: int | None, step: int) -> Tensor:
    d = dim_of(dim, input._data.ndim)
    if not input._data.ndim:
        raise RuntimeError("slice() cannot be applied to a 0-dim tensor.")
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    return indexing.getitem(input, (slice(None),) * d + (slice(start, end, step),))


def slice_copy(
    input: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns a copy of ``input[start:end:step]``, along any dimension.

    >>> torch.slice_copy(torch.arange(5), 0, 1, 5, 2)
    tensor([1, 3])
    """
    return _copied("slice_copy", _sliced, input, (dim, start, end, step), out)


def split_copy(input: Tensor, split_size: int, dim: int = 0, *, out: Any = None) -> Any:
    """Returns copies of parts of one size; None if they are written into ``out``.

    >>> torch.split_copy(torch.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
    """
    return _parts("split_copy", indexing.split, input, (split_size, dim), out)


def split_with_sizes_copy(input: Tensor, split_sizes: Any, dim: int = 0, *, out: Any = None) -> Any:
    """Returns copies of parts of these sizes; None if they are written into ``out``.

    >>> torch.split_with_sizes_copy(torch.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    return _parts("split_with_sizes_copy", split_with_sizes, input, (split_sizes, dim), out)


def squeeze_copy(input: Tensor, dim: Any = None, *, out: Tensor | None = None) -> Tensor:
    """Returns a copy without (these) dimensions of size 1.

    >>> torch.squeeze_copy(torch.ones(1, 2))
    tensor([1., 1.])
    """
    return _copied("squeeze_copy", shape.squeeze, input, (dim,), out)


def t_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns a copy of the transpose of a matrix.

    >>> torch.t_copy(torch.tensor([[1, 2]]))
    tensor([[1],
            [2]])
    """
    return _copied("t_copy", shape.t, input, (), out)


def transpose_copy(input: Tensor, dim0: int, dim1: int, *, out: Tensor | None = None) -> Tensor:
    """Returns a copy with two dimensions swapped.

    >>> torch.transpose_copy(torch.tensor([[1, 2]]), 0, 1)
    tensor([[1],
            [2]])
    """
    return _copied("transpose_copy", shape.transpose, input, (dim0, dim1), out)


def unbind_copy(input: Tensor, dim: int = 0, *, out: Any = None) -> Any:
    """Returns copies of all slices along a dimension; None if they are written into ``out``.

    >>> torch.unbind_copy(torch.tensor([1, 2]))
    (tensor(1), tensor(2))
    """
    return _parts("unbind_copy", shape.unbind, input, (dim,), out)


def unfold_copy(
    input: Tensor, dimension: int, size: int, step: int, *, out: Tensor | None = None
) -> Tensor:
    """Returns copies of all windows along a dimension, in a new last one.

    >>> torch.unfold_copy(torch.arange(3), 0, 2, 1)
    tensor([[0, 1],
            [1, 2]])
    """
    return _copied("unfold_copy", rearranging.unfold, input, (dimension, size, step), out)


def unsqueeze_copy(input: Tensor, dim: int, *, out: Tensor | None = None) -> Tensor:
    """Returns a copy with a dimension of size 1 inserted.

    >>> torch.unsqueeze_copy(torch.tensor([1, 2]), 0)
    tensor([[1, 2]])
    """
    return _copied("unsqueeze_copy", shape.unsqueeze, input, (dim,), out)


def view_copy(input: Tensor, size: Any, *, out: Tensor | None = None) -> Tensor:
    """Returns a copy in another shape, or of the memory read as another dtype.

    >>> torch.view_copy(torch.arange(4), (2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    args = (size,) if isinstance(size, Dtype) else shape_of((size,))
    return _copied("view_copy", shape.view, input, args, out)


def view_as_complex_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns pairs of reals as complex numbers of their own memory.

    >>> torch.view_as_complex_copy(torch.tensor([1.0, 2.0]))
    tensor(1.+2.j)
    """
    return _copied("view_as_complex_copy", complex_numbers.view_as_complex, input, (), out)


def view_as_real_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Returns complex numbers as pairs of reals of their own memory.

    >>> torch.view_as_real_copy(torch.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """
    return _copied("view_as_real_copy", complex_numbers.view_as_real, input, (), out)


def unsafe_split(tensor: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Returns parts of one size that do not know of each other: in-place writes cannot be traced.

    They are copies here, so that no write to one of them can be missed.

    >>> torch.unsafe_split(torch.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
    """
    return split_copy(tensor, split_size, dim)


def unsafe_split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Returns parts of these sizes; see `unsafe_split`.

    >>> torch.unsafe_split_with_sizes(torch.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    return split_with_sizes_copy(input, split_sizes, dim)


def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Returns at most ``chunks`` equal parts; see `unsafe_split`.

    >>> torch.unsafe_chunk(torch.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
    """
    return _parts("unsafe_chunk", indexing.chunk, input, (chunks, dim), None)


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: int | None = None
) -> Tensor:
    """Returns a copy of ``input`` with ``src`` where `as_strided` would look.

    >>> torch.as_strided_scatter(torch.zeros(4), torch.ones(2), (2,), (2,), 1)
    tensor([0., 1., 0., 1.])
    """
    check_tensor("as_strided_scatter", input, src, names=("input", "src"))
    result = clone(input)
    part = rearranging.as_strided(result, size, stride, storage_offset)
    if part._data.shape != src._data.shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src._data.shape)}, slice size = {list(part._data.shape)}"
        )
    copy_(part, src)
    return result
