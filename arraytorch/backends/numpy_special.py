"""Special functions of large NumPy arrays by vectorised ones, where SciPy takes one element at a time."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .compiled import MANY, kernels
from .pointwise import PointwiseKernels
from .sharing import BLOCK, blocked, blockwise
from .threads import get_num_threads

_BLOCK = 1 << 15  # elements at a time, of which a dozen arrays of float64 stay in the cache

# Polynomials, from the highest coefficient on, fitted to SciPy's functions by least squares, reweighted
# until the relative error was level. erfc(x) exp(x^2) = t P(t - 1/2) with t = 1 / (1 + x / 2), to 4e-8.
_ERFC = (
    -0.05912441072546434, 0.04834850622236474, 0.09532777977437226, -0.10300416791847437,
    -0.1718675300345772, 0.14574105429499523, 0.5589392187907358, 0.6871609701925537,
    0.510791371659537,
)  # fmt: skip
_ERFC_MOST = 11.0  # from here the result is 0
_SIGN, _ONE = np.array(-(1 << 31), np.int32), np.array(0x3F800000, np.int32)  # the bits of -0 and 1
_HIGH = np.array(-(1 << 12), np.int32)  # the bits of a number that is squared without rounding
# erfinv(x) = x P(w - 5/2) with w = -log(1 - x^2) (M. Giles, Approximating the erfinv function, 2010),
# to 6e-9 for w below 5.
_ERFINV = (
    -8.791030571207973e-09, 2.3232653826256148e-08, 4.661703138811373e-07, -3.462704851337396e-06,
    -4.963346286705667e-06, 0.00021834443968995308, -0.0012527418810265665, -0.004177386781297036,
    0.24664028615458455, 1.5014093592825124,
)  # fmt: skip
_CENTRAL = 0.9966  # the largest number with such a w, rounded down

# Stirling's series in 1 / z^2, from the highest power on: https://dlmf.nist.gov/5.11#E1 and E2.
_SHIFT = 8  # z = x + 8 is large enough for them: the first term left out is below 1e-15
_LGAMMA = (1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12)
_DIGAMMA = (1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12)


class NumpySpecialKernels(PointwiseKernels):
    """Overrides for large contiguous arrays; the rest goes SciPy's way."""

    def erfc(self, x: Any) -> Any:
        return _computed("erfc", _erfc, x) if _large(x, "f") else self._erfc(x)

    def erfinv(self, x: Any) -> Any:
        if not _large(x, "f"):
            return self._erfinv(x)
        exact = super().erfinv

        def part(x: Any, out: Any) -> None:
            _erfinv(x, out)
            far = np.flatnonzero(~(np.abs(x) < _CENTRAL))
            out[far] = exact(x.take(far))

        return _computed("erfinv", part, x)

    def lgamma(self, x: Any) -> Any:
        return _computed("lgamma", _lgamma, x) if _large(x, "f") else self._lgamma(x)

    def digamma(self, x: Any) -> Any:
        return _computed("digamma", _digamma, x) if _large(x, "fd") else super().digamma(x)

    def ndtr(self, x: Any) -> Any:
        if not _large(x, "f"):
            return super().ndtr(x)  # type: ignore[misc]
        z = self.erfc(x * np.float32(-math.sqrt(0.5)))
        z *= np.float32(0.5)
        return z

    # SciPy's, in blocks that threads share
    _erfc = blocked(PointwiseKernels.erfc)
    _erfinv = blocked(PointwiseKernels.erfinv)
    _lgamma = blocked(PointwiseKernels.lgamma)


def _large(x: Any, kinds: str) -> bool:
    return x.size >= MANY and x.dtype.char in kinds and x.flags.c_contiguous


def _computed(name: str, kernel: Any, x: Any) -> Any:
    """What a kernel writes into its second argument, in blocks for the threads and for the cache.

    float32 goes to the compiled kernel of that name, where numba is installed.
    """
    if x.dtype.char == "f" and (own := kernels("special")) is not None:
        return getattr(own, name)(x)
    out = np.empty(x.shape, x.dtype)

    # Threads that came back for the interpreter's lock after each short call would wait for each other.
    step = _BLOCK if get_num_threads() == 1 else BLOCK

    def part(x: Any, out: Any) -> None:
        for i in range(0, x.size, step):
            kernel(x[i : i + step], out[i : i + step])

    blockwise(part, x, out)
    return out


@lru_cache(8)
def _numbers(values: tuple[float, ...], dtype: str) -> list[Any]:
    """Operands as 0-d arrays, which take less time than Python's numbers."""
    return [np.array(v, dtype) for v in values]


