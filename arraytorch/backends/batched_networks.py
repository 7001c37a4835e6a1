"""Batching rules of what neural networks do: convolution, pooling, norms, attention, losses.

Samples join the minibatch where there is one weight for all of them, and become groups of a grouped
convolution where each has its own.
"""

from __future__ import annotations

from typing import Any

from . import backend_of, outermost
from .batched import Call, by_sample, rule
from .batched_indexing import flat_rows
from .batched_rules import product
from .convolution import Convolution, convolution

Shape = tuple[int, ...]


@rule(
    "max_pool", "max_pool_arg", "max_pool_indices", "max_pool_input", "max_pool_gather",
    "max_pool_scatter", "max_unpool", "max_pool_pick", "avg_pool", "avg_pool_input",
    "adaptive_avg_pool", "adaptive_avg_pool_input", "adaptive_max_pool", "im2col", "col2im",
    "xor_of_rows", "grid_linear", "grid_linear_input", "grid_linear_points",
)  # fmt: skip
def _folded(call: Call, *args: Any) -> Any:
    """Kernels over minibatches: the samples' are one large one."""
    given = [flat_rows(call.full(a)) if hasattr(a, "ndim") else a for a in args]
    return call.wrapped(_unfolded(call, call.run(*given)))


def _unfolded(call: Call, result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple([_unfolded(call, r) for r in result])
    B = backend_of(result)
    return B.reshape(result, (call.n, len(result) // max(call.n, 1), *result.shape[1:]))


# ---------------------------------------------------------------------------------- convolutions


def _grouped(c: Convolution, n: int) -> Convolution:
    return convolution(c.stride, c.padding, c.dilation, c.groups * n, c.size, c.spatial)


def _beside(value: Any) -> Any:
    """Samples (n, N, C, ...) as channels (N, n C, ...) of one minibatch."""
    n, rows, channels = value.shape[:3]
    B = backend_of(value)
    turned = B.permute(value, (1, 0, *range(2, value.ndim)))
    return B.reshape(turned, (rows, n * channels, *value.shape[3:]))


def _apart(value: Any, n: int) -> Any:
    """The inverse of `_beside`."""
    B = backend_of(value)
    split = B.reshape(value, (len(value), n, value.shape[1] // n, *value.shape[2:]))
    return B.permute(split, (1, 0, *range(2, split.ndim)))


def _plus_bias(call: Call, result: Any, bias: Any, c: Convolution) -> Any:
    if bias is None:
        return call.wrapped(result)
    return call.wrapped(result) + bias.reshape(-1, *(1,) * len(c.size))


@rule("conv", "conv_input")
def _conv(call: Call, x: Any, w: Any, c: Convolution, bias: Any = None) -> Any:
    if not call.has(w):
        if not call.has(x):
            return _plus_bias(call, call.full(call.run(x, w, c)), bias, c)
        own = None if call.has(bias) else bias
        result = _unfolded(call, call.run(flat_rows(x.value), w, c, own))
        return _plus_bias(call, result, bias if call.has(bias) else None, c)
    if not call.has(x) and c.groups == 1 and call.name == "conv":
        result = call.run(x, flat_rows(w.value), c)
    else:
        result = call.run(_beside(call.full(x)), flat_rows(w.value), _grouped(c, call.n))
    return _plus_bias(call, _apart(result, call.n), bias, c)


@rule("conv_weight")
def _conv_weight(call: Call, x: Any, g: Any, c: Convolution) -> Any:
    x, g = call.full(x), call.full(g)
    shape = (g.shape[2], x.shape[2] // c.groups, *c.size)

    def each() -> Any:
        return _unfolded(call, call.run(_beside(x), _beside(g), _grouped(c, call.n)))

    return product(call, shape, each, lambda: call.run(flat_rows(x), flat_rows(g), c), x, g)


# ----------------------------------------------------------------------------------------- norms


@rule("norm_affine")
def _norm_affine(call: Call, x: Any, dims: Shape, weight: Any, bias: Any, eps: float) -> Any:
    if not call.has(x):  # then mean and deviation are the same for all
        z, mean, rstd = call.run(x, dims, None, None, eps)
        z = z if weight is None else z * weight
        return z if bias is None else z + bias, mean, rstd
    x, weight, bias = (None if t is None else call.full(t) for t in (x, weight, bias))
    return call(x, tuple([d + 1 for d in dims]), weight, bias, eps)


@rule("norm_known")
def _norm_known(
    call: Call, x: Any, mean: Any, variance: Any, weight: Any, bias: Any, eps: float
) -> Any:
    x, mean, variance, weight, bias = (
        None if t is None else call.full(t) for t in (x, mean, variance, weight, bias)
    )
    B = outermost(x, mean)
    slope = B.rsqrt(variance + eps)
    slope = slope if weight is None else slope * weight
    shift = -mean * slope
    shift = shift if bias is None else shift + bias
    each = (call.n, 1, x.shape[2]) + (1,) * (x.ndim - 3)
    return call.wrapped(B.cast(x * slope.reshape(each) + shift.reshape(each), x.dtype))


@rule("norm_affine_backward")
def _norm_affine_backward(
    call: Call,
    g: Any,
    x: Any,
    dims: Shape,
    weight: Any,
    mean: Any,
    rstd: Any,
    needs: tuple[bool, bool, bool],
) -> Any:
    g, x, mean, rstd = (call.full(t) for t in (g, x, mean, rstd))
    gx = gw = None
    if needs[0]:
        w = None if weight is None else call.full(weight)
        shifted = tuple([d + 1 for d in dims])
        gx = call.wrapped(call.run(g, x, shifted, w, mean, rstd, (True, False, False))[0])
    if needs[1]:
        spread = [
            d for d, (a, b) in enumerate(zip(weight.shape, x.shape[1:], strict=True)) if a < b
        ]
        B = outermost(g, x)
        product = g * (B.cast(x, mean.dtype) - mean) * rstd
        gw = call.wrapped(B.sum(product, tuple([d + 1 for d in spread]), True))
    return gx, gw, call.wrapped(g) if needs[2] else None


# ------------------------------------------------------------------------------------- attention


class Kept:
    """What the attention kernel below keeps for its gradient, in a form that only it knows."""

    def __init__(self, p: Any) -> None:
        self.p = p


def _heads(call: Call, q: Any, k: Any, v: Any, mask: Any, dropped: Any) -> list[Any]:
    """The arrays that attention takes, with all samples and the same dimensions in front."""
    rank = max(q.ndim, k.ndim, v.ndim, 0 if mask is None else mask.ndim)
    return [None if t is None else call.full(t, rank) for t in (q, k, v, mask, dropped)]


@rule("attention")
def _attention(
    call: Call, q: Any, k: Any, v: Any, mask: Any, causal: bool, scale: float, dropped: Any,
    saving: bool,
) -> Any:  # fmt: skip
    q, k, v, mask, dropped = _heads(call, q, k, v, mask, dropped)
    out, p = call.run(q, k, v, mask, causal, scale, dropped, saving)
    return call.wrapped(out), Kept(p)


@rule("attention_backward")
def _attention_backward(
    call: Call, g: Any, q: Any, k: Any, v: Any, mask: Any, causal: bool, scale: float,
    dropped: Any, p: Any, out: Any, needs: Any,
) -> Any:  # fmt: skip
    q, k, v, mask, dropped = _heads(call, q, k, v, mask, dropped)
    if p.__class__ is Kept:
        p, out = p.p, call.full(out, q.ndim - 1)
    else:  # the samples were all equal then
        out, p = call.run(q, k, v, mask, causal, scale, dropped, True, name="attention")
    g = call.full(g, q.ndim - 1)
    return call(g, q, k, v, mask, causal, scale, dropped, p, out, needs)


# ---------------------------------------------------------------------------------------- losses


@rule("cross_entropy")
def _cross_entropy(call: Call, x: Any, target: Any, ignore: int, mean: bool) -> Any:
    """The losses of all rows at once, summed for each sample."""
    x, target = call.full(x), call.full(target)
    B = outermost(x, target)
    logs = B.log_softmax(x, 2)
    kept = target != ignore
    safe = B.where(kept, target, 0 * target)
    if B.first_outside(safe, 0, x.shape[2], "cross_entropy") is not None:
        raise IndexError(f"a target is out of bounds for {x.shape[2]} classes")
    picked = B.gather(logs, 2, safe[..., None])[..., 0]
    loss = B.sum(B.where(kept, -picked, 0 * picked), (1,), False)
    if mean:
        loss = loss / B.sum(B.cast(kept, loss.dtype), (1,), False)
    return call.wrapped((loss, B.exp(logs), kept))


@rule("cross_entropy_backward")
def _cross_entropy_backward(
    call: Call, g: Any, x: Any, target: Any, ignore: int, mean: bool, p: Any, kept: Any
) -> Any:
    if not any(call.has(t) for t in (x, target)):
        # What was kept is in the form of the kernel below; the gradient is linear in g.
        unit = call.run(0 * g.value[0, ...] + 1, x, target, ignore, mean, p, kept)
        return call.wrapped(g.value.reshape(-1, 1, 1) * unit)
    g, target, p, kept = (call.full(t) for t in (g, target, p, kept))
    B = outermost(g, target, p, kept)
    weight = B.cast(kept, p.dtype)
    share = g / B.sum(weight, (1,), False) if mean else g
    share = share.reshape(-1, 1, 1) * weight[..., None]
    safe = B.where(kept, target, 0 * target)
    return call.wrapped(B.scatter_add(p * share, 2, safe[..., None], -share))


@rule("nll_loss")
def _nll_loss(call: Call, x: Any, target: Any, weight: Any, ignore: int, reduction: str) -> Any:
    x, safe, factor = call.full(x), *_shares(call, x, target, weight, ignore)
    B = outermost(x, safe)
    picked = B.gather(x, 2, safe[..., None])[..., 0]
    losses = B.where(factor == 0, 0 * factor, -picked) * factor
    if reduction != "none":
        losses = B.sum(losses, (1,), False)
    if reduction == "mean":
        losses = losses / B.sum(factor, (1,), False)
    return call.wrapped(losses)


@rule("nll_loss_backward")
def _nll_loss_backward(
    call: Call, g: Any, shape: Any, target: Any, weight: Any, ignore: int, reduction: str
) -> Any:
    g, safe, factor = call.full(g), *_shares(call, g, target, weight, ignore)
    B = outermost(g, safe)
    if reduction == "mean":
        g = g / B.sum(factor, (1,), False)
    if reduction != "none":
        g = g[:, None]
    share = -(g * factor)[..., None]
    nothing = B.zeros((call.n, *shape), share.dtype)
    return call.wrapped(B.scatter_add(nothing, 2, safe[..., None], share))


def _shares(call: Call, x: Any, target: Any, weight: Any, ignore: int) -> tuple[Any, Any]:
    """Labels, with 0 for the one to ignore, and by how much each counts, of all samples."""
    target = call.full(target)
    B = outermost(target)
    kept = target != ignore
    safe = B.where(kept, target, 0 * target)
    if weight is None:
        return safe, B.cast(kept, x.dtype)
    weight = call.full(weight)
    factor = outermost(weight, safe).gather(weight, 1, safe)
    return safe, B.cast(B.where(kept, factor, 0 * factor), x.dtype)


# A call of these does so much that one per sample takes no longer than one for all would.
rule("recurrence", "recurrence_backward", "ctc_loss", "ctc_backward", "histogram")(by_sample)
# PyTorch runs these once per sample, too, and refuses `argwhere` where the numbers of rows differ.
rule("argwhere", "argwhere_padded")(by_sample)
