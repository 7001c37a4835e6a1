"""Padding: constants, mirror images, repeated edges, periods."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

from ..autograd.tape import taped
from ..backends import backend_of
from ..backends.host import ndarray
from ._declare import derivative
from ._fitting import fitting
from .indexing import _advanced
from .pooling import tensor_of
from .sequences import arange
from .shape import reshape

Tensor = Any
Pairs = tuple[tuple[int, int], ...]
_MODES = ("reflect", "replicate", "circular")
_FEW = 1024  # elements up to which they are taken by their places, 3 us, and not joined of parts


@derivative(
    saves=("pairs",),
    name="ConstantPadNdBackward0",
    d_input=lambda B, g, pairs: B.constant_pad(g, tuple([(-a, -b) for a, b in pairs]), 0),
)
def constant_pad(input: Tensor, pairs: Pairs, value: Any) -> Tensor:
    """Adds elements of one value before and after each dimension, or crops where it is negative."""
    x = input._data
    return taped(constant_pad, backend_of(x).constant_pad(x, pairs, value), (input,), (pairs,))


def pad(input: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """Pads the last dimensions: ``pad`` has two numbers for each, before and after, last first.

    Negative numbers crop. ``mode`` says what is added: "constant", that is ``value`` or zero, in
    any dimensions; or, in all dimensions but the first one or two (channels and batch), "reflect",
    the mirror image without the edge, "replicate", the edge again and again, or "circular", the
    other end.

    >>> torch.nn.functional.pad(torch.tensor([[1, 2, 3]]), (1, 2), mode="reflect")
    tensor([[2, 1, 2, 3, 2, 1]])
    """
    x = tensor_of("pad", input)._data
    around = pad if pad.__class__ is tuple and {*map(type, pad)} == {int} else _ints(pad)
    if mode == "constant":
        pairs = _pairs(x.shape, around, True)
        return constant_pad(input, pairs, 0 if value is None else fitting(value, x.dtype))
    pairs = _pairs(x.shape, around, False)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in _MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if len(around) not in (2, 4, 6) or x.ndim not in (len(around) // 2 + 1, len(around) // 2 + 2):
        raise NotImplementedError(
            f"Padding size {len(around)} is not supported for {x.ndim}D input tensor. Supported "
            "combinations for non-constant padding: 2D or 3D input with 2 numbers, 3D or 4D input "
            "with 4, 4D or 5D input with 6"
        )
    if 0 < x.size <= _FEW and x.__class__ is ndarray and x.dtype.kind != "V":
        places = _places(x.shape, pairs, len(around) // 2, mode)
        return _advanced(reshape(input, (-1,)), (places,))
    return _extended(input, pairs, len(around) // 2, mode)


def _extended(input: Tensor, pairs: Pairs, last: int, mode: str) -> Tensor:
    """Extends so many of the last dimensions, or crops them where numbers are negative."""
    added = tuple([(max(a, 0), max(b, 0)) for a, b in pairs])
    less = tuple([(min(a, 0), min(b, 0)) for a, b in pairs])
    crops = any(map(any, less))
    if crops and mode == "circular":  # what wraps around is what is left
        _pairs(input._data.shape, tuple([n for pair in less[::-1] for n in pair]), True)
        input, crops = constant_pad(input, less, 0), False
    _check_borders(input._data, pairs, last, mode)
    input = mirrored(input, added, mode)
    return constant_pad(input, less, 0) if crops else input


@derivative(saves=("pairs", "mode"), d_input=lambda B, g, pairs, mode: B.unmirrored(g, pairs, mode))
def mirrored(input: Tensor, pairs: Pairs, mode: str) -> Tensor:
    """Adds elements before and after each dimension that repeat those inside."""
    x = input._data
    return taped(mirrored, backend_of(x).mirrored(x, pairs, mode), (input,), (pairs, mode))


@derivative(saves=("pairs", "mode"), d_grad=lambda B, g, pairs, mode: B.mirrored(g, pairs, mode))
def unmirrored(grad: Tensor, pairs: Pairs, mode: str) -> Tensor:
    """Returns what a gradient pulls back to through `mirrored`."""
    g = grad._data
    return taped(unmirrored, backend_of(g).unmirrored(g, pairs, mode), (grad,), (pairs, mode))


@lru_cache(256)
def _places(shape: tuple[int, ...], pairs: Pairs, last: int, mode: str) -> Any:
    """Where the elements of what is padded are in the flattened original."""
    at = arange(prod(shape), device="cpu").reshape(shape)
    return _extended(at, pairs, last, mode)._data


@lru_cache(4096)
def _pairs(shape: tuple[int, ...], around: tuple[int, ...], crops: bool) -> Pairs:
    """What to add before and after each dimension, which may be negative."""
    if len(around) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(around) > 2 * len(shape):
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(around)} and input of dimension {len(shape)}"
        )
    pairs = [(0, 0)] * (len(shape) - len(around) // 2)
    pairs += list(zip(around[0::2], around[1::2], strict=True))[::-1]
    for dim, (n, (a, b)) in enumerate(zip(shape, pairs, strict=True)):
        if crops and (n + a + b < 0 or n + min(a, 0) + min(b, 0) < 0):
            raise RuntimeError(
                f"pad(): narrow(): length must be non-negative. Dimension {dim} of size {n} "
                f"cannot be padded by {(a, b)}"
            )
    return tuple(pairs)


def _ints(pad: Any) -> tuple[int, ...]:
    made = []
    for position, n in enumerate(pad):
        if not hasattr(n, "__index__") or not position and isinstance(n, bool):
            raise TypeError(
                "pad(): argument 'pad' (position 2) must be tuple of ints, but found element of type "
                f"{type(n).__name__} at pos {position}"
            )
        made.append(n.__index__())
    return tuple(made)


def _check_borders(x: Any, pairs: Pairs, last: int, mode: str) -> None:
    if mode != "circular" and 0 in x.shape[1:]:
        raise RuntimeError(
            "Expected a tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(x.shape)}"
        )
    for dim in range(x.ndim - last, x.ndim):
        n, (before, after) = x.shape[dim], pairs[dim]
        if mode == "reflect" and max(before, after) >= n:
            raise RuntimeError(
                "Argument #4: Padding size should be less than the corresponding input dimension, but "
                f"got: padding ({before}, {after}) at dimension {dim} of input {list(x.shape)}"
            )
        if mode == "circular" and max(before, after) > n:
            raise RuntimeError("Padding value causes wrapping around more than once.")
