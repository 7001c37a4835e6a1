"""The sample table, Fourier transforms: one line per op. See `sample.sample` for what a row says."""

from __future__ import annotations

import numpy as np
from sample import COMPLEX, FLOAT, case, sample
from scipy import fft

import arraytorch as torch

BOTH = FLOAT + COMPLEX
HANN = np.array([0.1, 0.5, 0.9, 0.5])


def one(name, dtypes=BOTH):
    """A transform along one dimension: odd and even, cropped and padded, in each scale."""
    ref = getattr(fft, name)
    options = {"dtypes": dtypes, "result": None, "op": getattr(torch.fft, name), "rtol": 1e-5}
    return sample(f"fft.{name}", lambda x, n=None, dim=-1, norm=None: ref(x, n, dim, norm),
                  case((5,)), case((2, 4), args=(3,)), case((3, 2), args=(7, 0), norm="ortho"),
                  case((2, 4), norm="forward"), **options)  # fmt: skip


def many(name, dtypes=BOTH):
    """A transform along several dimensions."""
    ref, two = getattr(fft, name), name.endswith("2")
    default = (-2, -1) if two else None
    options = {"dtypes": dtypes, "result": None, "op": getattr(torch.fft, name), "rtol": 1e-5}
    return sample(f"fft.{name}", lambda x, s=None, dim=default, norm=None: ref(x, s, dim, norm),
                  case((3, 4)), case((2, 3, 2), args=((2, 5),), norm="ortho"),
                  case((3, 2, 4), dim=(2, 0), norm="forward"), **options)  # fmt: skip


def _stft(x, w, hop):
    """Each stretch by itself."""
    n = w.shape[0]
    return np.stack(
        [np.fft.rfft(x[..., k : k + n] * w) for k in range(0, x.shape[-1] - n + 1, hop)], -1
    )


def _istft(z, w):
    """The stretches added up, divided by the squared windows added up."""
    w, n = w.real, w.shape[0]
    total = np.zeros((*z.shape[:-2], n + 2 * (z.shape[-1] - 1)))
    weight = np.zeros(total.shape[-1])
    for k in range(z.shape[-1]):
        total[..., 2 * k : 2 * k + n] += np.fft.irfft(z[..., k], n) * w
        weight[2 * k : 2 * k + n] += w * w
    return total / weight


SAMPLES = [
    one("fft"),
    one("ifft"),
    one("rfft", FLOAT),
    one("irfft"),
    one("hfft"),
    one("ihfft", FLOAT),
    many("fftn"),
    many("ifftn"),
    many("rfftn", FLOAT),
    many("irfftn"),
    many("hfftn"),
    many("ihfftn", FLOAT),
    many("fft2"),
    many("ifft2"),
    many("rfft2", FLOAT),
    many("irfft2"),
    many("hfft2"),
    many("ihfft2", FLOAT),
    sample("fft.fftshift", np.fft.fftshift, case((3, 4)), case((5, 2), args=(0,)), op=torch.fft.fftshift),
    sample("fft.ifftshift", np.fft.ifftshift, case((3, 4)), case((5, 2), args=(0,)), op=torch.fft.ifftshift),
    sample("stft", _stft, case((11,), HANN, args=(3,)), case((2, 9), HANN, args=(2,)), result=None, rtol=1e-5,
           op=lambda x, w, hop: torch.stft(x, 4, hop, window=w, center=False, return_complex=True)),
    sample("stft", None, case((2, 9), HANN), dtypes=COMPLEX, op=lambda x, w: torch.stft(x, 6, 2, 4, w.real.clone())),
    sample("istft", _istft, case((3, 5), HANN), case((2, 3, 4), HANN),
           dtypes=COMPLEX, result="real", rtol=1e-5, op=lambda z, w: torch.istft(z, 4, 2, window=w.real.clone(), center=False)),
]  # fmt: skip
