"""NumPy's own attention: some heads or rows at a time, so that their scores stay in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .attention import AttentionKernels
from .compiled import kernels
from .numpy_products import batched
from .numpy_reduction import row_dots

_BLOCK = 1 << 17  # scores that are worked on at a time


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
        rows, columns, heads = q.shape[-2], k.shape[-2], prod(lead)
        # The matrix library multiplies with keys that lie in columns in two thirds of the time.
        keys = _heads(np.swapaxes(k, -1, -2), lead)
        q, v = _heads(np.multiply(q, scale), lead), _heads(v, lead)
        bias, dropped = (
            None if x is None else _heads(np.broadcast_to(x, (*lead, rows, columns)), lead)
            for x in (_bias(mask, q.dtype), dropped)
        )
        out = np.empty((heads, rows, v.shape[-1]), q.dtype)
        p = (np.zeros if causal else np.empty)((heads, rows, columns) if saving else 0, q.dtype)
        for some, at in _blocks(heads, rows, columns):
            seen = min(at.stop, columns) if causal else columns
            whole = saving and at.stop - at.start == rows and seen == columns
            s = batched(q[some, at], keys[some, :, :seen], p[some] if whole else None)
            if bias is not None:
                s += bias[some, at, :seen]
            total = _exponentials(s, at.start if causal else None, mask is not None)
            if saving:
                s *= np.reciprocal(total)
                if not whole:
                    p[some, at, :seen] = s
            w = s if dropped is None else s * dropped[some, at, :seen]
            z = batched(w, v[some, :seen], out[some, at])
            if not saving:
                z /= total
        out = out.reshape(*lead, rows, v.shape[-1])
        return out, p.reshape(*lead, rows, columns) if saving else None

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
        lead, compiled = out.shape[:-2], kernels("attention")
        g, q, k, v, out, p = (_heads(x, lead) for x in (g, q, k, v, out, p))
        if dropped is not None:
            dropped = _heads(np.broadcast_to(dropped, (*lead, *p.shape[1:])), lead)
        gq, gk, gv = (
            np.empty(x.shape, x.dtype) if n else None
            for x, n in zip((q, k, v), needs, strict=False)
        )
        means = row_dots(g.reshape(-1, g.shape[-1]), out.reshape(-1, g.shape[-1]))
        means = means.reshape(len(g), -1)
        step = max(_BLOCK // prod(p.shape[1:]), 1)
        for start in range(0, len(g), step):
            at = slice(start, start + step)
            if gv is not None:
                w = p[at] if dropped is None else p[at] * dropped[at]
                batched(w.swapaxes(1, 2), g[at], gv[at])
            if gq is None and gk is None:
                continue
            slope = batched(g[at], v[at].swapaxes(1, 2))
            if dropped is not None:
                slope *= dropped[at]
            if compiled is not None:
                compiled.slopes(slope, means[at], p[at], scale)
            else:
                slope -= means[at, :, None]
                slope *= p[at]
                slope *= scale
            if gq is not None:
                batched(slope, k[at], gq[at])
            if gk is not None:
                batched(slope.swapaxes(1, 2), q[at], gk[at])
        gq, gk, gv = (None if x is None else x.reshape(*lead, *x.shape[1:]) for x in (gq, gk, gv))
        return gq, gk, gv, None


def _heads(x: Any, lead: tuple[int, ...]) -> Any:
    """x as contiguous matrices, one for each of the leading dimensions together."""
    if x.shape[:-2] != lead:
        x = np.broadcast_to(x, lead + x.shape[-2:])
    return np.ascontiguousarray(x).reshape(prod(lead), *x.shape[-2:])


def _blocks(heads: int, rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """Heads and rows of scores that are worked on at a time: many heads, or a part of one."""
    some = max(_BLOCK // (rows * columns), 1)
    step = max(min(_BLOCK // columns, rows), 1)
    for head in range(0, heads, some):
        for start in range(0, rows, step):
            yield slice(head, min(head + some, heads)), slice(start, min(start + step, rows))


def _bias(mask: Any, dtype: Any) -> Any:
    """What to add to the scores."""
    if mask is None or mask.dtype.kind != "b":
        return mask
    return np.where(mask, dtype.type(0), dtype.type(-np.inf))


@lru_cache(8)
def _later(rows: int, columns: int, start: int, dtype: Any) -> Any:
    """What hides from row number start + i whatever lies beyond its own number."""
    return np.triu(np.full((rows, columns), -np.inf, dtype), start + 1)


def _exponentials(s: Any, start: int | None, masked: bool) -> Any:
    """Turns s into exp(s - its maximum) in place, and returns the sums, 1 where all is hidden.

    If ``start`` is not None, row i of s, which is row start + i of all, may not look beyond its own
    number.
    """
    if s.dtype.char == "f" and (compiled := kernels("attention")) is not None:
        return compiled.exponentials(s, start)
    if start is not None and s.shape[2] > start:
        s += _later(*s.shape[1:], start, s.dtype)
    top = np.maximum.reduce(s, 2, None, None, True)
    if masked:
        top[top == -np.inf] = 0
    s -= top
    np.exp(s, out=s)
    total = np.add.reduce(s, 2, None, None, True)
    if masked:
        total[total == 0] = 1
    return total
