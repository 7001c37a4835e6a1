"""Pooling to an output of a given size, and the inverse of max pooling."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

from ..autograd.modes import grad_enabled
from ..autograd.tape import taped, wrap
from ..backends import backend_of, dtype_of
from ..backends.convolution import Convolution, convolution
from ._declare import derivative
from ._promote import integer
from ._strides import laid_like
from .pooling import avg_pool_node, hashable, max_pool_node, tensor_of, unsupported
from .reduction import mean
from .shape import squeeze, unsqueeze

Tensor = Any
Ints = Any  # an int for all spatial dimensions, or a sequence with one for each


# ---------------------------------------------------------------------------------- differentiable


def _avg_node(name: str) -> Any:
    @derivative(
        saves=("spatial",),
        name=name,
        d_input=lambda B, g, spatial: B.adaptive_avg_pool_input(g, spatial),
    )
    def adaptive_avg_pool(input: Tensor, out: tuple[int, ...]) -> Tensor:
        x = input._data
        z = backend_of(x).adaptive_avg_pool(x, out)
        z = laid_like(z, x) if x.ndim == 4 else z
        return taped(adaptive_avg_pool, z, (input,), (x.shape[2:],))

    return adaptive_avg_pool


def _max_node(name: str) -> Any:
    @derivative(
        saves=("indices", "spatial"),
        name=name,
        kernel="_adaptive_max_pool",
        d_input=lambda B, g, indices, spatial: B.max_pool_scatter(g, indices, spatial),
    )
    def adaptive_max_pool(input: Tensor, indices: Any, values: Any) -> Tensor:
        return taped(adaptive_max_pool, values, (input,), (indices, input._data.shape[2:]))

    return adaptive_max_pool


# By the number of spatial dimensions; windows that do not overlap are those of ordinary pools.
_AVG_NAMES = [f"AdaptiveAvgPool{n}DBackward0" for n in (2, 2, 3)]
_MAX_NAMES = [f"AdaptiveMaxPool{n}DBackward0" for n in (2, 2, 3)]
_AVG = dict(zip((1, 2, 3), map(_avg_node, _AVG_NAMES)))
_MAX = dict(zip((1, 2, 3), map(_max_node, _MAX_NAMES)))
_EVEN_AVG = dict(zip((1, 2, 3), map(avg_pool_node, _AVG_NAMES)))
_EVEN_MAX = dict(zip((1, 2, 3), map(max_pool_node, _MAX_NAMES)))


@derivative(saves=("size",), d_g=lambda B, g, size: B.adaptive_avg_pool(g, size))
def adaptive_avg_pool_input(g: Tensor, spatial: tuple[int, ...]) -> Tensor:
    """Shares gradients among the elements of their windows."""
    z = backend_of(g._data).adaptive_avg_pool_input(g._data, spatial)
    return taped(adaptive_avg_pool_input, z, (g,), (g._data.shape[2:],))


@derivative(saves=("indices",), d_g=lambda B, g, indices: B.max_pool_pick(g, indices))
def max_pool_scatter(g: Tensor, indices: Any, spatial: tuple[int, ...]) -> Tensor:
    """Adds gradients up where the maxima were."""
    z = backend_of(g._data).max_pool_scatter(g._data, indices, spatial)
    return taped(max_pool_scatter, z, (g,), (indices,))


@derivative(
    saves=("indices", "spatial"),
    d_input=lambda B, g, indices, spatial: B.max_pool_scatter(g, indices, spatial),
)
def max_pool_pick(input: Tensor, indices: Any) -> Tensor:
    """Takes elements from where the maxima of another tensor were."""
    x = input._data
    z = backend_of(x).max_pool_pick(x, indices)
    return taped(max_pool_pick, z, (input,), (indices, x.shape[2:]))


def _unpool_node(name: str) -> Any:
    @derivative(
        saves=("indices",),
        name=name,
        d_input=lambda B, g, indices: B.max_pool_pick(g, indices),
    )
    def max_unpool(input: Tensor, indices: Any, spatial: tuple[int, ...]) -> Tensor:
        z = backend_of(input._data).max_unpool(input._data, indices, spatial)
        return taped(max_unpool, z, (input,), (indices,))

    return max_unpool


_UNPOOL = dict(zip((1, 2, 3), map(_unpool_node, [f"MaxUnpool{n}DBackward0" for n in (2, 2, 3)])))


# ------------------------------------------------------------------------------------------- means


def adaptive_avg_pool1d(input: Tensor, output_size: Ints) -> Tensor:
    """Returns the means of ``output_size`` windows of sequences (N, C, L) or (C, L).

    >>> torch.nn.functional.adaptive_avg_pool1d(torch.tensor([[1., 2., 3., 4.]]), 2)
    tensor([[1.5000, 3.5000]])
    """
    return _averaged("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Ints) -> Tensor:
    """Returns the means of windows of images, as many as ``output_size`` says along each dimension.

    Window i of m, along a dimension of size n, goes from i n / m, rounded down, to (i + 1) n / m,
    rounded up. A size of None keeps the dimension.

    >>> torch.nn.functional.adaptive_avg_pool2d(torch.arange(16.0).reshape(1, 4, 4), (1, None))
    tensor([[[6., 7., 8., 9.]]])
    """
    return _averaged("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Ints) -> Tensor:
    """Returns the means of windows of volumes, as many as ``output_size`` says along each dimension.

    >>> torch.nn.functional.adaptive_avg_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 1)
    tensor([[[[3.5000]]]])
    """
    return _averaged("adaptive_avg_pool3d", 3, input, output_size)


def _averaged(name: str, n: int, input: Tensor, output_size: Ints) -> Tensor:
    x = tensor_of(name, input)._data
    size = _size(name, n, x, output_size)
    if x.ndim == n + 1:
        return squeeze(_averaged(name, n, unsqueeze(input, 0), size), 0)
    _check_filled(name, x, 2)
    if min(size) < 0:
        values = ", ".join(map(str, size))
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received "
            f"{{{values}}}"
        )
    if x.dtype.kind in "biuc":
        raise unsupported("adaptive_avg_pool3d_cpu" if n == 3 else "adaptive_avg_pool2d", x)
    if n > 1 and set(size) == {1}:
        return mean(input, tuple(range(2, n + 2)), True)
    c = _even(size, x.shape[2:])
    return _AVG[n](input, size) if c is None else _EVEN_AVG[n](input, c, prod(c.size))


# ------------------------------------------------------------------------------------------ maxima


def adaptive_max_pool1d(input: Tensor, output_size: Ints, return_indices: bool = False) -> Any:
    """Returns the largest elements of ``output_size`` windows of sequences (N, C, L) or (C, L).

    >>> torch.nn.functional.adaptive_max_pool1d(torch.tensor([[1., 2., 3., 4.]]), 2)
    tensor([[2., 4.]])
    """
    return _maximal("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Ints, return_indices: bool = False) -> Any:
    """Returns the largest elements of windows of images, as many as ``output_size`` says.

    The windows are those of `adaptive_avg_pool2d`. With ``return_indices``, also where the maxima
    are in the flattened image.

    >>> torch.nn.functional.adaptive_max_pool2d(torch.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    return _maximal("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Ints, return_indices: bool = False) -> Any:
    """Returns the largest elements of windows of volumes, as many as ``output_size`` says.

    >>> torch.nn.functional.adaptive_max_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 1)
    tensor([[[[7.]]]])
    """
    return _maximal("adaptive_max_pool3d", 3, input, output_size, return_indices)


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Ints, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Returns `adaptive_max_pool1d` and where the maxima are.

    >>> F = torch.nn.functional
    >>> F.adaptive_max_pool1d_with_indices(torch.tensor([[1., 2., 3., 4.]]), 2)[1]
    tensor([[1, 3]])
    """
    return adaptive_max_pool1d(input, output_size, True)


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Ints, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Returns `adaptive_max_pool2d` and where the maxima are.

    >>> F = torch.nn.functional
    >>> F.adaptive_max_pool2d_with_indices(torch.arange(4.0).reshape(1, 2, 2), 1)[1]
    tensor([[[3]]])
    """
    return adaptive_max_pool2d(input, output_size, True)


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Ints, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Returns `adaptive_max_pool3d` and where the maxima are.

    >>> F = torch.nn.functional
    >>> F.adaptive_max_pool3d_with_indices(torch.arange(8.0).reshape(1, 2, 2, 2), 1)[1]
    tensor([[[[7]]]])
    """
    return adaptive_max_pool3d(input, output_size, True)


def _maximal(name: str, n: int, input: Tensor, output_size: Ints, return_indices: bool) -> Any:
    x = tensor_of(name, input)._data
    size = _size(name, n, x, output_size)
    if x.ndim == n + 1:
        result = _maximal(name, n, unsqueeze(input, 0), size, return_indices)
        return tuple([squeeze(r, 0) for r in result]) if return_indices else squeeze(result, 0)
    _check_filled(name, x, 1)
    if min(size) < 0:
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {min(size)}: {[*x.shape[:2], *size]}"
        )
    if x.dtype.kind in "biuc":
        raise unsupported("adaptive_max_pool3d_cpu" if n == 3 else "adaptive_max_pool2d", x)
    B, c = backend_of(x), _even(size, x.shape[2:])
    if c is not None and not return_indices and (input._node is None or not grad_enabled.get()):
        return wrap(B.max_pool(x, c))
    if c is not None:
        values, arg = B.max_pool_arg(x, c)
        result = _EVEN_MAX[n](input, arg, c, values)
        indices = B.max_pool_indices(arg, c) if return_indices else None
    else:
        values, indices = B.adaptive_max_pool(x, size)
        if n == 2:
            values, indices = laid_like(values, x), laid_like(indices, x)
        result = _MAX[n](input, indices, values)
    return (result, wrap(indices)) if return_indices else result


# --------------------------------------------------------------------------------------- unpooling


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Any = None,
) -> Tensor:
    """Puts what `max_pool1d` returned back where it was; the rest is zero.

    >>> F = torch.nn.functional
    >>> F.max_unpool1d(*F.max_pool1d(torch.tensor([[1., 3., 2., 4.]]), 2, return_indices=True), 2)
    tensor([[0., 3., 0., 4.]])
    """
    return _unpooled("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Any = None,
) -> Tensor:
    """Puts what `max_pool2d` returned back where it was; the rest is zero.

    ``output_size`` says how large the input was, where several sizes give the same output.

    >>> F = torch.nn.functional
    >>> F.max_unpool2d(torch.ones(1, 1, 1), torch.tensor([[[3]]]), 2)
    tensor([[[0., 0.],
             [0., 1.]]])
    """
    return _unpooled("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Any = None,
) -> Tensor:
    """Puts what `max_pool3d` returned back where it was; the rest is zero.

    >>> F = torch.nn.functional
    >>> F.max_unpool3d(torch.ones(1, 1, 1, 1), torch.tensor([[[[7]]]]), 2).shape
    torch.Size([1, 2, 2, 2])
    """
    return _unpooled("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


def _unpooled(
    name: str,
    n: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None,
    padding: Ints,
    output_size: Any,
) -> Tensor:
    x, at = tensor_of(name, input)._data, tensor_of(name, indices)._data
    if x.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Input to {name} should be a {n + 1}d or {n + 2}d Tensor, but got {x.ndim} dimensions"
        )
    if at.dtype.name != "int64":
        kind = dtype_of(at).name.capitalize().replace("32", "")
        raise RuntimeError(f"elements in indices should be type int64 but got: {kind}")
    if at.shape != x.shape:
        raise RuntimeError(
            "Expected shape of indices to be same as that of the input tensor "
            f"({list(x.shape)}) but got indices tensor with shape: {list(at.shape)}"
        )
    size = _tuple(name, kernel_size, n)
    step = size if stride is None else _tuple(name, stride, n)
    pad = _tuple(name, padding, n)
    spatial = _unpooled_size(x.shape[-n:], size, step, pad, output_size)
    wrong = backend_of(at).first_outside(at, 0, prod(spatial), "max_unpool") if x.size else None
    if wrong is not None:
        raise RuntimeError(
            f"Found an invalid max index: {wrong} (output volumes are of size "
            f"{'x'.join(map(str, spatial))})"
        )
    if x.ndim == n + 1:
        return squeeze(_UNPOOL[n](unsqueeze(input, 0), at[None], spatial), 0)
    return _UNPOOL[n](input, at, spatial)


def _unpooled_size(
    pooled: tuple[int, ...],
    size: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    wanted: Any,
) -> tuple[int, ...]:
    n = len(size)
    least = [(m - 1) * s + k - 2 * p for m, s, k, p in zip(pooled, stride, size, padding)]
    if wanted is None:
        return tuple(least)
    wanted = tuple(wanted)
    if len(wanted) == n + 2:
        wanted = wanted[2:]
    if len(wanted) != n:
        raise ValueError(
            f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a "
            f"length of '{len(wanted)}'"
        )
    for d, (w, m, s) in enumerate(zip(wanted, least, stride)):
        if not m - s < w < m + s:
            raise ValueError(
                f'invalid output_size "{wanted}" (dim {d} must be between {m - s} and {m + s})'
            )
    return tuple([int(w) for w in wanted])


# ----------------------------------------------------------------------------------------- helpers


def _tuple(name: str, value: Ints, n: int) -> tuple[int, ...]:
    value = hashable(name, value)
    return (value,) * n if isinstance(value, int) else value


def _size(name: str, n: int, x: Any, wanted: Ints) -> tuple[int, ...]:
    """The output's size, with None replaced, after a look at the number of dimensions."""
    if n > 1 and isinstance(wanted, (tuple, list)) and x.ndim <= len(wanted):
        raise ValueError(f"Input dimension should be at least {len(wanted) + 1}: {name}")
    if x.ndim not in (n + 1, n + 2):
        if n == 1:
            raise RuntimeError(
                f"Expected 2 to 3 dimensions, but got {x.ndim}-dimensional tensor for argument #1 "
                f"'self' (while checking arguments for {name})"
            )
        colon = ":" if "max" in name else ""
        raise RuntimeError(
            f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got{colon} {list(x.shape)}"
        )
    if isinstance(wanted, (tuple, list)):
        size = tuple(
            [
                m if w is None else integer(name, "output_size", w)
                for w, m in zip(wanted, x.shape[-n:])
            ]
        )
        given = len(wanted)
    else:
        size = (
            tuple(x.shape[-n:]) if wanted is None else (integer(name, "output_size", wanted),) * n
        )
        given = n
    if given != n:
        if n == 1:
            raise RuntimeError(
                f"{name}() argument 'output_size' should contain one int (got {given})"
            )
        if "max" in name:
            raise RuntimeError(f"{name}(): internal error: output_size.size() must be {n}")
        raise RuntimeError(f"{name}: output_size must be {n}")
    return size


def _check_filled(name: str, x: Any, first: int) -> None:
    for d in range(first, x.ndim):
        if not x.shape[d]:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input "
                f"has sizes {list(x.shape)} with dimension {d} being empty"
            )


@lru_cache(4096)
def _even(size: tuple[int, ...], spatial: tuple[int, ...]) -> Convolution | None:
    """The geometry, where the windows do not overlap and so are those of an ordinary pool."""
    if not all(size) or any(m % n for m, n in zip(spatial, size)):
        return None
    edge = tuple([m // n for m, n in zip(spatial, size)])
    return convolution(edge, ((0, 0),) * len(size), (1,) * len(size), 1, edge, spatial)
