"""Fourier transforms of two dimensions, shifts of spectra, and their frequencies."""

from __future__ import annotations

from typing import Any

from .. import _dtypes
from .._device import device as Device
from .._dtypes import dtype as Dtype
from ..autograd.tape import Leaf, wrap
from ..backends import dtype_of, numpy_dtype
from ._promote import dim_of, index_of, place_for
from ._results import check_tensor, finished
from .rearranging import roll
from .spectral import fftn, hfftn, ifftn, ihfftn, irfftn, rfftn

Tensor = Any


def fft2(
    input: Tensor,
    s: Any = None,
    dim: Any = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the Fourier transform along two dimensions, by default the last.

    >>> torch.fft.fft2(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10.+0.j, -2.+0.j],
            [-4.+0.j,  0.+0.j]])
    """
    return fftn(input, s, _dims("fft2", dim), norm, out=out)


def ifft2(
    input: Tensor,
    s: Any = None,
    dim: Any = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the inverse of `fft2`.

    >>> torch.fft.ifft2(torch.tensor([[10 + 0j, -2 + 0j], [-4 + 0j, 0j]]))
    tensor([[1.+0.j, 2.+0.j],
            [3.+0.j, 4.+0.j]])
    """
    return ifftn(input, s, _dims("ifft2", dim), norm, out=out)


def rfft2(
    input: Tensor,
    s: Any = None,
    dim: Any = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns `fft2` of reals, only the first half along the last of the dimensions.

    >>> torch.fft.rfft2(torch.ones(2, 2))
    tensor([[4.+0.j, 0.+0.j],
            [0.+0.j, 0.+0.j]])
    """
    return rfftn(input, s, _dims("rfft2", dim), norm, out=out)


def irfft2(
    input: Tensor,
    s: Any = None,
    dim: Any = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the inverse of `rfft2`.

    >>> torch.fft.irfft2(torch.tensor([[4.0, 0.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [1., 1.]])
    """
    return irfftn(input, s, _dims("irfft2", dim), norm, out=out)


def hfft2(
    input: Tensor,
    s: Any = None,
    dim: Any = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns `hfft` along the last of two dimensions, `fft` along the other.

    >>> torch.fft.hfft2(torch.ones(2, 2))
    tensor([[4., 0.],
            [0., 0.]])
    """
    return hfftn(input, s, _dims("hfft2", dim), norm, out=out)


def ihfft2(
    input: Tensor,
    s: Any = None,
    dim: Any = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Returns the inverse of `hfft2`.

    >>> torch.fft.ihfft2(torch.tensor([[4.0, 0.0], [0.0, 0.0]]))
    tensor([[1.-0.j, 1.-0.j],
            [1.-0.j, 1.-0.j]])
    """
    return ihfftn(input, s, _dims("ihfft2", dim), norm, out=out)


def _dims(name: str, dim: Any) -> Any:
    if dim is None:
        raise TypeError(f"fft_{name}(): argument 'dim' must be tuple of ints, not NoneType")
    return dim


def fftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Tensor | None = None,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns the frequencies of the points of `fft`, for samples that are ``d`` apart.

    They are in the order of its result: 0, the positive ones, the negative ones.

    >>> torch.fft.fftfreq(5)
    tensor([ 0.0000,  0.2000,  0.4000, -0.4000, -0.2000])
    """
    whole = [*range((n + 1) // 2), *range(-(n // 2), 0)] if _count("fftfreq", n) else []
    return _frequencies("fftfreq", whole, n * d, out, dtype, device, requires_grad)


def rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Tensor | None = None,
    dtype: Dtype | None = None,
    layout: Any = None,
    device: Device | str | int | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns the frequencies of the points of `rfft`, for samples that are ``d`` apart.

    >>> torch.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    whole = range(_count("rfftfreq", n) // 2 + 1)
    return _frequencies("rfftfreq", whole, n * d, out, dtype, device, requires_grad)


def _count(name: str, n: Any) -> int:
    count = index_of(n, f"fft_{name}(): argument 'n' (position 1)")
    if count < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    return count


def _frequencies(
    name: str, whole: Any, span: float, out: Any, dtype: Any, where: Any, requires_grad: bool
) -> Tensor:
    dtype = dtype or (dtype_of(out._data) if out is not None else _dtypes.get_default_dtype())
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name} requires a floating point or complex dtype")
    B, place = place_for(where)
    double = B.double
    step = 1 / span if span else float("inf")
    numbers = B.host_index(B.empty((0,), double, place.index), list(whole), (len(whole),))
    made = wrap(B.cast(B.asarray(B.cast(numbers, double) * step), numpy_dtype(dtype)))
    if requires_grad:
        made._node = Leaf(made)
    return finished(f"fft_{name}", made, out)


def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Moves frequency 0 from the start of each of the dimensions, by default all, to the middle.

    >>> torch.fft.fftshift(torch.fft.fftfreq(5))
    tensor([-0.4000, -0.2000,  0.0000,  0.2000,  0.4000])
    """
    return _shifted("fftshift", input, dim, lambda n: n // 2)


def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Undoes `fftshift`: moves the middle to the start.

    >>> torch.fft.ifftshift(torch.tensor([-2, -1, 0, 1, 2]))
    tensor([ 0,  1,  2, -2, -1])
    """
    return _shifted("ifftshift", input, dim, lambda n: (n + 1) // 2)


def _shifted(name: str, input: Tensor, dim: Any, by: Any) -> Tensor:
    check_tensor(f"fft_{name}", input)
    shape = input._data.shape
    dims = range(len(shape)) if dim is None else [dim] if hasattr(dim, "__index__") else list(dim)
    if not len(dims):
        raise RuntimeError("`shifts` required")
    if not shape:
        raise IndexError(f"Dimension specified as {dims[0]} but tensor has no dimensions")
    dims = [dim_of(d, len(shape)) for d in dims]
    return roll(input, tuple([by(shape[d]) for d in dims]), tuple(dims))
