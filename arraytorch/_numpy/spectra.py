"""``numpy.fft``."""

from __future__ import annotations

from typing import Any

from ..ops import spectra, spectral
from .arguments import counterpart, tensor, written


def _along_one(name: str, op: Any) -> Any:
    def function(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
        return written(op(tensor(a), n, axis, norm), out, name=name)

    return counterpart(name, of="numpy.fft")(function)


def _along_two(name: str, op: Any) -> Any:
    def function(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None,
                 out: Any = None) -> Any:  # fmt: skip
        return written(op(tensor(a), s, tuple(axes), norm), out, name=name)

    return counterpart(name, of="numpy.fft")(function)


def _along_many(name: str, op: Any) -> Any:
    def function(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
        return written(op(tensor(a), s, axes, norm), out, name=name)

    return counterpart(name, of="numpy.fft")(function)


def _shifting(name: str, op: Any) -> Any:
    def function(x: Any, axes: Any = None) -> Any:
        return op(tensor(x), axes)

    return counterpart(name, of="numpy.fft")(function)


fft, ifft = _along_one("fft", spectral.fft), _along_one("ifft", spectral.ifft)
rfft, irfft = _along_one("rfft", spectral.rfft), _along_one("irfft", spectral.irfft)
hfft, ihfft = _along_one("hfft", spectral.hfft), _along_one("ihfft", spectral.ihfft)
fft2, ifft2 = _along_two("fft2", spectra.fft2), _along_two("ifft2", spectra.ifft2)
rfft2, irfft2 = _along_two("rfft2", spectra.rfft2), _along_two("irfft2", spectra.irfft2)
fftn, ifftn = _along_many("fftn", spectral.fftn), _along_many("ifftn", spectral.ifftn)
rfftn, irfftn = _along_many("rfftn", spectral.rfftn), _along_many("irfftn", spectral.irfftn)
fftshift = _shifting("fftshift", spectra.fftshift)
ifftshift = _shifting("ifftshift", spectra.ifftshift)
