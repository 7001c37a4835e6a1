"""The largest and the smallest: values, places, and both so far along a dimension."""

from __future__ import annotations

from typing import Any

from ..autograd.tape import TensorBase, taped, taped_many, wrap
from ..backends import backend_of
from ..backends.host import ndarray
from . import _return_types as return_types
from ._declare import derivative
from ._promote import axis_instead, dim_of
from ._results import as_array, finished, native, refuse
from .reduction import over
from .scattering import picked
from .selection import maximum, minimum
from .shape import reshape, unsqueeze

Tensor = Any

_FEW = 1024  # elements up to which a second reduction is faster than a gather


def check_reducible(name: str, x: Any, dims: tuple[int, ...], dim: Any) -> None:
    """Raises PyTorch's error if there is nothing to choose from."""
    if dim is None and not x.size:
        error = IndexError if name in ("argmax", "argmin") else RuntimeError
        raise error(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
            "reduction dim with the 'dim' argument."
        )
    for d in dims:
        if x.ndim and not x.shape[d]:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")


def evenly(B: Any, g: Any, input: Any, out: Any, dims: tuple[int, ...], kept: Any) -> Any:
    """Shares a gradient among all elements that equal the result, as it is symmetric in them."""
    hits = B.cast(input == B.reshape(out, kept), native(input))
    return hits * (B.reshape(g, kept) / B.sum(hits, dims, True))


def evenly_or_to_nan(B: Any, g: Any, input: Any, out: Any, dims: tuple[int, ...], kept: Any) -> Any:
    """Shares a gradient like `evenly`, among the NaN if the result is NaN."""
    top = B.reshape(out, kept)
    hits = B.cast((input == top) | ((input != input) & (top != top)), native(input))
    return hits * (B.reshape(g, kept) / B.sum(hits, dims, True))


