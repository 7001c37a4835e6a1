"""The short-time Fourier transform and its inverse.

Griffin and Lim, Signal estimation from modified short-time Fourier transform, IEEE Transactions on
Acoustics, Speech and Signal Processing 32 (1984).
"""

from __future__ import annotations

import warnings
from typing import Any

from .._dtypes import scalar_type_name
from ..autograd.tape import TensorBase, wrap
from ..backends import backend_of, dtype_of
from ._results import check_tensor
from .arithmetic import abs as _abs
from .complex_numbers import real, view_as_real
from .indexing import narrow
from .padding import constant_pad, pad
from .rearranging import unfold
from .shape import expand, reshape, squeeze, transpose, unsqueeze
from .spectral import fft, ifft, irfft, rfft

Tensor = Any


def _described(name: str, input: Tensor, **arguments: Any) -> str:
    """The call in words, as PyTorch's messages begin."""
    given = {
        k: f"{_kind(v)}{{{list(v._data.shape)}}}" if isinstance(v, TensorBase)
        else int(v) if isinstance(v, bool) else v
        for k, v in arguments.items()
    }  # fmt: skip
    listed = ", ".join(f"{k}={v}" for k, v in given.items())
    return f"{name}({_kind(input)}{list(input._data.shape)}, {listed})"


def _kind(t: Tensor) -> str:
    kind = scalar_type_name(dtype_of(t._data))
    return f"CPU{kind}Type" if _is_complex(t) else f"torch.{kind}Tensor"


def _warn_of_rectangle(advice: str, size: str) -> None:
    warnings.warn(
        f"A window was not provided. A rectangular window will be applied. {advice} To suppress "
        "this warning and use a rectangular window, explicitly set "
        f"`window=torch.ones({size}, device=<device>)`.",
        UserWarning,
        stacklevel=4,
    )


def _filled(window: Any, win_length: int, n_fft: int, like: Tensor) -> Tensor:
    """The window, or ones, with zeros on both sides up to n_fft points."""
    x = like._data
    if window is None:
        B = backend_of(x)
        window = wrap(real(wrap(B.ones_like(x.reshape(-1)[:1])))._data)
        window = expand(window, win_length)
    left = (n_fft - win_length) // 2
    around = (left, n_fft - win_length - left)
    return window if around == (0, 0) else constant_pad(window, (around,), 0)


