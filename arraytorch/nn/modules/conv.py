"""Convolution layers."""

from __future__ import annotations

import math
from typing import Any

from ..._tensor import Tensor
from ...ops.creation import empty
from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
]

Ints = Any  # an int for all spatial dimensions, or a tuple with one for each
_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def _tuple(value: Any, n: int) -> tuple[int, ...]:
    """A value for each of n dimensions."""
    return tuple(value) if hasattr(value, "__iter__") else (value,) * n


class _ConvNd(Module):
    """What convolutions and their transposes share; ``_dims`` is the number of spatial dimensions."""

    __constants__ = (
        "stride",
        "padding",
        "dilation",
        "groups",
        "padding_mode",
        "output_padding",
        "in_channels",
        "out_channels",
        "kernel_size",
    )
    _dims: int
    bias: Any

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: str | tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check(in_channels, out_channels, stride, padding, groups, padding_mode)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        self._reversed_padding_repeated_twice = _around(padding, dilation, kernel_size)
        first, second = in_channels, out_channels
        if not transposed:
            first, second = second, first
        shape = (first, second // groups, *kernel_size)
        self.weight = Parameter(empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the starting values: uniform, within 1 / sqrt(what an output is summed of)."""
        # With a = sqrt(5) the bound is 1 / sqrt(fan in) for the weight, too.
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = self.weight.size(1) * math.prod(self.kernel_size)
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        ]
        if self.padding != (0,) * len(self.padding):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * len(self.dilation):
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != (0,) * len(self.output_padding):
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")


def _check(
    in_channels: int,
    out_channels: int,
    stride: tuple[int, ...],
    padding: str | tuple[int, ...],
    groups: int,
    padding_mode: str,
) -> None:
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    if in_channels % groups:
        raise ValueError("in_channels must be divisible by groups")
    if out_channels % groups:
        raise ValueError("out_channels must be divisible by groups")
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(
                f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}"
            )
        if padding == "same" and any(s != 1 for s in stride):
            raise ValueError("padding='same' is not supported for strided convolutions")
    if padding_mode not in _PADDING_MODES:
        modes = ", ".join(map(repr, _PADDING_MODES))
        raise ValueError(
            f"padding_mode must be one of {{{modes}}}, but got padding_mode='{padding_mode}'"
        )


def _around(
    padding: str | tuple[int, ...], dilation: tuple[int, ...], size: tuple[int, ...]
) -> Any:
    """The padding as `functional.pad` takes it: before and after, last dimension first."""
    if not isinstance(padding, str):
        return tuple([p for p in reversed(padding) for _ in range(2)])
    around = []
    for d, k in reversed(list(zip(dilation, size, strict=False))):
        total = d * (k - 1) if padding == "same" else 0
        around += [total // 2, total - total // 2]
    return around


class _Conv(_ConvNd):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints | str = 0,
        dilation: Ints = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        n = self._dims
        super().__init__(
            in_channels,
            out_channels,
            _tuple(kernel_size, n),
            _tuple(stride, n),
            padding if isinstance(padding, str) else _tuple(padding, n),
            _tuple(dilation, n),
            False,
            (0,) * n,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        convolve = (F.conv1d, F.conv2d, F.conv3d)[self._dims - 1]
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = 0
        return convolve(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Conv):
    """Slides learned kernels over sequences (N, C, L) or (C, L), as `functional.conv1d`.

    ``weight`` is of shape (out_channels, in_channels / groups, kernel_size). ``padding_mode`` says
    what stands beyond the ends: "zeros", "reflect", "replicate" or "circular".

    >>> torch.nn.Conv1d(16, 33, 3, stride=2)(torch.ones(20, 16, 50)).shape
    torch.Size([20, 33, 24])
    """

    _dims = 1


class Conv2d(_Conv):
    """Slides learned kernels over images (N, C, H, W) or (C, H, W), as `functional.conv2d`.

    ``weight`` is of shape (out_channels, in_channels / groups, height, width). ``padding_mode`` says
    what stands beyond the borders: "zeros", "reflect", "replicate" or "circular".

    >>> torch.nn.Conv2d(1, 6, 5, padding=2)(torch.ones(64, 1, 28, 28)).shape
    torch.Size([64, 6, 28, 28])
    """

    _dims = 2


class Conv3d(_Conv):
    """Slides learned kernels over volumes (N, C, D, H, W) or (C, D, H, W), as `functional.conv3d`.

    ``weight`` is of shape (out_channels, in_channels / groups, depth, height, width).

    >>> torch.nn.Conv3d(2, 3, (3, 5, 2))(torch.ones(1, 2, 4, 5, 6)).shape
    torch.Size([1, 3, 2, 1, 5])
    """

    _dims = 3


class _ConvTranspose(_ConvNd):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints = 0,
        output_padding: Ints = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Ints = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            name = type(self).__name__
            raise ValueError(f'Only "zeros" padding mode is supported for {name}')
        n = self._dims
        super().__init__(
            in_channels,
            out_channels,
            _tuple(kernel_size, n),
            _tuple(stride, n),
            _tuple(padding, n),
            _tuple(dilation, n),
            True,
            _tuple(output_padding, n),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _output_padding(self, input: Tensor, output_size: Any) -> tuple[int, ...]:
        """What must be added at the end so that the output is of ``output_size``."""
        if output_size is None:
            return self.output_padding
        n, shape = self._dims, tuple(input.shape)
        wanted = tuple(output_size)
        if len(wanted) == n + 2 and len(shape) == n + 2 or len(wanted) == n + 1 == len(shape):
            wanted = wanted[-n:]
        if len(wanted) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {len(shape)}D input, output_size must have {n} or "
                f"{len(shape)} elements (got {len(output_size)})"
            )
        assert not isinstance(self.padding, str)
        least = [
            (m - 1) * s - 2 * p + d * (k - 1) + 1
            for m, s, p, d, k in zip(
                shape[-n:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        most = [m + s - 1 for m, s in zip(least, self.stride, strict=True)]
        if any(not a <= w <= b for a, w, b in zip(least, wanted, most, strict=True)):
            raise ValueError(
                f"requested an output size of {tuple(output_size)}, but valid sizes range from {least} to "
                f"{most} (for an input of {input.shape[-n:]})"
            )
        return tuple([w - m for w, m in zip(wanted, least, strict=True)])

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        transpose = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self._dims - 1]
        return transpose(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(input, output_size),
            self.groups,
            self.dilation,
        )


class ConvTranspose1d(_ConvTranspose):
    """The transpose of `Conv1d`: adds up learned kernels along sequences (N, C, L) or (C, L).

    ``weight`` is of shape (in_channels, out_channels / groups, kernel_size). Calling it with
    ``output_size`` chooses among the lengths that a strided convolution maps to the input's.

    >>> torch.nn.ConvTranspose1d(2, 3, 4, stride=2)(torch.ones(1, 2, 5)).shape
    torch.Size([1, 3, 12])
    """

    _dims = 1


class ConvTranspose2d(_ConvTranspose):
    """The transpose of `Conv2d`: adds up learned kernels on images (N, C, H, W) or (C, H, W).

    ``weight`` is of shape (in_channels, out_channels / groups, height, width). Calling it with
    ``output_size`` chooses among the sizes that a strided convolution maps to the input's.

    >>> up = torch.nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1)
    >>> up(torch.ones(1, 16, 6, 6), output_size=(12, 12)).shape
    torch.Size([1, 8, 12, 12])
    """

    _dims = 2


class ConvTranspose3d(_ConvTranspose):
    """The transpose of `Conv3d`: adds up learned kernels in volumes (N, C, D, H, W) or (C, D, H, W).

    ``weight`` is of shape (in_channels, out_channels / groups, depth, height, width).

    >>> torch.nn.ConvTranspose3d(2, 3, 2, stride=2)(torch.ones(1, 2, 2, 2, 2)).shape
    torch.Size([1, 3, 4, 4, 4])
    """

    _dims = 3
