"""Kernels of softmax and of the norms: one or two passes where a composite would take ten."""

from __future__ import annotations

from math import prod
from typing import Any

from .pointwise import rounded_once


class NormalizationKernels:
    """Softmax, cross entropy and affine standardisation over the namespace ``xp``."""

    xp: Any

    def softmax(self, x: Any, dim: int) -> Any:
        """exp(x) over its sum, shifted by the maximum so that nothing overflows."""
        xp = self.xp
        wide = self._widened(self.settled(x))
        e = xp.exp(wide - xp.max(wide, axis=dim, keepdims=True)) if x.size else wide.copy()
        e /= xp.sum(e, axis=dim, keepdims=True)
        return e.astype(x.dtype, copy=False)

    @rounded_once(2)
    def softmax_backward(self, g: Any, out: Any, dim: int) -> Any:
        """out * (g - sum(g * out))."""
        product = g * out
        product -= out * self.xp.sum(product, axis=dim, keepdims=True)
        return product

    def log_softmax(self, x: Any, dim: int) -> Any:
        """x minus the logarithm of the sum of exp(x)."""
        xp = self.xp
        wide = self._widened(x)
        if not x.size:
            return x.copy()
        wide = self.settled(wide)
        shifted = wide - xp.max(wide, axis=dim, keepdims=True)
        shifted -= xp.log(xp.sum(xp.exp(shifted), axis=dim, keepdims=True))
        return shifted.astype(x.dtype, copy=False)

    @rounded_once(2)
    def log_softmax_backward(self, g: Any, out: Any, dim: int) -> Any:
        """g - exp(out) * sum(g)."""
        e = self.xp.exp(out)
        e *= self.xp.sum(g, axis=dim, keepdims=True)
        return g - e

    def cross_entropy(self, x: Any, target: Any, ignore: int, mean: bool) -> tuple[Any, Any, Any]:
        """The loss of rows of logits against class indices, its softmax, and the rows that count."""
        xp = self.xp
        shifted = self._widened(x)
        shifted = shifted - xp.max(shifted, axis=1, keepdims=True)
        p = xp.exp(shifted)
        total = xp.sum(p, axis=1, keepdims=True)
        kept = target != ignore
        safe = xp.where(kept, target, 0)
        if self.first_outside(safe, 0, x.shape[1], "cross_entropy") is not None:
            raise IndexError(f"a target is out of bounds for {x.shape[1]} classes")
        picked = xp.take_along_axis(shifted, safe[:, None], axis=1)[:, 0]
        losses = xp.where(kept, xp.log(total)[:, 0] - picked, 0).astype(picked.dtype)
        p /= total
        loss = xp.sum(losses)
        if mean:
            loss = loss / xp.sum(kept)
        return loss.astype(x.dtype), p, kept

    def cross_entropy_backward(
        self, g: Any, x: Any, target: Any, ignore: int, mean: bool, p: Any, kept: Any
    ) -> Any:
        """(softmax - one at the target) times g, in the rows that count."""
        xp = self.xp
        share = g / xp.sum(kept) if mean else g
        hit = xp.arange(x.shape[1]) == target[:, None]
        return (xp.where(kept[:, None], (p - hit) * share, 0)).astype(x.dtype)

    def nll_loss(self, x: Any, target: Any, weight: Any, ignore: int, reduction: str) -> Any:
        """Minus the element of each row at its label, times that class's weight; or the mean or sum."""
        wide = self._widened(x)
        safe, factor = self._shares(wide.dtype, x.shape[1], target, weight, ignore)
        picked = self.xp.take_along_axis(wide, safe[:, None], axis=1)[:, 0]
        losses = self.xp.where(target != ignore, -picked * factor, 0).astype(wide.dtype)
        if reduction != "none":
            losses = self.xp.sum(losses)
        if reduction == "mean":
            losses = losses / self.xp.sum(factor)
        return losses.astype(x.dtype)

    def nll_loss_backward(
        self, g: Any, shape: Any, target: Any, weight: Any, ignore: int, reduction: str
    ) -> Any:
        """Minus g, times the weights, where the labels are, and 0 elsewhere."""
        wide = self._widened(g)
        _, factor = self._shares(wide.dtype, shape[1], target, weight, ignore)
        share = -(wide / self.xp.sum(factor) if reduction == "mean" else wide) * factor
        hit = self.xp.arange(shape[1]) == target[:, None]
        return self.xp.where(hit & (target != ignore)[:, None], share[:, None], 0).astype(g.dtype)

    def _shares(
        self, dtype: Any, classes: int, target: Any, weight: Any, ignore: int
    ) -> tuple[Any, Any]:
        """The labels, with 0 for the one to ignore, and by how much each counts."""
        kept = target != ignore
        safe = self.xp.where(kept, target, 0)
        if self.first_outside(safe, 0, classes, "nll_loss") is not None:
            raise IndexError(f"a target is out of bounds for {classes} classes")
        if weight is None:
            return safe, kept.astype(dtype)
        return safe, self.xp.where(kept, self.xp.take(weight, safe, axis=0), 0).astype(dtype)

    def norm_affine(
        self, x: Any, dims: tuple[int, ...], weight: Any, bias: Any, eps: float
    ) -> tuple[Any, Any, Any]:
        """x standardised over dims, times weight, plus bias; with the mean and 1/deviation."""
        xp = self.xp
        wide = self._widened(self.settled(x))
        mean = xp.mean(wide, axis=dims, keepdims=True)
        off = wide - mean
        rstd = 1 / xp.sqrt(xp.mean(off * off, axis=dims, keepdims=True) + eps)
        off *= rstd
        if weight is not None:
            off *= weight
        if bias is not None:
            off += bias
        return off.astype(x.dtype, copy=False), mean, rstd

    def norm_affine_backward(
        self,
        g: Any,
        x: Any,
        dims: tuple[int, ...],
        weight: Any,
        mean: Any,
        rstd: Any,
        needs: tuple[bool, bool, bool],
    ) -> tuple[Any, Any, Any]:
        """The gradients of `norm_affine` for x, weight and bias.

        With h = g * weight and y the standardised x: (h - mean(h) - y * mean(h * y)) / deviation.
        """
        xp = self.xp
        y = (self._widened(x) - mean) * rstd
        gy = g * y
        gx = gw = None
        if needs[1]:
            spread = tuple([i for i in range(x.ndim) if weight.shape[i] == 1 != x.shape[i]])
            gw = xp.sum(gy, axis=spread, keepdims=True)
        if needs[0]:
            h = g if weight is None else g * weight
            hy = gy if weight is None else gy * weight
            count = prod(x.shape[d] for d in dims)
            y *= xp.sum(hy, axis=dims, keepdims=True) / -count
            y += h
            y -= xp.sum(h, axis=dims, keepdims=True) / count
            y *= rstd
            gx = y.astype(x.dtype, copy=False)
        return gx, gw, g if needs[2] else None

    def norm_known(
        self, x: Any, mean: Any, variance: Any, weight: Any, bias: Any, eps: float
    ) -> Any:
        """Each channel of x standardised by a known mean and variance, times weight, plus bias."""
        wide = self._widened(x if x.ndim > 3 else self.contiguous(x))  # not what is channels_last
        slope, shift = self._slope_and_shift(mean, variance, weight, bias, eps)
        each = (1, x.shape[1]) + (1,) * (x.ndim - 2)
        return self.cast(self.scaled(wide, slope.reshape(each), shift.reshape(each)), x.dtype)

    def _slope_and_shift(
        self, mean: Any, variance: Any, weight: Any, bias: Any, eps: float
    ) -> tuple[Any, Any]:
        """What to multiply numbers by, and to add then, to standardise them."""
        slope = 1 / self.xp.sqrt(self._widened(variance) + eps)
        if weight is not None:
            slope = slope * weight
        shift = -mean * slope
        return slope, shift if bias is None else shift + bias

    def rms_norm(self, x: Any, dims: tuple[int, ...], weight: Any, eps: float) -> Any:
        """x over the root of its mean square over the last dims and eps, times weight."""
        square = self.xp.mean(x * x, axis=dims, keepdims=True)
        z = x / self.xp.sqrt(square + eps)
        return z if weight is None else z * weight

    def scaled(self, x: Any, slope: Any, shift: Any) -> Any:
        """x * slope + shift; slope and shift have size 1 in all dimensions but one."""
        z = x * slope
        if z.dtype != shift.dtype:
            return z + shift
        z += shift
        return z

    def eps(self, x: Any) -> float:
        """The distance from 1 to the next larger number of x's type, at least that of float32."""
        return float(self.xp.finfo("f8" if x.dtype.itemsize == 8 else "f4").eps)

    def _widened(self, x: Any) -> Any:
        """16-bit floats are computed in float32."""
        return x.astype("f4") if x.dtype.itemsize == 2 else x
