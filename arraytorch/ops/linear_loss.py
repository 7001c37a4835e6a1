"""Cross entropy of a linear layer's outputs, which need not be in memory all at once."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import prod
from typing import Any

from .. import _dtypes
from .._dtypes import dtype as Dtype
from .._dtypes import scalar_type_name
from ..autograd.calculus import grad
from ..autograd.function import Function
from ..autograd.modes import enable_grad, grad_enabled, no_grad
from ..backends import dtype_of
from ._results import check_tensor
from .class_loss import cross_entropy
from .creation import zeros_like
from .joining import cat
from .linear import linear
from .reduction import sum
from .shape import reshape

Tensor = Any

_POLICIES = ("accurate", "balanced", "compact", "auto")
_FLOATS = (None, _dtypes.float16, _dtypes.bfloat16, _dtypes.float32, _dtypes.float64)


@dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """How `linear_cross_entropy` goes through the batch in chunks.

    A chunk has ``batch_chunk_size`` rows, or as many as ``chunking_method`` says:
    "aspect_ratio:n" makes its logits at most n times as large as the input ("auto" means n = 2),
    None takes all rows. Gradients of the weight are summed in ``acc_dtype``, or as ``acc_policy``
    says: "accurate" in float64, "balanced" in at least float32, "compact" in the weight's dtype,
    "auto" as "balanced". Any order of derivative is to be had, with or without
    ``allow_retain_graph``.

    >>> torch.nn.LinearCrossEntropyOptions(batch_chunk_size=4).chunking_method
    'auto'
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Dtype | None = None

    def __post_init__(self) -> None:
        if self.acc_policy not in _POLICIES:
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        size = self.batch_chunk_size
        if size is not None and (not isinstance(size, int) or size <= 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size}")
        if self.acc_dtype not in _FLOATS:
            raise ValueError(
                f"acc_dtype must be one of {{{', '.join(map(str, _FLOATS))}}}, got {self.acc_dtype}. "
                "Pass acc_dtype=None to let the op pick automatically."
            )
        self._ratio()

    def _ratio(self) -> int | None:
        method = self.chunking_method
        if method is None or method == "auto":
            return None if method is None else 2
        name, _, number = str(method).partition(":")
        if name != "aspect_ratio" or not number.isdecimal() or not int(number):
            raise ValueError(f"invalid chunking_method: {method!r}")
        return int(number)

    def rows(self, batch: int, features: int, classes: int) -> int:
        """Returns the number of rows of a chunk."""
        ratio = self._ratio()
        if self.batch_chunk_size is not None:
            return self.batch_chunk_size
        return batch if ratio is None else max(ratio * batch * features // max(classes, 1), 1)

    def sums_in(self, weight: Tensor) -> Any:
        """Returns the dtype for sums over the chunks."""
        own = dtype_of(weight._data)
        if self.acc_dtype is not None or self.acc_policy == "compact":
            return self.acc_dtype or own
        if self.acc_policy == "accurate":
            return _dtypes.float64
        return own if own.bits >= 32 else _dtypes.float32


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: LinearCrossEntropyOptions | None = None,
) -> Tensor:
    """Returns the `cross_entropy` of ``linear(input, linear_weight, linear_bias)`` and ``target``.

    ``input`` is (N, features) or (features,), ``linear_weight`` (classes, features), or (classes,
    d1, ..., features) for targets (N, d1, ...). ``ignore_index`` is -100 unless given, for classes
    only. With ``options`` the logits are made, and made again for gradients, in chunks of rows.

    >>> F = torch.nn.functional
    >>> F.linear_cross_entropy(torch.ones(1, 2), torch.zeros(2, 2), torch.tensor([1]))
    tensor(0.6931)
    """
    check_tensor(
        "linear_cross_entropy", input, linear_weight, target,
        names=("input", "linear_weight", "target"),
    )  # fmt: skip
    outer = _checked(input, linear_weight, linear_bias)
    hard = target._data.dtype.kind in "biu"
    if not hard and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    rest = (weight, -100 if ignore_index is None else ignore_index, reduction, label_smoothing)
    if options is not None:
        if hard and not outer and not label_smoothing and dtype_of(target._data) is _dtypes.int64:
            if input._data.ndim == 2 and target._data.shape == input._data.shape[:1]:
                return _chunked(input, linear_weight, linear_bias, target, rest[:3], options)
        else:
            warnings.warn(
                "linear_cross_entropy: ``options`` ignored; chunked path needs reduction in "
                "{'mean','sum','none'}, label_smoothing == 0, target.dtype == int64, out_features "
                f"== (). Got reduction={reduction!r}, label_smoothing={label_smoothing}, "
                f"target.dtype={dtype_of(target._data)!r}, out_features={outer}.",
                stacklevel=2,
            )
    return _at_once(input, linear_weight, linear_bias, target, outer, *rest)


