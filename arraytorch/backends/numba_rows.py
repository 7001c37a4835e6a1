"""Compiled kernels of what is computed row by row: softmax, cross entropy, layer norm."""

from __future__ import annotations

from typing import Any

import numpy as np

from .numba_math import EXACT, FAST, compiled, exp
from .sharing import run, share, spans

LANES = 64  # running maxima: as many as fill four registers


@compiled(EXACT)
def top(x, lanes):  # type: ignore[no-untyped-def]
    """The maximum of a row of float32, NaN left out."""
    n = x.size
    lanes[:] = -np.inf
    whole = n - n % LANES
    for i in range(0, whole, LANES):
        for k in range(LANES):
            v = x[i + k]
            lanes[k] = v if v > lanes[k] else lanes[k]
    best = lanes[0]
    for k in range(1, LANES):
        best = lanes[k] if lanes[k] > best else best
    for i in range(whole, n):
        best = x[i] if x[i] > best else best
    return best


@compiled(FAST)
def exp_less(x, shift, out):  # type: ignore[no-untyped-def]
    """Writes exp(x - shift), and returns the sum."""
    total = np.float32(0)
    for j in range(x.size):
        e = exp(x[j] - shift)
        out[j] = e
        total += e
    return total


@compiled(FAST)
def exp_in_place(x, shift):  # type: ignore[no-untyped-def]
    """x = exp(x - shift), and the sum: two views of one array would not be vectorised."""
    total = np.float32(0)
    for j in range(x.size):
        e = exp(x[j] - shift)
        x[j] = e
        total += e
    return total


@compiled(FAST)
def sum_exp(x, shift):  # type: ignore[no-untyped-def]
    """The sum of exp(x - shift)."""
    total = np.float32(0)
    for j in range(x.size):
        total += exp(x[j] - shift)
    return total


@compiled(FAST)
def _softmax(start, stop, x, out):  # type: ignore[no-untyped-def]
    lanes = np.empty(LANES, np.float32)
    for i in range(start, stop):
        y = out[i]
        scale = np.float32(1) / exp_less(x[i], top(x[i], lanes), y)
        for j in range(y.size):
            y[j] *= scale


@compiled(FAST)
def _softmax_backward(start, stop, g, y, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        total = g.dtype.type(0)
        for j in range(g.shape[1]):
            total += g[i, j] * y[i, j]
        for j in range(g.shape[1]):
            out[i, j] = (g[i, j] - total) * y[i, j]


@compiled(FAST)
def _log_softmax(start, stop, x, out):  # type: ignore[no-untyped-def]
    lanes = np.empty(LANES, np.float32)
    for i in range(start, stop):
        shift = top(x[i], lanes)
        level = np.log(sum_exp(x[i], shift))
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - shift) - level


