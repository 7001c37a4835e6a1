"""Padding: what surrounds an input is constant, mirrored, repeated or periodic.

``padding`` is one width for all sides or, from the last dimension on, a width before and after.
"""

from __future__ import annotations

from ..._tensor import Tensor
from .. import functional as F
from .module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    _dims: int
    _mode: str

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__()
        if isinstance(padding, int):
            padding = (padding,) * (2 * self._dims)
        self.padding = tuple(padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: int | tuple[int, ...], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _CircularPad(_Pad):
    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (self._dims + 1, self._dims + 2):
            raise ValueError(
                f"expected {self._dims + 1}D or {self._dims + 2}D input (got {input.dim()}D input)"
            )
        return super().forward(input)


class ConstantPad1d(_ConstantPad):
    """Surrounds the last dimension with ``value``.

    >>> torch.nn.ConstantPad1d(1, 9.0)(torch.tensor([[1., 2., 3.]]))
    tensor([[9., 1., 2., 3., 9.]])
    """

    _dims = 1


class ConstantPad2d(_ConstantPad):
    """Surrounds the last two dimensions with ``value``.

    >>> torch.nn.ConstantPad2d(1, 9.0)(torch.ones(1, 1, 3, 3)).shape
    torch.Size([1, 1, 5, 5])
    """

    _dims = 2


class ConstantPad3d(_ConstantPad):
    """Surrounds the last three dimensions with ``value``.

    >>> torch.nn.ConstantPad3d(1, 9.0)(torch.ones(1, 1, 3, 3, 3)).shape
    torch.Size([1, 1, 5, 5, 5])
    """

    _dims = 3


class ZeroPad1d(ConstantPad1d):
    """Surrounds the last dimension with zeros.

    >>> torch.nn.ZeroPad1d(1)(torch.tensor([[1., 2., 3.]]))
    tensor([[0., 1., 2., 3., 0.]])
    """

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Surrounds the last two dimensions with zeros.

    >>> torch.nn.ZeroPad2d(1)(torch.ones(1, 1, 3, 3)).shape
    torch.Size([1, 1, 5, 5])
    """

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Surrounds the last three dimensions with zeros.

    >>> torch.nn.ZeroPad3d(1)(torch.ones(1, 1, 3, 3, 3)).shape
    torch.Size([1, 1, 5, 5, 5])
    """

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(_Pad):
    """Mirrors the last dimension at the edges, which are not repeated.

    >>> torch.nn.ReflectionPad1d(1)(torch.tensor([[1., 2., 3.]]))
    tensor([[2., 1., 2., 3., 2.]])
    """

    _dims = 1
    _mode = "reflect"


class ReflectionPad2d(_Pad):
    """Mirrors the last two dimensions at the edges, which are not repeated.

    >>> torch.nn.ReflectionPad2d(1)(torch.ones(1, 1, 3, 3)).shape
    torch.Size([1, 1, 5, 5])
    """

    _dims = 2
    _mode = "reflect"


class ReflectionPad3d(_Pad):
    """Mirrors the last three dimensions at the edges, which are not repeated.

    >>> torch.nn.ReflectionPad3d(1)(torch.ones(1, 1, 3, 3, 3)).shape
    torch.Size([1, 1, 5, 5, 5])
    """

    _dims = 3
    _mode = "reflect"


class ReplicationPad1d(_Pad):
    """Repeats the edges of the last dimension.

    >>> torch.nn.ReplicationPad1d(1)(torch.tensor([[1., 2., 3.]]))
    tensor([[1., 1., 2., 3., 3.]])
    """

    _dims = 1
    _mode = "replicate"


class ReplicationPad2d(_Pad):
    """Repeats the edges of the last two dimensions.

    >>> torch.nn.ReplicationPad2d(1)(torch.ones(1, 1, 3, 3)).shape
    torch.Size([1, 1, 5, 5])
    """

    _dims = 2
    _mode = "replicate"


class ReplicationPad3d(_Pad):
    """Repeats the edges of the last three dimensions.

    >>> torch.nn.ReplicationPad3d(1)(torch.ones(1, 1, 3, 3, 3)).shape
    torch.Size([1, 1, 5, 5, 5])
    """

    _dims = 3
    _mode = "replicate"


class CircularPad1d(_CircularPad):
    """Continues the last dimension periodically.

    >>> torch.nn.CircularPad1d(1)(torch.tensor([[1., 2., 3.]]))
    tensor([[3., 1., 2., 3., 1.]])
    """

    _dims = 1


class CircularPad2d(_CircularPad):
    """Continues the last two dimensions periodically.

    >>> torch.nn.CircularPad2d(1)(torch.ones(1, 1, 3, 3)).shape
    torch.Size([1, 1, 5, 5])
    """

    _dims = 2


class CircularPad3d(_CircularPad):
    """Continues the last three dimensions periodically.

    >>> torch.nn.CircularPad3d(1)(torch.ones(1, 1, 3, 3, 3)).shape
    torch.Size([1, 1, 5, 5, 5])
    """

    _dims = 3
