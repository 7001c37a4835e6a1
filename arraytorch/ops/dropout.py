"""Dropout: zeroing at random while training."""

from __future__ import annotations

import warnings
from typing import Any

from ..autograd.tape import wrap
from ..backends import BACKENDS, LARGE, backend_of
from ..backends.host import ndarray
from . import inplace as in_place
from ._results import check_tensor
from .creation import empty, empty_like
from .sampling import Vmap, bernoulli_, core, unset

Tensor = Any


def _checked(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _mask(input: Tensor, shape: tuple[int, ...], p: float) -> Tensor:
    B = backend_of(input._data)
    noise = empty(shape, dtype=input.dtype, device=B.device_of(input._data))
    return bernoulli_(unset(noise), 1 - p)


def _times(input: Tensor, noise: Tensor, inplace: bool) -> Tensor:
    return in_place.mul_(input, noise) if inplace else input * noise


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zeroes elements with probability p and scales the others by 1 / (1 - p), while training.

    The mask is PyTorch's after the same seed (Srivastava et al. 2014).

    >>> torch.nn.functional.dropout(torch.ones(2), training=False)
    tensor([1., 1.])
    """
    _checked(p)
    try:
        x = input._data
    except AttributeError:
        check_tensor("dropout", input)
        raise
    if p == 0 or not training or not x.size:
        return input
    if p == 1:
        return _times(input, _zeros(input), inplace)
    # Filled in the order of its memory, which is the input's: so are PyTorch's masks.
    plain = x.__class__ is ndarray and Vmap.unset is None
    if plain and x.size < LARGE and x.dtype.char in "fd":
        # A new array has no history to look after: two thirds of the time.
        B = BACKENDS[ndarray]
        z = B.empty_like(x, x.dtype)
        core(None, B, z).bernoulli_(z, 1 - p)
        z /= 1 - p
        return _times(input, wrap(z), inplace)
    noise = bernoulli_(unset(empty_like(input)), 1 - p)
    return _times(input, in_place.div_(noise, 1 - p), inplace)


def _zeros(input: Tensor) -> Tensor:
    return in_place.zero_(empty(input._data.shape, dtype=input.dtype, device=input.device))


def _by_channel(name: str, input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    _checked(p)
    check_tensor(name, input)
    shape = input._data.shape
    if p == 0 or not training or not input._data.size:
        return input
    if len(shape) < 2:
        raise RuntimeError(f"{name}: Feature dropout requires at least 2 dimensions in the input")
    if p == 1:
        return _times(input, _zeros(input), inplace)
    noise = _mask(input, shape[:2] + (1,) * (len(shape) - 2), p)
    return _times(input, in_place.div_(noise, 1 - p), inplace)


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Zeroes whole channels; see `dropout2d`.

    >>> torch.feature_dropout(torch.ones(1, 2), 0.5, False)
    tensor([[1., 1.]])
    """
    return _by_channel("feature_dropout", input, p, train, False)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of (N, C, L) or (C, L) with probability p, while training.

    >>> torch.nn.functional.dropout1d(torch.ones(1, 2, 1), training=False).shape
    torch.Size([1, 2, 1])
    """
    return _batched("dropout1d", input, p, training, inplace, 1)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of (N, C, H, W) with probability p, while training.

    >>> torch.nn.functional.dropout2d(torch.ones(1, 2, 1, 1), training=False).shape
    torch.Size([1, 2, 1, 1])
    """
    # Three dimensions are taken for (N, C, L), as PyTorch still does.
    return _by_channel("dropout2d", input, p, training, inplace)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of (N, C, D, H, W) or (C, D, H, W) with probability p, while training.

    Warns of other numbers of dimensions, whose first it takes for the channels.

    >>> torch.nn.functional.dropout3d(torch.ones(1, 2, 1, 1, 1), training=False).shape
    torch.Size([1, 2, 1, 1, 1])
    """
    _checked(p)
    check_tensor("dropout3d", input)
    ndim = input._data.ndim
    if ndim not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {ndim}-D input to dropout3d, which is deprecated and will result "
            "in an error in a future release. To retain the behavior and silence this warning, "
            "please use dropout instead. dropout3d drops channels of 3 spatial dimensions.",
            stacklevel=2,
        )
    if ndim == 5:
        return _by_channel("dropout3d", input, p, training, inplace)
    return _by_channel("dropout3d", input.unsqueeze(0), p, training, inplace).squeeze(0)


def _batched(
    name: str, input: Tensor, p: float, training: bool, inplace: bool, places: int
) -> Tensor:
    _checked(p)
    check_tensor(name, input)
    ndim = input._data.ndim
    if ndim not in (places + 1, places + 2):
        raise RuntimeError(
            f"{name}: Expected {places + 1}D or {places + 2}D input, but received a {ndim}D input."
        )
    if ndim == places + 2:
        return _by_channel(name, input, p, training, inplace)
    return _by_channel(name, input.unsqueeze(0), p, training, inplace).squeeze(0)


_ALPHA = 1.7580993408473766


def _self_normalizing(input: Tensor, shape: Any, p: float, inplace: bool) -> Tensor:
    """Dropped elements take selu's lowest value, and an affine map restores mean and variance."""
    if p == 1:
        return _times(input, _zeros(input), inplace)
    if shape is None:  # a number for each element, in the order of the memory
        noise = bernoulli_(unset(empty_like(input)), 1 - p)
    else:
        noise = _mask(input, shape, p)
    a = 1 / ((_ALPHA**2 * p + 1) * (1 - p)) ** 0.5
    shift = (noise - 1) * (_ALPHA * a) + _ALPHA * a * p
    scaled = noise * a
    if inplace:
        return in_place.add_(in_place.mul_(input, scaled), shift)
    return input * scaled + shift


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout that keeps the mean and variance of selu networks (Klambauer et al. 2017).

    >>> torch.nn.functional.alpha_dropout(torch.ones(2))
    tensor([1., 1.])
    """
    _checked(p)
    check_tensor("alpha_dropout", input)
    if p == 0 or not training or not input._data.size:
        return input
    return _self_normalizing(input, None, p, inplace)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """`alpha_dropout` of whole channels.

    >>> torch.nn.functional.feature_alpha_dropout(torch.ones(1, 2))
    tensor([[1., 1.]])
    """
    check_tensor("feature_alpha_dropout", input)
    _checked(p)
    shape = input._data.shape
    if p == 0 or not training or not input._data.size:
        return input
    if len(shape) < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return _self_normalizing(input, shape[:2] + (1,) * (len(shape) - 2), p, inplace)
