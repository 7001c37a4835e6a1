"""Distributions that take an unforeseeable number of draws: Poisson, gamma, binomial.

Each element begins where the one before it stopped, so these go element by element. Draws are
taken from the stream in stock, and what is left over is given back at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .box_muller import pair

Array = np.ndarray[Any, Any]
Uniform = Callable[[], float]
Narrow = Callable[[float], float]

_STOCK = 4096


class RejectionSampling:
    """The part of a generator that samples by rejection."""

    spare_normal: float | None
    uniform64: Callable[[int], Array]
    skip: Callable[[int], None]
    position: Callable[[], Any]
    rewind: Callable[[Any], None]

    @contextmanager
    def _uniforms(self, n: int) -> Iterator[Uniform]:
        """Gives a function that returns the next float64 uniform, at little cost."""
        start, used, size = self.position(), 0, min(max(2 * n, 16), _STOCK)

        def stock() -> Iterator[float]:
            nonlocal used
            while True:
                for u in self.uniform64(size).tolist():
                    used += 1
                    yield u

        try:
            yield stock().__next__
        finally:
            self.rewind(start)
            self.skip(2 * used)

    def poisson(self, rate: Array) -> Array:
        """Returns Poisson deviates of the given rates.

        Raises RuntimeError if a rate is negative.
        """
        if not (rate >= 0).all():
            raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
        with self._uniforms(rate.size) as uniform:
            return _each(lambda r: poisson(r, uniform), rate)

    def standard_gamma(self, alpha: Array) -> Array:
        """Returns gamma deviates of the given shapes and of scale 1, never 0."""
        with self._uniforms(alpha.size) as uniform:
            normal, narrow = self._normals(uniform), _narrow(alpha)
            values = _each(lambda a: gamma(a, uniform, normal, narrow), alpha)
        return np.maximum(values, np.finfo(alpha.dtype).tiny)

    def dirichlet(self, alpha: Array) -> Array:
        """Returns Dirichlet deviates: gamma deviates divided by their sum over the last dimension."""
        shares = self.standard_gamma(alpha.astype(np.float64))
        shares /= shares.sum(axis=-1, keepdims=True)
        one = np.ones((), alpha.dtype)
        shares = shares.astype(alpha.dtype)
        return np.clip(shares, np.finfo(alpha.dtype).tiny, np.nextafter(one, one - one))

    def binomial(self, count: Array, prob: Array) -> Array:
        """Returns the numbers of successes in ``count`` trials."""
        with self._uniforms(count.size) as uniform:
            pairs = zip(count.ravel().tolist(), prob.ravel().tolist(), strict=True)
            narrow = _narrow(count)
            values = [binomial(n, p, uniform, narrow) for n, p in pairs]
        return np.array(values, np.float64).reshape(count.shape).astype(count.dtype)

    def _normals(self, uniform: Uniform) -> Callable[[], float]:
        """Returns a function that returns the next standard normal of a pair, or the waiting one."""

        def normal() -> float:
            spare = self.spare_normal
            if spare is not None:
                self.spare_normal = None
                return spare
            first, self.spare_normal = pair(uniform(), uniform())
            return first

        return normal


def _each(sample: Callable[[float], float], x: Array) -> Array:
    values = [sample(v) for v in x.ravel().tolist()]
    return np.array(values, np.float64).reshape(x.shape).astype(x.dtype)


def _narrow(x: Array) -> Narrow:
    return _float32 if x.dtype == np.float32 else float


def poisson(rate: float, uniform: Uniform) -> int:
    """Returns a Poisson deviate: by products of uniforms (D. E. Knuth) below 10, else by PTRS.

    PTRS is transformed rejection with squeeze (W. Hoermann, 1993, The transformed rejection
    method for generating Poisson random variables).
    """
    if rate == 0.0:
        return 0
    if rate < 10.0:
        limit, k, product = math.exp(-rate), 0, uniform()
        while product > limit:
            k, product = k + 1, product * uniform()
        return k
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    squeeze = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        u, v = uniform() - 0.5, uniform()
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + rate + 0.43) if us else -1
        if us >= 0.07 and v <= squeeze:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        density = -rate + k * math.log(rate) - math.lgamma(k + 1.0)
        if math.log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b) <= density:
            return k


def gamma(alpha: float, uniform: Uniform, normal: Uniform, narrow: Narrow) -> float:
    """Returns a gamma deviate (G. Marsaglia and W. W. Tsang, 2000, A simple method).

    ``narrow`` rounds to the type of the shape, where PyTorch's kernel stays in that type.
    """
    scale = 1.0
    if alpha < 1.0:
        if alpha == 0.0:
            return 0.0
        scale = (1.0 - uniform()) ** narrow(1.0 / alpha)
        alpha = narrow(alpha + 1.0)
    d = narrow(alpha - _THIRD)
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal()
        y = 1.0 + c * x
        if y <= 0.0:
            continue
        v = y * y * y
        u = 1.0 - uniform()
        xx = x * x
        if u < 1.0 - _SQUEEZE * xx * xx or math.log(u) < 0.5 * xx + d * (1.0 - v + math.log(v)):
            return scale * d * v


def _float32(x: float) -> float:
    return float(np.float32(x))


# PyTorch writes these as float32 constants, also in float64.
_SQUEEZE, _THIRD = _float32(0.0331), _float32(1.0 / 3.0)


def binomial(count: float, prob: float, uniform: Uniform, narrow: Narrow) -> float:
    """Returns a binomial deviate: by geometric gaps if few successes are expected, else by BTRS."""
    if count <= 0.0 or prob <= 0.0:
        return 0.0
    if prob >= 1.0:
        return count
    if math.isnan(prob):
        return math.nan
    if prob > 0.5:
        return count - binomial(count, narrow(1.0 - prob), uniform, narrow)
    if narrow(count * prob) < 10.0:
        return _by_gaps(count, narrow(math.log1p(-prob)), uniform)
    return _by_rejection(count, prob, uniform, narrow)


def _by_gaps(count: float, log_failure: float, uniform: Uniform) -> float:
    trials, successes = 0.0, 0
    while True:
        u = uniform()
        trials += math.ceil(math.log(u) / log_failure) if u else math.inf
        if trials > count:
            return float(successes)
        successes += 1


def _by_rejection(count: float, prob: float, uniform: Uniform, narrow: Narrow) -> float:
    """BTRS: W. Hoermann, 1993, The generation of binomial random variates."""
    mean, failure = narrow(count * prob), narrow(1.0 - prob)
    deviation = math.sqrt(narrow(mean * failure))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * prob
    alpha = (2.83 + 5.1 / b) * deviation
    squeeze, odds = 0.92 - 4.2 / b, narrow(prob / failure)
    mode = math.floor(narrow(narrow(count + 1.0) * prob))
    while True:
        u, v = uniform() - 0.5, uniform()
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + mean + 0.5) if us else -1
        if not 0 <= k <= count:
            continue
        if us >= 0.07 and v <= squeeze:
            return float(k)
        bound = (
            (mode + 0.5) * math.log((mode + 1.0) / (odds * (count - mode + 1.0)))
            + (count + 1.0) * math.log((count - mode + 1.0) / (count - k + 1.0))
            + (k + 0.5) * math.log(odds * (count - k + 1.0) / (k + 1.0))
            + _stirling(mode) + _stirling(count - mode) - _stirling(k) - _stirling(count - k)
        )  # fmt: skip
        if math.log(v * alpha / (a / (us * us) + b)) <= bound:
            return float(k)


def _stirling(k: float) -> float:
    """Returns the error of Stirling's formula for log k!, exact for few, else by its series."""
    n = k + 1.0
    if k < 10:
        return math.lgamma(n) - ((k + 0.5) * math.log(n) - n + 0.5 * math.log(2.0 * math.pi))
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / (n * n)) / (n * n)) / n
