"""NumPy's own attention: block by block, so that scores stay in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from .attention import AttentionKernels

_BLOCK = 1 << 19  # bytes of scores that are worked on at a time


class NumpyAttention(AttentionKernels):
    """Overrides for float32 and float64; the rest goes the generic way."""

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
        if q.dtype.itemsize == 2 or 0 in q.shape or 0 in k.shape or 0 in v.shape:
            return super().attention(q, k, v, mask, causal, scale, dropped, saving)
        lead = np.broadcast_shapes(
            q.shape[:-2], k.shape[:-2], v.shape[:-2], *([] if mask is None else [mask.shape[:-2]])
        )
        rows, columns = q.shape[-2], k.shape[-2]
        bias = _bias(mask, q.dtype)
        q, k, v = (np.broadcast_to(x, lead + x.shape[-2:]) for x in (q, k, v))
        if bias is not None:
            bias = np.broadcast_to(bias, (*lead, rows, columns))
        out = np.empty((*lead, rows, v.shape[-1]), q.dtype)
        step = max(1, min(rows, _BLOCK // (columns * q.itemsize)))
        p = (np.zeros if causal else np.empty)((*lead, rows, columns) if saving else 0, q.dtype)
        scratch = p if saving else np.empty((step, columns), q.dtype)
        for at in np.ndindex(*lead):
            keys = np.multiply(k[at].T, scale)
            for start in range(0, rows, step):
                end = min(start + step, rows)
                seen = min(end, columns) if causal else columns
                block = p[at][start:end] if saving else scratch[: end - start]
                s = block[:, :seen]
                if seen < columns and not saving:
                    s = np.empty((end - start, seen), q.dtype)
                if s.flags.c_contiguous:
                    np.dot(q[at][start:end], keys[:, :seen], out=s)
                else:
                    s[...] = q[at][start:end] @ keys[:, :seen]
                if bias is not None:
                    s += bias[at][start:end, :seen]
                if causal:
                    _hide_later(s, start)
                total = _exponentials(s, mask is not None)
                if saving:
                    s /= total
                w = s if dropped is None else s * dropped[at][start:end, :seen]
                np.matmul(w, v[at][:seen], out=out[at][start:end])
                if not saving:
                    out[at][start:end] /= total
        return out, p if saving else None

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
        if q.dtype.itemsize == 2 or 0 in q.shape or 0 in k.shape or 0 in v.shape or needs[3]:
            return super().attention_backward(
                g, q, k, v, mask, causal, scale, dropped, p, out, needs
            )
        lead = out.shape[:-2]
        q, k, v = (np.broadcast_to(x, lead + x.shape[-2:]) for x in (q, k, v))
        gq, gk, gv = (
            np.empty(x.shape, x.dtype) if n else None
            for x, n in zip((q, k, v), needs, strict=False)
        )
        means = np.add.reduce(g * out, -1, None, None, True)
        for at in np.ndindex(*lead):
            here = p[at]
            if gv is not None:
                w = here if dropped is None else here * dropped[at]
                np.matmul(w.T, g[at], out=gv[at])
            if gq is None and gk is None:
                continue
            slope = g[at] @ v[at].T
            if dropped is not None:
                slope *= dropped[at]
            slope -= means[at]
            slope *= here
            slope *= scale
            if gq is not None:
                np.matmul(slope, k[at], out=gq[at])
            if gk is not None:
                np.matmul(slope.T, q[at], out=gk[at])
        return gq, gk, gv, None


def _bias(mask: Any, dtype: Any) -> Any:
    """What to add to the scores."""
    if mask is None or mask.dtype.kind != "b":
        return mask
    return np.where(mask, dtype.type(0), dtype.type(-np.inf))


def _hide_later(s: Any, start: int) -> None:
    """Row i of s, which is row start + i of all, may not look beyond its own number."""
    if s.shape[1] > start:
        corner = s[:, start:]
        corner[np.triu(np.ones(corner.shape, "?"), 1)] = -np.inf


def _exponentials(s: Any, masked: bool) -> Any:
    """Turns s into exp(s - its maximum) in place, and returns the sums, 1 where all is hidden."""
    top = np.maximum.reduce(s, 1, None, None, True)
    if masked:
        top[top == -np.inf] = 0
    s -= top
    np.exp(s, out=s)
    total = np.add.reduce(s, 1, None, None, True)
    if masked:
        total[total == 0] = 1
    return total
