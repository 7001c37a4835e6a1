"""Functions of nn in the form that the main namespace has them: other arguments, further results."""

from __future__ import annotations

from math import prod
from typing import Any

from ..autograd.tape import wrap
from ..backends import backend_of
from . import norm
from ._results import check_tensor
from .arithmetic import rsqrt
from .grid import grid_sample
from .padding import pad as _pad
from .reduction import mean
from .shape import reshape, unsqueeze

Tensor = Any
_MODES, _BORDERS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")


def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
    cudnn_enable: bool = True,
) -> Tensor:
    """Standardises over the last dimensions; see `nn.functional.layer_norm`.

    >>> torch.layer_norm(torch.tensor([1.0, 3.0]), (2,))
    tensor([-1.0000,  1.0000])
    """
    return norm.layer_norm(input, normalized_shape, weight, bias, eps)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
    cudnn_enabled: bool = True,
) -> Tensor:
    """Standardises over groups of channels; see `nn.functional.group_norm`.

    >>> torch.group_norm(torch.tensor([[1.0, 3.0]]), 1)
    tensor([[-1.0000,  1.0000]])
    """
    return norm.group_norm(input, num_groups, weight, bias, eps)


def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Standardises each channel; see `nn.functional.batch_norm`, which asks for more than one value.

    >>> torch.batch_norm(torch.tensor([[1.0], [3.0]]), None, None, None, None, True, 0.1, 1e-5, True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    check_tensor("batch_norm", input)
    if not input._data.size or not training:
        return norm.batch_norm(
            input, running_mean, running_var, weight, bias, training, momentum, eps
        )
    return native_batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps
    )[0]


def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Standardises each channel of each sample; see `nn.functional.instance_norm`.

    >>> x = torch.tensor([[[1.0, 3.0]]])
    >>> torch.instance_norm(x, None, None, None, None, True, 0.1, 1e-5, True)
    tensor([[[-1.0000,  1.0000]]])
    """
    return norm.instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )


def _seen(input: Tensor, middle: Any, rstd: Any, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """The mean and the reciprocal deviation as tensors of the input's dtype."""
    B, native = backend_of(input._data), input._data.dtype
    return tuple([wrap(B.cast(B.reshape(v, shape), native)) for v in (middle, rstd)])  # type: ignore


def native_layer_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the result of `layer_norm`, the means, and one over the standard deviations.

    >>> torch.native_layer_norm(torch.tensor([[1.0, 3.0]]), (2,), None, None, 1e-5)[1]
    tensor([[2.]])
    """
    check_tensor("native_layer_norm", input)
    out = norm.layer_norm(input, normalized_shape, weight, bias, eps)
    x = input._data
    B = backend_of(x)
    count = 1 if isinstance(normalized_shape, int) else len(normalized_shape)
    lead = x.ndim - count
    shape = (*x.shape[:lead], *(1,) * count)
    if not x.size:
        nothing = B.zeros(shape, x.dtype)
        return out, wrap(nothing), wrap(B.copy(nothing))
    _, middle, rstd = B.norm_affine(x, tuple(range(lead, x.ndim)), None, None, eps)
    return (out, *_seen(input, middle, rstd, shape))


def native_group_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    N: int,
    C: int,
    HxW: int,
    group: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the result of `group_norm` for N samples of C channels of HxW places, and its statistics.

    These are the means and one over the standard deviations, of shape (N, group), and they, too,
    can be differentiated.

    >>> torch.native_group_norm(torch.tensor([[1.0, 3.0]]), None, None, 1, 2, 1, 1, 1e-5)[1]
    tensor([[2.]])
    """
    check_tensor("native_group_norm", input)
    x = input._data
    if prod((N, C, HxW)) != x.size:
        raise RuntimeError(
            f"Expected X.numel() == N * C * HxW to be true, but got {x.size} and {N} * {C} * {HxW}"
        )
    out = norm.group_norm(input, group, weight, bias, eps)
    grouped = reshape(input, (N, group, C // group * HxW))
    middle = mean(grouped, 2)
    apart = grouped - unsqueeze(middle, 2)
    return out, middle, rsqrt(mean(apart * apart, 2) + eps)


def native_batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the result of `batch_norm`, and while training the batch's statistics, else nothing.

    These are the means and one over the standard deviations, of each channel.

    >>> x = torch.tensor([[1.0], [3.0]])
    >>> torch.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5)[1]
    tensor([2.])
    """
    check_tensor("native_batch_norm", input)
    x = input._data
    B = backend_of(x)
    if not training:
        out = norm.batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
        nothing = B.zeros((0,), x.dtype)
        return out, wrap(nothing), wrap(B.copy(nothing))
    if x.ndim < 2 or not x.size:
        raise RuntimeError(
            f"input tensor must have at least one element, but got input_sizes = {list(x.shape)}"
            if not x.size
            else f"native_batch_norm: expected at least 2 dimensions, but got {x.ndim}"
        )
    channels = x.shape[1]
    norm._check_channels("native_batch_norm", channels, weight, bias, running_mean, running_var)
    out, middle, rstd = norm._by_batch(
        input, running_mean, running_var, weight, bias, momentum, eps
    )
    return (out, *_seen(input, middle, rstd, (channels,)))


def constant_pad_nd(input: Tensor, pad: Any, value: float = 0) -> Tensor:
    """Adds elements of one value around the last dimensions; see `nn.functional.pad`.

    >>> torch.constant_pad_nd(torch.ones(2), (1, 0))
    tensor([0., 1., 1.])
    """
    return _pad(input, pad, "constant", value)


def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Reads images or volumes at points; see `nn.functional.grid_sample`, whose modes are numbered.

    >>> torch.grid_sampler(torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 1, 2), 0, 0, False)
    tensor([[[[1.]]]])
    """
    if not 0 <= interpolation_mode < 3 or not 0 <= padding_mode < 3:
        raise RuntimeError(
            f"grid_sampler(): modes are 0, 1 or 2, not {interpolation_mode} and {padding_mode}"
        )
    return grid_sample(
        input, grid, _MODES[interpolation_mode], _BORDERS[padding_mode], align_corners
    )


def grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Reads images at points; see `grid_sampler`.

    >>> torch.grid_sampler_2d(torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 1, 2), 0, 0, False)
    tensor([[[[1.]]]])
    """
    _check_dimensions("grid_sampler_2d", input, grid, 4)
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Reads volumes at points; see `grid_sampler`.

    >>> grid = torch.zeros(1, 1, 1, 1, 3)
    >>> torch.grid_sampler_3d(torch.ones(1, 1, 2, 2, 2), grid, 0, 0, False)
    tensor([[[[[1.]]]]])
    """
    _check_dimensions("grid_sampler_3d", input, grid, 5)
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def _check_dimensions(name: str, input: Tensor, grid: Tensor, ndim: int) -> None:
    check_tensor(name, input, grid, names=("input", "grid"))
    if input._data.ndim != ndim or grid._data.ndim != ndim:
        raise RuntimeError(
            f"{name}(): expected {ndim}D input and grid with same number of dimensions, but got "
            f"input with sizes {list(input._data.shape)} and grid with sizes "
            f"{list(grid._data.shape)}"
        )
