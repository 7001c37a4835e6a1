"""Kernels of attention: softmax(q k^T scale + bias) v, forward and backward."""

from __future__ import annotations

from typing import Any


class AttentionKernels:
    """Attention over the namespace ``xp``; the leading dimensions broadcast."""

    xp: Any

    def attention(
        self,
        q: Any,
        k: Any,
        v: Any,
        mask: Any,
        causal: bool,
        scale: float,
        dropped: Any,
        saving: bool,
    ) -> tuple[Any, Any]:
        """The result and the softmax, or None for it where nobody will want it.

        ``mask`` holds bools, False where not to look, or numbers to add. ``dropped`` multiplies the
        softmax. Rows that may look nowhere give zeros.
        """
        xp = self.xp
        wide_q, wide_k, wide_v = (self._widened(x) for x in (q, k, v))
        scores = xp.matmul(wide_q * scale, xp.swapaxes(wide_k, -1, -2))
        never = -float("inf")
        if causal:
            rows, columns = xp.arange(q.shape[-2])[:, None], xp.arange(k.shape[-2])
            scores = xp.where(columns <= rows, scores, never).astype(scores.dtype, copy=False)
        if mask is not None and mask.dtype.kind == "b":
            scores = xp.where(mask, scores, never).astype(scores.dtype, copy=False)
        elif mask is not None:
            scores = scores + self._widened(mask)
        if scores.shape[-1]:
            top = xp.max(scores, axis=-1, keepdims=True)
            top = xp.where(top == never, 0, top).astype(scores.dtype, copy=False)
            scores = xp.exp(scores - top)
            total = xp.sum(scores, axis=-1, keepdims=True)
            scores = scores / xp.where(total == 0, 1, total).astype(scores.dtype, copy=False)
        weights = scores if dropped is None else scores * dropped
        return xp.matmul(weights, wide_v).astype(q.dtype, copy=False), scores

    def attention_backward(
        self,
        g: Any,
        q: Any,
        k: Any,
        v: Any,
        mask: Any,
        causal: bool,
        scale: float,
        dropped: Any,
        p: Any,
        out: Any,
        needs: tuple[bool, ...],
    ) -> tuple[Any, Any, Any, Any]:
        """The gradients for q, k, v and mask; the softmax's is p (dp - sum(dp p))."""
        xp, dtype = self.xp, q.dtype
        g, q, k, v, out = (self._widened(x) for x in (g, q, k, v, out))
        weights = p if dropped is None else p * dropped
        gv = xp.matmul(xp.swapaxes(weights, -1, -2), g) if needs[2] else None
        slope = xp.matmul(g, xp.swapaxes(v, -1, -2))
        if dropped is not None:
            slope = slope * dropped
        slope = p * (slope - xp.sum(g * out, axis=-1, keepdims=True))
        gq = xp.matmul(slope, k) * scale if needs[0] else None
        gk = xp.matmul(xp.swapaxes(slope, -1, -2), q) * scale if needs[1] else None
        made = (gq, gk, gv, slope if needs[3] else None)
        gq, gk, gv, gm = (None if x is None else x.astype(dtype, copy=False) for x in made)
        return gq, gk, gv, gm

    def _widened(self, x: Any) -> Any:
        """16-bit floats are computed in float32."""
        return x.astype("f4") if x.dtype.itemsize == 2 else x
