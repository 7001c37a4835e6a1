"""Lazy forms of the layers whose number of inputs their first input tells."""

from __future__ import annotations

from typing import Any

from ..._dtypes import int64
from ..._tensor import Tensor
from ...ops.creation import tensor
from .batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d, _NormBase
from .conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    _ConvNd,
)
from .instancenorm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .lazy import LazyModuleMixin, waiting_buffer, waiting_parameter
from .linear import Linear

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
]

Ints = Any  # an int for all spatial dimensions, or a tuple with one for each


class LazyLinear(LazyModuleMixin, Linear):
    """A `Linear` whose number of input features is that of its first input.

    >>> layer = torch.nn.LazyLinear(3)
    >>> layer
    LazyLinear(in_features=0, out_features=3, bias=True)
    >>> _ = layer(torch.ones(2, 5)); layer
    Linear(in_features=5, out_features=3, bias=True)
    """

    cls_to_become = Linear

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(0, 0, False)
        self.out_features = out_features
        self.weight = waiting_parameter(device, dtype)
        if bias:
            self.bias = waiting_parameter(device, dtype)

    def reset_parameters(self) -> None:
        """Draws the starting values, once there is room for them."""
        if self.in_features != 0 and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:  # type: ignore[override]
        """Takes the number of features from an input."""
        waits = self.has_uninitialized_params()
        if self.in_features == 0:  # also where a state dict has filled the parameters
            self.in_features = input.shape[-1]
        if waits:
            self.weight.materialize((self.out_features, self.in_features))
            if self.bias is not None:
                self.bias.materialize((self.out_features,))
            self.reset_parameters()


class _LazyConv(LazyModuleMixin, _ConvNd):
    """What lazy convolutions add: ``in_channels`` and the weight come with the first input."""

    def _wait(self, out_channels: int, groups: int, bias: bool, device: Any, dtype: Any) -> None:
        self.out_channels = out_channels
        self.groups = groups
        self.weight = waiting_parameter(device, dtype)
        if bias:
            self.bias = waiting_parameter(device, dtype)

    def reset_parameters(self) -> None:
        """Draws the starting values, once there is room for them."""
        if self.in_channels != 0 and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor, *rest: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Takes the number of channels from an input, of one sample or of several."""
        if not self.has_uninitialized_params():
            return
        dims = self._dims
        if input.dim() not in (dims + 1, dims + 2):
            raise RuntimeError(
                f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {input.shape}"
            )
        self.in_channels = input.shape[-dims - 1]
        if self.in_channels % self.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        first, second = self.in_channels, self.out_channels
        if not self.transposed:
            first, second = second, first
        self.weight.materialize((first, second // self.groups, *self.kernel_size))
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


class _LazyForward(_LazyConv):
    def __init__(
        self,
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
        # The number of groups is a divisor of no channels, and the bias shall wait.
        options = (stride, padding, dilation, 1, False, padding_mode, device, dtype)
        super().__init__(0, 0, kernel_size, *options)
        self._wait(out_channels, groups, bias, device, dtype)


class _LazyTransposed(_LazyConv):
    def __init__(
        self,
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
        options = (stride, padding, output_padding, 1, False, dilation, padding_mode, device, dtype)
        super().__init__(0, 0, kernel_size, *options)
        self._wait(out_channels, groups, bias, device, dtype)


class LazyConv1d(_LazyForward, Conv1d):  # type: ignore[misc]
    """A `Conv1d` whose number of input channels is that of its first input."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyForward, Conv2d):  # type: ignore[misc]
    """A `Conv2d` whose number of input channels is that of its first input.

    >>> net = torch.nn.Sequential(torch.nn.LazyConv2d(4, 3), torch.nn.Flatten(), torch.nn.LazyLinear(2))
    >>> net(torch.ones(1, 3, 8, 8)).shape
    torch.Size([1, 2])
    >>> net
    Sequential(
      (0): Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1))
      (1): Flatten(start_dim=1, end_dim=-1)
      (2): Linear(in_features=144, out_features=2, bias=True)
    )
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyForward, Conv3d):  # type: ignore[misc]
    """A `Conv3d` whose number of input channels is that of its first input."""

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyTransposed, ConvTranspose1d):  # type: ignore[misc]
    """A `ConvTranspose1d` whose number of input channels is that of its first input."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyTransposed, ConvTranspose2d):  # type: ignore[misc]
    """A `ConvTranspose2d` whose number of input channels is that of its first input."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyTransposed, ConvTranspose3d):  # type: ignore[misc]
    """A `ConvTranspose3d` whose number of input channels is that of its first input."""

    cls_to_become = ConvTranspose3d


class _LazyNorm(LazyModuleMixin, _NormBase):
    """What lazy norms add: the number of channels comes with the first input."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False, device, dtype)
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = waiting_parameter(device, dtype)
            if bias:
                self.bias = waiting_parameter(device, dtype)
        if track_running_stats:
            # Not as attributes: a buffer that replaces None would come last in the state dict.
            self._buffers["running_mean"] = waiting_buffer(device, dtype)
            self._buffers["running_var"] = waiting_buffer(device, dtype)
            self._buffers["num_batches_tracked"] = tensor(0, dtype=int64, device=device)

    def reset_parameters(self) -> None:
        """Sets weights and statistics to their starting values, once there is room for them."""
        if self.num_features != 0 and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:  # type: ignore[override]
        """Takes the number of channels from an input."""
        if self.has_uninitialized_params():
            self.num_features = input.shape[1]
            for value in (self.weight, self.bias, self.running_mean, self.running_var):
                if value is not None:
                    value.materialize((self.num_features,))
            self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):  # type: ignore[misc]
    """A `BatchNorm1d` whose number of channels is that of its first input."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):  # type: ignore[misc]
    """A `BatchNorm2d` whose number of channels is that of its first input.

    >>> layer = torch.nn.LazyBatchNorm2d()
    >>> _ = layer(torch.ones(2, 3, 4, 4)); layer.num_features
    3
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):  # type: ignore[misc]
    """A `BatchNorm3d` whose number of channels is that of its first input."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):  # type: ignore[misc]
    """An `InstanceNorm1d` whose number of channels is that of its first input."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):  # type: ignore[misc]
    """An `InstanceNorm2d` whose number of channels is that of its first input."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):  # type: ignore[misc]
    """An `InstanceNorm3d` whose number of channels is that of its first input."""

    cls_to_become = InstanceNorm3d
