"""Windows of images as columns, and back."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

from ..autograd.tape import taped
from ..backends import backend_of
from ..backends.convolution import Convolution, convolution
from ._declare import derivative
from .pooling import hashable, tensor_of, unsupported
from .shape import squeeze, unsqueeze

Tensor = Any
Ints = Any  # an int for both spatial dimensions, or a sequence with one for each


@derivative(saves=("c",), name="Im2ColBackward0", d_input=lambda B, g, c: B.col2im(g, c))
def im2col(input: Tensor, c: Convolution) -> Tensor:
    """Lays the windows of images out as columns."""
    return taped(im2col, backend_of(input._data).im2col(input._data, c), (input,), (c,))


@derivative(saves=("c",), name="Col2ImBackward0", d_input=lambda B, g, c: B.im2col(g, c))
def col2im(input: Tensor, c: Convolution) -> Tensor:
    """Adds columns up where they were in images."""
    return taped(col2im, backend_of(input._data).col2im(input._data, c), (input,), (c,))


def unfold(
    input: Tensor, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
) -> Tensor:
    """Returns the windows of images (N, C, H, W) as columns (N, C * height * width, windows).

    >>> torch.nn.functional.unfold(torch.arange(6.0).reshape(1, 1, 2, 3), 2)
    tensor([[[0., 1.],
             [1., 2.],
             [3., 4.],
             [4., 5.]]])
    """
    x = tensor_of("unfold", input)._data
    if x.ndim == 3:
        return squeeze(unfold(unsqueeze(input, 0), kernel_size, dilation, padding, stride), 0)
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(x.shape)}"
        )
    c = _geometry(x.shape[2:], *_pairs(kernel_size, dilation, padding, stride))
    if min(c.out) < 1:
        raise RuntimeError(
            f"Given input with spatial size {c.spatial}, kernel_size={c.size}, "
            f"dilation={c.dilation}, padding={tuple(lo for lo, _ in c.padding)}, calculated shape of "
            f"the array of sliding blocks as {c.out}, but its components must be at least one."
        )
    if x.dtype.kind in "iu":
        raise unsupported("im2col_out_cpu", x)
    return im2col(input, c)


def fold(
    input: Tensor,
    output_size: Ints,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
) -> Tensor:
    """Returns images of which the columns (N, C * height * width, windows) were the windows.

    Where windows overlap, the sum: `fold` is the transpose of `unfold`, not its inverse.

    >>> torch.nn.functional.fold(torch.ones(1, 4, 2), (2, 3), 2)
    tensor([[[[1., 2., 1.],
              [1., 2., 1.]]]])
    """
    x = tensor_of("fold", input)._data
    if x.ndim == 2:
        size = output_size, kernel_size, dilation, padding, stride
        return squeeze(fold(unsqueeze(input, 0), *size), 0)
    if x.ndim != 3 or 0 in x.shape[1:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero "
            f"dimensions for input, but got: {list(x.shape)}"
        )
    spatial = _pair("output_size", output_size)
    c = _geometry(spatial, *_pairs(kernel_size, dilation, padding, stride))
    if x.shape[1] % prod(c.size):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but "
            f"got input.size(1)={x.shape[1]} and kernel_size={c.size}."
        )
    if x.shape[2] != prod(c.out) or min(c.out) < 1:
        blocks = " * ".join(map(str, c.out))
        raise RuntimeError(
            f"Given output_size={spatial}, kernel_size={c.size}, dilation={c.dilation}, "
            f"padding={tuple(lo for lo, _ in c.padding)}, stride={c.stride}, expected size of "
            "input's dimension 2 to match the calculated number of sliding blocks "
            f"{blocks} = {prod(c.out)}, but got input.size(2)={x.shape[2]}."
        )
    if x.dtype.kind in "iu":
        raise unsupported("col2im_out_cpu", x)
    return col2im(input, c)


def _pair(label: str, value: Ints) -> tuple[int, int]:
    value = hashable("unfold", value)
    value = (value,) if isinstance(value, int) else value
    if len(value) not in (1, 2):
        raise RuntimeError(f"It is expected {label} equals to 2, but got size {len(value)}")
    return value[0], value[-1]


def _pairs(kernel_size: Ints, dilation: Ints, padding: Ints, stride: Ints) -> Any:
    return (
        _pair("kernel_size", kernel_size),
        _pair("dilation", dilation),
        _pair("padding", padding),
        _pair("stride", stride),
    )


@lru_cache(1024)
def _geometry(
    spatial: tuple[int, int],
    size: tuple[int, int],
    dilation: tuple[int, int],
    padding: tuple[int, int],
    stride: tuple[int, int],
) -> Convolution:
    for label, name, pair in (
        ("kernel size", "kernel", size),
        ("stride", "stride", stride),
        ("dilation", "dilation", dilation),
    ):
        if min(pair) <= 0:
            raise RuntimeError(
                f"{label} should be greater than zero, but got {name}_height: {pair[0]} "
                f"{name}_width: {pair[1]}"
            )
    if min(padding) < 0:
        raise RuntimeError(
            f"padding should be non-negative, but got pad_height: {padding[0]} "
            f"pad_width: {padding[1]}"
        )
    return convolution(stride, tuple([(p, p) for p in padding]), dilation, 1, size, spatial)
