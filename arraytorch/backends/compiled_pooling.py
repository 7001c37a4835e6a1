"""Pools of large NumPy arrays, by compiled kernels where numba is installed and slices take longer."""

from __future__ import annotations

from math import prod
from typing import Any

from .compiled import MANY, kernels
from .convolution import Convolution
from .pooling import adaptive_spans, hollow

_LARGE = 64  # elements of a window from which a loop over them is faster than a slice for each
_NUMBERS = 256  # elements that a byte tells apart


class CompiledPooling:
    """What comes before the kernels of NumPy and calls them where it does not serve."""

    def max_pool_arg(self, x: Any, c: Convolution) -> tuple[Any, Any]:
        """The maxima of windows, and which of a window's elements they are."""
        serves = _LARGE <= prod(c.size) <= _NUMBERS and not hollow(c)
        if not serves or (own := _own(x)) is None:
            return super().max_pool_arg(x, c)  # type: ignore[misc]
        return own.maxima(x, c)  # type: ignore[no-any-return]

    def adaptive_avg_pool(self, x: Any, out: tuple[int, ...]) -> Any:
        """The means of ``out`` windows as equal as possible along each spatial dimension."""
        if not prod(out) or not x.size or (own := _own(x)) is None:
            return super().adaptive_avg_pool(x, out)  # type: ignore[misc]
        return own.means(x, [adaptive_spans(n, k) for n, k in zip(x.shape[2:], out, strict=True)])

    def adaptive_avg_pool_input(self, g: Any, spatial: tuple[int, ...]) -> Any:
        """The input of extent ``spatial`` that g pulls back to through `adaptive_avg_pool`."""
        many = g.ndim == 4 and prod(g.shape[:2]) * prod(spatial) >= MANY and g.size
        if not many or (own := _own(g, 1)) is None:
            return super().adaptive_avg_pool_input(g, spatial)  # type: ignore[misc]
        spans = [adaptive_spans(n, k) for n, k in zip(spatial, g.shape[2:], strict=True)]
        return own.spread(g, spans, spatial)


def _own(x: Any, least: int = MANY) -> Any:
    """The compiled kernels for planes of two dimensions, None if they do not serve."""
    plain = x.ndim == 4 and x.size >= least and x.dtype.char in "fd" and x.flags.c_contiguous
    return kernels("pooling") if plain else None