def _checked(input: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[int, ...]:
    """Raises RuntimeError for sizes that do not fit; returns those of the loss beyond the batch."""
    x, w = input._data, weight._data
    if x.ndim not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {x.ndim}")
    if w.ndim < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {w.ndim}")
    if x.shape[-1] != w.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{x.shape[-1]} and {w.shape[-1]}, respectively"
        )
    if x.ndim == 1 and w.ndim > 2:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {w.shape} requires batched input, "
            f"(N, {w.shape[-1]}), got unbatched input with shape {x.shape}"
        )
    if bias is not None and bias._data.shape != w.shape[:-1]:
        raise RuntimeError(f"expected linear_bias shape {w.shape[:-1]}, got {bias._data.shape}")
    return tuple(w.shape[1:-1])


def _at_once(
    input: Tensor, weight: Tensor, bias: Any, target: Tensor, outer: tuple[int, ...],
    class_weight: Any, ignore: int, reduction: str, smoothing: float,
) -> Tensor:  # fmt: skip
    if target._data.dtype.kind in "iu" and target._data.dtype.itemsize in (2, 4):
        kind = scalar_type_name(dtype_of(target._data))
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {kind}")
    rows, features = prod(weight._data.shape[:-1]), weight._data.shape[-1]
    flat = None if bias is None else reshape(bias, (rows,))
    logits = linear(input, reshape(weight, (rows, features)) if outer else weight, flat)
    if outer:
        logits = reshape(logits, (input._data.shape[0], weight._data.shape[0], *outer))
    return cross_entropy(
        logits, target, class_weight, None, ignore, None, reduction, smoothing
    )  # fmt: skip


class _InChunks(Function):
    """The losses of rows, or their sum, with no more logits in memory than those of a chunk."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, b: Any, target: Any, rest: Any, o: Any) -> Any:
        ctx.save_for_backward(x, w, b, target)
        ctx.rest, ctx.options = rest, o
        parts = [_of_rows(x[rows], w, b, target[rows], rest) for rows in _spans(x, w, o)]
        if rest[2] == "none":
            return cat(parts)
        return sum(cat([reshape(p, (1,)) for p in parts]))

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w, b, target = ctx.saved_tensors
        if grad_enabled.get():  # for higher derivatives all rows at once, as plain operations
            with enable_grad():
                out = _of_rows(x, w, b, target, ctx.rest)
                given = [t for t in (x, w, b) if t is not None and t.requires_grad]
                found = iter(grad(out, given, g, create_graph=True))
            return (*[None if t is None or not t.requires_grad else next(found) for t in (x, w, b)],
                    None, None, None)  # fmt: skip
        return (*_pulled(ctx, x, w, b, target, g), None, None, None)


def _pulled(ctx: Any, x: Any, w: Any, b: Any, target: Any, g: Any) -> tuple[Any, ...]:
    """The gradients of rows, weight and bias, the latter two summed over the chunks."""
    wide = ctx.options.sums_in(w)
    sums = [None if t is None else zeros_like(t, dtype=wide) for t in (w, b)]
    parts = []
    own_w, own_b = w.detach().requires_grad_(), None if b is None else b.detach().requires_grad_()
    for rows in _spans(x, w, ctx.options):
        part = x.detach()[rows].requires_grad_()
        with enable_grad():
            out = _of_rows(part, own_w, own_b, target[rows], ctx.rest)
        share = g[rows] if ctx.rest[2] == "none" else g
        given = [part, own_w] if own_b is None else [part, own_w, own_b]
        gx, *others = grad(out, given, share)
        parts.append(gx)
        for total, one in zip(sums, others, strict=False):
            total.add_(one.to(wide))
    back = [None if s is None else s.to(t.dtype) for s, t in zip(sums, (w, b), strict=True)]
    return (cat(parts), *back)


def _of_rows(x: Any, w: Any, b: Any, target: Any, rest: Any) -> Any:
    class_weight, ignore, reduction = rest
    how = "none" if reduction == "none" else "sum"
    return _at_once(x, w, b, target, (), class_weight, ignore, how, 0.0)


def _spans(x: Any, w: Any, options: LinearCrossEntropyOptions) -> list[slice]:
    batch, step = x.shape[0], options.rows(x.shape[0], x.shape[1], w.shape[0])
    return [slice(start, start + step) for start in range(0, max(batch, 1), step)]


def _chunked(x: Any, w: Any, b: Any, target: Any, rest: Any, options: Any) -> Any:
    class_weight, ignore, reduction = rest
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    total = _InChunks.apply(x, w, b, target, rest, options)
    if reduction != "mean":
        return total
    with no_grad():
        kept = target != ignore
        counted = kept if class_weight is None else class_weight[target * kept] * kept
        count = counted.sum()
    return total / count
