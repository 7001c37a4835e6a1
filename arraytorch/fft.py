"""``torch.fft``: discrete Fourier transforms."""

from .ops.spectra import fft2 as fft2
from .ops.spectra import fftfreq as fftfreq
from .ops.spectra import fftshift as fftshift
from .ops.spectra import hfft2 as hfft2
from .ops.spectra import ifft2 as ifft2
from .ops.spectra import ifftshift as ifftshift
from .ops.spectra import ihfft2 as ihfft2
from .ops.spectra import irfft2 as irfft2
from .ops.spectra import rfft2 as rfft2
from .ops.spectra import rfftfreq as rfftfreq
from .ops.spectral import fft as fft
from .ops.spectral import fftn as fftn
from .ops.spectral import hfft as hfft
from .ops.spectral import hfftn as hfftn
from .ops.spectral import ifft as ifft
from .ops.spectral import ifftn as ifftn
from .ops.spectral import ihfft as ihfft
from .ops.spectral import ihfftn as ihfftn
from .ops.spectral import irfft as irfft
from .ops.spectral import irfftn as irfftn
from .ops.spectral import rfft as rfft
from .ops.spectral import rfftn as rfftn

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2",
    "ifftn", "ifftshift", "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2",
    "rfftfreq", "rfftn",
]  # fmt: skip
