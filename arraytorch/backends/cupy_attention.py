"""Attention on CuPy arrays: products by cuBLAS, and the softmax between them in place."""

from __future__ import annotations

from typing import Any

import cupy

from .attention import AttentionKernels
from .cupy_normalization import SOFTMAX

_MASK = cupy.ElementwiseKernel(
    "T x, bool seen", "T out", "out = seen ? x : (T)(-1e30f * 1e30f);", "arraytorch_mask"
)
_CAUSAL = cupy.ElementwiseKernel(
    "T x, int64 row, int64 column",
    "T out",
    "out = column <= row ? x : (T)(-1e30f * 1e30f);",
    "arraytorch_causal",
)
KERNELS = [_MASK, _CAUSAL]


class CupyAttention(AttentionKernels):
    """softmax(q k^T scale + mask) v with one pass over the scores for each of mask and softmax."""

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
        wide_q, wide_k, wide_v = (self._widened(x) for x in (q, k, v))
        scores = cupy.matmul(wide_q * scale, cupy.swapaxes(wide_k, -1, -2))
        if not SOFTMAX.takes(scores):
            return super().attention(q, k, v, mask, causal, scale, dropped, saving)
        if causal:
            rows, columns = cupy.arange(q.shape[-2])[:, None], cupy.arange(k.shape[-2])
            _CAUSAL(scores, rows, columns, scores)
        if mask is not None and mask.dtype.kind == "b":
            scores = _MASK(scores, mask)  # a mask may have more dimensions
        elif mask is not None:
            scores = scores + self._widened(mask)
        scores = cupy.ascontiguousarray(scores)
        n = scores.shape[-1]
        SOFTMAX.blocks("attend", scores, scores.size // n, n, scores, n)
        weights = scores if dropped is None else scores * dropped
        return cupy.matmul(weights, wide_v).astype(q.dtype, copy=False), scores

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
        if not SOFTMAX.takes(p):
            return super().attention_backward(
                g, q, k, v, mask, causal, scale, dropped, p, out, needs
            )
        dtype = q.dtype
        g, q, k, v = (self._widened(x) for x in (g, q, k, v))
        weights = p if dropped is None else p * dropped
        gv = cupy.matmul(cupy.swapaxes(weights, -1, -2), g) if needs[2] else None
        slope = cupy.matmul(g, cupy.swapaxes(v, -1, -2))
        if dropped is not None:
            slope = slope * dropped
        # p (slope - sum(slope p)), where the sum is that of g times the result.
        n, p = p.shape[-1], cupy.ascontiguousarray(p)
        slope = cupy.ascontiguousarray(cupy.broadcast_to(slope, p.shape))
        SOFTMAX.blocks("softmax_backward", p, p.size // n, n, slope, p, slope, n, 1)
        gq = cupy.matmul(slope, k) * scale if needs[0] else None
        gk = cupy.matmul(cupy.swapaxes(slope, -1, -2), q) * scale if needs[1] else None
        made = (gq, gk, gv, slope if needs[3] else None)
        gq, gk, gv, gm = (None if x is None else x.astype(dtype, copy=False) for x in made)
        return gq, gk, gv, gm
