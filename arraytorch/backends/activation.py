"""Kernels of activations, with their slopes where those have a better form than the chain rule's."""

from __future__ import annotations

import math
from typing import Any

from .pointwise import rounded_once

_ROOT2, _ROOT_2_PI = math.sqrt(2), math.sqrt(2 / math.pi)


class ActivationKernels:
    """Activations over the namespace ``xp``."""

    xp: Any
    erf: Any
    sigmoid: Any
    _widened: Any
    conj: Any
    where: Any
    clamp: Any
    masked_fill: Any
    asarray: Any
    sgn: Any
    cat: Any

    def gelu(self, x: Any, approximate: str) -> Any:
        """x times the normal distribution function, exact or by a tanh (Hendrycks & Gimpel 2016)."""
        x = self._widened(x)
        if approximate == "tanh":
            return (0.5 * x) * (1 + self.xp.tanh(_ROOT_2_PI * (x + 0.044715 * x * x * x)))
        return (0.5 * x) * (1 + self.erf(x / _ROOT2))

    def gelu_backward(self, g: Any, x: Any, approximate: str) -> Any:
        """g times the slope of gelu."""
        xp, g, x = self.xp, self._widened(g), self._widened(x)
        if approximate == "tanh":
            t = xp.tanh(_ROOT_2_PI * (x + 0.044715 * x * x * x))
            inner = _ROOT_2_PI * (1 + 3 * 0.044715 * x * x)
            return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner)
        density = xp.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
        return g * (0.5 * (1 + self.erf(x / _ROOT2)) + x * density)

    def leaky_relu(self, x: Any, slope: float) -> Any:
        """x where positive, else x times a slope."""
        return self.asarray(self.where(x > 0, x, x * slope))

    def leaky_relu_backward(self, g: Any, x: Any, slope: float) -> Any:
        """g where x is positive, else g times the slope."""
        return self.where(x > 0, g, g * slope)

    def elu(self, x: Any, alpha: float, scale: float, rate: float) -> Any:
        """scale * x where positive, else scale * alpha * (exp(rate * x) - 1): the sum of both."""
        x = self._widened(x)
        left = self.xp.expm1(self.clamp(x, None, 0) * rate)
        return self.clamp(x, 0, None) * scale + left * (alpha * scale)

    def elu_backward(self, g: Any, x: Any, alpha: float, scale: float, rate: float) -> Any:
        """g times the slope of elu: that to the left holds at 0, that to the right for NaN."""
        g, x = self._widened(g), self._widened(x)
        left = self.xp.exp(self.clamp(x, None, 0) * rate) * (alpha * scale * rate)
        return g * self.where(x <= 0, left, self.xp.asarray(scale, left.dtype))

    def silu(self, x: Any) -> Any:
        """x * sigmoid(x)."""
        x = self._widened(x)
        return x * self.sigmoid(x)

    def silu_backward(self, g: Any, x: Any) -> Any:
        """g times the conjugate of the slope of silu, sigmoid(x) (1 + x (1 - sigmoid(x)))."""
        g, x = self._widened(g), self._widened(x)
        s = self.sigmoid(x)
        return g * self.conj(s * (1 + x * (1 - s)))

    def mish(self, x: Any) -> Any:
        """x * tanh(softplus(x))."""
        return x * self.xp.tanh(self.softplus(self._widened(x), 1.0, 20.0))

    def mish_backward(self, g: Any, x: Any) -> Any:
        """g times the slope of mish, t + x sigmoid(x) (1 - t^2), where t is tanh(softplus(x))."""
        g, x = self._widened(g), self._widened(x)
        t = self.xp.tanh(self.softplus(x, 1.0, 20.0))
        return g * (t + x * self.sigmoid(x) * (1 - t * t))

    def softplus(self, x: Any, beta: float, threshold: float) -> Any:
        """log(1 + exp(beta x)) / beta, and x itself where beta x exceeds the threshold."""
        scaled = self._widened(x) * beta
        soft = self.xp.log1p(self.xp.exp(self.clamp(scaled, None, threshold))) / beta
        return self.asarray(self.where(scaled > threshold, x, soft)).astype(x.dtype)

    @rounded_once(1)
    def logsigmoid(self, x: Any) -> Any:
        """log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|))."""
        return self.clamp(x, None, 0) - self.xp.log1p(self.xp.exp(-self.xp.abs(x)))

    @rounded_once(1)
    def hardsigmoid(self, x: Any) -> Any:
        """min(max(x + 3, 0), 6) / 6."""
        return self.clamp(x + 3, 0, 6) / 6

    @rounded_once(1)
    def hardswish(self, x: Any) -> Any:
        """x * hardsigmoid(x)."""
        return x * self.clamp(x + 3, 0, 6) / 6

    @rounded_once(2)
    def hardswish_backward(self, g: Any, x: Any) -> Any:
        """g times the slope: x / 3 + 1/2 inside (-3, 3); at the ends that outside, 0 and 1."""
        inside = g * (x / 3 + 0.5)
        return self.masked_fill(self.where((x > -3) & (x < 3), inside, g), x <= -3, 0)

    def softshrink(self, x: Any, size: float) -> Any:
        """x moved towards 0 by ``size`` at most."""
        return x - self.clamp(x, -size, size)

    def hardshrink(self, x: Any, size: float) -> Any:
        """x where its magnitude exceeds ``size``, else 0."""
        return self.outside(x, x, -size, size, 0)

    def threshold(self, x: Any, least: float, value: float) -> Any:
        """x, but a value where x is at most ``least``; NaN is not."""
        return self.outside(x, x, -math.inf, least, value)

    def binary_cross_entropy(self, x: Any, target: Any) -> Any:
        """-(t log x + (1 - t) log(1 - x)), with logarithms held at -100 and above."""
        log, log1p = self.xp.log, self.xp.log1p
        wide, t = self._widened(x), self._widened(target)
        loss = (t - 1) * self.clamp(log1p(-wide), -100, None) - t * self.clamp(
            log(wide), -100, None
        )
        return self.asarray(loss.astype(x.dtype))

    def outside(self, g: Any, x: Any, low: float, high: float, value: float) -> Any:
        """g where x lies below low or above high, also for NaN; elsewhere a value."""
        return self.masked_fill(g, (x >= low) & (x <= high), value)

    def hardtanh_backward(self, g: Any, x: Any, low: float, high: float) -> Any:
        """g where x lies between low and high, also for NaN, else 0."""
        return self.masked_fill(g, (x <= low) | (x >= high), 0)

    def glu(self, x: Any, dim: int) -> Any:
        """The first half of a dimension times the sigmoid of the second."""
        lead, half = (slice(None),) * dim, x.shape[dim] // 2
        return x[(*lead, slice(half))] * self.sigmoid(x[(*lead, slice(half, None))])

    def glu_backward(self, g: Any, x: Any, dim: int) -> Any:
        """g times the slopes of `glu`, half by half."""
        lead, half = (slice(None),) * dim, x.shape[dim] // 2
        s = self.sigmoid(x[(*lead, slice(half, None))])
        first = g * s
        return self.cat([first, first * x[(*lead, slice(half))] * (1 - s)], dim)

    def within(self, g: Any, x: Any, low: float, high: float, scale: float) -> Any:
        """g times scale where x lies between low and high, elsewhere 0, also of NaN."""
        return self.masked_fill(g * scale, self.xp.logical_not((x > low) & (x < high)), 0)

    def gap(self, x: Any, y: Any, kind: str, delta: float, scale: float) -> Any:
        """The "square" of x - y, its "size", or `huber` of it."""
        gap = x - y
        if kind == "huber":
            return self.huber(gap, delta, scale)
        return gap * gap if kind == "square" else self.xp.abs(gap)

    def gap_backward(self, g: Any, x: Any, y: Any, kind: str, delta: float, scale: float) -> Any:
        """g times the slope of `gap` in x: the sign, or what is limited to +-delta, times scale."""
        gap = x - y
        if kind == "square":
            return g * (gap * scale)
        return g * (self.sgn(gap) if kind == "size" else self.clamp(gap, -delta, delta) * scale)

    def huber(self, x: Any, delta: float, scale: float) -> Any:
        """scale times (half the square up to ``delta``, and ``delta`` times the rest beyond)."""
        size = self.xp.abs(x)
        near = self.clamp(size, None, delta)
        return near * (size - near * 0.5) * scale