@compiled(FAST)
def _log_softmax_backward(start, stop, g, y, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        total = np.float32(0)
        for j in range(g.shape[1]):
            total += g[i, j]
        for j in range(g.shape[1]):
            out[i, j] = g[i, j] - exp(y[i, j]) * total


@compiled(FAST)
def _cross_entropy(start, stop, x, target, losses, out):  # type: ignore[no-untyped-def]
    lanes = np.empty(LANES, np.float32)
    for i in range(start, stop):
        y = out[i]
        shift = top(x[i], lanes)
        total = exp_less(x[i], shift, y)
        scale = np.float32(1) / total
        for j in range(y.size):
            y[j] *= scale
        losses[i] = np.log(total) - (x[i, target[i]] - shift)


@compiled(FAST)
def _cross_entropy_backward(start, stop, p, target, share, out):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for j in range(p.shape[1]):
            out[i, j] = p[i, j] * share[i]
        out[i, target[i]] -= share[i]


@compiled(FAST)
def _layer_norm(start, stop, x, w, b, eps, mean, rstd, out):  # type: ignore[no-untyped-def]
    n = x.shape[1]
    for i in range(start, stop):
        total = x.dtype.type(0)
        for j in range(n):
            total += x[i, j]
        middle = x.dtype.type(total / n)
        squares = x.dtype.type(0)
        for j in range(n):
            d = x[i, j] - middle
            squares += d * d
        scale = 1 / np.sqrt(squares / n + eps)
        mean[i], rstd[i] = middle, scale
        scale = rstd[i]
        middle = mean[i]
        for j in range(n):
            out[i, j] = (x[i, j] - middle) * scale * w[j] + b[j]


@compiled(FAST)
def _rms_norm(start, stop, x, w, eps, out):  # type: ignore[no-untyped-def]
    n = x.shape[1]
    for i in range(start, stop):
        squares = x.dtype.type(0)
        for j in range(n):
            squares += x[i, j] * x[i, j]
        scale = x.dtype.type(1 / np.sqrt(squares / n + eps))
        for j in range(n):
            out[i, j] = x[i, j] * scale * w[j]


@compiled(FAST)
def _layer_norm_backward(  # type: ignore[no-untyped-def]
    start, stop, gw, g, x, w, mean, rstd, out
):
    """The gradient for x; those for the weight are added to gw."""
    n = x.shape[1]
    for i in range(start, stop):
        middle, scale = mean[i], rstd[i]
        sum_h = x.dtype.type(0)
        sum_hy = x.dtype.type(0)
        for j in range(n):
            y = (x[i, j] - middle) * scale
            h = g[i, j] * w[j]
            sum_h += h
            sum_hy += h * y
            gw[j] += g[i, j] * y
        a, b = x.dtype.type(sum_h / n), x.dtype.type(sum_hy / n)
        for j in range(n):
            y = (x[i, j] - middle) * scale
            out[i, j] = (g[i, j] * w[j] - a - y * b) * scale


def _matrix(x: Any) -> Any:
    return x.reshape(-1, x.shape[-1])


def softmax(x: Any) -> Any:
    """The softmax of the rows of contiguous float32."""
    out = np.empty(x.shape, x.dtype)
    share(_softmax, x.size // x.shape[-1], x.size, _matrix(x), _matrix(out))
    return out


def softmax_backward(g: Any, out: Any) -> Any:
    """The gradient of `softmax`, whose result is ``out``."""
    result = np.empty(g.shape, g.dtype)
    rows = _matrix(g)
    share(_softmax_backward, len(rows), g.size, rows, _matrix(out), _matrix(result))
    return result


def log_softmax(x: Any) -> Any:
    """The logarithm of the softmax of the rows of contiguous float32."""
    out = np.empty(x.shape, x.dtype)
    share(_log_softmax, x.size // x.shape[-1], x.size, _matrix(x), _matrix(out))
    return out


def log_softmax_backward(g: Any, out: Any) -> Any:
    """The gradient of `log_softmax`, whose result is ``out``."""
    result = np.empty(g.shape, g.dtype)
    rows = _matrix(g)
    share(_log_softmax_backward, len(rows), g.size, rows, _matrix(out), _matrix(result))
    return result


def cross_entropy(x: Any, target: Any) -> tuple[Any, Any]:
    """The loss of each row of float32 against its class, and the softmax."""
    losses, p = np.empty(len(x), x.dtype), np.empty(x.shape, x.dtype)
    share(_cross_entropy, len(x), x.size, x, target, losses, p)
    return losses, p


def cross_entropy_backward(p: Any, target: Any, g: Any) -> Any:
    """(p - one at the target) times g, a number or one for each row."""
    out, each = np.empty(p.shape, p.dtype), np.full(len(p), g, p.dtype)
    share(_cross_entropy_backward, len(p), p.size, p, target, each, out)
    return out


def layer_norm(x: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, Any, Any]:
    """The norm of the rows of a matrix, with the mean and one over the deviation of each."""
    n, count = x.shape
    out, mean, rstd = np.empty(x.shape, x.dtype), np.empty(n, x.dtype), np.empty(n, x.dtype)
    w = np.ones(count, x.dtype) if weight is None else weight
    b = np.zeros(count, x.dtype) if bias is None else bias
    share(_layer_norm, n, x.size, x, w, b, x.dtype.type(eps), mean, rstd, out)
    return out, mean, rstd


def rms_norm(x: Any, weight: Any, eps: float) -> Any:
    """The rows of a matrix over the roots of their mean squares, times a weight."""
    out = np.empty(x.shape, x.dtype)
    w = np.ones(x.shape[1], x.dtype) if weight is None else weight
    share(_rms_norm, len(x), x.size, x, w, x.dtype.type(eps), out)
    return out


def layer_norm_backward(g: Any, x: Any, weight: Any, mean: Any, rstd: Any) -> tuple[Any, Any]:
    """The gradients for x and for the weight."""
    out = np.empty(x.shape, x.dtype)
    w = np.ones(x.shape[1], x.dtype) if weight is None else weight
    parts = spans(len(x), x.size)
    gw = np.zeros((len(parts), x.shape[1]), x.dtype)
    run(_layer_norm_backward, [(*p, t) for p, t in zip(parts, gw)], g, x, w, mean, rstd, out)
    return out, gw.sum(0)