def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """Returns the Fourier transforms of stretches of ``n_fft`` points that begin ``hop_length`` apart.

    Each stretch is multiplied by the window. A signal (points) or a batch (batch, points) gives
    (batch, frequencies, stretches): of reals, with ``onesided``, n_fft // 2 + 1 frequencies.
    ``center`` pads the signal by half a stretch on both sides, so that the first is centered on the
    first point. ``return_complex=False`` gives real and imaginary parts in a last dimension.

    >>> x = torch.arange(8.0)
    >>> torch.stft(x, 4, 4, window=torch.ones(4), center=False, return_complex=True)
    tensor([[ 6.+0.j, 22.+0.j],
            [-2.+2.j, -2.+2.j],
            [-2.+0.j, -2.+0.j]])
    """
    check_tensor("stft", input)
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    if window is None:
        _warn_of_rectangle(
            "That is known to cause spectral leakage: torch.hann_window and torch.hamming_window "
            "are recommended.", "n_fft"
        )  # fmt: skip
    x = input
    if center:
        if align_to_window is not None:
            raise RuntimeError("stft align_to_window should only be set when center = false")
        lead = (1,) * (3 - x._data.ndim)
        around = pad(reshape(x, (*lead, *x._data.shape)), [n_fft // 2, n_fft // 2], pad_mode)
        x = reshape(around, around._data.shape[len(lead) :]) if x._data.ndim else around
    what = _described(
        "stft", x, n_fft=n_fft, hop_length=hop, win_length=length, window=window,
        normalized=normalized, onesided=onesided, return_complex=return_complex,
        align_to_window=align_to_window,
    )  # fmt: skip
    mixed = _is_complex(x) or window is not None and _is_complex(window)
    if return_complex is None:
        if not mixed:
            raise RuntimeError(
                "stft requires the return_complex parameter be given for real inputs, and will "
                "further require that return_complex=True in a future PyTorch release."
            )
        return_complex = True
    elif not return_complex:
        warnings.warn(
            "stft with return_complex=False is deprecated. In a future pytorch release, stft will "
            "return complex tensors for all inputs, and return_complex=False will raise an error.",
            UserWarning,
            stacklevel=2,
        )
    _check_stretches(what, x, n_fft, hop, length, window)
    if onesided and mixed:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    batch = x if x._data.ndim == 2 else unsqueeze(x, 0)
    if align_to_window and length < n_fft:
        left = (n_fft - length) // 2
        batch = constant_pad(batch, ((0, 0), (left, n_fft - length - left)), 0)
    stretches = unfold(batch, -1, n_fft, hop)
    if window is not None or length < n_fft:
        stretches = stretches * _filled(window, length, n_fft, x)
    half = not mixed if onesided is None else onesided
    spectra = (rfft if half else fft)(stretches, norm="ortho" if normalized else None)
    result = transpose(spectra, 1, 2)
    if x._data.ndim == 1:
        result = squeeze(result, 0)
    return result if return_complex else view_as_real(result)


def _is_complex(t: Tensor) -> bool:
    return t._data.dtype.kind == "c"


def _check_stretches(what: str, x: Tensor, n_fft: int, hop: int, length: int, window: Any) -> None:
    if x._data.dtype.kind in "biu":
        raise RuntimeError(f"{what} : expected a tensor of floating point or complex values")
    if x._data.ndim not in (1, 2):
        raise RuntimeError(f"{what} : expected a 1D or 2D tensor")
    points = x._data.shape[-1]
    if not 0 < n_fft <= points:
        raise RuntimeError(f"{what} : expected 0 < n_fft < {points}, but got n_fft={n_fft}")
    if hop <= 0:
        raise RuntimeError(f"{what} : expected hop_length > 0, but got hop_length={hop}")
    if not 0 < length <= n_fft:
        raise RuntimeError(
            f"{what} : expected 0 < win_length <= n_fft, but got win_length={length}"
        )
    if window is not None and window._data.shape != (length,):
        raise RuntimeError(
            f"{what} : expected a 1D window tensor of size equal to win_length={length}, but got "
            f"window with size {list(window._data.shape)}"
        )


def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """Returns the signal whose `stft` is closest: overlapping stretches are averaged.

    The windowed stretches are added up and divided by the sum of the squared windows, which must
    nowhere be 0. ``length`` cuts the signal or pads it with zeros at the end.

    >>> x, window = torch.arange(8.0), torch.hann_window(4)
    >>> torch.istft(torch.stft(x, 4, window=window, return_complex=True), 4, window=window)
    tensor([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    check_tensor("istft", input)
    if window is None:
        _warn_of_rectangle(
            "Please provide the same window used by stft to make the inversion lossless.", "n_fft"
        )
    hop = n_fft // 4 if hop_length is None else hop_length
    span = n_fft if win_length is None else win_length
    what = _described(
        "istft", input, n_fft=n_fft, hop_length=hop, win_length=span, window=window, center=center,
        normalized=normalized, onesided=onesided, length=length, return_complex=return_complex,
    )  # fmt: skip
    half = _check_spectra(what, input, n_fft, hop, span, window, onesided)
    if return_complex and half:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if not return_complex and window is not None and _is_complex(window):
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    batch = input if input._data.ndim == 3 else unsqueeze(input, 0)
    spectra, norm = transpose(batch, 1, 2), "ortho" if normalized else None
    if return_complex:
        stretches = ifft(spectra, norm=norm)
    else:
        stretches = irfft(narrow(spectra, -1, 0, n_fft // 2 + 1), n_fft, norm=norm)
    weights = _filled(window, span, n_fft, input)
    frames = spectra._data.shape[1]
    weights_of_all = expand(reshape(weights * weights, (1, 1, n_fft)), 1, frames, n_fft)
    total = n_fft + hop * (frames - 1)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else total - n_fft // 2 if center else total
    found = max(min(end, total) - start, 0)
    signal, weight = (
        narrow(_added_up(t, hop, total), 1, start, found)
        for t in (stretches * weights, weights_of_all)
    )
    seen = backend_of(weight._data).bounds(_abs(weight)._data)
    if not found or (seen is not None and seen[0] <= 1e-11):
        raise RuntimeError(f"{what} window overlap add min: 1")
    signal = signal / weight
    if end > total:
        warnings.warn(
            "The length of signal is shorter than the length parameter. Result is being padded "
            "with zeros in the tail. Please check your center and hop_length settings.",
            UserWarning,
            stacklevel=2,
        )
        signal = constant_pad(signal, ((0, 0), (0, end - total)), 0)
    return signal if input._data.ndim == 3 else squeeze(signal, 0)


def _check_spectra(
    what: str, input: Tensor, n_fft: int, hop: int, span: int, window: Any, onesided: Any
) -> bool:
    """Raises what PyTorch raises, and returns whether the spectra are halves."""
    x = input._data
    if x.dtype.kind != "c":
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with "
            "return_complex=True."
        )
    if x.ndim < 2:
        raise IndexError("Dimension out of range (expected to be in range of [-2, 1], but got -3)")
    if not x.size:
        raise RuntimeError(f"{what} : input tensor cannot be empty.")
    if x.ndim > 3:
        raise RuntimeError(
            f"{what} : expected a tensor with 3 or 4 dimensions, but got {x.ndim + 1}"
        )
    points = x.shape[-2]
    half = points != n_fft if onesided is None else onesided
    wanted, name = (n_fft // 2 + 1, "n_fft / 2 + 1") if half else (n_fft, "n_fft")
    if points != wanted:
        raise RuntimeError(
            f"{what} : expected the frequency dimension (3rd to the last) of the input tensor to "
            f"match {name} when onesided={bool(half)}, but got {points}"
        )
    if not 0 < hop <= span:
        raise RuntimeError(f"{what} : expected 0 < hop_length <= win_length")
    if not 0 < span <= n_fft:
        raise RuntimeError(f"{what} : expected 0 < win_length <= n_fft")
    if window is not None and window._data.shape != (span,):
        raise RuntimeError(
            f"{what} : Invalid window shape. window has to be 1D and length of `win_length`"
        )
    return half


def _added_up(stretches: Tensor, hop: int, total: int) -> Tensor:
    """The stretches (batch, frames, points), each ``hop`` after the last, summed where they overlap.

    Pieces of ``hop`` points overlap as wholes: so many additions of all frames at once suffice.
    """
    batch, frames, points = stretches._data.shape
    count = -(-points // hop)
    if points % hop:
        stretches = constant_pad(stretches, ((0, 0), (0, 0), (0, count * hop - points)), 0)
    pieces = reshape(stretches, (batch, frames, count, hop))
    summed = 0
    for k in range(count):
        piece = squeeze(narrow(pieces, 2, k, 1), 2)
        summed = summed + constant_pad(piece, ((0, 0), (k, count - 1 - k), (0, 0)), 0)
    return narrow(reshape(summed, (batch, (frames + count - 1) * hop)), 1, 0, total)