def _polynomial(z: Any, coefficients: tuple[float, ...], out: Any) -> None:
    """Horner's scheme."""
    first, *rest, last = _numbers(coefficients, z.dtype.char)
    np.multiply(z, first, out=out)
    for c in rest:
        out += c
        out *= z
    out += last


def _erfc(x: Any, out: Any) -> None:
    """exp(x^2) of a rounded square would lose digits: the square is taken of the high bits alone."""
    size, t, low = np.abs(x), np.empty_like(x), np.empty_like(x)
    size.clip(
        np.float32(0), np.float32(_ERFC_MOST), out=size
    )  # two bounds take half the time of one
    np.multiply(size, np.float32(0.5), out=t)
    t += np.float32(1)
    np.divide(np.float32(1), t, out=t)
    np.subtract(t, np.float32(0.5), out=low)
    _polynomial(low, _ERFC, out)
    out *= t
    high = np.bitwise_and(size.view(np.int32), _HIGH, out=t.view(np.int32)).view(np.float32)
    np.subtract(high, size, out=low)
    size += high
    low *= size
    np.exp(low, out=low)
    out *= low
    high *= high
    np.negative(high, out=high)
    np.exp(high, out=high)
    out *= high
    sign = low  # copysign(1, x), of which NumPy's takes four times as long; erfc(-x) = 2 - erfc(x)
    bits = np.bitwise_and(x.view(np.int32), _SIGN, out=sign.view(np.int32))
    bits |= _ONE
    out *= sign
    np.subtract(np.float32(1), sign, out=sign)
    out += sign


def _erfinv(x: Any, out: Any) -> None:
    w = np.float32(1) + x
    w *= np.float32(1) - x
    np.log(w, out=w)
    w += np.float32(2.5)
    np.negative(w, out=w)
    _polynomial(w, _ERFINV, out)
    out *= x


def _lgamma(x: Any, out: Any) -> None:
    """Of x + 8 by Stirling's series, less the logarithms of the factors; https://dlmf.nist.gov/5.5#E3."""
    y = x.astype(np.float64)
    below = np.flatnonzero(y < 0)
    left = y.take(below)
    y[below] = 1 - left
    # (x + k) (x + 7 - k) = x (x + 7) + k (7 - k)
    square = y + (_SHIFT - 1)
    square *= y
    product = square.copy()
    for k in range(1, _SHIFT // 2):
        square += 2 * (_SHIFT // 2 - k)
        product *= square
    y += _SHIFT
    z, series = np.divide(1, y, out=square), np.empty_like(y)
    _polynomial(z * z, _LGAMMA, series)
    series *= z
    series += math.log(2 * math.pi) / 2
    series -= y
    series -= np.log(product, out=product)
    np.log(y, out=product)
    y -= 0.5
    y *= product
    y += series
    if below.size:
        left -= np.rint(left)
        y[below] = math.log(math.pi) - np.log(np.abs(np.sin(left * math.pi))) - y[below]
    out[...] = y
    out[np.isinf(x)] = np.inf


def _digamma(x: Any, out: Any) -> None:
    """Of x + 8 by Stirling's series, less 1 / x, 1 / (x + 1) ...; https://dlmf.nist.gov/5.5#E4."""
    y = x.astype(np.float64)
    below = np.flatnonzero(y <= 0)
    left = y.take(below)
    y[below] = 1 - left
    # 1 / (x + k) and 1 / (x + 7 - k) are (2 x + 7) / (x (x + 7) + k (7 - k)).
    square = y + (_SHIFT - 1)
    square *= y
    total, quotient = 1 / square, np.empty_like(y)
    for k in range(1, _SHIFT // 2):
        square += 2 * (_SHIFT // 2 - k)
        total += np.divide(1, square, out=quotient)
    np.add(y, y, out=quotient)
    quotient += _SHIFT - 1
    total *= quotient
    y += _SHIFT
    z, series = 1 / y, square
    np.log(y, out=y)
    y -= total
    z *= 0.5
    y -= z
    z *= z
    z *= 4
    _polynomial(z, _DIGAMMA, series)
    series *= z
    y -= series
    if below.size:
        off = left - np.rint(left)
        reflected = y[below] - math.pi / np.tan(off * math.pi)
        reflected[off == 0] = np.nan
        zero = left == 0
        reflected[zero] = np.copysign(np.inf, -left[zero])
        y[below] = reflected
    out[...] = y
    out[x == np.inf] = np.inf
