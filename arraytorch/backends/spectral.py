"""Kernels of the discrete Fourier transform."""

from __future__ import annotations

from typing import Any


class SpectralKernels:
    """Fourier transforms over the namespace ``_fft_namespace()``; none of them scales but by ``norm``.

    ``norm`` is "backward", "ortho" or "forward": which direction is divided by the number of points.
    """

    xp: Any

    def fft_complex(self, x: Any, dims: tuple[int, ...], norm: str, forward: bool) -> Any:
        """The transform of complex (or real) numbers along ``dims``, or its inverse."""
        fft = self._fft_namespace()
        if forward and x.dtype.kind == "f":
            # The transform of reals as such would give -0 as the imaginary part of a real sum.
            x = x.astype("c8" if x.dtype.itemsize == 4 else "c16")
        return (fft.fftn if forward else fft.ifftn)(x, axes=dims, norm=norm, **self._fft_options(x))

    def fft_real(self, x: Any, dims: tuple[int, ...], norm: str) -> Any:
        """The transform of reals; of the last of ``dims`` only the first half, as it is symmetric."""
        return self._fft_namespace().rfftn(x, axes=dims, norm=norm, **self._fft_options(x))

    def fft_to_real(self, x: Any, dims: tuple[int, ...], norm: str, n: int) -> Any:
        """The inverse of fft_real, with n points along the last of ``dims``."""
        shape = [x.shape[d] for d in dims[:-1]] + [n]
        options = self._fft_options(x)
        return self._fft_namespace().irfftn(x, shape, axes=dims, norm=norm, **options)

    def scale_interior(self, x: Any, dim: int, n: int, factor: float) -> Any:
        """x times ``factor``, but for the points of a half spectrum that stand for themselves alone.

        Those are the first and, if n is even, the last; all others stand for their mirror images too.
        """
        z = x.copy()
        at = (slice(None),) * dim
        z[(*at, slice(1, (n + 1) // 2))] *= factor
        return z

    def _fft_namespace(self) -> Any:
        """What has fftn and its kin, with NumPy's signatures and with float32 kept."""
        return self.xp.fft

    def _fft_options(self, x: Any) -> dict[str, Any]:
        """What else that namespace's functions are told."""
        return {}
