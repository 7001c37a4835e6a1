"""Moving elements between channels and places."""

from __future__ import annotations

from typing import Any

from ._results import check_tensor
from .shape import permute, reshape, transpose

Tensor = Any


def _check_image(name: str, input: Tensor) -> tuple[int, ...]:
    check_tensor(name, input)
    shape = tuple(input._data.shape)
    if len(shape) < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {len(shape)} "
            "dimension(s)"
        )
    return shape


def _check_factor(name: str, label: str, factor: int) -> None:
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {label}, but got {factor}")


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Lays r * r channels out as the pixels of an image r times as large (Shi et al. 2016).

    From (*, C * r * r, H, W) to (*, C, H * r, W * r), with r the ``upscale_factor``.

    >>> torch.pixel_shuffle(torch.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    *lead, channels, height, width = _check_image("pixel_shuffle", input)
    r = upscale_factor
    _check_factor("pixel_shuffle", "upscale_factor", r)
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
            f"upscale_factor, but input.size(-3)={channels} is not divisible by {r * r}"
        )
    n, kept = len(lead), channels // (r * r)
    x = reshape(input, (*lead, kept, r, r, height, width))
    x = permute(x, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return reshape(x, (*lead, kept, height * r, width * r))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Gathers squares of r * r pixels as channels: the inverse of `pixel_shuffle`.

    >>> torch.pixel_unshuffle(torch.arange(4.0).reshape(1, 2, 2), 2).flatten()
    tensor([0., 1., 2., 3.])
    """
    *lead, channels, height, width = _check_image("pixel_unshuffle", input)
    r = downscale_factor
    _check_factor("pixel_unshuffle", "downscale_factor", r)
    for label, dim, size in (("height", -2, height), ("width", -1, width)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {label} to be divisible by downscale_factor, but "
                f"input.size({dim})={size} is not divisible by {r}"
            )
    n = len(lead)
    x = reshape(input, (*lead, channels, height // r, r, width // r, r))
    x = permute(x, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return reshape(x, (*lead, channels * r * r, height // r, width // r))


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Deals the channels of ``groups`` groups out in turn (Zhang et al. 2018).

    >>> torch.channel_shuffle(torch.arange(4.0).reshape(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    return _dealt("channel_shuffle", input, groups)


def native_channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Returns what `channel_shuffle` does.

    >>> torch.native_channel_shuffle(torch.arange(4.0).reshape(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    return _dealt("native_channel_shuffle", input, groups)


def _dealt(name: str, input: Tensor, groups: int) -> Tensor:
    check_tensor(name, input)
    shape = tuple(input._data.shape)
    if len(shape) < 3:
        raise RuntimeError(
            f"{name} expects input with > 2 dims, but got input with sizes {list(shape)}"
        )
    _check_groups(shape[1], groups)
    x = reshape(input, (shape[0], groups, shape[1] // groups, *shape[2:]))
    return reshape(transpose(x, 1, 2), shape)


def _check_groups(channels: int, groups: int) -> None:
    if groups <= 0:
        raise RuntimeError(
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    if channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} "
            "groups."
        )
