"""Derivatives of gamma and Dirichlet deviates with respect to the shapes they were drawn with.

A deviate x of the distribution function F(x; a) moves with a such that F stays as it is (implicit
reparameterization: M. Figurnov, S. Mohamed and A. Mnih, 2018): dx/da = -(dF/da) / (dF/dx). With the
density written as exp(a L(t)) times what does not depend on a, where L is log t, the quotient is

    the integral of (density(t) / density(x)) (E[L] - L(t)) dt over all t < x,

or of the negative over all t > x. Where L(x) is below its mean E[L], the left one has no change of
sign, else the right one has none; so nothing cancels. Both are taken over s = |log t - log x|, or of
the logits instead of the logarithms, by double exponential quadrature (H. Takahasi and M. Mori, 1974).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Array = Any
_STEP, _BELOW, _ABOVE = 0.08, 48, 62  # nodes of the quadratures: errors of 1e-11, at worst 1e-6


class ImplicitGradientKernels:
    """The two derivatives, over ``xp`` and the kernel of the digamma function."""

    xp: Any
    digamma: Callable[[Array], Array]

    def standard_gamma_grad(self, alpha: Array, x: Array) -> Array:
        """The derivative of gamma deviates x of scale 1 with respect to their shapes."""
        xp, native = self.xp, x.dtype
        a, x = alpha.astype("f8"), x.astype("f8")
        rise = xp.log(x) - self.digamma(a)
        sign = xp.where(rise > 0, 1.0, -1.0)
        rise = xp.abs(rise)

        def integrand(s: Array) -> Array:
            z = sign * s
            return xp.exp(a * z - x * xp.expm1(z)) * (rise + s)

        bend = xp.maximum(a, 1.0) / x  # below a, the integrand goes up and far, then falls at once
        corner = xp.where(sign > 0, xp.log(xp.maximum(bend, 1.0)), 0.0)
        slope = xp.abs(xp.where(corner > 0, 0.0, x - a))
        breadth = 2.0 / (slope + xp.sqrt(slope * slope + 2.0 * xp.maximum(x, a)))
        breadth = xp.where(sign < 0, xp.maximum(breadth, xp.minimum(1.0 / a, 1.0)), breadth)
        return (x * self._integral(integrand, corner, breadth)).astype(native)

    def dirichlet_grad(self, x: Array, alpha: Array, total: Array) -> Array:
        """The derivative of beta deviates x of shapes (alpha, total - alpha) by alpha, over 1 - x.

        Deviates of a Dirichlet distribution have such marginals: alpha one shape, total their sum.
        """
        xp, native = self.xp, x.dtype
        x, a = x.astype("f8"), alpha.astype("f8")
        b = total.astype("f8") - a
        log_x, log_rest = xp.log(x), xp.log1p(-x)
        logit = log_x - log_rest
        rise = log_x - self.digamma(a) + self.digamma(a + b)
        sign = xp.where(rise > 0, 1.0, -1.0)

        def integrand(s: Array) -> Array:
            z = logit + sign * s
            tail = xp.log1p(xp.exp(-xp.abs(z)))
            log_t, log_1_t = xp.minimum(z, 0.0) - tail, xp.minimum(-z, 0.0) - tail
            weight = sign * (log_t - log_x + rise)
            return xp.exp(a * (log_t - log_x) + b * (log_1_t - log_rest)) * weight

        up, down = xp.maximum(a, 1.0), xp.maximum(b, 1.0)
        corner = xp.maximum(sign * (xp.log(up / down) - logit), 0.0)
        at = xp.where(corner > 0, up / (up + down), x)
        slope = xp.abs(b * at - a * (1.0 - at))
        curve = (a + b) * at * (1.0 - at)
        breadth = 2.0 / (slope + xp.sqrt(slope * slope + 2.0 * curve))
        return (x * self._integral(integrand, corner, breadth)).astype(native)

    def _integral(self, f: Callable[[Array], Array], corner: Array, breadth: Array) -> Array:
        """The integral of f from 0 to infinity, with care about the corner; it falls in a breadth."""
        total = corner * 0.0
        for k in range(-_BELOW, _ABOVE + 1):
            y = k * _STEP
            # From 0 to the corner: tanh-sinh; from there on: exp-exp.
            decay = math.exp(-math.pi * math.sinh(y))
            share = 1.0 / (1.0 + decay)
            weight = math.pi * math.cosh(y) * share * share * decay
            total = total + f(corner * share) * (corner * weight)
            far = math.exp(y - math.exp(-y))
            total = total + f(corner + breadth * far) * (breadth * (far * (1.0 + math.exp(-y))))
        return total * _STEP
