"""``torch.signal.windows``: window functions, symmetric unless asked for periodic ones.

Definitions: Harris, On the use of windows for harmonic analysis with the discrete Fourier
transform, Proceedings of the IEEE 66 (1978); Nuttall, Some windows with very good sidelobe
behavior, IEEE Transactions on Acoustics, Speech and Signal Processing 29 (1981).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .. import _dtypes
from .._device import device as Device
from .._dtypes import dtype as Dtype
from ..ops.windows import Shape, cosines, kaiser_shape, triangle, window_of

Tensor = Any

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine",
    "general_hamming", "hamming", "hann", "kaiser", "nuttall",
]  # fmt: skip


def _window(
    name: str, M: Any, shape: Shape, n: float | None, sym: bool, dtype: Dtype | None, layout: Any,
    where: Any, requires_grad: bool,
) -> Tensor:  # fmt: skip
    """Checks what all windows take; n, the place of the window's end, is its length by default."""
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if str(layout) not in ("None", "torch.strided"):
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    dtype = _dtypes.get_default_dtype() if dtype is None else dtype
    if dtype not in (_dtypes.float32, _dtypes.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype!r}")
    if not hasattr(M, "__index__"):
        raise TypeError(f"{name}(): argument 'M' must be int, not {type(M).__name__}")
    count = M.__index__()
    end = n if n is not None else count - 1 if sym else count
    return window_of(count, end, shape, dtype, where, requires_grad)


def bartlett(
    M: int,
    *,
    sym: bool = True,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns a triangle that rises from 0 to 1 and falls again.

    >>> torch.signal.windows.bartlett(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _window("bartlett", M, triangle, None, sym, dtype, layout, device, requires_grad)


def blackman(
    M: int,
    *,
    sym: bool = True,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns Blackman's window, ``0.42 - 0.5 cos(x) + 0.08 cos(2 x)`` for x from 0 to 2 pi.

    >>> torch.signal.windows.blackman(5)[1:4]
    tensor([0.3400, 1.0000, 0.3400])
    """
    return _window(
        "blackman", M, cosines((0.42, 0.5, 0.08)), None, sym, dtype, layout, device, requires_grad
    )


def cosine(
    M: int,
    *,
    sym: bool = True,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns half a wave: the sine of x from 0 to pi, in the middle of each of the M parts.

    >>> torch.signal.windows.cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """
    n = M if sym else M + 1

    def half_wave(B: Any, k: Any, n: float) -> Any:
        return B.sin((k + 0.5) * (math.pi / n))

    return _window("cosine", M, half_wave, n, sym, dtype, layout, device, requires_grad)


def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns ``exp(-|k - center| / tau)``; only a periodic window may have another center.

    >>> torch.signal.windows.exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    middle = center if center is not None else (M - 1 if sym else M) / 2

    def decay(B: Any, k: Any, n: float) -> Any:
        return B.exp(B.abs(k - n) * (-1 / tau))

    return _window("exponential", M, decay, middle, sym, dtype, layout, device, requires_grad)


def gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns a normal density of standard deviation ``std``, scaled to 1 at its top.

    >>> torch.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    middle = (M - 1 if sym else M) / 2

    def bell(B: Any, k: Any, n: float) -> Any:
        return B.exp(B.square((k - n) / std) * -0.5)

    return _window("gaussian", M, bell, middle, sym, dtype, layout, device, requires_grad)


def general_cosine(
    M: int,
    *,
    a: Iterable[float],
    sym: bool = True,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns ``a[0] - a[1] cos(x) + a[2] cos(2 x) - ...`` for x from 0 to 2 pi.

    >>> torch.signal.windows.general_cosine(5, a=[0.5, 0.5])
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    if not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    coefficients = tuple(a)
    if not coefficients:
        raise ValueError("Coefficients cannot be empty")
    return _window(
        "general_cosine", M, cosines(coefficients), None, sym, dtype, layout, device, requires_grad
    )


def general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns ``alpha - (1 - alpha) cos(x)`` for x from 0 to 2 pi.

    >>> torch.signal.windows.general_hamming(3, alpha=0.6)
    tensor([0.2000, 1.0000, 0.2000])
    """
    return general_cosine(M, a=(alpha, 1.0 - alpha), sym=sym, dtype=dtype, layout=layout, device=device,
                          requires_grad=requires_grad)  # fmt: skip


def hamming(
    M: int,
    *,
    sym: bool = True,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns Hamming's window, ``0.54 - 0.46 cos(x)`` for x from 0 to 2 pi.

    >>> torch.signal.windows.hamming(3)
    tensor([0.0800, 1.0000, 0.0800])
    """
    return general_cosine(M, a=(0.54, 0.46), sym=sym, dtype=dtype, layout=layout, device=device,
                          requires_grad=requires_grad)  # fmt: skip


def hann(
    M: int,
    *,
    sym: bool = True,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns Hann's window, ``0.5 - 0.5 cos(x)`` for x from 0 to 2 pi.

    >>> torch.signal.windows.hann(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return general_cosine(M, a=(0.5, 0.5), sym=sym, dtype=dtype, layout=layout, device=device,
                          requires_grad=requires_grad)  # fmt: skip


def kaiser(
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns Kaiser's window, ``i0(beta sqrt(1 - x * x)) / i0(beta)`` for x from -1 to 1.

    >>> torch.signal.windows.kaiser(3, beta=2.0)
    tensor([0.4387, 1.0000, 0.4387])
    """
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    return _window("kaiser", M, kaiser_shape(beta), None, sym, dtype, layout, device, requires_grad)


def nuttall(
    M: int,
    *,
    sym: bool = True,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns Nuttall's window: four cosines that leave sidelobes of less than -98 dB.

    >>> torch.signal.windows.nuttall(5)[1:4]
    tensor([0.2270, 1.0000, 0.2270])
    """
    return general_cosine(M, a=(0.3635819, 0.4891775, 0.1365995, 0.0106411), sym=sym, dtype=dtype, layout=layout, device=device,
                          requires_grad=requires_grad)  # fmt: skip
