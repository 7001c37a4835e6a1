"""Kernels of the special functions: SciPy's or the vendor's equal, and orthogonal polynomials."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

# The polynomial of degree 1 and the step (k, x, p[k - 1], p[k]) -> p[k + 1] of each family:
# Abramowitz and Stegun, Handbook of Mathematical Functions, table 22.7; Chebyshev polynomials of
# the third and fourth kind: Mason and Handscomb, Chebyshev Polynomials, section 1.2.
_FAMILIES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "chebyshev_t": (lambda x: x, lambda k, x, a, b: 2 * x * b - a),
    "chebyshev_u": (lambda x: 2 * x, lambda k, x, a, b: 2 * x * b - a),
    "chebyshev_v": (lambda x: 2 * x - 1, lambda k, x, a, b: 2 * x * b - a),
    "chebyshev_w": (lambda x: 2 * x + 1, lambda k, x, a, b: 2 * x * b - a),
    "hermite_h": (lambda x: 2 * x, lambda k, x, a, b: 2 * (x * b - k * a)),
    "hermite_he": (lambda x: x, lambda k, x, a, b: x * b - k * a),
    "laguerre_l": (lambda x: 1 - x, lambda k, x, a, b: ((2 * k + 1 - x) * b - k * a) / (k + 1)),
    "legendre_p": (lambda x: x, lambda k, x, a, b: ((2 * k + 1) * x * b - k * a) / (k + 1)),
}
_FEW = 8  # the degree from which Chebyshev polynomials are cosines, not a recurrence
_HERMITE_MOST = 512  # beyond it, PyTorch gives NaN; about there, doubles overflow
_AIRY_LEAST, _AIRY_MOST = -1e5, 1e3  # at the latter it is 0 already
_MIRRORED = {"chebyshev_v": "chebyshev_w", "chebyshev_w": "chebyshev_v"}


class SpecialKernels:
    """Special functions over ``xp`` and ``_special_namespace()``."""

    xp: Any
    double: Any

    # of one array

    def i0(self, x: Any) -> Any:
        """The modified Bessel function of the first kind and order 0."""
        return self._special("i0", x)

    def i0e(self, x: Any) -> Any:
        """exp(-|x|) i0(x)."""
        return self._special("i0e", x)

    def i1(self, x: Any) -> Any:
        """The modified Bessel function of the first kind and order 1."""
        return self._special("i1", x)

    def i1e(self, x: Any) -> Any:
        """exp(-|x|) i1(x)."""
        return self._special("i1e", x)

    def modified_bessel_i0(self, x: Any) -> Any:
        """i0, for the op that is not differentiated."""
        return self.i0(x)

    def modified_bessel_i1(self, x: Any) -> Any:
        """i1, for the op that is not differentiated."""
        return self.i1(x)

    def modified_bessel_k0(self, x: Any) -> Any:
        """The modified Bessel function of the second kind and order 0."""
        return self._special("k0", x)

    def modified_bessel_k1(self, x: Any) -> Any:
        """The modified Bessel function of the second kind and order 1."""
        return self._special("k1", x)

    def scaled_modified_bessel_k0(self, x: Any) -> Any:
        """exp(x) k0(x)."""
        return self._special("k0e", x)

    def scaled_modified_bessel_k1(self, x: Any) -> Any:
        """exp(x) k1(x)."""
        return self._special("k1e", x)

    def bessel_j0(self, x: Any) -> Any:
        """The Bessel function of the first kind and order 0."""
        return self._special("j0", x)

    def bessel_j1(self, x: Any) -> Any:
        """The Bessel function of the first kind and order 1."""
        return self._special("j1", x)

    def bessel_y0(self, x: Any) -> Any:
        """The Bessel function of the second kind and order 0."""
        return self._special("y0", x)

    def bessel_y1(self, x: Any) -> Any:
        """The Bessel function of the second kind and order 1."""
        return self._special("y1", x)

    def spherical_bessel_j0(self, x: Any) -> Any:
        """sin(x) / x: 1 at 0, 0 at infinity."""
        wide = x.astype(self.double)
        zero, infinite = wide == 0, self.xp.isinf(wide)
        safe = self.xp.where(zero | infinite, 1.0, wide)
        z = self.xp.where(zero, 1.0, self.xp.where(infinite, 0.0, self.xp.sin(safe) / safe))
        return z.astype(x.dtype if x.dtype.kind not in "biu" else self.double)

    def airy_ai(self, x: Any) -> Any:
        """The Airy function Ai; far below 0, where SciPy has none, by its asymptotic expansion.

        https://dlmf.nist.gov/9.7#E9
        """
        xp = self.xp
        wide = x.astype(self.double)
        finite = xp.isfinite(wide)
        far = (wide < _AIRY_LEAST) & finite
        size = xp.where(far, -wide, 1.0)
        at = size**1.5 * (2 / 3)
        turn = at - math.pi / 4
        wave = xp.cos(turn) * (1 - 385 / 10368 / at**2) + xp.sin(turn) * (5 / 72) / at
        known = xp.where(far, 0.0, xp.where(finite, xp.minimum(wide, _AIRY_MOST), wide))
        near = self._special_namespace().airy(known)[0]
        z = self.asarray(xp.where(far, wave / (math.sqrt(math.pi) * size**0.25), near))
        return z.astype(x.dtype if x.dtype.kind not in "biu" else self.double)

    def entr(self, x: Any) -> Any:
        """-x log(x), 0 at 0 and -inf below."""
        return self._special("entr", x)

    def erfcx(self, x: Any) -> Any:
        """exp(x * x) erfc(x)."""
        return self._special("erfcx", x)

    def ndtr(self, x: Any) -> Any:
        """The distribution function of the standard normal distribution."""
        return self._special("ndtr", x)

    def ndtri(self, x: Any) -> Any:
        """The inverse of ndtr."""
        return self._special("ndtri", x)

    def log_ndtr(self, x: Any) -> Any:
        """log(ndtr(x))."""
        return self._special("log_ndtr", x)

    # of two arrays

    def igamma(self, a: Any, x: Any) -> Any:
        """The regularized lower incomplete gamma function."""
        return self._special_of_two("gammainc", a, x)

    def igammac(self, a: Any, x: Any) -> Any:
        """The regularized upper incomplete gamma function."""
        return self._special_of_two("gammaincc", a, x)

    def zeta(self, x: Any, q: Any) -> Any:
        """The Hurwitz zeta function: the sum of (k + q) ** -x over k = 0, 1, ..."""
        return self._special_of_two("zeta", x, q)

    def xlogy(self, x: Any, y: Any) -> Any:
        """x log(y), 0 where x is 0 and y a number."""
        nothing = (x == 0) & ~self.xp.isnan(y)
        return self.xp.where(nothing, x * 0, x * self.xp.log(y))

    def xlog1py(self, x: Any, y: Any) -> Any:
        """x log(1 + y), 0 where x is 0 and y a number."""
        nothing = (x == 0) & ~self.xp.isnan(y)
        return self.xp.where(nothing, x * 0, x * self.xp.log1p(y))

    def _special_of_two(self, name: str, x: Any, y: Any) -> Any:
        function = getattr(self._special_namespace(), name)
        if x.dtype.kind == "f" and x.dtype.itemsize >= 4:
            return function(x, y)
        if x.dtype.kind in "biu":
            return function(
                x.astype(self.double), y.astype(self.double)
            )  # the dispatcher asks again
        return function(x.astype("f4"), y.astype("f4")).astype(x.dtype)

    # orthogonal polynomials

    def polynomial(self, family: str, x: Any, n: Any) -> Any:
        """The polynomials of a family and of the degrees trunc(n), in double precision.

        Those of negative degree are 0.
        """
        xp = self.xp
        x, n = x.astype(self.double), xp.trunc(n.astype(self.double))
        ends = self.bounds(n)
        top = 0 if ends is None or ends[1] != ends[1] else int(min(ends[1], 2**31))
        far = top > _FEW and family.startswith("chebyshev")
        if family.startswith("hermite"):
            top = min(top, _HERMITE_MOST)
        result = self._recurred(family, x, n, _FEW if far else top)
        if far:
            result = xp.where(n > _FEW, self._far_chebyshev(family, x, n), result)
        if family.startswith("hermite"):
            result = xp.where(n > _HERMITE_MOST, xp.nan, result)
        return xp.where(n < 0, 0.0, result)

    def _recurred(self, family: str, x: Any, n: Any, top: int) -> Any:
        first, step = _FAMILIES[family]
        before, now = self.xp.ones_like(x), first(x)
        result = self.xp.where(n == 0, before, now)
        for k in range(1, top):
            before, now = now, step(k, x, before, now)
            result = self.xp.where(n == k + 1, now, result)
        return result

    def _far_chebyshev(self, family: str, x: Any, n: Any) -> Any:
        """Chebyshev polynomials by their trigonometric form, hyperbolic where |x| > 1.

        Of |x| first: the angle is accurate there; those of -x are the same or, of the third and
        fourth kind, each other's, with a sign.
        """
        xp = self.xp
        size, negative = xp.abs(x), x < 0
        mirrored = _MIRRORED.get(family, family)
        z = self._positive_chebyshev(family, size, n)
        if mirrored != family:
            z = xp.where(negative, self._positive_chebyshev(mirrored, size, n), z)
        return xp.where(negative & (n % 2 == 1), -z, z)

    def _positive_chebyshev(self, family: str, x: Any, n: Any) -> Any:
        xp = self.xp
        angle, span = xp.arccos(xp.minimum(x, 1)), xp.arccosh(xp.maximum(x, 1))
        inside, one = x < 1, x == 1
        kind = family[-1]
        if kind == "t":
            return xp.where(inside, xp.cos(n * angle), xp.cosh(n * span))
        degree, part = (n + 1, 1) if kind == "u" else (n + 0.5, 0.5)
        if kind == "v":
            return xp.where(
                inside,
                xp.cos(degree * angle) / xp.cos(part * angle),
                xp.cosh(degree * span) / xp.cosh(part * span),
            )
        angle, span = xp.where(inside, angle, 1.0), xp.where(x <= 1, 1.0, span)
        z = xp.where(
            inside,
            xp.sin(degree * angle) / xp.sin(part * angle),
            xp.sinh(degree * span) / xp.sinh(part * span),
        )
        return xp.where(one, degree / part, z)