@derivative(saves=("input", "out", "dims", "kept"), d_input=evenly)
def amax(
    input: Tensor,
    dim: Any = (),
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the largest element over ``dim``, one or several; ties share the gradient.

    >>> torch.amax(torch.tensor([[1.0, 4.0], [3.0, 2.0]]), 1)
    tensor([4., 3.])
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    refuse("amax", input, "c")
    x = input._data
    dims, kept = over(x.shape, dim)
    check_reducible("amax", x, dims, None if isinstance(dim, tuple) and not dim else dim)
    B = backend_of(x)
    z = as_array(B, B.amax(x, dims, keepdim), x)
    return finished("amax", taped(amax, z, (input,), (input, z, dims, kept)), out, (input,))


@derivative(saves=("input", "out", "dims", "kept"), d_input=evenly)
def amin(
    input: Tensor,
    dim: Any = (),
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the smallest element over ``dim``, one or several; ties share the gradient.

    >>> torch.amin(torch.tensor([[1.0, 4.0], [3.0, 2.0]]), 1)
    tensor([1., 2.])
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    refuse("amin", input, "c")
    x = input._data
    dims, kept = over(x.shape, dim)
    check_reducible("amin", x, dims, None if isinstance(dim, tuple) and not dim else dim)
    B = backend_of(x)
    z = as_array(B, B.amin(x, dims, keepdim), x)
    return finished("amin", taped(amin, z, (input,), (input, z, dims, kept)), out, (input,))


@derivative(saves=("input", "out", "dims", "kept"), name="MaxBackward1", d_input=evenly_or_to_nan)
def _max_of_all(input: Tensor) -> Tensor:
    x = input._data
    B = backend_of(x)
    dims, kept = over(x.shape, None)
    z = as_array(B, B.amax(x, dims, False), x)
    return taped(_max_of_all, z, (input,), (input, z, dims, kept))


@derivative(saves=("input", "out", "dims", "kept"), name="MinBackward1", d_input=evenly_or_to_nan)
def _min_of_all(input: Tensor) -> Tensor:
    x = input._data
    B = backend_of(x)
    dims, kept = over(x.shape, None)
    z = as_array(B, B.amin(x, dims, False), x)
    return taped(_min_of_all, z, (input,), (input, z, dims, kept))


def aminmax(
    input: Tensor, *, dim: int | None = None, keepdim: bool = False, out: Any = None
) -> Any:
    """Returns the smallest and the largest element, of everything or along ``dim``.

    >>> torch.aminmax(torch.tensor([3, 1, 2])).min
    tensor(1)
    """
    which = () if dim is None else dim
    result = return_types.aminmax((amin(input, which, keepdim), amax(input, which, keepdim)))
    return finished("aminmax", result, out, (input,))


def _arg(name: str, input: Tensor, dim: int | None, keepdim: bool) -> Any:
    refuse(name, input, "c")
    x = input._data
    B = backend_of(x)
    d = None if dim is None else dim_of(dim, x.ndim)
    check_reducible(name, x, () if d is None else (d,), dim)
    if d is None:
        z = getattr(B, name)(B.reshape(x, (-1,)), 0, False)
        return B.reshape(as_array(B, z, x), (1,) * x.ndim if keepdim else ())
    if not x.ndim:
        return B.reshape(as_array(B, getattr(B, name)(B.reshape(x, (1,)), 0, False), x), ())
    return as_array(B, getattr(B, name)(x, d, keepdim), x)


def argmax(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the index of the first largest element, along ``dim`` or in the flattened tensor.

    >>> torch.argmax(torch.tensor([[1, 4], [3, 2]]), 1)
    tensor([1, 0])
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    refuse("argmax", input, "b")
    return finished("argmax", wrap(_arg("argmax", input, dim, keepdim)), out)


def argmin(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the index of the first smallest element, along ``dim`` or in the flattened tensor.

    >>> torch.argmin(torch.tensor([[1, 4], [3, 2]]), 1)
    tensor([0, 1])
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    refuse("argmin", input, "b")
    return finished("argmin", wrap(_arg("argmin", input, dim, keepdim)), out)


def _extreme(
    name: str, input: Tensor, dim: Any, keepdim: bool, other: Any, out: Any, pair: Any, all_of: Any
) -> Any:
    if dim is None and other is None and out is None:  # the usual one
        refuse(name, input, "c")
        if input._data.size:
            return all_of(input)
    if isinstance(dim, TensorBase):
        return pair(input, dim, out=out)
    if other is not None:
        return pair(input, other, out=out)
    refuse(name, input, "c")
    if dim is None:
        check_reducible(name, input._data, (), None)
        return finished(name, all_of(input), out, (input,))
    x = input._data
    if x.__class__ is ndarray and x.dtype.char in "fdil" and x.ndim and 0 < x.size <= _FEW:
        if input._node is None and dim.__class__ is int:  # two reductions, and nothing to gather
            d = dim_of(dim, x.ndim)
            B = backend_of(x)
            values = (B.amax if name == "max" else B.amin)(x, (d,), keepdim)
            places = (B.argmax if name == "max" else B.argmin)(x, d, keepdim)
            found = wrap(as_array(B, values, x)), wrap(as_array(B, places, x))
            return finished(name, getattr(return_types, name)(found), out, (input,))
    index = _arg("arg" + name, input, dim, True)
    d = dim_of(dim, input._data.ndim)
    index = index if input._data.ndim else index.reshape(1)
    result = getattr(return_types, name)(picked(name, input, d, index, keepdim))
    return finished(name, result, out, (input,))


def max(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    other: Tensor | None = None,
    out: Any = None,
) -> Any:
    """Returns the largest element; with ``dim``, the largest along it and their indices; with
    another tensor in its place, the larger elements of each pair.

    Among equals along ``dim``, the first is taken, and gets the gradient.

    >>> values, indices = torch.max(torch.tensor([[1, 4], [3, 2]]), 1)
    >>> values, indices
    (tensor([4, 3]), tensor([1, 0]))
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    return _extreme("max", input, dim, keepdim, other, out, maximum, _max_of_all)


def min(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    axis: Any = None,
    keepdims: Any = None,
    *,
    other: Tensor | None = None,
    out: Any = None,
) -> Any:
    """Returns the smallest element; with ``dim``, the smallest along it and their indices; with
    another tensor in its place, the smaller elements of each pair.

    Among equals along ``dim``, the first is taken, and gets the gradient.

    >>> torch.min(torch.tensor([[1, 4], [3, 2]]))
    tensor(1)
    """
    if axis is not None:
        dim = axis
    if keepdims is not None:
        keepdim = keepdims
    return _extreme("min", input, dim, keepdim, other, out, minimum, _min_of_all)


def _to_the_places(B: Any, g: Any, needs: Any, dim: int, indices: Any, shape: Any) -> list[Any]:
    return [B.ungather(g[0], dim, indices, shape)]


@derivative(saves=("dim", "indices", "shape"), inputs=("input",), joint=_to_the_places)
def _cummax(input: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    x = input._data
    values, indices = backend_of(x).cummax(x, dim)
    saved = (dim, wrap(indices), x.shape)
    return taped_many(_cummax, (values, indices), (input,), saved, (True, False))


@derivative(saves=("dim", "indices", "shape"), inputs=("input",), joint=_to_the_places)
def _cummin(input: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    x = input._data
    values, indices = backend_of(x).cummin(x, dim)
    saved = (dim, wrap(indices), x.shape)
    return taped_many(_cummin, (values, indices), (input,), saved, (True, False))


def _so_far(name: str, op: Any, input: Tensor, dim: int, out: Any) -> Any:
    refuse(name, input, "c")
    d = dim_of(dim, input._data.ndim)
    if input._data.ndim:
        found = op(input, d)
    else:
        found = tuple([reshape(r, ()) for r in op(unsqueeze(input, 0), 0)])
    return finished(name, getattr(return_types, name)(found), out, (input,))


def cummax(input: Tensor, dim: int | None = None, axis: Any = None, *, out: Any = None) -> Any:
    """Returns the largest elements so far along ``dim`` and their indices, the last among equals.

    >>> torch.cummax(torch.tensor([1, 3, 2]), 0).values
    tensor([1, 3, 3])
    """
    if dim is None:
        dim = axis_instead("cummax", axis)
    return _so_far("cummax", _cummax, input, dim, out)


def cummin(input: Tensor, dim: int | None = None, axis: Any = None, *, out: Any = None) -> Any:
    """Returns the smallest elements so far along ``dim`` and their indices, the last among equals.

    >>> torch.cummin(torch.tensor([3, 1, 2]), 0).values
    tensor([3, 1, 1])
    """
    if dim is None:
        dim = axis_instead("cummin", axis)
    return _so_far("cummin", _cummin, input, dim, out)
