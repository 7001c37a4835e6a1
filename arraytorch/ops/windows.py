"""Window functions: weights that let a stretch of a signal fade in and out.

Definitions: Harris, On the use of windows for harmonic analysis with the discrete Fourier
transform, Proceedings of the IEEE 66 (1978).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .. import _dtypes
from .._device import device as Device
from .._dtypes import dtype as Dtype
from .._dtypes import scalar_type_name
from ..autograd.tape import Leaf, wrap
from ..backends import numpy_dtype
from ._pinning import pinned
from ._promote import place_for

Tensor = Any
Shape = Callable[[Any, Any, float], Any]  # (B, k, n): the weights of the points k of 0 ... n


def cosines(coefficients: Sequence[float]) -> Shape:
    """The shape ``a[0] - a[1] cos(x) + a[2] cos(2 x) - ...`` for x from 0 to 2 pi."""

    def shape(B: Any, k: Any, n: float) -> Any:
        total = k * 0 + coefficients[0]
        for i, a in enumerate(coefficients[1:], 1):
            total = total + (-1) ** i * a * B.cos(k * (2 * math.pi * i / n))
        return total

    return shape


def triangle(B: Any, k: Any, n: float) -> Any:
    """The shape of `bartlett_window`."""
    return 1 - B.abs(k * (2 / n) - 1)


def kaiser_shape(beta: float) -> Shape:
    """The shape of `kaiser_window`."""

    def shape(B: Any, k: Any, n: float) -> Any:
        # Rounding must not make the root's argument negative at the ends.
        inside = B.clamp(1 - B.square(k * (2 / n) - 1), 0, None)
        return B.i0(B.sqrt(inside) * beta) / B.i0(k * 0 + beta)

    return shape


def window_of(
    count: int, n: float, shape: Shape, dtype: Dtype, where: Any, requires_grad: bool
) -> Tensor:
    """Returns the first ``count`` points of a shape that has its end at n, computed in doubles."""
    B, place = place_for(where)
    k = B.arange(0.0, float(count), 1.0, B.double, place.index)
    weights = shape(B, k, n) if count > 1 else k + 1
    made = wrap(B.cast(B.asarray(weights), numpy_dtype(dtype)))
    if requires_grad:
        made._node = Leaf(made)
    return made


def _window(
    name: str, length: Any, periodic: Any, shape: Shape, dtype: Dtype | None, where: Any,
    requires_grad: bool, layout: Any,
) -> Tensor:  # fmt: skip
    if not hasattr(length, "__index__") or isinstance(length, bool):
        raise TypeError(
            f"{name}(): argument 'window_length' (position 1) must be int, "
            f"not {type(length).__name__}"
        )
    if not isinstance(periodic, bool):
        raise TypeError(
            f"{name}(): argument 'periodic' (position 2) must be bool, "
            f"not {type(periodic).__name__}"
        )
    length = length.__index__()
    if str(layout) not in ("None", "torch.strided"):
        raise RuntimeError(f"{name} is not implemented for sparse types, got: {layout}")
    dtype = dtype or _dtypes.get_default_dtype()
    if dtype.is_complex:
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{scalar_type_name(dtype)}'")
    if not dtype.is_floating_point:
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype!r}")
    if length < 0:
        raise RuntimeError(
            f"{name} requires non-negative window_length, got window_length={length}"
        )
    n = length if periodic else length - 1
    return window_of(length, n, shape, dtype, where, requires_grad)


def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Returns a triangle that rises from 0 to 1 and falls again.

    A ``periodic`` window is meant to be repeated: its last 0 is the next one's first.

    >>> torch.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    new = _window("bartlett_window", window_length, periodic, triangle, dtype, device,
                   requires_grad, layout)  # fmt: skip
    return pinned(new) if pin_memory else new


def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Returns Blackman's window, ``0.42 - 0.5 cos(x) + 0.08 cos(2 x)`` for x from 0 to 2 pi.

    >>> torch.blackman_window(5)[1:]
    tensor([0.2008, 0.8492, 0.8492, 0.2008])
    """
    new = _window("blackman_window", window_length, periodic, cosines((0.42, 0.5, 0.08)), dtype,
                   device, requires_grad, layout)  # fmt: skip
    return pinned(new) if pin_memory else new


def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Returns Hamming's window, ``alpha - beta cos(x)`` for x from 0 to 2 pi.

    >>> torch.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    new = _window("hamming_window", window_length, periodic, cosines((alpha, beta)), dtype,
                   device, requires_grad, layout)  # fmt: skip
    return pinned(new) if pin_memory else new


def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Returns Hann's window, ``0.5 - 0.5 cos(x)`` for x from 0 to 2 pi.

    >>> torch.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    new = _window("hann_window", window_length, periodic, cosines((0.5, 0.5)), dtype, device,
                   requires_grad, layout)  # fmt: skip
    return pinned(new) if pin_memory else new


def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Returns Kaiser's window, ``i0(beta sqrt(1 - x * x)) / i0(beta)`` for x from -1 to 1.

    >>> torch.kaiser_window(4, beta=2.0)
    tensor([0.4387, 0.8348, 1.0000, 0.8348])
    """
    new = _window("kaiser_window", window_length, periodic, kaiser_shape(beta), dtype, device,
                   requires_grad, layout)  # fmt: skip
    return pinned(new) if pin_memory else new
