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
from .indexing import _advanced, narrow
from .joining import cat
from .pooling import tensor_of
from .rearranging import flip
from .sequences import arange
from .shape import expand, reshape

Tensor = Any
Pairs = tuple[tuple[int, int], ...]
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
    if mode not in _EXTEND:
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
    """Extends so many of the last dimensions."""
    for dim in range(len(pairs) - last, len(pairs)):
        input = _EXTEND[mode](input, dim, *pairs[dim])
    return input


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
        if not hasattr(n, "__index__"):
            raise TypeError(
                "pad(): argument 'pad' (position 2) must be tuple of ints, but found element of type "
                f"{type(n).__name__} at pos {position}"
            )
        made.append(n.__index__())
    return tuple(made)


def _joined(dim: int, *parts: Tensor) -> Tensor:
    parts = tuple([p for p in parts if p._data.shape[dim]]) or parts[1:2]
    return parts[0] if len(parts) == 1 else cat(parts, dim)


def _cropped(input: Tensor, dim: int, before: int, after: int) -> Tensor:
    if before >= 0 and after >= 0:
        return input
    start = max(-before, 0)
    return narrow(input, dim, start, input._data.shape[dim] - start - max(-after, 0))


def _check_filled(input: Tensor) -> None:
    if 0 in input._data.shape[1:]:
        raise RuntimeError(
            "Expected a tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(input._data.shape)}"
        )


def _reflect(input: Tensor, dim: int, before: int, after: int) -> Tensor:
    n = input._data.shape[dim]
    _check_filled(input)
    if max(before, after) >= n:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but "
            f"got: padding ({before}, {after}) at dimension {dim} of input {list(input._data.shape)}"
        )
    lo, hi = max(before, 0), max(after, 0)
    left = flip(narrow(input, dim, 1, lo), (dim,))
    right = flip(narrow(input, dim, n - 1 - hi, hi), (dim,))
    return _cropped(_joined(dim, left, input, right), dim, before, after)


def _replicate(input: Tensor, dim: int, before: int, after: int) -> Tensor:
    _check_filled(input)
    shape = list(input._data.shape)
    n = shape[dim]
    shape[dim] = max(before, 0)
    left = expand(narrow(input, dim, 0, 1), tuple(shape))
    shape[dim] = max(after, 0)
    right = expand(narrow(input, dim, n - 1, 1), tuple(shape))
    return _cropped(_joined(dim, left, input, right), dim, before, after)


def _circular(input: Tensor, dim: int, before: int, after: int) -> Tensor:
    input = _cropped(input, dim, before, after)
    n, lo, hi = input._data.shape[dim], max(before, 0), max(after, 0)
    if max(lo, hi) > n:
        raise RuntimeError("Padding value causes wrapping around more than once.")
    left, right = narrow(input, dim, n - lo, lo), narrow(input, dim, 0, hi)
    return _joined(dim, left, input, right)


_EXTEND = {"reflect": _reflect, "replicate": _replicate, "circular": _circular}
